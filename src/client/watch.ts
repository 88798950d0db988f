/** Follows a rollout to its end. */
import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { type ErrorCode, SluiceError } from '../model/errors.js';
import { rolloutId } from '../model/ids.js';
import { isReached, type Until } from '../model/until.js';
import type { RolloutView } from '../model/view.js';
import type { Link } from './connect.js';
import { isNoAnswer } from './errors.js';
import type { Look } from './look.js';
import { look } from './look.js';
import { ledgerOf, neverBegan } from './start.js';
import type { AppEnvironment, Snapshot, WatchOptions } from './types.js';

/** Shortest and longest wait between two looks, in ms: short after a change, long while nothing happens. */
const SOON = 200;
const LATE = 1_000;
/** How long an ended rollout may still be telling others before the watch ends without it, in ms. */
const LAST_WORDS = 3_000;
/** How long a server may be away before the watch gives up, in ms. */
const AWAY_AT_MOST = 60_000;
/** Troubles that can end by themselves. */
const PASSING = new Set<ErrorCode>(['SLUICE_UNREACHABLE', 'SLUICE_TEMPORAL']);

/** See `Sluice.watch`. */
export async function* watch(link: Link, target: AppEnvironment, options: WatchOptions = {}): AsyncGenerator<Snapshot> {
  const signal = options.signal ?? new AbortController().signal;
  const stopped = new AbortController();
  const either = AbortSignal.any([signal, stopped.signal]);
  // Each long poll adds a listener for as long as the watch lasts.
  setMaxListeners(0, either);
  let closing: Promise<void> | null = null;
  let last: { view: RolloutView | null; key: string } = { view: null, key: '' };
  let wait = SOON;
  let awaySince: number | null = null;
  let doneSince: number | null = null;
  const whom = new Whom(link, target, options);
  try {
    while (!signal.aborted) {
      const seen = await lookCalmly(whom);
      const now = Date.now();
      if (seen instanceof SluiceError) {
        awaySince = seen.code === 'SLUICE_NO_WORKER' ? null : (awaySince ?? now);
        if (awaySince !== null && now - awaySince > AWAY_AT_MOST) throw seen;
        yield { view: last.view, ended: false, trouble: seen.message };
        wait = LATE;
      } else if (seen === null) {
        yield { view: null, ended: false, trouble: null };
        wait = LATE;
      } else {
        awaySince = null;
        const key = keyOf(seen.view);
        wait = key === last.key ? Math.min(LATE, wait * 1.5) : SOON;
        last = { view: seen.view, key };
        if (seen.ended) doneSince ??= now;
        const ended = seen.closed || (doneSince !== null && now - doneSince > LAST_WORDS);
        yield { view: seen.view, ended, trouble: null };
        if (ended) return;
        closing ??= closes(link, target, either);
      }
      await Promise.race([pause(wait, undefined, { signal: either }).catch(() => undefined), closing ?? never()]);
      if (closing !== null && (await settled(closing))) closing = null;
    }
  } finally {
    stopped.abort();
  }
}

/** See `Sluice.wait`. */
export async function wait(
  link: Link,
  target: AppEnvironment,
  until: Until,
  options: WatchOptions = {},
): Promise<Snapshot> {
  let last: Snapshot = { view: null, ended: false, trouble: null };
  for await (const snapshot of watch(link, target, options)) {
    last = snapshot;
    if (snapshot.ended || isReached(snapshot, until)) break;
  }
  return last;
}

/** The one run that a watch stays with, so that it never reports another's end. */
class Whom {
  private run: string | undefined;

  constructor(
    private readonly link: Link,
    private readonly target: AppEnvironment,
    private readonly options: WatchOptions,
  ) {
    this.run = options.run;
  }

  /** Null: it has not begun. Errors: SLUICE_SUPERSEDED when it never will. */
  async look(): Promise<Look | null> {
    const { ticket } = this.options;
    if (this.run === undefined && ticket !== undefined) {
      const begun = await this.runOf(ticket);
      if (begun === null) return null;
      this.run = begun;
    }
    const seen = await look(this.link, this.target, this.run);
    this.run = seen.run;
    return seen;
  }

  private async runOf(ticket: string): Promise<string | null> {
    const ledger = await ledgerOf(this.link, this.target);
    // While it is being started it may already run, and another one may wait in the queue.
    if (ledger?.queued?.ticket === ticket || ledger?.starting?.ticket === ticket) return null;
    const settled = ledger?.settled.find((each) => each.ticket === ticket);
    if (settled === undefined) throw neverBegan(this.target, 'its target no longer knows it');
    if (settled.run === null) throw neverBegan(this.target, settled.why ?? 'a newer release took its place');
    return settled.run;
  }
}

/** A snapshot that returns temporary errors as values. Null: the expected rollout has not started. */
async function lookCalmly(whom: Whom): Promise<Look | SluiceError | null> {
  try {
    return await whom.look();
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    if (isNoAnswer(error) || PASSING.has(error.code)) return error;
    throw error;
  }
}

/** Resolves when the run closes: a long poll, so the end is seen at once. */
function closes(link: Link, target: AppEnvironment, signal: AbortSignal): Promise<void> {
  const handle = link.temporal.workflow.getHandle(rolloutId(target.app, target.environment));
  return link.temporal
    .withAbortSignal(signal, () => handle.result())
    .then(
      () => undefined,
      () => undefined,
    );
}

/** What calls for a closer look. Live counts change all the time and do not. */
function keyOf(view: RolloutView | null): string {
  if (view === null) return '';
  const { phase, outcome, weight, reason, eventsTotal, refusalsTotal } = view;
  return JSON.stringify([phase, outcome, weight, reason, eventsTotal, refusalsTotal]);
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

async function settled(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol('open');
  return (await Promise.race([promise, Promise.resolve(open)])) !== open;
}
