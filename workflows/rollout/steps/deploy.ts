/** Creates the release, without traffic. */

import { sideOf } from '../../../src/model/environments.js';
import { environmentName } from '../../../src/model/target.js';
import type { BeforeState } from '../../../src/platforms/port.js';
import type { StepOf } from '../../../src/strategies/types.js';
import { forward } from '../../calls.js';
import type { Outcome } from '../outcome.js';
import type { Parts } from '../parts.js';
import { attempt, untouchedBefore } from './attempt.js';

export async function deploy(parts: Parts, step: StepOf<'deploy'>): Promise<Outcome> {
  const { run } = parts;
  const { state, spec, journal } = run;
  const kept = await keepCallers(parts, step);
  if (kept !== 'done') return kept;
  const { before } = run.prepared;
  const untouched = untouchedBefore(state);
  state.touched ||= step.into === 'idle' || before.latest !== undefined;
  const seen = seenBy(before);
  const summary = step.into === 'idle' ? 'deploy the release into the idle environment' : `deploy the release, ${seen}`;
  const work = async () => {
    const done = await forward(spec, step.deadline, summary).deploy({
      spec,
      before,
      mark: run.mark(step.id),
      grant: state.grant,
      ...(step.into ? { into: step.into } : {}),
      // Sluice writes nothing to the target's traffic before this step.
      ...(state.revision === null ? {} : { adopted: state.revision }),
    });
    state.release = done.release;
    state.deployed = done.deployed ?? null;
    state.environments = done.environments ?? state.environments;
    const side = state.environments === null ? null : sideOf(state.environments, done.release.version);
    const where = step.into === undefined || side === null ? '' : ` into ${environmentName(spec.target, side)}`;
    journal.event(`release ${done.release.version} is deployed${where}, ${seen}`);
  };
  const outcome = await attempt(parts, 'deploying', work, untouched);
  if (outcome !== 'done' || run.release.version !== before.split.stable) return outcome;
  const reason = `release ${before.split.stable} is already live and identical`;
  return { leave: { outcome: 'nothingToRelease', reason, code: null } };
}

/** If callers get the release as soon as it is deployed, what they run now is kept before the first write. */
async function keepCallers(parts: Parts, step: StepOf<'deploy'>): Promise<Outcome> {
  const { run } = parts;
  const { state, spec, prepared, journal } = run;
  const { before } = prepared;
  const bypass = before.bypass ?? [];
  if (bypass.length === 0 || before.latest !== undefined) return 'done';
  return attempt(parts, 'deploying', async () => {
    const kept = await forward(spec, step.deadline, 'keep the code that callers of the bare name run').keep({
      spec,
      before,
      mark: run.mark('keep'),
      grant: state.grant,
    });
    state.prepared = { ...prepared, before: kept.before };
    state.grant = kept.grant;
    journal.event(
      `version ${kept.before.latest} keeps what callers of the bare name run now; they get the release as soon as it is deployed: ${bypass.map(({ id }) => id).join(', ')}`,
    );
  });
}

/** What a deployment means for users. */
function seenBy({ bypass = [] }: BeforeState): string {
  return bypass.length === 0 ? 'without traffic' : 'seen by callers of the bare name';
}
