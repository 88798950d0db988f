/** The steps of a plan that call the cloud. What fails sends the rollout back; a foreign change stops its hands. */

import { ApplicationFailure, CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { failureOf, foundOf, isForeign } from '../../src/model/failures.js';
import { environmentName } from '../../src/model/target.js';
import { saySplit } from '../../src/model/traffic.js';
import type { Phase } from '../../src/model/words.js';
import type { BeforeState, Split, Written } from '../../src/platforms/port.js';
import type { Stage, Step } from '../../src/strategies/types.js';
import { forward, restoring } from '../calls.js';
import { AskedAgain, BakesAgain, Leaving, LONGEST_REMINDER } from './leave.js';
import type { Rollout } from './rollout.js';

/** Stands for the mark of a change that a person adopted. */
const ADOPTED = 'adopted';

/** How much longer a probe may take to answer that its time is over, in ms: the counts say more than a deadline does. */
const ANSWER = 10_000;

export class Steps {
  constructor(private readonly rollout: Rollout) {}

  async perform(stage: Stage, step: Step): Promise<void> {
    switch (step.kind) {
      case 'deploy':
        return this.deploy(step);
      case 'warm':
        this.rollout.state.touched = true;
        return this.attempt('deploying', () => (step.orGoOn === true ? this.warmOrGoOn(step) : this.warm(step)));
      case 'probe':
        return this.probe(stage, step.probes, step.deadline);
      case 'shift':
        if (this.rollout.state.full) return;
        return this.shift(step.id, step.weight, step.deadline);
      case 'promote':
        await this.promote(step.id, step.deadline);
        this.rollout.state.promoted = true;
        this.rollout.state.full = false;
        return;
      case 'bake':
        return this.rollout.waits.bake(stage, step);
      case 'compare':
        // Done in the bake before it, where that asks for it.
        return;
      case 'approve':
        return this.rollout.waits.approve(stage, step);
      case 'finish':
        await this.rollout.watching.stop();
        return;
    }
  }

  private warm({ deadline }: Extract<Step, { kind: 'warm' }>): Promise<void> {
    const { spec, state } = this.rollout;
    const summary = `ready ${spec.configuration.provisionedConcurrency} instances of ${state.release?.version}`;
    return forward(spec, deadline, summary).warm({
      spec,
      release: this.rollout.release(),
      grant: state.grant,
      deployed: state.deployed,
    });
  }

  /** Users wait for the release: cold starts are better than the one that is taken back. */
  private async warmOrGoOn(step: Extract<Step, { kind: 'warm' }>): Promise<void> {
    try {
      await this.warm(step);
    } catch (error) {
      const { code, message } = failureOf(error);
      if (isCancellation(error) || code === 'SLUICE_ACCESS') throw error;
      const { version } = this.rollout.release();
      this.rollout.look.found(`${version} gets the traffic without its capacity: ${message}`);
    }
  }

  /** Gives the candidate `weight` percent of traffic; `id` names the write. */
  async shift(id: string, weight: number, deadline: number): Promise<void> {
    const { spec } = this.rollout;
    const candidate = this.rollout.release().version;
    const stable = this.rollout.stable();
    await this.write(id, 'shifting', weight, (fence) =>
      forward(spec, deadline, `give ${candidate} ${weight} % of traffic`).shift({
        spec,
        stable,
        candidate,
        weight,
        fence,
        ...this.shown(),
      }),
    );
  }

  /** Makes the candidate the stable release; `id` names the write. */
  async promote(id: string, deadline: number): Promise<void> {
    const { spec } = this.rollout;
    const candidate = this.rollout.release().version;
    await this.write(id, 'promoting', 100, (fence) =>
      forward(spec, deadline, `make ${candidate} the stable release`).promote({
        spec,
        candidate,
        fence,
        ...this.shown(),
      }),
    );
  }

  /** What a write shows of its right to be done. */
  private shown() {
    const { grant, receipts, deployed } = this.rollout.state;
    return { grant, receipts, deployed };
  }

  private async deploy(step: Extract<Step, { kind: 'deploy' }>): Promise<void> {
    const { state, spec } = this.rollout;
    await this.keep(step);
    const { before } = this.rollout.prepared;
    const untouched = state.touched;
    state.touched ||= step.into === 'idle' || before.latest !== undefined;
    const work = async () => {
      const traffic = trafficOf(before);
      const summary =
        step.into === 'idle' ? 'deploy the release into the idle environment' : `deploy the release, ${traffic}`;
      const done = await forward(spec, step.deadline, summary).deploy({
        spec,
        before,
        mark: this.rollout.mark(step.id),
        grant: state.grant,
        ...(step.into ? { into: step.into } : {}),
        // Nothing of ours is written to the target's traffic before this step.
        ...(state.revision === null ? {} : { adopted: state.revision }),
      });
      state.release = done.release;
      state.deployed = done.deployed ?? null;
      state.environments = done.environments ?? state.environments;
      const side = state.environments === null ? null : sideOf(state.environments, done.release.version);
      const where = step.into === undefined || side === null ? '' : ` into ${environmentName(spec.target, side)}`;
      this.rollout.journal.event(`release ${done.release.version} is deployed${where}, ${traffic}`);
    };
    await this.attempt('deploying', work, untouched);
    if (state.release?.version === before.split.stable) {
      this.rollout.leaveWith({
        outcome: 'nothingToRelease',
        reason: `release ${before.split.stable} is live already and identical`,
        code: null,
      });
      throw new Leaving();
    }
  }

  /** Where callers reach the release with its deployment, what they run now is kept before the first write. */
  private async keep(step: Extract<Step, { kind: 'deploy' }>): Promise<void> {
    const { state, spec, prepared } = this.rollout;
    const { before } = prepared;
    const bypass = before.bypass ?? [];
    if (bypass.length === 0 || before.latest !== undefined) return;
    await this.attempt('deploying', async () => {
      const kept = await forward(spec, step.deadline, 'keep what callers beside the target run').keep({
        spec,
        before,
        mark: this.rollout.mark('keep'),
        grant: state.grant,
      });
      state.prepared = { ...prepared, before: kept.before };
      state.grant = kept.grant;
      this.rollout.journal.event(
        `version ${kept.before.latest} keeps what callers of the bare name run now; they get the release with its deployment: ${bypass.map(({ id }) => id).join(', ')}`,
      );
    });
  }

  private async probe(stage: Stage, probes: string[], deadline: number): Promise<void> {
    const version = this.rollout.release().version;
    await this.attempt(this.rollout.state.weight > 0 ? 'baking' : 'deploying', async () => {
      const report = await forward(
        this.rollout.spec,
        deadline + ANSWER,
        `probe ${version}: ${probes.join(', ')}`,
        'watch',
      ).probe({
        spec: this.rollout.spec,
        version,
        probes,
        within: deadline,
        grant: this.rollout.state.grant,
      });
      if (!report.passed) throw ApplicationFailure.nonRetryable(report.why ?? 'a probe failed', 'SLUICE_PROBE');
      this.rollout.journal.event(`stage ${stage.name}: probes passed: ${report.lines.join('; ')}`);
    });
  }

  /** A write to the target: noted before it is tried, fenced, read back. A foreign change stops the hands. */
  private async write(
    step: string,
    phase: Phase,
    weight: number,
    call: (fence: { revision: string | null; mark: string }) => Promise<Written>,
  ): Promise<void> {
    const { state } = this.rollout;
    const fence = { revision: state.revision, mark: this.rollout.mark(step) };
    const candidate = this.rollout.release().version;
    const split =
      weight === 100
        ? { stable: candidate, candidate: null, weight: 0 }
        : { stable: this.rollout.prepared.before.split.stable, candidate, weight };
    // What the watcher of the smaller weight saw last counts before there is more traffic.
    const report = await this.rollout.watching.stop();
    if (report?.verdict.state === 'unhealthy') await this.rollout.waits.unhealthy(report);
    state.attempted.push({ mark: fence.mark, split });
    const before = state.touched;
    state.touched = true;
    const work = async () => {
      const written = await call({ ...fence, revision: state.revision }).finally(() => {
        state.attemptedAt = Date.now();
      });
      state.revision = written.revision;
      this.rollout.watching.passed = null;
      this.rollout.saw(written.split);
      state.weightSince = Date.now();
      state.verdict = null;
      if (weight === 100 && state.environments !== null)
        state.environments = { ...state.environments, live: sideOf(state.environments, candidate) };
      this.rollout.watching.ensure();
      this.rollout.journal.event(
        weight === 100 ? `${candidate} is the stable release` : `${candidate} has ${weight} % of traffic`,
      );
    };
    await this.attempt(phase, work, before);
  }

  /** Runs one call of a step in its phase; what fails there sends the rollout back, a foreign change makes it stuck. */
  private async attempt(phase: Phase, work: () => Promise<void>, touched = this.rollout.state.touched): Promise<void> {
    for (;;) {
      this.rollout.journal.enter(phase);
      try {
        return await this.rollout.interruptible(work);
      } catch (error) {
        if (error instanceof Leaving || error instanceof BakesAgain) throw error;
        if (error instanceof AskedAgain) continue;
        const { code, message } = failureOf(error);
        if (await this.rollout.look.triesAgain(error)) continue;
        if (!isForeign(error)) {
          // Refused before it began: what was untouched still is.
          if (code === 'SLUICE_ACCESS') this.rollout.state.touched = touched;
          this.rollout.leaveWith({ outcome: 'rolledBack', reason: message, code });
          throw new Leaving();
        }
        await this.foreignChange(message, foundOf(error));
      }
    }
  }

  /** Nothing is written until a person says `abort --force` or `retry --adopt`; `abort --keep` ends it here. */
  private async foreignChange(message: string, found: Split | null): Promise<void> {
    const { state } = this.rollout;
    if (found !== null) this.rollout.saw(found);
    this.rollout.journal.enter('stuck', `foreignChange: ${message}`, 'SLUICE_FOREIGN_CHANGE');
    void this.rollout.herald.notify('stuck');
    for (let remind = this.rollout.spec.health.policy.remindEvery; ; remind = Math.min(remind * 2, LONGEST_REMINDER)) {
      const waited = await this.rollout.until(
        () => this.rollout.wish.adopt === true || state.cancel === 'asked',
        remind,
        'remind of the foreign change',
        {
          deaf: true,
        },
      );
      if (state.cancel === 'asked') {
        await this.rollout.keeping.cancel();
        continue;
      }
      if (waited === 'asked' && (await this.adopt(() => state.leave !== null))) return;
      void this.rollout.herald.notify('reminder');
    }
  }

  /**
   * A person takes the target as it is: its revision is ours from now on. False when it could not be read, or `cut` came
   * first; then it is as foreign as before.
   */
  async adopt(cut: () => boolean): Promise<boolean> {
    const { state, journal, spec, wish } = this.rollout;
    // What else was said meanwhile is still to be done.
    delete wish.adopt;
    delete wish.retry;
    const scope = new CancellationScope();
    const adopting = scope.run(() =>
      restoring(spec, 60_000, 'take the target as it is').adopt({ spec, grant: state.grant }),
    );
    const outcome = await Promise.race([
      adopting.catch((error: unknown) => failureOf(error).message),
      condition(cut).then(() => 'something else was asked for'),
    ]);
    scope.cancel();
    if (typeof outcome === 'string') {
      journal.event(
        `the foreign change could not be adopted: ${outcome}; say retry --adopt again, abort --keep or abort --force`,
      );
      return false;
    }
    state.revision = outcome.revision;
    state.attempted.push({ mark: ADOPTED, split: outcome.split });
    this.rollout.saw(outcome.split);
    journal.event(`adopted the foreign change: ${saySplit(outcome.split)}`);
    return true;
  }
}

/** What a deployment means for users. */
function trafficOf({ bypass = [] }: BeforeState): string {
  return bypass.length === 0 ? 'without traffic' : 'seen by callers of the bare name';
}

function sideOf(environments: { blue: string | null; green: string | null }, version: string): 'blue' | 'green' | null {
  if (environments.blue === version) return 'blue';
  return environments.green === version ? 'green' : null;
}
