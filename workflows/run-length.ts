/**
 * When a run has grown long and continues as new. What it goes by is looked at only where the history has something to say (a
 * signal, an answer, a timer, an update that was taken) and kept: an update that is refused leaves nothing in the history, so
 * what a condition found out while it was being refused would be found out by no replay.
 */
import { CancellationScope, sleep, workflowInfo } from '@temporalio/workflow';

/** No signal for this long is the end of a flood, in ms. */
const QUIET = 1_000;

export class RunLength {
  private long = false;
  private signals = 0;
  private lastSignal = Number.NEGATIVE_INFINITY;
  private settling = false;

  /** `idle`: nothing that was said still waits to be checked. */
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

  /** Looks how long the run is. Never in a condition. */
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
   * The server refuses to end a run that has news, and then the whole history is replayed: in the middle of a flood a run
   * would do nothing else. So it goes on until a moment is quiet and all is checked; after 10,000 signals the server takes
   * no more of them.
   */
  get settled(): boolean {
    return !this.settling && this.idle();
  }

  private quiet(): boolean {
    return Date.now() - this.lastSignal >= QUIET;
  }

  /** Wakes whoever waits once it is quiet. */
  private async settle(): Promise<void> {
    this.settling = true;
    while (!this.quiet()) await sleep(QUIET, { summary: 'wait for the end of a flood of messages' });
    this.settling = false;
  }
}
