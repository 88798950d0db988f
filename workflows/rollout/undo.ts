/**
 * What is different in an undo: its release has served all users before, so that nothing but a person brings back the one that it
 * takes away. What probes and judge find is a warning, and what the provider refuses is tried until it is done.
 */
import type { WatchReport } from '../../src/health/types.js';
import { clean } from '../../src/model/text.js';
import type { Announcements } from './announce.js';
import type { Run } from './run.js';

/** Warnings that are kept. */
const KEPT = 10;
/** First and longest rest between two tries of a write that the provider refuses, in ms. */
const FIRST_REST = 5_000;
const LONGEST_REST = 5 * 60_000;

export class Undo {
  private rest = FIRST_REST;

  constructor(
    private readonly run: Run,
    private readonly announcements: Announcements,
  ) {}

  /** Says a warning wherever the rollout is, and to the webhooks; each once. */
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

  /** The end of the bake that only warns: nothing depends on what it has seen. */
  ends(report: WatchReport | null, endedBy: string | undefined): void {
    const { journal } = this.run;
    if (report?.verdict.state === 'unhealthy') this.unhealthy(report);
    const seen =
      report === null
        ? "the watcher's counts were lost with its worker"
        : `${report.verdict.state}: ${report.verdict.why}`;
    journal.event(`${endedBy === undefined ? 'the bake is over' : `the bake was ended by ${endedBy}`}: ${seen}`);
  }

  /** A newer release waits for the way: the bake that only warns ends, and the way back stays. */
  makeWay(by: string): void {
    this.run.journal.event('a newer release starts after this undo; the bake ends early', by);
    this.run.requests.skip = by;
  }

  /** How a rollout that went through has ended. */
  ending(): string {
    const { state } = this.run;
    const live = `release ${state.release?.version} is live`;
    if (!this.run.isUndo) return live;
    const [first, ...more] = state.found ?? [];
    if (first === undefined) return `${live} again`;
    return `${live} again; warning: ${first}${more.length === 0 ? '' : ` (and ${more.length} more)`}`;
  }

  /** How long to wait before the provider is asked again: longer each time, in ms. */
  nextRest(): number {
    const { rest } = this;
    this.rest = Math.min(rest * 2, LONGEST_REST);
    return rest;
  }
}
