/**
 * Someone else changed the target: nothing is written until a person answers with `abort --force`, `abort --keep` or `retry
 * --adopt`.
 */
import { CancellationScope, condition } from '@temporalio/workflow';
import { failureOf } from '../../src/model/rollout/failure.js';
import { saySplit } from '../../src/model/traffic.js';
import type { Split } from '../../src/platforms/port.js';
import { restoring } from '../calls.js';
import { LONGEST_REMINDER, type Outcome } from './outcome.js';
import type { Parts } from './parts.js';
import type { Run } from './run.js';

/** Used as the mark of a change that a person adopted. */
const ADOPTED = 'adopted';
/** How long to try to read the target, in ms. */
const READ_WITHIN = 60_000;

/** `again`: the change is adopted, and the step's write is retried on top of it. */
export async function foreignChange(parts: Parts, message: string, found: Split | null): Promise<Outcome> {
  const { run, flow, keep, announcements } = parts;
  const { state, requests, journal } = run;
  if (found !== null) run.saw(found);
  journal.enter('stuck', `foreignChange: ${message}`, 'SLUICE_FOREIGN_CHANGE');
  void announcements.notify('stuck');
  const asked = () => requests.adopt === true || state.cancel === 'asked';
  for (let remind = run.spec.health.judge.remindEvery; ; remind = Math.min(remind * 2, LONGEST_REMINDER)) {
    const waited = await flow.until(asked, remind, 'remind about the foreign change', { deaf: true });
    if (waited !== 'asked' && waited !== 'elapsed') return waited;
    if (state.cancel === 'asked') {
      await keep.cancel();
      continue;
    }
    if (waited === 'asked' && (await adopt(run, () => state.leave !== null))) return 'again';
    void announcements.notify('reminder');
  }
}

/**
 * A person accepts the target as it is: its revision is ours from now on. Returns false if the target could not be read or
 * `cut` came first; then the change stays foreign.
 */
export async function adopt(run: Run, cut: () => boolean): Promise<boolean> {
  const { state, journal, spec, requests } = run;
  // Other requests that came meanwhile are still to be done.
  delete requests.adopt;
  delete requests.retry;
  const scope = new CancellationScope();
  const adopting = scope.run(() =>
    restoring(spec, READ_WITHIN, 'accept the target as it is').adopt({ spec, grant: state.grant }),
  );
  const outcome = await Promise.race([
    adopting.catch((error: unknown) => failureOf(error).message),
    condition(cut).then(() => 'another command arrived'),
  ]);
  scope.cancel();
  if (typeof outcome === 'string') {
    journal.event(
      `the foreign change could not be adopted: ${outcome}; run retry --adopt again, abort --keep or abort --force`,
    );
    return false;
  }
  state.revision = outcome.revision;
  state.attempted.push({ mark: ADOPTED, split: outcome.split });
  run.saw(outcome.split);
  journal.event(`adopted the foreign change: ${saySplit(outcome.split)}`);
  return true;
}
