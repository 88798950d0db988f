/** Going back: one activity that brings the target to its before-state, however often the provider fails. */

import { ApplicationFailure, CancellationScope, condition } from '@temporalio/workflow';
import { failureOf, isForeign } from '../src/model/failures.js';
import { restoring } from './calls.js';
import { LONGEST_REMINDER } from './leaving.js';
import type { Rollout } from './rollout.js';
import type { Leave } from './state.js';

/** A later try of restoring goes on this long before its last error is shown anew. */
const RESTORE_CHUNK = 5 * 60_000;

export class WayBack {
  constructor(private readonly rollout: Rollout) {}

  async goBack(leave: Leave): Promise<void> {
    const { state, journal } = this.rollout;
    this.rollout.watching.drop();
    if (state.touched && leave.outcome !== 'nothingToRelease') await this.restore(leave);
    state.weight = 0;
    if (leave.unhealthy === true) await this.rollout.lookForErrors();
    journal.failStage();
    journal.end(leave.outcome, leave.reason, leave.code);
  }

  /** One activity that brings the target to the before-state, until it is there, however often the provider fails. */
  private async restore(leave: Leave): Promise<void> {
    const { state, journal, spec } = this.rollout;
    const { before } = this.rollout.prepared;
    const to = before.split.stable ?? 'no release (first deployment)';
    journal.enter('restoring', leave.reason, leave.code);
    for (let chunk = spec.deadlines.stuckAfter; ; chunk = RESTORE_CHUNK) {
      delete this.rollout.wish.retry;
      this.rollout.growth.look();
      const scope = new CancellationScope();
      const force = state.force;
      const done = scope.run(() =>
        restoring(spec, chunk, `send all traffic back to ${to}`).restore({
          spec,
          before,
          attempted: state.attempted,
          lastRevision: state.revision,
          mark: this.rollout.mark('restore'),
          force,
          grant: state.grant,
          receipts: state.receipts,
        }),
      );
      const outcome = await Promise.race([
        done.then(
          (written) => ({ written }),
          (error: unknown) => ({ error }),
        ),
        condition(
          () => this.rollout.wish.retry !== undefined || state.force !== force || this.rollout.growth.over,
        ).then(() => 'again' as const),
      ]);
      if (outcome === 'again') {
        scope.cancel();
        if (this.rollout.growth.over) await this.rollout.continue();
        continue;
      }
      if ('written' in outcome) {
        state.revision = outcome.written.revision;
        state.environments = before.environments;
        journal.event(`all traffic is back on ${to}`);
        for (const remark of outcome.written.remarks ?? []) journal.event(remark);
        return;
      }
      await this.notRestored(outcome.error, force);
    }
  }

  /** This run may not write at all: the server or a person has made it from another one. Nothing was done by it. */
  private notOurs(message: string): ApplicationFailure {
    this.rollout.journal.end('failed', message, 'SLUICE_ACCESS');
    return ApplicationFailure.nonRetryable(message, 'SLUICE_ACCESS');
  }

  /** `force`: whether the try that failed had it; set since, it needs no other word. */
  private async notRestored(error: unknown, force: boolean): Promise<void> {
    const { state, journal } = this.rollout;
    const { code, message } = failureOf(error);
    if (code === 'SLUICE_ACCESS') throw this.notOurs(message);
    const foreign = isForeign(error);
    journal.enter('stuck', `${foreign ? 'foreignChange: ' : 'going back has not succeeded yet: '}${message}`, code);
    void this.rollout.herald.notify('stuck');
    if (!foreign) return;
    for (let remind = this.rollout.spec.health.policy.remindEvery; ; remind = Math.min(remind * 2, LONGEST_REMINDER)) {
      this.rollout.growth.look();
      await condition(
        () => state.force !== force || this.rollout.wish.adopt === true || this.rollout.growth.over,
        remind,
        {
          summary: 'remind of the foreign change',
        },
      );
      if (this.rollout.growth.over) await this.rollout.continue();
      if (state.force) return;
      if (this.rollout.wish.adopt === true && (await this.rollout.steps.adopt(() => state.force !== force))) return;
      void this.rollout.herald.notify('reminder');
    }
  }
}
