/** Resource Manager's limits by token buckets ("Understand how Azure Resource Manager throttles requests"). */
import { type Answer, json } from '../http.js';

interface Bucket {
  size: number;
  perSecond: number;
  left: number;
  at: number;
}

/** Requests at once, and how many come back in a second. */
export type Limit = Pick<Bucket, 'size' | 'perSecond'>;

const bucket = (limit: Limit): Bucket => ({ ...limit, left: limit.size, at: Date.now() });

export class Throttle {
  readonly #reads: Bucket;
  readonly #writes = bucket({ size: 200, perSecond: 10 });
  readonly #deletes = bucket({ size: 200, perSecond: 10 });

  constructor(reads: Limit = { size: 250, perSecond: 25 }) {
    this.#reads = bucket(reads);
  }

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
