/** `approve` and `reject`: they name the stage that is waiting. */
import { type Command, command } from '../command.js';
import { DECISION, decisionOf, TARGET } from '../common.js';
import { EXIT } from '../exit-codes.js';
import { text } from '../inputs.js';
import { print, printJson } from '../print.js';
import { paint, piece } from '../render/pieces.js';
import { describeMessage } from './message.js';

export function decisionCommand(verb: 'approve' | 'reject', summary: string): Command {
  return command({
    name: verb,
    summary,
    description: describeMessage(verb),
    args: { target: TARGET },
    options: { stage: text('name', 'The stage (default: whichever is waiting).'), ...DECISION },
    examples: [`sluice ${verb} checkout/production --stage 10% --by ann`],
    handler: async ({ args: { target }, options }, ctx) => {
      const sluice = await ctx.connect();
      const id = `${target.app}/${target.environment}`;
      const named = options.stage === undefined ? {} : { stage: options.stage };
      const { stage = '', ...answer } = await sluice.verb(target, verb, { ...named, ...decisionOf(options) });
      if (ctx.json) printJson(ctx, { ...answer, stage });
      else print(ctx, paint([piece(`${verb} stage ${stage} of ${id}: ${answer.message}`)], false));
      return EXIT.succeeded.code;
    },
  });
}
