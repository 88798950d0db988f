/**
 * What is different in an undo: its release served all users before, so only a person can bring back the release that it
 * replaces. What probes and judge find is only a warning, and a call that the provider refuses is retried until it succeeds.
 */
import type { WatchReport } from '../../src/health/types.js';
import { clean } from '../../src/model/text.js';
import type { Announcements } from './announce.js';
import type { Run } from './run.js';

/** Most warnings kept. */
const KEPT = 10;
/** First and longest wait between two attempts of a write that the provider refuses, in ms. */
const FIRST_REST = 5_000;
const LONGEST_REST = 5 * 60_000;

export class Undo {
  private rest = FIRST_REST;

  constructor(
    private readonly run: Run,
    private readonly announcements: Announcements,
  ) {}

  /** Shows a warning wherever the rollout is shown, and sends it to the webhooks; each once. */
  warn(what: string): void {
    const { state, journal } = this.run;
    const said = clean(what, 600);
    const known = state.found ?? [];
    if (known.includes(said)) return;
    state.found = [...known, said].slice(-KEPT);
    journal.event(`warning: ${said}`);
    journal.publish();
    void this.announcements.notify('warning');
  }

  unhealthy({ verdict }: WatchReport): void {
    const { version } = this.run.release;
    this.warn(
      `${version} does not look healthy: ${verdict.why}. It keeps all traffic; \`sluice abort ${this.run.state.app}/${this.run.state.environment}\` rolls it back`,
    );
  }

  /** The end of the bake that only warns: nothing depends on its result. */
  ends(report: WatchReport | null, endedBy: string | undefined): void {
    const { journal } = this.run;
    if (report?.verdict.state === 'unhealthy') this.unhealthy(report);
    const seen =
      report === null
        ? "the watcher's counts were lost with its worker"
        : `${report.verdict.state}: ${report.verdict.why}`;
    journal.event(`${endedBy === undefined ? 'the bake is over' : `the bake was ended by ${endedBy}`}: ${seen}`);
  }

  /** A newer release waits: the bake that only warns ends, and the undo stays. */
  makeWay(by: string): void {
    this.run.journal.event('a newer release starts after this undo; the bake ends early', by);
    this.run.requests.skip = by;
  }

  /** How a successful rollout ended. */
  ending(): string {
    const { state } = this.run;
    const live = `release ${state.release?.version} is live`;
    if (!this.run.isUndo) return live;
    const [first, ...more] = state.found ?? [];
    if (first === undefined) return `${live} again`;
    return `${live} again; warning: ${first}${more.length === 0 ? '' : ` (and ${more.length} more)`}`;
  }

  /** How long to wait before the next call to the provider: longer each time, in ms. */
  nextRest(): number {
    const { rest } = this;
    this.rest = Math.min(rest * 2, LONGEST_REST);
    return rest;
  }
}
