/** Waiting: for a time, a person or a call. Whatever interrupts a wait is returned as its answer; nothing is decided here. */
import { CancellationScope, condition } from '@temporalio/workflow';
import type { Waited } from './outcome.js';
import type { Run } from './run.js';
import type { Watching } from './watching.js';

export class Flow {
  constructor(
    private readonly run: Run,
    private readonly watching: Watching,
  ) {}

  /**
   * Waits until `asked`, for `ms` at most. An end of the rollout comes first, then an unhealthy verdict, then what was asked
   * for. `deaf`: the verdict is already known, so it does not end this wait.
   */
  async until(asked: () => boolean, ms: number, summary: string, { deaf = false } = {}): Promise<Waited> {
    const { state, length } = this.run;
    const unhealthy = () => !deaf && this.watching.unhealthy !== null;
    const over = () => asked() || state.leave !== null || unhealthy() || length.over;
    length.look();
    if (!over()) await condition(over, Math.max(1, ms), { summary });
    if (state.leave !== null) return 'leaving';
    if (unhealthy()) return 'unhealthy';
    if (asked()) return 'asked';
    length.look();
    return length.over ? 'grown' : 'elapsed';
  }

  /**
   * Runs a call that an end of the rollout, an unhealthy verdict or `asked` cuts short; whatever the call still does late is
   * fenced. Errors: those of the call.
   */
  async call<T>(
    work: () => Promise<T>,
    asked: () => boolean = () => false,
  ): Promise<{ value: T } | 'asked' | 'unhealthy' | 'leaving'> {
    const { state } = this.run;
    const scope = new CancellationScope();
    let settled = false;
    const done = scope.run(work).finally(() => {
      settled = true;
    });
    done.catch(() => undefined);
    await condition(() => settled || state.leave !== null || this.watching.unhealthy !== null || asked());
    if (settled) return { value: await done };
    scope.cancel();
    if (state.leave !== null) return 'leaving';
    return this.watching.unhealthy === null ? 'asked' : 'unhealthy';
  }
}
