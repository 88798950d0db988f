/**
 * When a run has grown long and continues as new. It is measured only when the history gets something new (a signal, an
 * answer, a timer, an accepted update) and the result is kept: a refused update leaves nothing in the history, so a replay
 * could not repeat what a condition found while one was being refused.
 */
import { CancellationScope, sleep, workflowInfo } from '@temporalio/workflow';

/** No signal for this long ends a flood, in ms. */
const QUIET = 1_000;

export class RunLength {
  private long = false;
  private signals = 0;
  private lastSignal = Number.NEGATIVE_INFINITY;
  private settling = false;

  /** `idle`: no message still waits to be checked. */
  constructor(
    private readonly limits: () => { history: number; signals: number },
    private readonly idle: () => boolean = () => true,
  ) {}

  /** Counts a signal, so that a flood ends in a new run and not at the server's limit. */
  signal(): void {
    this.signals += 1;
    this.lastSignal = Date.now();
    this.look();
  }

  /** Measures how long the run is. Never in a condition. */
  look(): void {
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    const { history, signals } = this.limits();
    this.long ||= continueAsNewSuggested || historyLength >= history || this.signals >= signals;
    if (this.long && !this.settling && !this.quiet()) void CancellationScope.nonCancellable(() => this.settle());
  }

  /** Time to continue as new. */
  get over(): boolean {
    return this.long && this.settled;
  }

  /**
   * The server refuses to end a run that has new events, and then replays the whole history: in the middle of a flood a run
   * would do nothing else. So it waits until the flood pauses and everything is checked; after 10,000 signals the server
   * accepts no more.
   */
  get settled(): boolean {
    return !this.settling && this.idle();
  }

  private quiet(): boolean {
    return Date.now() - this.lastSignal >= QUIET;
  }

  /** Wakes the waiter once it is quiet. */
  private async settle(): Promise<void> {
    this.settling = true;
    while (!this.quiet()) await sleep(QUIET, { summary: 'wait for the end of a flood of messages' });
    this.settling = false;
  }
}
