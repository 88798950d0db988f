import type { ApprovalSpec, Bake, Spec } from '../model/spec.js';
import { SWITCH } from './blue-green.js';
import { ALL, DEPLOY_STAGE, planOf, stepsAt } from './steps.js';
import type { Plan } from './types.js';

/**
 * The first deployment of a target: there is nothing to split traffic with and nothing to compare with, so every strategy
 * deploys, probes, promotes and bakes. An approval the spec asks for is still asked, before the target exists.
 */
export function planFirst(spec: Spec): Plan {
  const { approval, bake } = lastLook(spec.strategy);
  const [none, all] = [stepsAt(spec, 0), stepsAt(spec, 100)];
  const blueGreen = spec.strategy.type === 'blueGreen';
  return planOf(spec, [
    {
      name: DEPLOY_STAGE,
      steps: [
        ...none.deploy(blueGreen ? 'idle' : undefined),
        ...none.approve(approval, blueGreen ? [ALL, SWITCH] : [ALL]),
      ],
    },
    { name: blueGreen ? SWITCH : ALL, steps: [...all.promote(), ...all.bake(bake), ...all.finish()] },
  ]);
}

/** The strategy's bake at 100 %, and the first approval it asks for. */
function lastLook(strategy: Spec['strategy']): { bake: Bake; approval: ApprovalSpec | undefined } {
  switch (strategy.type) {
    case 'canary':
      return {
        bake: strategy.stages.at(-1)?.bake ?? 0,
        approval: strategy.stages.find((stage) => stage.approval)?.approval,
      };
    case 'undo':
      return { bake: strategy.bake, approval: undefined };
    case 'direct':
    case 'blueGreen':
    case 'linear':
      return { bake: strategy.bake, approval: strategy.approval };
  }
}
