/** `approve` and `reject`: they name the stage that waits. */
import { SluiceError } from '../../model/errors.js';
import { describeVerb } from '../../model/verbs.js';
import { type Command, command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { emit, print } from '../print.js';
import { paint, piece } from '../render/pieces.js';
import { BY, LOGIN, phasesOf, said, TARGET } from './message.js';

export function decisionCommand(verb: 'approve' | 'reject'): Command {
  return command({
    name: verb,
    does: describeVerb(verb).replaceAll('`', ''),
    more: phasesOf(verb),
    args: [TARGET],
    options: [
      { flags: '--stage <name>', means: 'The stage; without it the one that waits now, whatever it is.' },
      BY,
      LOGIN,
      { flags: '-m, --comment <text>', means: 'Why; it is recorded.' },
    ],
    examples: [`sluice ${verb} checkout/production --stage 10% --by ann`],
    handler: async (given, ctx) => {
      const target = given.target();
      const sluice = await ctx.connect();
      const stage = given.text('stage') ?? (await sluice.status(target)).view?.waitingFor?.stage ?? null;
      const id = `${target.app}/${target.environment}`;
      if (stage === null) throw new SluiceError('SLUICE_VERB', `${verb}: no approval is open at ${id}`);
      const answer = await sluice.verb(target, verb, { stage, ...said(given) });
      if (ctx.json) emit(ctx, { ...answer, stage });
      else print(ctx, paint([piece(`${verb} stage ${stage} of ${id}: ${answer.message}`)], false));
      return EXIT.succeeded.code;
    },
  });
}
