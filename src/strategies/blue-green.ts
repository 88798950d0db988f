import { ALL, DEPLOY_STAGE, planOf, type SpecOf, stepsAt } from './steps.js';
import type { Plan } from './types.js';

/** The stage that gives all users the release. */
export const SWITCH = 'switch';

/**
 * Deploy into the idle environment and probe it there; look at it longer (`testBake`) and approve, if asked for;
 * then switch all traffic in one write, with a bake and the way back open.
 */
export function planBlueGreen(spec: SpecOf<'blueGreen'>): Plan {
  const { bake, testBake, approval } = spec.strategy;
  const [idle, live] = [stepsAt(spec, 0), stepsAt(spec, 100)];
  const test = [...(testBake > 0 ? idle.bake(testBake) : []), ...idle.approve(approval, [ALL, SWITCH])];
  return planOf(spec, [
    { name: DEPLOY_STAGE, steps: idle.deploy('idle') },
    ...(test.length > 0 ? [{ name: 'test', steps: test }] : []),
    { name: SWITCH, steps: [...live.promote(), ...live.bake(bake), ...live.compare(bake), ...live.finish()] },
  ]);
}
