/** Users, as the demo plays them: open-loop requests, each with a user id, counted by the version that answered. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Users } from './cloud.js';

const CARTS = [['coffee'], ['coffee', 'cake'], ['tea', 'tea', 'cake']] as const;

/** Longest wait for the answers that are on their way when the users stop, in ms. */
const LAST_ANSWERS = 10_000;

export interface Answer {
  at: number;
  version: string;
  failed: boolean;
  /** What kept an answer away. */
  why?: string;
  latencyMs: number;
  /** How late it was sent, in ms: a machine that cannot keep up is no user. */
  lagMs: number;
}

export interface VersionCounts {
  requests: number;
  failed: number;
  /** Median of the last answers, in ms. */
  medianMs: number;
}

/** Open loop: a slow answer does not slow the next request down, as with real users. */
export class Traffic {
  readonly answers: Answer[] = [];
  private readonly inFlight = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | null = null;
  private stopping: Promise<void> | null = null;
  private sent = 0;
  private began = 0;

  constructor(
    private readonly users: Users,
    private readonly perSecond: number,
  ) {}

  start(): void {
    this.began = Date.now();
    this.timer = setInterval(() => {
      const due = Math.floor(((Date.now() - this.began) / 1000) * this.perSecond);
      for (; this.sent < due; this.sent += 1) this.send(this.sent);
    }, 1000 / this.perSecond);
  }

  /** Stops sending and waits for requests in flight, for ten seconds at most. May be called twice. */
  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async end(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    const over = new AbortController();
    const late = pause(LAST_ANSWERS, undefined, { signal: over.signal, ref: false }).catch(() => undefined);
    await Promise.race([Promise.allSettled(this.inFlight), late]);
    over.abort();
    this.users.close();
  }

  /** Counts by version of the answers since `from` (ms since the epoch). */
  byVersion(from = 0): Map<string, VersionCounts> {
    const counts = new Map<string, VersionCounts & { latencies: number[] }>();
    for (const answer of this.answers) {
      if (answer.at < from) continue;
      const of = counts.get(answer.version) ?? { requests: 0, failed: 0, medianMs: 0, latencies: [] };
      of.requests += 1;
      of.failed += answer.failed ? 1 : 0;
      of.latencies.push(answer.latencyMs);
      counts.set(answer.version, of);
    }
    for (const of of counts.values()) of.medianMs = median(of.latencies.slice(-200));
    return counts;
  }

  private send(number: number): void {
    const at = Date.now();
    const lagMs = at - (this.began + ((number + 1) * 1000) / this.perSecond);
    const request = this.users
      .ask(`user-${number}`, [...(CARTS[number % CARTS.length] ?? [])])
      .then((answer) => {
        this.answers.push({ at, ...answer, latencyMs: Date.now() - at, lagMs });
      })
      .finally(() => this.inFlight.delete(request));
    this.inFlight.add(request);
  }
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
