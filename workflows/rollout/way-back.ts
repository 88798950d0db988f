/** Rolling back: one activity that returns the target to its before-state, however often the provider fails. */

import { ApplicationFailure, CancellationScope, condition } from '@temporalio/workflow';
import { failureOf, foundOf, isForeign } from '../../src/model/rollout/failure.js';
import { clean, duration } from '../../src/model/text.js';
import type { Written } from '../../src/platforms/port.js';
import { restoring } from '../calls.js';
import { adopt } from './foreign-change.js';
import { LONGEST_REMINDER } from './outcome.js';
import type { Parts } from './parts.js';
import type { Leave } from './state.js';
import { lookForErrors } from './unhealthy.js';

/** A new attempt to restore runs for this long before its predecessor's error is shown again. */
const RESTORE_CHUNK = 5 * 60_000;

/** When to check a target that did not exist before, as fractions of a call's longest life. */
const LOOKS = [1 / 12, 1 / 6, 1 / 4, 1 / 2, 3 / 4, 1];

export class WayBack {
  /** `continueAsNew` returns only if something outranks it. */
  constructor(
    private readonly parts: Parts,
    private readonly continueAsNew: () => Promise<void>,
  ) {}

  /** Rolls back for the reason in the state, unless someone else's change is kept, and ends. */
  async goBack(): Promise<void> {
    const { run, watching } = this.parts;
    const { state, journal } = run;
    watching.drop();
    const why = state.leave as Leave;
    if (state.kept === null && state.touched && why.outcome !== 'nothingToRelease') {
      const since = Date.now();
      await this.restore(why);
      if (this.parts.run.state.kept === null) await this.stayGone(since);
    }
    // A change kept on the way makes it end differently than it started.
    const end = state.leave as Leave;
    if (end.unhealthy === true) await lookForErrors(run);
    journal.failStage();
    journal.end(end.outcome, end.reason, end.code);
  }

  /** One activity that returns the target to the before-state, retried until it is there, however often the provider fails. */
  private async restore(leave: Leave): Promise<void> {
    const { run } = this.parts;
    const { state, journal, spec } = run;
    const { before } = run.prepared;
    const to = before.split.stable ?? 'no release (first deployment)';
    journal.enter('restoring', leave.reason, leave.code);
    for (let chunk = spec.deadlines.stuckAfter; ; chunk = RESTORE_CHUNK) {
      const { force } = state;
      const outcome = await this.tryOnce(chunk, `send all traffic back to ${to}`);
      if (state.kept !== null) return;
      if (outcome === 'again') continue;
      if ('written' in outcome) {
        state.revision = outcome.written.revision;
        run.saw(outcome.written.split);
        state.environments = before.environments;
        journal.event(`all traffic is back on ${to}`);
        for (const remark of outcome.written.remarks ?? []) this.remark(remark);
        return;
      }
      await this.notRestored(outcome.error, force);
      if (state.kept !== null) return;
      // A person has decided, so the rollout no longer waits for one.
      if (isForeign(outcome.error)) journal.enter('restoring', leave.reason, leave.code);
    }
  }

  /**
   * One activity that restores, for `chunk` ms at most. `again`: it was interrupted, since a person wants another attempt or
   * one with force. A run that has grown long meanwhile continues as the next one.
   */
  private async tryOnce(chunk: number, summary: string): Promise<{ written: Written } | { error: unknown } | 'again'> {
    const { state, spec, requests, length } = this.parts.run;
    const { force } = state;
    delete requests.retry;
    length.look();
    const scope = new CancellationScope();
    const done = scope.run(() => restoring(spec, chunk, summary).restore(this.args()));
    const outcome = await Promise.race([
      done.then(
        (written) => ({ written }),
        (error: unknown) => ({ error }),
      ),
      condition(() => requests.retry !== undefined || state.force !== force || length.over).then(
        () => 'again' as const,
      ),
    ]);
    if (outcome !== 'again') return outcome;
    scope.cancel();
    if (length.over) await this.continueAsNew();
    return outcome;
  }

  /**
   * A first deployment leaves no revision that a late call could fail on: a call that was given up may still create the
   * target. So it is deleted again, while this run holds the lock, until no such call can be running any more. `since`: when
   * restoring started.
   */
  private async stayGone(since: number): Promise<void> {
    const { state, journal, length, prepared } = this.parts.run;
    if (prepared.before.split.stable !== null || state.attempted.length === 0) return;
    const { callLife } = state.limits;
    const last = state.attemptedAt ?? since;
    const looks = LOOKS.map((share) => last + callLife * share);
    for (let looked = since; looked < last + callLife && state.kept === null; ) {
      const next = looks.find((at) => at > Date.now()) ?? Date.now();
      journal.enter('restoring', `watching for ${duration(callLife)} in case a late call creates the target again`);
      length.look();
      const left = next - Date.now();
      if (left > 0)
        await condition(() => length.over, left, { summary: 'check whether a late call has created the target' });
      if (length.over) await this.continueAsNew();
      looked = Date.now();
      if (!(await this.takeAwayAgain())) return;
    }
  }

  /** False: someone else has created the target meanwhile, and it is theirs. */
  private async takeAwayAgain(): Promise<boolean> {
    const { run } = this.parts;
    const { state, journal } = run;
    while (state.kept === null) {
      const { force } = state;
      const outcome = await this.tryOnce(RESTORE_CHUNK, 'remove what a late call created');
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
      if (found !== null) run.saw(found);
      journal.event(`someone else has created the target meanwhile; it stays: ${failureOf(error).message}`);
      return false;
    }
    return false;
  }

  /** Once, however often restoring is repeated. */
  private remark(remark: string): void {
    const { state, journal } = this.parts.run;
    if (!state.events.some(({ text }) => text === clean(remark, 400))) journal.event(remark);
  }

  private args() {
    const { run } = this.parts;
    const { state, spec, prepared } = run;
    return {
      spec,
      before: prepared.before,
      attempted: state.attempted,
      lastRevision: state.revision,
      mark: run.mark('restore'),
      force: state.force,
      grant: state.grant,
      receipts: state.receipts,
    };
  }

  /** This run may not write at all: the server or a person made it from another one. It has done nothing. */
  private notOurs(message: string): ApplicationFailure {
    this.parts.run.journal.end('failed', message, 'SLUICE_ACCESS');
    return ApplicationFailure.nonRetryable(message, 'SLUICE_ACCESS');
  }

  /** `force`: whether the failed attempt had it; if it was set since, no other command is needed. */
  private async notRestored(error: unknown, force: boolean): Promise<void> {
    const { run, keep, announcements } = this.parts;
    const { state, journal, requests, length } = run;
    const { code, message } = failureOf(error);
    if (code === 'SLUICE_ACCESS') throw this.notOurs(message);
    const foreign = isForeign(error);
    const found = foundOf(error);
    if (found !== null) run.saw(found);
    journal.enter('stuck', `${foreign ? 'foreignChange: ' : 'the rollback has not succeeded yet: '}${message}`, code);
    void announcements.notify('stuck');
    if (!foreign) return;
    const forced = () => state.force !== force;
    const answered = () => forced() || state.kept !== null || state.cancel === 'asked' || requests.adopt === true;
    for (let remind = run.spec.health.judge.remindEvery; ; remind = Math.min(remind * 2, LONGEST_REMINDER)) {
      length.look();
      await condition(() => answered() || length.over, remind, { summary: 'remind about the foreign change' });
      if (state.kept !== null || state.force) return;
      if (state.cancel === 'asked') {
        await keep.cancel();
        continue;
      }
      if (length.over) {
        await this.continueAsNew();
        continue;
      }
      if (requests.adopt === true && (await adopt(run, () => forced() || state.kept !== null))) return;
      void announcements.notify('reminder');
    }
  }
}
