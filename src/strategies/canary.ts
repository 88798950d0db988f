import { DEPLOY_STAGE, planOf, type SpecOf, stepsAt } from './steps.js';
import type { Plan } from './types.js';

/**
 * Deploy and probe without traffic; then, weight by weight: shift, the stage's probes, a bake, and an approval after it
 * if asked for. The last stage promotes, and bakes with the replaced release still ready; what only crosses a ceiling
 * there is compared once more.
 */
export function planCanary(spec: SpecOf<'canary'>): Plan {
  const { stages } = spec.strategy;
  return planOf(spec, [
    { name: DEPLOY_STAGE, steps: stepsAt(spec, 0).deploy() },
    ...stages.map(({ name, weight, probes, bake, approval, health }) => {
      const at = stepsAt(spec, weight);
      const last = weight === 100;
      const steps = [
        ...(last ? at.promote() : at.shift()),
        ...at.probe(probes),
        ...at.bake(bake),
        ...(last ? at.compare(bake, health) : []),
        ...at.approve(approval, []),
        ...(last ? at.finish() : []),
      ];
      return { name, steps, ...(health === undefined ? {} : { health }) };
    }),
  ]);
}
