/** Going back: one activity that brings the target to its before-state, however often the provider fails. */

import { ApplicationFailure, CancellationScope, condition } from '@temporalio/workflow';
import { failureOf, foundOf, isForeign } from '../../src/model/failures.js';
import { clean, duration } from '../../src/model/text.js';
import type { Written } from '../../src/platforms/port.js';
import { restoring } from '../calls.js';
import { Leaving, LONGEST_REMINDER } from './leave.js';
import type { Rollout } from './rollout.js';
import type { Leave } from './state.js';

/** A later try of restoring goes on this long before its last error is shown anew. */
const RESTORE_CHUNK = 5 * 60_000;

/** When a target that was not there before is looked at again, as shares of a call's longest life. */
const LOOKS = [1 / 12, 1 / 6, 1 / 4, 1 / 2, 3 / 4, 1];

export class WayBack {
  constructor(private readonly rollout: Rollout) {}

  /** Goes back for the reason why the rollout leaves, unless somebody else's change is kept, and ends. */
  async goBack(): Promise<void> {
    const { state, journal } = this.rollout;
    this.rollout.watching.drop();
    const why = state.leave as Leave;
    if (state.kept === null && state.touched && why.outcome !== 'nothingToRelease') await this.restoreOrKeep(why);
    // What is kept on the way ends it otherwise than it began.
    const end = state.leave as Leave;
    if (end.unhealthy === true) await this.rollout.lookForErrors();
    journal.failStage();
    journal.end(end.outcome, end.reason, end.code);
  }

  private async restoreOrKeep(why: Leave): Promise<void> {
    try {
      const since = Date.now();
      await this.restore(why);
      if (this.rollout.state.kept === null) await this.stayGone(since);
    } catch (error) {
      // Kept while this run was about to continue as the next one.
      if (!(error instanceof Leaving)) throw error;
    }
  }

  /** One activity that brings the target to the before-state, until it is there, however often the provider fails. */
  private async restore(leave: Leave): Promise<void> {
    const { state, journal, spec } = this.rollout;
    const { before } = this.rollout.prepared;
    const to = before.split.stable ?? 'no release (first deployment)';
    journal.enter('restoring', leave.reason, leave.code);
    for (let chunk = spec.deadlines.stuckAfter; ; chunk = RESTORE_CHUNK) {
      const { force } = state;
      const outcome = await this.tryOnce(chunk, `send all traffic back to ${to}`);
      if (outcome === 'again') continue;
      if ('written' in outcome) {
        state.revision = outcome.written.revision;
        this.rollout.saw(outcome.written.split);
        state.environments = before.environments;
        journal.event(`all traffic is back on ${to}`);
        for (const remark of outcome.written.remarks ?? []) this.remark(remark);
        return;
      }
      await this.notRestored(outcome.error, force);
      if (state.kept !== null) return;
      // A person has decided: what follows is no longer waiting for one.
      if (isForeign(outcome.error)) journal.enter('restoring', leave.reason, leave.code);
    }
  }

  /**
   * One activity that restores, for `chunk` ms at most. `again`: it was given up, since a person wants another try or one with
   * force. A run that has grown long meanwhile continues as the next one.
   */
  private async tryOnce(chunk: number, summary: string): Promise<{ written: Written } | { error: unknown } | 'again'> {
    const { state, spec, wish, growth } = this.rollout;
    const { force } = state;
    delete wish.retry;
    growth.look();
    const scope = new CancellationScope();
    const done = scope.run(() => restoring(spec, chunk, summary).restore(this.args()));
    const outcome = await Promise.race([
      done.then(
        (written) => ({ written }),
        (error: unknown) => ({ error }),
      ),
      condition(() => this.rollout.wish.retry !== undefined || state.force !== force || growth.over).then(
        () => 'again' as const,
      ),
    ]);
    if (outcome !== 'again') return outcome;
    scope.cancel();
    if (growth.over) await this.rollout.continue();
    return outcome;
  }

  /**
   * A first deployment leaves nothing whose revision could be spent: a call that was given up may make the target after all. So it is
   * taken away anew, while this run holds the lock, until no such call can be under way any more. `since`: when restoring began.
   */
  private async stayGone(since: number): Promise<void> {
    const { state, journal, growth, prepared } = this.rollout;
    if (prepared.before.split.stable !== null || state.attempted.length === 0) return;
    const { callLife } = state.limits;
    const last = state.attemptedAt ?? since;
    const looks = LOOKS.map((share) => last + callLife * share);
    for (let looked = since; looked < last + callLife; ) {
      const next = looks.find((at) => at > Date.now()) ?? Date.now();
      journal.enter('restoring', `watching for ${duration(callLife)} that no late call creates the target again`);
      growth.look();
      const left = next - Date.now();
      if (left > 0)
        await condition(() => growth.over, left, { summary: 'look whether a late call has created the target' });
      if (growth.over) await this.rollout.continue();
      looked = Date.now();
      if (!(await this.takeAwayAgain())) return;
    }
  }

  /** False: somebody else has made the target meanwhile, and it is theirs. */
  private async takeAwayAgain(): Promise<boolean> {
    const { state, journal } = this.rollout;
    for (;;) {
      const { force } = state;
      const outcome = await this.tryOnce(RESTORE_CHUNK, 'take away what came late');
      if (outcome === 'again') continue;
      if ('written' in outcome) {
        for (const remark of outcome.written.remarks ?? []) this.remark(remark);
        return true;
      }
      const { error } = outcome;
      if (!isForeign(error)) {
        await this.notRestored(error, force);
        continue;
      }
      const found = foundOf(error);
      if (found !== null) this.rollout.saw(found);
      journal.event(`somebody else has created the target meanwhile, which stays: ${failureOf(error).message}`);
      return false;
    }
  }

  /** Once, however often restoring is repeated. */
  private remark(remark: string): void {
    const { state, journal } = this.rollout;
    if (!state.events.some(({ text }) => text === clean(remark, 400))) journal.event(remark);
  }

  private args() {
    const { state, spec, prepared } = this.rollout;
    return {
      spec,
      before: prepared.before,
      attempted: state.attempted,
      lastRevision: state.revision,
      mark: this.rollout.mark('restore'),
      force: state.force,
      grant: state.grant,
      receipts: state.receipts,
    };
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
    const found = foundOf(error);
    if (found !== null) this.rollout.saw(found);
    journal.enter('stuck', `${foreign ? 'foreignChange: ' : 'going back has not succeeded yet: '}${message}`, code);
    void this.rollout.herald.notify('stuck');
    if (!foreign) return;
    for (let remind = this.rollout.spec.health.policy.remindEvery; ; remind = Math.min(remind * 2, LONGEST_REMINDER)) {
      this.rollout.growth.look();
      await condition(
        () =>
          state.force !== force ||
          state.kept !== null ||
          state.cancel === 'asked' ||
          this.rollout.wish.adopt === true ||
          this.rollout.growth.over,
        remind,
        {
          summary: 'remind of the foreign change',
        },
      );
      if (state.kept !== null || state.force) return;
      if (state.cancel === 'asked') {
        await this.rollout.keeping.cancel();
        continue;
      }
      if (this.rollout.growth.over) await this.rollout.continue();
      const cut = () => state.force !== force || state.kept !== null;
      if (this.rollout.wish.adopt === true && (await this.rollout.steps.adopt(cut))) return;
      void this.rollout.herald.notify('reminder');
    }
  }
}
