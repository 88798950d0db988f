/** A write to the target's traffic: noted before it is tried, fenced by the last revision, read back. */
import { sideOf } from '../../../src/model/environments.js';
import type { Phase } from '../../../src/model/words.js';
import type { Written } from '../../../src/platforms/port.js';
import type { Outcome } from '../outcome.js';
import type { Parts } from '../parts.js';
import type { RolloutState } from '../state.js';
import { attempt, untouchedBefore } from './attempt.js';

/** What proves that a write is allowed. */
export function rights({ grant, receipts, deployed }: RolloutState) {
  return { grant, receipts, deployed };
}

export async function write(
  parts: Parts,
  step: string,
  phase: Phase,
  weight: number,
  call: (fence: { revision: string | null; mark: string }) => Promise<Written>,
): Promise<Outcome> {
  const { run, watching } = parts;
  const { state, journal } = run;
  const mark = run.mark(step);
  const candidate = run.release.version;
  const split =
    weight === 100
      ? { stable: candidate, candidate: null, weight: 0 }
      : { stable: run.prepared.before.split.stable, candidate, weight };
  // The watcher's last counts at the smaller weight are checked before the traffic grows.
  const report = await watching.stop();
  if (report?.verdict.state === 'unhealthy') return 'unhealthy';
  const untouched = untouchedBefore(state);
  // A second attempt is the same write.
  if (!state.attempted.some((each) => each.mark === mark)) state.attempted.push({ mark, split });
  state.touched = true;
  const work = async () => {
    const written = await call({ mark, revision: state.revision }).finally(() => {
      state.attemptedAt = Date.now();
    });
    state.revision = written.revision;
    watching.passed = null;
    run.saw(written.split);
    state.weightSince = Date.now();
    state.verdict = null;
    if (weight === 100 && state.environments !== null)
      state.environments = { ...state.environments, live: sideOf(state.environments, candidate) };
    watching.ensure();
    journal.event(weight === 100 ? `${candidate} is the stable release` : `${candidate} has ${weight} % of traffic`);
  };
  return attempt(parts, phase, work, untouched);
}
