/** The plan of a first deployment, whatever the strategy. */
import type { Spec } from '../model/spec.js';
import { ALL, DEPLOY_STAGE, stepsAt } from './steps.js';
import type { First } from './strategy.js';
import type { Stage } from './types.js';

/**
 * The first deployment of a target: there is nothing to split traffic with and nothing to compare with, so every strategy
 * deploys, probes, promotes and bakes. An approval the spec asks for is still asked, before the target exists.
 */
export function firstStages(spec: Spec, { bake, approval, into, stage }: First): Stage[] {
  const [none, all] = [stepsAt(spec, 0), stepsAt(spec, 100)];
  const opens = [...new Set([ALL, stage])];
  return [
    { name: DEPLOY_STAGE, steps: [...none.deploy(into), ...none.approve(approval, opens)] },
    { name: stage, steps: [...all.promote(), ...all.bake(bake), ...all.finish()] },
  ];
}
