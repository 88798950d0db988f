import { ALL, DEPLOY_STAGE, planOf, type SpecOf, stepsAt } from './steps.js';
import type { Plan } from './types.js';

/** Deploy and probe without traffic; then all traffic in one write, a bake with the way back open, an approval if asked for. */
export function planDirect(spec: SpecOf<'direct'>): Plan {
  const { bake, approval } = spec.strategy;
  const [none, all] = [stepsAt(spec, 0), stepsAt(spec, 100)];
  return planOf(spec, [
    { name: DEPLOY_STAGE, steps: none.deploy() },
    { name: ALL, steps: [...all.promote(), ...all.bake(bake), ...all.approve(approval, []), ...all.finish()] },
  ]);
}
