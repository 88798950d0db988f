/** direct: all users at once, after the probes, while a rollback is possible. */
import { ALL, DEPLOY_STAGE, stepsAt } from './steps.js';
import { ONE_APPROVAL, type SpecOf, type Strategy } from './strategy.js';
import type { Stage } from './types.js';

const DEFAULTS = {
  /** Long enough for the errors of a cold release to show, short enough that nobody looks for another strategy. */
  bake: '5m',
} as const;

export const direct: Strategy<'direct'> = {
  means: 'Gives the release all traffic at once, after the smoke probes.',
  members: ({ bake, approval }) => ({
    bake: bake()
      .prefault(DEFAULTS.bake)
      .describe('How long to watch after the switch, while a rollback is still instant.'),
    approval: approval
      .exactOptional()
      .describe('A person must approve after the bake, while the rollout can still be rolled back.'),
  }),
  reach: 'atOnce',
  plan,
  watched: ({ bake }, judge) => [{ path: ['strategy', 'bake'], bake, weight: 100, judge }],
  first: ({ bake, approval }) => ({ bake, approval, stage: ALL }),
  approvals: { ...ONE_APPROVAL, late: true },
  sample: `strategy:
  type: direct
  bake: 10m
`,
};

/** Deploy and probe without traffic; then all traffic in one write, a bake with the way back open, an approval if asked for. */
function plan(spec: SpecOf<'direct'>): Stage[] {
  const { bake, approval } = spec.strategy;
  const [none, all] = [stepsAt(spec, 0), stepsAt(spec, 100)];
  return [
    { name: DEPLOY_STAGE, steps: none.deploy() },
    { name: ALL, steps: [...all.promote(), ...all.bake(bake), ...all.approve(approval, []), ...all.finish()] },
  ];
}
