/** Resource Manager's limits by token buckets ("Understand how Azure Resource Manager throttles requests"). */
import { type Answer, json } from '../http.js';

interface Bucket {
  size: number;
  perSecond: number;
  left: number;
  at: number;
}

const bucket = (size: number, perSecond: number): Bucket => ({ size, perSecond, left: size, at: Date.now() });

export class Throttle {
  readonly #reads = bucket(250, 25);
  readonly #writes = bucket(200, 10);
  readonly #deletes = bucket(200, 10);

  /** Null: the request may pass. A POST that reads counts as a write, as there. */
  refuses(method: string, now = Date.now()): Answer | null {
    const of = method === 'GET' ? this.#reads : method === 'DELETE' ? this.#deletes : this.#writes;
    of.left = Math.min(of.size, of.left + ((now - of.at) / 1000) * of.perSecond);
    of.at = now;
    if (of.left >= 1) {
      of.left -= 1;
      return null;
    }
    const seconds = Math.ceil((1 - of.left) / of.perSecond);
    const message = `The request is being throttled as the limit has been reached. Please try again after '${seconds}' seconds.`;
    return json(429, { error: { code: 'TooManyRequests', message } }, { 'retry-after': String(seconds) });
  }

  headers(): Record<string, string> {
    return {
      'x-ms-ratelimit-remaining-subscription-reads': String(Math.floor(this.#reads.left)),
      'x-ms-ratelimit-remaining-subscription-writes': String(Math.floor(this.#writes.left)),
    };
  }
}
