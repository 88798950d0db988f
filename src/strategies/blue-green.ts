/** blueGreen: two environments; the release is tested in the idle one, then all traffic is switched. */

import { isJudged } from '../model/evidence.js';
import type { Report } from '../model/spec.js';
import { ALL, DEPLOY_STAGE, stepsAt } from './steps.js';
import { ONE_APPROVAL, type SpecOf, type Strategy } from './strategy.js';
import type { Stage } from './types.js';

const DEFAULTS = {
  /** All users arrive at once, as with `direct`. */
  bake: '5m',
  /** The smoke probes have passed already; a longer look at the idle environment is a choice. */
  testBake: '0s',
} as const;

/** The stage that gives all users the release. */
const SWITCH = 'switch';

export const blueGreen: Strategy<'blueGreen'> = {
  means: 'Deploys into the idle one of two environments, tests it there, and switches in one write.',
  members: ({ bake, duration, approval }) => ({
    bake: bake().prefault(DEFAULTS.bake).describe('How long to watch after the switch.'),
    testBake: duration()
      .prefault(DEFAULTS.testBake)
      .describe('How long to probe the idle environment before the switch; 0s for not at all.'),
    approval: approval.exactOptional().describe('A person must approve before the switch.'),
  }),
  reach: 'idle',
  plan,
  watched: ({ bake, testBake }, judge) => [
    // Without one, nobody looks at the idle environment.
    ...(testBake > 0 ? [{ path: ['strategy', 'testBake'], bake: testBake, weight: 0, judge }] : []),
    { path: ['strategy', 'bake'], bake, weight: 100, judge },
  ],
  check,
  first: ({ bake, approval }) => ({ bake, approval, into: 'idle', stage: SWITCH }),
  approvals: ONE_APPROVAL,
  sample: `strategy:
  type: blueGreen
  bake: 10m
`,
};

/**
 * Deploy into the idle environment and probe it there; look at it longer (`testBake`) and approve, if asked for;
 * then switch all traffic in one write, with a bake and the way back open.
 */
function plan(spec: SpecOf<'blueGreen'>): Stage[] {
  const { bake, testBake, approval } = spec.strategy;
  const [idle, live] = [stepsAt(spec, 0), stepsAt(spec, 100)];
  const test = [...(testBake > 0 ? idle.bake(testBake) : []), ...idle.approve(approval, [ALL, SWITCH])];
  return [
    { name: DEPLOY_STAGE, steps: idle.deploy('idle') },
    ...(test.length > 0 ? [{ name: 'test', steps: test }] : []),
    { name: SWITCH, steps: [...live.promote(), ...live.bake(bake), ...live.compare(bake), ...live.finish()] },
  ];
}

function check({ strategy, health, allowUnjudged }: SpecOf<'blueGreen'>, fault: Report): void {
  if (allowUnjudged || !isJudged(health) || health.probes.length > 0 || strategy.testBake === 0) return;
  fault(
    ['strategy', 'testBake'],
    'nothing can judge the idle environment because it has no users (add a probe, remove testBake, or set allowUnjudged: true)',
  );
}
