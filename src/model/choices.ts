/** What a person can do now, word for word: the same in the Temporal UI, on the command line and in a report. Pure. */
import { clean } from './text.js';
import { isPart } from './traffic.js';
import { VERB_TABLE } from './verbs.js';
import type { RolloutView } from './view.js';
import type { MessageVerb } from './words.js';

export interface Choice {
  verb: MessageVerb;
  /** The input of the signal. */
  payload: string;
  /** The command to type. */
  command: string;
  /** Its effect, in one sentence without its dot. */
  does: string;
}

/** The verbs worth showing while all goes well. */
const WHILE_BAKING: readonly MessageVerb[] = ['skip', 'pause', 'abort'];

/** What answers what the rollout waits for; empty when it waits for nobody. */
export function choicesOf(view: RolloutView): Choice[] {
  const verbs = view.waitingFor?.verbs ?? [];
  if (view.code === 'SLUICE_FOREIGN_CHANGE') return onForeignChange(view, verbs);
  return verbs
    .filter((verb) => view.phase !== 'baking' || WHILE_BAKING.includes(verb))
    .map((verb) => ({
      verb,
      payload: payloadOf(view, verb),
      command: commandOf(view, verb),
      does: (VERB_TABLE[verb].does.split('. ')[0] ?? '').replace(/\.$/, '').replaceAll('`', ''),
    }));
}

/** Keep comes first: it writes nothing. */
function onForeignChange(view: RolloutView, verbs: readonly MessageVerb[]): Choice[] {
  const part = view.split !== null && isPart(view.split, view.candidate);
  const all: Choice[] = [
    {
      verb: 'abort',
      payload: `{"by":"you","keep":true${part ? ',"unwatched":true' : ''}}`,
      command: `sluice abort ${nameOf(view)} --keep${part ? ' --unwatched' : ''}`,
      does: part
        ? 'Ends the rollout and leaves the split as it is; nobody watches it'
        : 'Ends the rollout and leaves that change as it is',
    },
    {
      verb: 'abort',
      payload: '{"by":"you","force":true}',
      command: `sluice abort ${nameOf(view)} --force`,
      does: `Writes over that change: all traffic goes back to ${view.stable === null ? 'no release' : `release ${view.stable}`}`,
    },
    {
      verb: 'retry',
      payload: '{"by":"you","adopt":true}',
      command: `sluice retry ${nameOf(view)} --adopt`,
      does: 'Goes on with the rollout from that change',
    },
  ];
  return all.filter(({ verb }) => verbs.includes(verb));
}

function payloadOf(view: RolloutView, verb: MessageVerb): string {
  if (!decides(verb)) return '{"by":"you"}';
  return JSON.stringify({
    stage: view.waitingFor?.stage ?? '',
    by: 'you',
    ...(asksComment(view) ? { comment: 'why' } : {}),
  });
}

/** `sluice approve checkout/production --stage 10% -m "why"`. */
function commandOf(view: RolloutView, verb: MessageVerb): string {
  const stage = view.waitingFor?.stage ?? null;
  if (!decides(verb) || stage === null) return `sluice ${verb} ${nameOf(view)}`;
  return `sluice ${verb} ${nameOf(view)} --stage ${quoted(stage)}${asksComment(view) ? ' -m "why"' : ''}`;
}

function decides(verb: MessageVerb): boolean {
  return verb === 'approve' || verb === 'reject';
}

function asksComment(view: RolloutView): boolean {
  return view.waitingFor?.gate?.comment === true;
}

function nameOf({ app, environment }: RolloutView): string {
  return `${app}/${environment}`;
}

/** As a shell reads it as one word. */
export function quoted(word: string): string {
  const one = clean(word);
  return /^[\w.%:+-]+$/.test(one) ? one : `'${one.replaceAll("'", `'\\''`)}'`;
}
