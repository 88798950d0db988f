/**
 * What a person can do now, with the exact command and the exact input of the signal: the same in Temporal's UI, on the command line
 * and in a report. What is offered is what `refusal` accepts, no more and no less. Pure.
 */
import { clean } from '../text.js';
import { isPart } from '../traffic.js';
import { VERB_TABLE } from '../verbs.js';
import type { Decision, RolloutView, VerbArgs } from '../view.js';
import type { MessageVerb } from '../words.js';
import { type Facts, mayKeep, refusal } from './gate.js';

/** One message that would be accepted. */
export interface Offer {
  verb: MessageVerb;
  payload: Decision & VerbArgs;
}

export interface Choice {
  verb: MessageVerb;
  /** The input of the signal, as JSON. */
  payload: string;
  /** The command to type. */
  command: string;
  /** Its effect, in one sentence without its dot. */
  does: string;
}

/** What an offer depends on. */
interface Asked {
  /** Someone else changed the target, */
  foreign: boolean;
  /** and it waits for a person's word on that. */
  keepable: boolean;
  /** The candidate has a part of the traffic: to keep that leaves it unwatched. */
  part: boolean;
  stage: string | null;
  comment: boolean;
}

/** The ways to say a verb, the plainest first. */
function waysTo(verb: MessageVerb, { foreign, keepable, part, stage, comment }: Asked): Offer[] {
  const by = 'you';
  switch (verb) {
    case 'approve':
    case 'reject':
      return stage === null ? [] : [{ verb, payload: { stage, by, ...(comment ? { comment: 'why' } : {}) } }];
    case 'abort':
      if (!keepable) return [{ verb, payload: { by } }];
      // Keep comes first: it writes nothing.
      return [
        { verb, payload: { by, keep: true, ...(part ? { unwatched: true } : {}) } },
        { verb, payload: { by, force: true } },
      ];
    case 'retry':
      return [{ verb, payload: foreign ? { by, adopt: true } : { by } }];
    default:
      return [{ verb, payload: { by } }];
  }
}

/** Every verb in each way in which it would be accepted now. */
export function offers(facts: Facts): Offer[] {
  const open = facts.gate?.open ?? null;
  const asked: Asked = {
    foreign: facts.code === 'SLUICE_FOREIGN_CHANGE',
    keepable: mayKeep(facts),
    part: facts.part,
    stage: open?.stage ?? null,
    comment: open?.comment === true,
  };
  const verbs = Object.keys(VERB_TABLE) as MessageVerb[];
  // The commands that decide on someone else's change come first there.
  if (asked.keepable) verbs.sort((a, b) => Number(b === 'abort') - Number(a === 'abort'));
  return verbs
    .flatMap((verb) => waysTo(verb, asked))
    .filter(({ verb, payload }) => refusal(facts, verb, payload) === null);
}

/** The verbs of these offers, each once. */
export function verbsOf(all: readonly Offer[]): MessageVerb[] {
  return [...new Set(all.map(({ verb }) => verb))];
}

/** The verbs worth showing while all goes well. */
const WHILE_BAKING: readonly MessageVerb[] = ['skip', 'pause', 'abort'];

/** What answers what the rollout waits for; empty when it waits for nobody. */
export function choicesOf(view: RolloutView): Choice[] {
  const { waitingFor, split, candidate, phase, code } = view;
  if (waitingFor === null) return [];
  const asked: Asked = {
    foreign: code === 'SLUICE_FOREIGN_CHANGE',
    keepable: mayKeep({ phase, code, kept: view.kept !== null }),
    part: split !== null && isPart(split, candidate),
    stage: waitingFor.stage,
    comment: waitingFor.gate?.comment === true,
  };
  return waitingFor.verbs
    .filter((verb) => phase !== 'baking' || WHILE_BAKING.includes(verb))
    .flatMap((verb) => waysTo(verb, asked))
    .map((offer) => ({
      verb: offer.verb,
      payload: JSON.stringify(offer.payload),
      command: commandOf(view, offer),
      does: effectOf(view, offer),
    }));
}

/** `sluice approve checkout/production --stage 10% -m "why"`. */
export function commandOf(
  { app, environment }: Pick<RolloutView, 'app' | 'environment'>,
  { verb, payload }: Offer,
): string {
  const { stage, comment, keep, unwatched, force, adopt, full } = payload;
  const flags = Object.entries({ keep, unwatched, force, adopt, full }).filter(([, set]) => set === true);
  return [
    `sluice ${verb} ${app}/${environment}`,
    ...(stage === undefined ? [] : [`--stage ${quoted(stage)}`]),
    ...flags.map(([name]) => `--${name}`),
    ...(comment === undefined ? [] : [`-m "${comment}"`]),
  ].join(' ');
}

/** How an open approval is given. */
export function approveCommand(
  of: Pick<RolloutView, 'app' | 'environment'>,
  { stage, comment }: { stage: string; comment: boolean },
): string {
  const [offer] = waysTo('approve', { foreign: false, keepable: false, part: false, stage, comment });
  return offer === undefined ? '' : commandOf(of, offer);
}

function effectOf({ stable }: RolloutView, { verb, payload }: Offer): string {
  if (payload.unwatched === true) return 'End the rollout and leave the split as it is; nothing watches it';
  if (payload.keep === true) return 'End the rollout and leave that change as it is';
  if (payload.force === true)
    return `Overwrite that change: roll back to ${stable === null ? 'no release' : `release ${stable}`}`;
  if (payload.adopt === true)
    return 'Accept that change: the rollout continues from it, or overwrites it if it was rolling back';
  return (VERB_TABLE[verb].does.split('. ')[0] ?? '').replace(/\.$/, '').replaceAll('`', '');
}

/** As a shell reads it as one word. */
export function quoted(word: string): string {
  const one = clean(word);
  return /^[\w.%:+-]+$/.test(one) ? one : `'${one.replaceAll("'", `'\\''`)}'`;
}
