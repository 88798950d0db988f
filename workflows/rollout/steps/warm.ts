/** Readies the release for its traffic before it gets any. */
import { isCancellation } from '@temporalio/workflow';
import { failureOf } from '../../../src/model/rollout/failure.js';
import type { StepOf } from '../../../src/strategies/types.js';
import { forward } from '../../calls.js';
import type { Outcome } from '../outcome.js';
import type { Parts } from '../parts.js';
import type { Run } from '../run.js';
import { attempt } from './attempt.js';

export function warm(parts: Parts, step: StepOf<'warm'>): Promise<Outcome> {
  const { run } = parts;
  run.state.touched = true;
  return attempt(parts, 'deploying', () => (step.orGoOn === true ? readyOrGoOn(parts, step) : ready(run, step)));
}

function ready({ spec, state, release }: Run, { deadline }: StepOf<'warm'>): Promise<void> {
  const summary = `ready ${spec.configuration.provisionedConcurrency} instances of ${release.version}`;
  return forward(spec, deadline, summary).warm({ spec, release, grant: state.grant, deployed: state.deployed });
}

/** Users wait for the release: cold starts are better than the release being undone. */
async function readyOrGoOn({ run, undo }: Parts, step: StepOf<'warm'>): Promise<void> {
  try {
    await ready(run, step);
  } catch (error) {
    const { code, message } = failureOf(error);
    if (isCancellation(error) || code === 'SLUICE_ACCESS') throw error;
    undo.warn(`${run.release.version} gets the traffic before its capacity is ready: ${message}`);
  }
}
