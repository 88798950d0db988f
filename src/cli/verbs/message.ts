/** What the verbs that are messages to a running rollout have in common. */
import { describeVerb, VERB_TABLE } from '../../model/verbs.js';
import type { Decision, VerbArgs } from '../../model/view.js';
import type { MessageVerb } from '../../model/words.js';
import { type Command, command, type Option } from '../command.js';
import { EXIT } from '../exit-codes.js';
import type { Given } from '../given.js';
import { emit, print } from '../print.js';
import { paint, piece } from '../render/pieces.js';
import { stateWord } from '../render/words.js';

export const TARGET = { name: '<target>', means: 'APP/ENVIRONMENT, such as checkout/production' };

export const BY: Option = { flags: '--by <name>', means: "Who says it; SLUICE_BY, else the system's user name." };

export const LOGIN: Option = {
  flags: '--login',
  means: 'Sign with a login in the browser and not with your key; SLUICE_LOGIN=1 does so where you have none.',
};

const COMMENT: Option = { flags: '-m, --comment <text>', means: 'Why; it is recorded.' };

/** A command that says `verb` to a running rollout and prints the answer. */
export function messageCommand(
  verb: MessageVerb,
  special: { options?: Option[]; args?: (given: Given) => VerbArgs; examples?: string[] } = {},
): Command {
  return command({
    name: verb,
    does: describeVerb(verb).replaceAll('`', ''),
    more: phasesOf(verb),
    args: [TARGET],
    options: [...(special.options ?? []), BY, LOGIN, COMMENT],
    examples: special.examples ?? [`sluice ${verb} checkout/production`],
    handler: async (given, ctx) => {
      const target = given.target();
      const args = { ...said(given), ...special.args?.(given) };
      const answer = await (await ctx.connect()).verb(target, verb, args);
      if (ctx.json) emit(ctx, answer);
      else {
        const now = stateWord({ phase: answer.phase, outcome: null });
        print(ctx, paint([piece(`${verb} ${target.app}/${target.environment}: ${answer.message} (${now})`)], false));
      }
      return EXIT.succeeded.code;
    },
  });
}

/** Who, and why. */
export function said(given: Given): Decision {
  const comment = given.text('comment');
  return { by: given.by(), ...(comment === undefined ? {} : { comment }) };
}

/** In which phases the verb does what, from the one table. */
export function phasesOf(verb: MessageVerb): string {
  const rule = VERB_TABLE[verb];
  const phases = Object.entries(rule.in).map(([phase, effect]) => `  ${phase.padEnd(17)}${effect}`);
  return `Possible while the rollout is:\n${phases.join('\n')}\nElse it is refused: ${rule.otherwise}.`;
}
