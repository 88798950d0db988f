/** canary: stages of rising weight, each watched; the last one promotes. */
import { z } from 'zod';
import type { Report, StageSpec } from '../model/spec.js';
import { suggestion } from '../spec/nearest.js';
import { ALL, DEPLOY_STAGE, stepsAt } from './steps.js';
import type { Parts, SpecOf, Strategy } from './strategy.js';
import { MOST_STAGES, type Stage } from './types.js';

const DEFAULTS = {
  /** A tenth to see errors, half to see load, then all with the old release still ready. */
  stages: [{ weight: '10%' }, { weight: '50%' }, { weight: '100%' }],
  /** CloudWatch and Azure Monitor have counted two minutes or more by then; at a request a second that tells 5 % of errors from none. */
  stageBake: '5m',
  /** The smoke probes have passed already. */
  stageProbes: [] as string[],
};

export const canary: Strategy<'canary'> = {
  means: 'Gives the release rising shares of traffic, and watches each.',
  members: (parts) => ({
    stages: stages(parts).prefault(DEFAULTS.stages).describe('The weights, rising, the last one 100%.'),
  }),
  reach: 'split',
  plan,
  watched: ({ stages }, judge) =>
    stages.map(({ bake, weight, health }, i) => ({
      path: ['strategy', 'stages', i, 'bake'],
      bake,
      weight,
      judge: { ...judge, ...health },
    })),
  check,
  first: ({ stages }) => ({
    bake: stages.at(-1)?.bake ?? 0,
    approval: stages.find((stage) => stage.approval)?.approval,
    stage: ALL,
  }),
  approvals: {
    late: false,
    needed: 'before all users get the release; add approval: {} to a stage below 100%',
    atStage: 'add approval: {} to it',
  },
  sample: `strategy:
  type: canary
  stages:
    - weight: 10%
      bake: 5m
      # Someone has to approve before the rollout continues.
      approval: { within: 1d }
    - weight: 50%
      bake: 5m
    - weight: 100%
      bake: 10m

health:
  probes:
    # Called on the new release before it gets traffic, and continuously after that.
    - name: smoke
      invoke: { payload: {} }
`,
};

/**
 * Deploy and probe without traffic; then, weight by weight: shift, the stage's probes, a bake, and an approval after it
 * if asked for. The last stage promotes, and bakes with the replaced release still ready; what only crosses a ceiling
 * there is compared once more.
 */
function plan(spec: SpecOf<'canary'>): Stage[] {
  return [
    { name: DEPLOY_STAGE, steps: stepsAt(spec, 0).deploy() },
    ...spec.strategy.stages.map(({ name, weight, probes, bake, approval, health }) => {
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
  ];
}

function stages({ strict, weight, bake, name, approval, judge }: Parts): z.ZodType<StageSpec[], unknown> {
  const stage = strict({
    weight: weight().describe("The candidate's share of traffic."),
    name: z
      .string()
      .regex(/^[^\p{Cc}]{1,40}$/u, '1 to 40 characters')
      .exactOptional()
      .describe('The name that `approve` takes (default: the weight, such as `10%`).'),
    bake: bake().prefault(DEFAULTS.stageBake).describe('How long to watch at this weight.'),
    probes: z
      .array(name())
      .prefault(DEFAULTS.stageProbes)
      .describe('Names of probes that must pass at this weight before the bake.'),
    approval: approval.exactOptional().describe('A person must approve after the bake, before the rollout continues.'),
    health: judge.exactOptional().describe('Members of `health.judge` that differ at this stage.'),
  }).transform(({ name, ...of }): StageSpec => ({ ...of, name: name ?? `${of.weight}%` }));
  return z
    .array(stage)
    .min(1, 'a canary needs at least one stage')
    .max(MOST_STAGES, `at most ${MOST_STAGES} stages`)
    .superRefine(checkStages);
}

function checkStages(stages: StageSpec[], ctx: z.RefinementCtx<StageSpec[]>): void {
  const names = new Set([DEPLOY_STAGE]);
  for (const [i, { name, weight }] of stages.entries()) {
    const before = stages[i - 1];
    if (before !== undefined && weight <= before.weight) {
      const message = `weights must rise: ${weight}% comes after ${before.weight}%`;
      ctx.addIssue({ code: 'custom', path: [i, 'weight'], message });
    }
    if (names.has(name)) {
      const why = name === DEPLOY_STAGE ? 'is the name of the first stage of every plan' : 'names two stages';
      ctx.addIssue({ code: 'custom', path: [i, 'name'], message: `"${name}" ${why} (give this one another name)` });
    }
    names.add(name);
  }
  const last = stages.at(-1);
  if (last !== undefined && last.weight !== 100) {
    ctx.addIssue({
      code: 'custom',
      path: [stages.length - 1, 'weight'],
      message: `the last stage must have weight 100%, not ${last.weight}% (add a stage {weight: 100%})`,
    });
  }
}

function check({ strategy, health }: SpecOf<'canary'>, fault: Report): void {
  const known = health.probes.map(({ name }) => name);
  for (const [i, stage] of strategy.stages.entries()) {
    for (const [j, name] of stage.probes.entries()) {
      if (known.includes(name)) continue;
      fault(['strategy', 'stages', i, 'probes', j], `there is no probe "${name}"${suggestion(name, known)}`);
    }
  }
}
