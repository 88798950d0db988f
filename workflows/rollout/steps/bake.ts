/** Watches one weight for a time. Only the watcher's counts pass it. */
import { isJudged } from '../../../src/model/evidence.js';
import { duration } from '../../../src/model/text.js';
import type { BakeStep, Stage } from '../../../src/strategies/types.js';
import { holdFor } from '../hold.js';
import type { Outcome } from '../outcome.js';
import type { Parts } from '../parts.js';

/** How often a bake whose counts were lost with a worker runs again before a person is asked. */
const LOST_REPORTS = 3;
/** Length of such a repeated bake, in ms: enough to read any source again. */
const REBAKE = 15_000;

export async function bake(parts: Parts, stage: Stage, step: BakeStep): Promise<Outcome> {
  const { run, flow, watching } = parts;
  const { state, requests, journal } = run;
  // Weights that are skipped are ones the candidate never gets.
  if (state.full && !state.promoted && step.weight !== state.weight) return 'done';
  const here = state.step;
  here.until = here.left === undefined ? (here.until ?? Date.now() + step.duration) : Date.now() + here.left;
  delete here.left;
  watching.ensure();
  journal.enter('baking', here.again?.why ?? null);
  journal.deadline(here.until);
  const left = here.until - Date.now();
  const asked = () =>
    requests.skip !== undefined ||
    requests.promote !== undefined ||
    requests.pause !== undefined ||
    watching.passed !== null;
  const waited = await flow.until(asked, left, `bake ${stage.name} for ${duration(left)}`);
  if (waited !== 'asked' && waited !== 'elapsed') return waited;
  if (requests.pause !== undefined) return 'again';
  const endedBy = requests.promote ?? requests.skip;
  run.forgetRequests();
  const outcome = await judged(parts, stage, step, endedBy);
  if (outcome === 'done') {
    // What came while the last counts were read was meant for this bake, not for the next one.
    delete run.requests.skip;
    delete run.requests.promote;
  }
  return outcome;
}

/** The end of a bake. `again`: it continues, with the time in `left`, or is held. */
async function judged(parts: Parts, stage: Stage, step: BakeStep, endedBy: string | undefined): Promise<Outcome> {
  const { run, watching, undo } = parts;
  const { state, journal } = run;
  const here = state.step;
  const { passed } = watching;
  watching.passed = null;
  // The watcher that replaced the one that passed early may not even have started.
  const report = (await watching.stop()) ?? passed;
  if (step.warns === true) {
    undo.ends(report, endedBy);
    return 'done';
  }
  if (report === null) {
    here.lostReports = (here.lostReports ?? 0) + 1;
    if (here.lostReports <= LOST_REPORTS) {
      journal.event(
        `stage ${stage.name}: the watcher's counts were lost with its worker; baking for another ${duration(REBAKE)}`,
      );
      here.left = Math.min(step.duration, REBAKE);
      return 'again';
    }
  }
  const verdict = report?.verdict ?? { state: 'blind' as const, why: 'no worker could watch the candidate' };
  // Counts from before that say nothing about now.
  if (report === null && state.verdict !== null) state.verdict = { ...state.verdict, ...verdict };
  if (verdict.state === 'unhealthy') return 'unhealthy';
  if (verdict.state === 'healthy' || (endedBy !== undefined && verdict.state !== 'blind')) {
    const how = endedBy === undefined ? 'passed' : `bake ended early by ${endedBy}`;
    journal.event(`stage ${stage.name}: ${how}: ${verdict.why}`);
    return 'done';
  }
  // It passed early, and the counts since then do not pass: the bake continues to its end.
  if (passed !== null && endedBy === undefined && Date.now() < (here.until ?? 0)) return 'again';
  if (verdict.state !== 'blind' && run.spec.allowUnjudged && !isJudged(run.spec.health)) return 'done';
  const rules = run.rules();
  const answer = verdict.state === 'noData' ? rules.onNoData : rules.onUndecided;
  const why = `${verdict.state}: ${verdict.why}`;
  if (report?.verdict.few === true && answer !== 'promote' && here.again === undefined) {
    here.again = { why: `baking for another ${duration(step.duration)} to get more requests: ${why}` };
    here.left = step.duration;
    return 'again';
  }
  // If the evidence speaks against the candidate, no rule passes it: a person must decide.
  if (answer === 'promote' && report !== null && verdict.state !== 'blind' && report.verdict.logE <= 0) {
    journal.event(`stage ${stage.name}: passed by health.judge: ${verdict.why}`);
    return 'done';
  }
  if (answer === 'rollback')
    return { leave: { outcome: 'rolledBack', reason: `stage ${stage.name}: ${why}`, code: null } };
  holdFor(parts, 'undecided', `stage ${stage.name}: ${why}`);
  return 'again';
}
