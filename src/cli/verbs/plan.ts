/** `sluice plan`: show what a rollout would do and what would stop it. */
import { command } from '../command.js';
import { LOGIN, SPEC_FILE } from '../common.js';
import { EXIT } from '../exit-codes.js';
import { frameOf, print, printJson } from '../print.js';
import { renderPlan } from '../render/plan.js';
import { readChosen, SPEC_OPTIONS } from '../spec-file.js';

export const plan = command({
  name: 'plan',
  summary: 'Show what a rollout would do and what would stop it.',
  description:
    'Changes nothing. The worker reads the target with its own credentials. The exit code is 11 if the rollout would be refused.',
  args: { file: SPEC_FILE },
  options: { ...SPEC_OPTIONS, login: LOGIN },
  examples: ['sluice plan rollout.yaml', 'sluice plan rollout.yaml --env staging -o json'],
  handler: async ({ args, options }, ctx) => {
    const spec = await readChosen(ctx, args.file, options);
    const preview = await (await ctx.connect()).plan({
      app: spec.app,
      environment: spec.environment,
      type: spec.strategy.type,
      input: { ...spec },
    });
    if (ctx.json) printJson(ctx, preview);
    else print(ctx, renderPlan(preview, frameOf(ctx)));
    const refused = preview.plan === null || preview.findings.some(({ level }) => level === 'refuse');
    return refused ? EXIT.refused.code : EXIT.succeeded.code;
  },
});
