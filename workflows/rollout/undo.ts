/**
 * What is different in an undo: its release has served all users before, so that nothing but a person brings back the one that it
 * takes away. What probes and judge find is a warning, and what the provider refuses is tried until it is done.
 */
import { isCancellation } from '@temporalio/workflow';
import type { WatchReport } from '../../src/health/types.js';
import { ERRORS } from '../../src/model/errors.js';
import { failureOf, isForeign } from '../../src/model/failures.js';
import { clean } from '../../src/model/text.js';
import type { Rollout } from './rollout.js';

/** Warnings that are kept. */
const KEPT = 10;
/** First and longest rest between two tries of a write that the provider refuses, in ms. */
const FIRST_REST = 5_000;
const LONGEST_REST = 5 * 60_000;

export class Look {
  private rest = FIRST_REST;

  constructor(private readonly rollout: Rollout) {}

  /** This rollout is an undo: it looks, and does not judge. */
  get only(): boolean {
    return this.rollout.state.type === 'undo';
  }

  /** Says a warning wherever the rollout is, and to the webhooks; each once. */
  found(what: string): void {
    const { state, journal, herald } = this.rollout;
    const said = clean(what, 600);
    const known = state.found ?? [];
    if (known.includes(said)) return;
    state.found = [...known, said].slice(-KEPT);
    journal.event(`warning: ${said}`);
    journal.publish();
    void herald.notify('warning');
  }

  unhealthy({ verdict }: WatchReport): void {
    const { version } = this.rollout.release();
    this.found(
      `${version} does not look healthy: ${verdict.why}. It keeps all traffic; \`sluice abort ${this.rollout.state.app}/${this.rollout.state.environment}\` sends it back`,
    );
  }

  /** The end of the look: nothing depends on what it has seen. */
  ends(report: WatchReport | null, past: string | undefined): true {
    const { journal } = this.rollout;
    if (report?.verdict.state === 'unhealthy') this.unhealthy(report);
    const seen =
      report === null
        ? "the watcher's counts were lost with its worker"
        : `${report.verdict.state}: ${report.verdict.why}`;
    journal.event(`${past === undefined ? 'the look is over' : `the look was ended by ${past}`}: ${seen}`);
    return true;
  }

  /** A newer release waits for the way: the look ends, and the way back stays. */
  makeWay(by: string): void {
    this.rollout.journal.event('a newer release takes its turn after this undo; the look ends early', by);
    this.rollout.wish.skip = by;
  }

  /** How a rollout that went through has ended. */
  ending(): string {
    const { state } = this.rollout;
    const live = `release ${state.release?.version} is live`;
    if (!this.only) return live;
    const [first, ...more] = state.found ?? [];
    if (first === undefined) return `${live} again`;
    return `${live} again; warning: ${first}${more.length === 0 ? '' : ` (and ${more.length} more)`}`;
  }

  /** True: a write of an undo failed, a while has passed or somebody has asked, and it is to be tried again. */
  async triesAgain(error: unknown): Promise<boolean> {
    const { rollout } = this;
    const { state, journal, herald } = rollout;
    const { code, message } = failureOf(error);
    if (!this.only || isCancellation(error) || isForeign(error) || code === 'SLUICE_ACCESS') return false;
    // Before a write was tried, what the provider will never do leaves all as it is.
    if (!state.touched && code !== null && ERRORS[code].final && code !== 'SLUICE_NO_WORKER') return false;
    journal.enter('stuck', `the undo has not succeeded yet: ${message}`, code);
    void herald.notify('stuck');
    const { rest } = this;
    this.rest = Math.min(rest * 2, LONGEST_REST);
    await rollout.until(() => rollout.wish.retry !== undefined, rest, 'try the undo again', { deaf: true });
    delete rollout.wish.retry;
    return true;
  }
}
