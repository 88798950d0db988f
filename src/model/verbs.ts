/** The verbs: what a person can do to a rollout, and in which phases. Their names come from this table, and so do rights, help and docs. */
import { PHASES, type Phase } from './phases.js';

/**
 * What each verb does in each phase: the one table that the validators, the CLI's help, the docs and a test read.
 * A phase that is absent refuses the verb.
 */
export interface VerbRule {
  /** What it does; its first sentence stands alone where there is little room. */
  does: string;
  /** JSON it takes, as an example for a person with only the Temporal UI. */
  payload: string;
  in: Partial<Record<Phase, string>>;
  /** What a refusal says. */
  otherwise: string;
}

/** Every phase but those of rolling back. */
const ANY_FORWARD = PHASES.filter((phase) => phase !== 'restoring' && phase !== 'stuck');

function each(phases: readonly Phase[], effect: string): Partial<Record<Phase, string>> {
  return Object.fromEntries(phases.map((phase) => [phase, effect]));
}

const TABLE = {
  approve: {
    does: 'Approve the stage that is waiting, so that the rollout continues.',
    payload: '{"stage":"10%","by":"ann","comment":"looks good"}',
    in: {
      awaitingApproval: 'continues',
      paused: 'counts if the pause interrupted this approval; the rollout continues once resumed',
      held: 'counts if the approval timed out into this hold',
    },
    otherwise: 'no approval is open',
  },
  reject: {
    does: 'Reject the stage that is waiting: the rollout rolls back and its outcome is `rejected`.',
    payload: '{"stage":"10%","by":"ann","comment":"wrong ticket"}',
    in: {
      awaitingApproval: 'rolls back',
      paused: 'rolls back if the pause interrupted this approval',
      held: 'rolls back if the approval timed out into this hold',
    },
    otherwise: 'no approval is open',
  },
  pause: {
    does: 'Keep the weight and stop the clock of the bake. The watcher keeps running and may still roll back; the deadline of an approval is not stopped. After `deadlines.pause` (a day by default) the rollout rolls back; an undo continues instead.',
    payload: '{"by":"ann","comment":"incident elsewhere"}',
    in: {
      deploying: 'pauses before the next step',
      shifting: 'pauses once the weight is written',
      baking: 'pauses',
      awaitingApproval: 'pauses',
      promoting: 'pauses once promoted',
    },
    otherwise: 'nothing that can be paused is running',
  },
  resume: {
    does: 'End a pause; the bake continues where it stopped.',
    payload: '{"by":"ann"}',
    in: { paused: 'resumes' },
    otherwise: 'the rollout is not paused',
  },
  promote: {
    does: 'Continue with the next stage now. With `full`, skip all remaining weights. It ends a running bake, a pause, or a hold for want of evidence. Never skips an approval or an unhealthy verdict, nor, in a bake, a blind one.',
    payload: '{"by":"ann","full":false}',
    in: {
      baking: 'ends the bake and continues',
      paused: 'ends the pause and the bake and continues',
      held: 'continues if the hold is for want of evidence',
    },
    otherwise: 'there is nothing to promote past',
  },
  skip: {
    does: 'End the running bake early. Never skips an approval, a failed probe, or an unhealthy or blind verdict.',
    payload: '{"by":"ann"}',
    in: { baking: 'ends the bake' },
    otherwise: 'no bake is running',
  },
  retry: {
    does: "Retry now if the rollout is stuck or held. With `adopt`, accept someone else's change of the target as the rollout's own.",
    payload: '{"by":"ann","adopt":false}',
    in: { stuck: 'retries now', held: 'bakes again', restoring: 'retries now' },
    otherwise: 'there is nothing to retry',
  },
  abort: {
    does: 'Send all traffic back to the stable release, in any phase. If someone else changed the target, choose: `keep` leaves that change and ends the rollout, `force` overwrites it, `keep` with `unwatched` also leaves the candidate its traffic with nothing watching it.',
    payload: '{"by":"ann","comment":"wrong version","force":false,"keep":false,"unwatched":false}',
    in: {
      ...each(ANY_FORWARD, 'rolls back'),
      stuck: 'rolls back; after a foreign change it needs keep (ends) or force (rolls back)',
      restoring: 'changes nothing: already rolling back',
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
  'Roll back to the release that the last rollout replaced, while the rollback window lasts. With --to, roll back to any release in the ledger that still exists.';

/** One sentence on any verb, for help and handler descriptions. */
export function describeVerb(verb: Verb): string {
  return verb === 'undo' ? UNDO_RULE : VERB_TABLE[verb].does;
}
