import { ALL, DEPLOY_STAGE, planOf, type SpecOf, stepsAt } from './steps.js';
import type { Plan } from './types.js';

/**
 * Deploy and probe without traffic; then equal steps with a bake after each, the last one to 100 % (and smaller when the
 * step does not divide it). An approval, if asked for, is the gate before the step to 100 %.
 */
export function planLinear(spec: SpecOf<'linear'>): Plan {
  const { step, interval, bake, approval } = spec.strategy;
  const rising = weightsBelow100(step).map((weight, i, all) => {
    const at = stepsAt(spec, weight);
    const gate = i === all.length - 1 ? at.approve(approval, [ALL]) : [];
    return { name: `${weight}%`, steps: [...at.shift(), ...at.bake(interval), ...gate] };
  });
  const [none, all] = [stepsAt(spec, 0), stepsAt(spec, 100)];
  const gate = rising.length === 0 ? none.approve(approval, [ALL]) : [];
  return planOf(spec, [
    { name: DEPLOY_STAGE, steps: [...none.deploy(), ...gate] },
    ...rising,
    { name: ALL, steps: [...all.promote(), ...all.bake(bake), ...all.compare(bake), ...all.finish()] },
  ]);
}

/** `step`, twice `step`, … in percent, with two decimals; 100 itself is left out. */
function weightsBelow100(step: number): number[] {
  const weights: number[] = [];
  for (let i = 1; i * step < 100 - 1e-9; i += 1) weights.push(Math.round(i * step * 100) / 100);
  return weights;
}
