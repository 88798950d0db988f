/** linear: equal steps at equal intervals. */
import { ALL, DEPLOY_STAGE, stepsAt } from './steps.js';
import { ONE_APPROVAL, type SpecOf, type Strategy } from './strategy.js';
import { MOST_STAGES, type Stage } from './types.js';

const DEFAULTS = {
  /** Ten equal steps. */
  step: '10%',
  /** As a stage of a canary: the metrics of both platforms have spoken by then. Ten steps take fifty minutes. */
  interval: '5m',
  /** The last look, at 100 % with the old release still ready. */
  bake: '5m',
} as const;

export const linear: Strategy<'linear'> = {
  means: 'Raises the traffic in equal steps up to 100%.',
  members: ({ weight, bake, approval }) => ({
    step: weight()
      .superRefine((percent, ctx) => {
        if (Math.ceil(100 / percent) > MOST_STAGES) {
          ctx.addIssue(`${percent}% makes more than ${MOST_STAGES} steps (use 1.1% or more)`);
        }
      })
      .prefault(DEFAULTS.step)
      .describe('Weight added at each step.'),
    interval: bake().prefault(DEFAULTS.interval).describe('How long to watch at each step before the last.'),
    bake: bake().prefault(DEFAULTS.bake).describe('How long to watch at 100%.'),
    approval: approval.exactOptional().describe('A person must approve before the step to 100%.'),
  }),
  reach: 'split',
  plan,
  watched: ({ interval, step, bake }, judge) => [
    { path: ['strategy', 'interval'], bake: interval, weight: step, judge },
    { path: ['strategy', 'bake'], bake, weight: 100, judge },
  ],
  first: ({ bake, approval }) => ({ bake, approval, stage: ALL }),
  approvals: ONE_APPROVAL,
  sample: `strategy:
  type: linear
  step: 10%
  interval: 5m
  bake: 10m
`,
};

/**
 * Deploy and probe without traffic; then equal steps with a bake after each, the last one to 100 % (and smaller when the
 * step does not divide it). An approval, if asked for, is the gate before the step to 100 %.
 */
function plan(spec: SpecOf<'linear'>): Stage[] {
  const { step, interval, bake, approval } = spec.strategy;
  const rising = weightsBelow100(step).map((weight, i, all) => {
    const at = stepsAt(spec, weight);
    const gate = i === all.length - 1 ? at.approve(approval, [ALL]) : [];
    return { name: `${weight}%`, steps: [...at.shift(), ...at.bake(interval), ...gate] };
  });
  const [none, all] = [stepsAt(spec, 0), stepsAt(spec, 100)];
  const gate = rising.length === 0 ? none.approve(approval, [ALL]) : [];
  return [
    { name: DEPLOY_STAGE, steps: [...none.deploy(), ...gate] },
    ...rising,
    { name: ALL, steps: [...all.promote(), ...all.bake(bake), ...all.compare(bake), ...all.finish()] },
  ];
}

/** `step`, twice `step`, … in percent, with two decimals; 100 itself is left out. */
function weightsBelow100(step: number): number[] {
  const weights: number[] = [];
  for (let i = 1; i * step < 100 - 1e-9; i += 1) weights.push(Math.round(i * step * 100) / 100);
  return weights;
}
