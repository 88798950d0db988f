/** Calls the candidate's own address: the rollout continues only if all named probes pass. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { Stage, StepOf } from '../../../src/strategies/types.js';
import { forward } from '../../calls.js';
import type { Outcome } from '../outcome.js';
import type { Parts } from '../parts.js';
import { attempt } from './attempt.js';

/** How much longer a probe may take to report that it timed out, in ms: its counts say more than a timeout. */
const ANSWER = 10_000;

export function probe(parts: Parts, stage: Stage, { probes, deadline }: StepOf<'probe'>): Promise<Outcome> {
  const { spec, state, release, journal } = parts.run;
  const { version } = release;
  return attempt(parts, state.weight > 0 ? 'baking' : 'deploying', async () => {
    const call = forward(spec, deadline + ANSWER, `probe ${version}: ${probes.join(', ')}`, 'watch');
    const report = await call.probe({ spec, version, probes, within: deadline, grant: state.grant });
    if (!report.passed) throw ApplicationFailure.nonRetryable(report.why ?? 'a probe failed', 'SLUICE_PROBE');
    journal.event(`stage ${stage.name}: probes passed: ${report.lines.join('; ')}`);
  });
}
