/** What an unhealthy verdict leads to: a rollback, a hold, or a comparison at half the traffic. An undo only warns. */
import type { WatchReport } from '../../src/health/types.js';
import { clean } from '../../src/model/text.js';
import type { CompareStep } from '../../src/strategies/types.js';
import { looking } from '../calls.js';
import { together } from './gate.js';
import { holdFor } from './hold.js';
import type { Outcome } from './outcome.js';
import type { Parts } from './parts.js';
import type { Run } from './run.js';

export async function unhealthy(parts: Parts, report: WatchReport): Promise<Outcome> {
  const { run, undo } = parts;
  const { state } = run;
  const { why } = report.verdict;
  state.errors = report.errors.map((error) => ({ ...error, what: clean(error.what) }));
  if (run.isUndo) {
    undo.unhealthy(report);
    return 'again';
  }
  const comparison = comparisonFor(run, report);
  if (comparison !== null) {
    beginComparison(run, comparison, why);
    return {
      goTo: { ...state.cursor, step: state.cursor.step + 1 },
      step: { compare: { why, at: 'back', until: null } },
    };
  }
  const reason = `${run.release.version} is unhealthy: ${why}`;
  if (run.rules().onUnhealthy === 'rollback') {
    return { leave: { outcome: 'rolledBack', reason, code: null, unhealthy: true } };
  }
  await lookForErrors(run);
  approvalsLapse(run);
  holdFor(parts, 'unhealthy', reason);
  return 'again';
}

/**
 * Half the traffic is about to go back. A pause ends, since the comparison comes first, and so does a request to end the
 * pause.
 */
function beginComparison({ state, stage, requests, journal }: Run, { weight }: CompareStep, why: string): void {
  state.compared = true;
  journal.event(`stage ${stage?.name}: ${why}; back to ${weight} % to compare with the old release`);
  delete requests.resume;
  if (state.pause === null) return;
  journal.event(`the pause by ${state.pause.by} ends, since the release must be compared with the old one`);
  state.pause = null;
}

/**
 * Only a ceiling was crossed, at 100 %, where nothing is left to compare with: a shared outage looks the same. Once in a
 * rollout that is worth sending half the traffic back, if the plan has the step for it.
 */
function comparisonFor({ state, stage, step }: Run, { verdict }: WatchReport): CompareStep | null {
  const possible = verdict.probeBack && !state.compared && state.promoted && state.weight === 100;
  const next = stage?.steps[state.cursor.step + 1];
  return possible && step?.kind === 'bake' && next?.kind === 'compare' ? next : null;
}

/** People who approved before now did not know what the candidate does, so they are asked again. A rejection stays. */
function approvalsLapse({ state, journal }: Run): void {
  const { gate } = state.step;
  if (gate === undefined || gate.approvals.length === 0 || gate.decision?.approved === false) return;
  const by = together(gate.approvals.map((each) => each.by));
  gate.approvals = [];
  gate.decision = null;
  journal.event(
    `stage ${gate.stage}: the approval by ${by} is from before the candidate turned unhealthy and does not count`,
  );
}

/** Adds what the candidate's logs say to the reason why its probes failed. Neither the logs nor their absence make it fail. */
export async function lookForErrors({ state, spec, release }: Run): Promise<void> {
  const args = { spec, version: release.version, from: state.weightSince, seen: state.errors, grant: state.grant };
  const errors = await looking(spec)
    .errors(args)
    .catch(() => state.errors);
  state.errors = errors.map((error) => ({ ...error, what: clean(error.what) }));
}
