/** The verbs: what a person can do to a rollout, and in which phases. Their names come from this table, and so do rights, help and docs. */
import { PHASES, type Phase } from './phases.js';

/**
 * What each verb does in each phase: the one table that the validators, the CLI's help, the docs and a test read.
 * A phase that is absent refuses the verb.
 */
export interface VerbRule {
  /** What it does, in one sentence. */
  does: string;
  /** JSON it takes, as an example for a person with only the Temporal UI. */
  payload: string;
  in: Partial<Record<Phase, string>>;
  /** What a refusal says. */
  otherwise: string;
}

/** Every phase but those of going back. */
const ANY_FORWARD = PHASES.filter((phase) => phase !== 'restoring' && phase !== 'stuck');

function each(phases: readonly Phase[], effect: string): Partial<Record<Phase, string>> {
  return Object.fromEntries(phases.map((phase) => [phase, effect]));
}

const TABLE = {
  approve: {
    does: 'Approves the stage that is waiting, so that the rollout goes on.',
    payload: '{"stage":"10%","by":"ann","comment":"looks good"}',
    in: {
      awaitingApproval: 'goes on',
      paused: 'is taken when the pause interrupted this approval; the rollout goes on once resumed',
      held: 'is taken when the approval timed out into this hold',
    },
    otherwise: 'no approval is open',
  },
  reject: {
    does: 'Rejects the stage that is waiting: all traffic goes back and the outcome is `rejected`.',
    payload: '{"stage":"10%","by":"ann","comment":"wrong ticket"}',
    in: {
      awaitingApproval: 'goes back',
      paused: 'goes back, when the pause interrupted this approval',
      held: 'goes back, when the approval timed out into this hold',
    },
    otherwise: 'no approval is open',
  },
  pause: {
    does: "Keeps the weight and stops the clock of the bake. The watcher goes on and may still roll back; an approval's deadline runs on.",
    payload: '{"by":"ann","comment":"incident elsewhere"}',
    in: {
      deploying: 'pauses before the next stage',
      shifting: 'pauses once the weight is written',
      baking: 'pauses',
      awaitingApproval: 'pauses',
      promoting: 'pauses once promoted',
    },
    otherwise: 'nothing that could be paused is running',
  },
  resume: {
    does: 'Ends a pause; the rest of the bake runs.',
    payload: '{"by":"ann"}',
    in: { paused: 'resumes' },
    otherwise: 'the rollout is not paused',
  },
  promote: {
    does: 'Goes on to the next stage now; with `full` over all remaining weights. Never over an approval or an unhealthy verdict.',
    payload: '{"by":"ann","full":false}',
    in: {
      baking: 'ends the bake and goes on',
      paused: 'ends the pause and the bake and goes on',
      held: 'goes on although the judge could not decide',
    },
    otherwise: 'there is nothing to promote past',
  },
  skip: {
    does: 'Ends the running bake early. Never an open approval, a failed probe, an unhealthy or blind verdict.',
    payload: '{"by":"ann"}',
    in: { baking: 'ends the bake' },
    otherwise: 'no bake is running',
  },
  retry: {
    does: "Tries again at once what is stuck or held; with `adopt` it takes somebody else's change of the target as its own.",
    payload: '{"by":"ann","adopt":false}',
    in: { stuck: 'tries at once', held: 'bakes again', restoring: 'tries at once' },
    otherwise: 'nothing is waiting for another try',
  },
  abort: {
    does: 'Sends all traffic back to the stable release, in every phase. On a foreign change it needs a choice: `keep` leaves that change and ends; `force` writes over it; `unwatched` with `keep` also leaves the candidate its part of the traffic, which nobody then watches.',
    payload: '{"by":"ann","comment":"wrong version","force":false,"keep":false,"unwatched":false}',
    in: {
      ...each(ANY_FORWARD, 'goes back'),
      stuck: 'goes back; on a foreign change it ends with keep, goes back with force, and is refused without either',
      restoring: 'is answered: already restoring',
    },
    otherwise: 'the rollout has ended',
  },
} satisfies Record<string, VerbRule>;

/** The verbs that are messages to a running rollout. `undo` is a start of its own. */
export type MessageVerb = keyof typeof TABLE;
/** What a person can do. */
export type Verb = MessageVerb | 'undo';

export const VERB_TABLE: Record<MessageVerb, VerbRule> = TABLE;
export const MESSAGE_VERBS = Object.keys(TABLE) as MessageVerb[];
export const VERBS: readonly Verb[] = [...MESSAGE_VERBS, 'undo'];

/** What `undo` does; it is a start of its own and no message. */
export const UNDO_RULE =
  'Goes back to the release that the last rollout replaced, while the rollback window lasts. --to goes back to any release in the ledger that still exists.';

/** One sentence on any verb, for help and handler descriptions. */
export function describeVerb(verb: Verb): string {
  return verb === 'undo' ? UNDO_RULE : VERB_TABLE[verb].does;
}
