import { z } from 'zod';
import { MAX_STAGES } from '../../strategies/types.js';
import { DEFAULTS } from '../defaults.js';
import { policyOverride } from './health.js';
import { bake, duration, MINUTE, name, strict, weight, whole } from './parts.js';

/** A plan also has its deploying stage, and one is kept free. */
const MOST_STAGES = MAX_STAGES - 2;
/** The name of every plan's first stage. */
const DEPLOY = 'deploy';

const approval = strict({
  within: duration(1_000).prefault(DEFAULTS.approval.within).describe('How long the decision may take.'),
  onTimeout: z
    .enum(['rollback', 'hold'])
    .prefault(DEFAULTS.approval.onTimeout)
    .describe('What happens when nobody decides in time.'),
  people: whole(1, 20).prefault(DEFAULTS.approval.people).describe('How many different people must approve.'),
  notStarter: z
    .boolean()
    .prefault(DEFAULTS.approval.notStarter)
    .describe('Whoever started the rollout does not count (four eyes).'),
  comment: z.boolean().prefault(DEFAULTS.approval.comment).describe('A decision needs a comment.'),
  remindEvery: duration(60_000)
    .prefault(DEFAULTS.approval.remindEvery)
    .describe('Time to the first reminder; each further one comes twice as late.'),
});

const stage = strict({
  weight: weight().describe("The candidate's share of traffic."),
  name: z
    .string()
    .regex(/^[^\p{Cc}]{1,40}$/u, '1 to 40 characters')
    .exactOptional()
    .describe('What `approve` names; the weight (`10%`) unless given.'),
  bake: bake().prefault(DEFAULTS.canary.stageBake).describe('Watched time at this weight.'),
  probes: z
    .array(name())
    .prefault(DEFAULTS.canary.stageProbes)
    .describe('Names of probes that must pass at this weight before the bake.'),
  approval: approval.exactOptional().describe('A person must approve after the bake, before the rollout goes on.'),
  health: policyOverride.exactOptional().describe('Members of `health.policy` that differ at this stage.'),
});

type Stage = z.output<typeof stage>;

/** A stage's name: its own, or its weight. */
export function stageName(of: { name?: string; weight: number }): string {
  return of.name ?? `${of.weight}%`;
}

function checkStages(stages: Stage[], ctx: z.RefinementCtx<Stage[]>): void {
  const names = new Set([DEPLOY]);
  for (const [i, of] of stages.entries()) {
    const before = stages[i - 1];
    if (before !== undefined && of.weight <= before.weight) {
      ctx.addIssue({
        code: 'custom',
        path: [i, 'weight'],
        message: `weights must rise: ${of.weight}% comes after ${before.weight}%`,
      });
    }
    const said = stageName(of);
    if (names.has(said)) {
      const why = said === DEPLOY ? 'is the name of the first stage of every plan' : 'names two stages';
      ctx.addIssue({ code: 'custom', path: [i, 'name'], message: `"${said}" ${why} (give this one another name)` });
    }
    names.add(said);
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

const stages = z
  .array(stage)
  .min(1, 'a canary needs at least one stage')
  .max(MOST_STAGES, `at most ${MOST_STAGES} stages`)
  .superRefine(checkStages);

const step = weight().superRefine((percent, ctx) => {
  if (Math.ceil(100 / percent) > MOST_STAGES) {
    ctx.addIssue(`${percent}% makes more than ${MOST_STAGES} steps (take 1.1% or more)`);
  }
});

const direct = strict({
  type: z.literal('direct').describe('All traffic at once, after the smoke probes.'),
  bake: bake().prefault(DEFAULTS.direct.bake).describe('Watched time after the switch, with the way back open.'),
  approval: approval.exactOptional().describe('A person must approve after the bake, before the way back ends.'),
});

const blueGreen = strict({
  type: z.literal('blueGreen').describe('Into the idle one of two environments, tested there, switched in one write.'),
  bake: bake().prefault(DEFAULTS.blueGreen.bake).describe('Watched time after the switch.'),
  testBake: duration()
    .prefault(DEFAULTS.blueGreen.testBake)
    .describe('Probed time in the idle environment before the switch; 0s for none.'),
  approval: approval.exactOptional().describe('A person must approve before the switch.'),
});

const canary = strict({
  type: z.literal('canary').describe('Rising shares of traffic, each watched.'),
  stages: stages.prefault([...DEFAULTS.canary.stages]).describe('The weights, rising, the last one 100%.'),
});

const linear = strict({
  type: z.literal('linear').describe('Equal steps up to 100%.'),
  step: step.prefault(DEFAULTS.linear.step).describe('Weight added at each step.'),
  interval: bake().prefault(DEFAULTS.linear.interval).describe('Watched time at each step before the last.'),
  bake: bake().prefault(DEFAULTS.linear.bake).describe('Watched time at 100%.'),
  approval: approval.exactOptional().describe('A person must approve before the step to 100%.'),
});

const undo = strict({
  type: z.literal('undo').describe('Back to a release that served before; what `sluice undo` starts.'),
  bake: duration(0, 60 * MINUTE)
    .prefault(DEFAULTS.undo.bake)
    .describe('Watched time after the way back.'),
});

export const strategy = z.discriminatedUnion('type', [direct, blueGreen, canary, linear, undo], {
  error: (issue) => (issue.code === 'invalid_union' ? 'expected one of direct, blueGreen, canary, linear' : undefined),
});
