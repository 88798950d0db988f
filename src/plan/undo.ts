import { DEPLOY_STAGE, planOf, type SpecOf, stepsAt } from './steps.js';
import type { Plan } from './types.js';

/** Verify that the earlier release is still there and answers; then all traffic back to it, and a short bake. */
export function planUndo(spec: SpecOf<'undo'>): Plan {
  const [none, all] = [stepsAt(spec, 0), stepsAt(spec, 100)];
  return planOf(spec, [
    { name: DEPLOY_STAGE, steps: none.deploy() },
    { name: '100%', steps: [...all.promote(), ...all.bake(spec.strategy.bake), ...all.finish()] },
  ]);
}
