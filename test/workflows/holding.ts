/** Rollouts that are about to be held or paused: at 10 %, with a judge that says what a test wants. */
import { Context } from '@temporalio/activity';
import type { Bake } from '../../src/model/spec.js';
import type { RolloutView } from '../../src/model/view.js';
import type { VerdictState } from '../../src/model/words.js';
import { canary, ONE_PERSON } from '../support/specs.js';
import { until } from '../support/until.js';
import { type Act, ending, leaps, phase, type Rolling } from './stage.js';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const BY: { args: [{ by: string }] } = { args: [{ by: 'ann' }] };
export const UNHEALTHY = '2 is unhealthy: unhealthy at 10 %';

/** A canary whose policy asks a person about an unhealthy candidate. */
export function asking(remindEvery: number, approvalAt?: number, bakes: Bake[] = [10 * MINUTE]) {
  const spec = canary(bakes, approvalAt);
  spec.health.judge = { ...spec.health.judge, onUnhealthy: 'hold', remindEvery };
  return spec;
}

/** What the judge says at 10 %: `now` while the watcher runs, and `last` as it ends. */
export interface Says {
  now: VerdictState;
  last: VerdictState;
}

/** A rollout that is held at 10 % because the judge could not decide. */
export async function undecided(act: Act, remindEvery = 12 * HOUR): Promise<{ rolling: Rolling; says: Says }> {
  const says: Says = { now: 'undecided', last: 'undecided' };
  act.target.verdict = (weight) => {
    if (weight !== 10) return 'healthy';
    return Context.current().cancellationSignal.aborted ? says.last : says.now;
  };
  const rolling = await act.start('canary', asking(remindEvery));
  await phase(act, rolling, 'baking');
  await act.env.sleep(10 * MINUTE);
  await phase(act, rolling, 'held');
  return { rolling, says };
}

export function heldAsUnhealthy(act: Act, rolling: Rolling): Promise<RolloutView> {
  const pass = leaps(act);
  return until('the hold over an unhealthy candidate', async () => {
    const view = await rolling.query<RolloutView>('status');
    if (view.phase === 'held' && view.reason === UNHEALTHY) return view;
    await pass();
    return null;
  });
}

/** A person has it baked again: it does, for the whole of the bake, and then passes. */
export async function bakesAgain(act: Act, rolling: Rolling, says: Says, more = async () => {}): Promise<void> {
  Object.assign(says, { now: 'healthy', last: 'healthy' });
  await rolling.executeUpdate('retry', BY);
  const { phaseSince, weight } = await phase(act, rolling, 'baking');
  expect(weight).toBe(10);
  await more();
  const view = await ending(rolling);
  expect(view.outcome).toBe('succeeded');
  expect((view.stages.find(({ name }) => name === '10%')?.endedAt ?? 0) - phaseSince).toBeGreaterThanOrEqual(
    10 * MINUTE,
  );
}

/** Few signals make a run continue as new. */
export const SHORT = { limits: { history: 4_000, signals: 5 } };

/** Makes the run continue as another. Whichever run is the newest from then on. */
export async function continues({ env }: Act, rolling: Rolling): Promise<Rolling> {
  const newest = env.client.workflow.getHandle(rolling.workflowId) as unknown as Rolling;
  const { runId } = await newest.describe();
  for (let i = 0; i < 6; i++) await newest.signal('nonsense', i);
  await until('the next run', async () => {
    await env.sleep('1s');
    return (await newest.describe()).runId !== runId;
  });
  return newest;
}

/** A rollout whose approval is open at 10 %, by this many people. */
export async function approving(act: Act, people = 1): Promise<{ rolling: Rolling; says: Says }> {
  const says: Says = { now: 'healthy', last: 'healthy' };
  act.target.verdict = (weight) => {
    if (weight !== 10) return 'healthy';
    return Context.current().cancellationSignal.aborted ? says.last : says.now;
  };
  const spec = asking(12 * HOUR, 10);
  const [first] = spec.strategy.type === 'canary' ? spec.strategy.stages : [];
  if (first?.approval !== undefined) first.approval = { ...first.approval, ...ONE_PERSON, people };
  const rolling = await act.start('canary', spec);
  await phase(act, rolling, 'baking');
  await act.env.sleep(10 * MINUTE);
  await phase(act, rolling, 'awaitingApproval');
  return { rolling, says };
}

export const approvedBy = (by: string) => ({ args: [{ stage: '10%', by }] as [{ stage: string; by: string }] });
