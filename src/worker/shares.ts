/**
 * How the workers of an account share its budget of calls without talking to each other: each reads from Temporal which of them are
 * alive.
 *
 * What keeps the sum within the budget: every worker that makes calls is counted by all others that do. A new worker waits until all
 * others know of it, or have had no news for so long that they make no calls. A worker that was cut off, or is no longer listed, joins
 * again. A worker that leaves is counted until its heartbeats have stopped for 5 s.
 */
import type { Client } from '@temporalio/client';
import type { Account, Lane } from '../model/ids.js';
import { accountQueue } from '../model/ids.js';
import { Attendance, BEAT_EVERY, LIVES_FOR } from '../model/workers.js';
import type { Share } from '../platforms/drivers.js';
import { clocks, knowsBeats, listPollers, listWorkers } from '../temporal/living-workers.js';

/** Between two checks of which workers are alive, in ms. */
const LOOK_EVERY = 500;
/** Longest time for one check, in ms. */
const ANSWER_WITHIN = 1_000;
/** A worker without news for longer is cut off, in ms: three checks have failed, or their answers are late. */
const CUT_OFF_AFTER = 2_000;
/**
 * How long a worker waits after it was listed, in ms: by then all others know it, and the second that they had started is
 * over.
 */
const HEARD_AFTER = CUT_OFF_AFTER + 1_000;
/** A worker that was cut off for longer may no longer be counted, in ms: nobody had its heartbeats either. */
const FORGOTTEN_AFTER = LIVES_FOR - 2 * BEAT_EVERY;

const LANES: Lane[] = ['calls', 'watch', 'restore'];

/** What one look has shown of an account's workers, by the identity of their processes. */
export interface Look {
  /** Those that live; null where the server knows no signs of life. */
  living: Set<string> | null;
  /** Those that have polled lately; null where nobody has asked. */
  pollers: Set<string> | null;
  /** When it began, in ms of a monotonic clock. */
  at: number;
}

/** One worker's place among those of an account. Pure: the looks and the clock are given. */
export class Place {
  private others: string[] = [];
  private listedSince: number | null = null;
  private known = false;
  /** When nobody else had polled. */
  private aloneAt = Number.NEGATIVE_INFINITY;
  private newsAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly self: string) {}

  /** Whether the pollers are wanted in the next look. */
  get asksForPollers(): boolean {
    return !this.known || this.listedSince === null;
  }

  see({ living, pollers, at }: Look): void {
    const listed = living ?? pollers ?? new Set<string>();
    // Nobody else has polled here: whoever comes finds this one.
    const alone = pollers !== null && pollers.size === 1 && pollers.has(this.self);
    if (at - this.newsAt > FORGOTTEN_AFTER) {
      this.listedSince = null;
      this.known = false;
    }
    if (listed.has(this.self)) this.listedSince ??= at;
    // Others count this one no longer, or have begun while it was not listed yet.
    else if (this.listedSince !== null || at - this.aloneAt > CUT_OFF_AFTER) {
      this.listedSince = null;
      this.known = false;
    }
    if (alone) this.aloneAt = at;
    if (alone || (this.listedSince !== null && at - this.listedSince >= HEARD_AFTER)) this.known = true;
    const seen = new Set([...listed, ...(this.listedSince === null ? (pollers ?? []) : [])]);
    this.others = [...seen].filter((identity) => identity !== this.self);
    this.newsAt = at;
  }

  share(now: number): Share {
    const order = [this.self, ...this.others].sort();
    const place = { rank: order.indexOf(this.self), workers: order.length };
    if (!this.known) return { ...place, standing: 'new' };
    return { ...place, standing: now - this.newsAt > CUT_OFF_AFTER ? 'cutOff' : 'known' };
  }
}

/** Keeps this process's shares of all accounts that it serves up to date. */
export class Shares {
  private readonly places: { account: Account; place: Place }[];
  private readonly attendance = new Attendance();
  /** Whether the server knows signs of life; null until it has answered. */
  private beats: boolean | null = null;
  private timer: NodeJS.Timeout | null = null;
  private stopped = false;
  private looking: Promise<void> = Promise.resolve();

  /** `identity`: that of this process's workers, like no other's. */
  constructor(
    private readonly client: Client,
    accounts: Account[],
    identity: string,
  ) {
    this.places = accounts.map((account) => ({ account, place: new Place(identity) }));
  }

  /** The share of one account, at each call. */
  of(account: Account): () => Share {
    const place = this.places.find((each) => each.account === account)?.place;
    if (place === undefined) throw new Error(`account ${account.account} is not served here`);
    return () => place.share(performance.now());
  }

  start(): void {
    this.looking = this.look()
      // The server is away for a moment; what is known grows old, and that counts.
      .catch(() => undefined)
      .finally(() => {
        if (!this.stopped) this.timer = setTimeout(() => this.start(), LOOK_EVERY).unref();
      });
  }

  /** Resolves when no call is on its way any more: the SDK tries calls again on a connection that was closed, and that ends the process. */
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    await this.looking;
  }

  private async look(): Promise<void> {
    this.beats ??= await knowsBeats(this.client, ANSWER_WITHIN);
    const { beats } = this;
    const at = clocks();
    const queues = this.places.flatMap(({ account }) => LANES.map((lane) => accountQueue(account, lane)));
    const living = beats ? this.attendance.see(await listWorkers(this.client, queues, ANSWER_WITHIN), at).living : null;
    await Promise.all(
      this.places.map(async ({ account, place }) => {
        const calls = accountQueue(account, 'calls');
        const asked = living === null || place.asksForPollers;
        const pollers = asked ? await listPollers(this.client, calls, 'activity', ANSWER_WITHIN) : null;
        const here = living?.filter(({ queue }) => LANES.some((lane) => accountQueue(account, lane) === queue));
        const identities = here === undefined ? null : new Set(here.map(({ identity }) => identity));
        place.see({ living: identities, pollers, at: at.monotonic });
      }),
    );
  }
}
