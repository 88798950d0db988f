/** What the verbs that are messages to a running rollout have in common. */
import type { AppEnvironment } from '../../client/types.js';
import { stateWord } from '../../model/rollout/words.js';
import { describeVerb, VERB_TABLE } from '../../model/verbs.js';
import type { Decision, VerbArgs } from '../../model/view.js';
import type { MessageVerb } from '../../model/words.js';
import { type Command, type Context, command } from '../command.js';
import { DECISION, decisionOf, TARGET } from '../common.js';
import { EXIT } from '../exit-codes.js';
import { print, printJson } from '../print.js';
import { paint, piece } from '../render/pieces.js';

/** A verb that takes nothing but who and why. */
export function messageCommand(verb: MessageVerb, summary: string): Command {
  return command({
    name: verb,
    summary,
    description: describeMessage(verb),
    args: { target: TARGET },
    options: DECISION,
    examples: [`sluice ${verb} checkout/production`],
    handler: ({ args, options }, ctx) => send(ctx, args.target, verb, decisionOf(options)),
  });
}

/** Sends the verb and prints the answer. */
export async function send(
  ctx: Context,
  target: AppEnvironment,
  verb: MessageVerb,
  message: Decision & VerbArgs,
): Promise<number> {
  const answer = await (await ctx.connect()).verb(target, verb, message);
  if (ctx.json) printJson(ctx, answer);
  else {
    const now = stateWord({ phase: answer.phase, outcome: null });
    print(ctx, paint([piece(`${verb} ${target.app}/${target.environment}: ${answer.message} (${now})`)], false));
  }
  return EXIT.succeeded.code;
}

/** What the verb does, and in which phases: from the one table. */
export function describeMessage(verb: MessageVerb): string {
  const rule = VERB_TABLE[verb];
  const phases = Object.entries(rule.in).map(([phase, effect]) => `  ${phase.padEnd(17)}${effect}`);
  return [
    describeVerb(verb).replaceAll('`', ''),
    `Possible while the rollout is:\n${phases.join('\n')}`,
    `Otherwise it is refused: ${rule.otherwise}.`,
  ].join('\n');
}
