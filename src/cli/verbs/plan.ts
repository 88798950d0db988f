import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { emit, frameOf, print } from '../print.js';
import { renderPlan } from '../render/plan.js';
import { readGiven, SPEC_OPTIONS } from '../spec-file.js';
import { LOGIN } from './message.js';

export const plan = command({
  name: 'plan',
  does: 'Shows what a rollout would do and what could refuse it. Changes nothing.',
  more: 'The worker reads the target with its own credentials. Exit code 11 when the rollout would be refused.',
  args: [{ name: '<file>', means: 'rollout.yaml; - for stdin' }],
  options: [...SPEC_OPTIONS, LOGIN],
  examples: ['sluice plan rollout.yaml', 'sluice plan rollout.yaml --env staging -o json'],
  handler: async (given, ctx) => {
    const spec = await readGiven(given, ctx);
    const preview = await (await ctx.connect()).plan({
      app: spec.app,
      environment: spec.environment,
      type: spec.strategy.type,
      input: { ...spec },
    });
    if (ctx.json) emit(ctx, preview);
    else print(ctx, renderPlan(preview, frameOf(ctx)));
    const refused = preview.plan === null || preview.findings.some(({ level }) => level === 'refuse');
    return refused ? EXIT.refused.code : EXIT.succeeded.code;
  },
});
