/** What people say to a running rollout: who signed it, and whether he may. A refusal is an answer and no error. */
import { BadToken, holdersOf, isHolder, type ReadBy, type Rule, read, type Signed } from '../access/index.js';
import { type GateView, isOverride, type MessageAnswer, type Right, type VerbStatement } from '../model/access.js';
import { mayNot, NO_APPROVAL, unmet, wrongStage } from '../model/rollout/gate.js';
import { clean } from '../model/text.js';
import type { MessageVerb } from '../model/words.js';
import { type Grant, type Grants, OVERRIDE } from './grants.js';
import type { Seals } from './seals.js';

/** One message as it came. */
export interface Message {
  verb: MessageVerb | 'supersede';
  /** Who it says that it is by; believed only once the signature is. */
  by: string;
  token: unknown;
}

export interface DecideArgs {
  grant: string | null;
  messages: Message[];
  /** The approval that is open now. */
  gate: GateView | null;
  /** Ids of statements that were taken already. */
  used: string[];
}

/** That a newer release takes the place of a run. */
export interface Supersede {
  app: string;
  environment: string;
  run: string;
  by: string | null;
}

interface By extends ReadBy {
  rule: Rule | null;
  grants: Grants;
  seals: Seals;
  grant: Grant;
}

/** Answers every message, in order. */
export async function decide({ messages, gate, used }: DecideArgs, by: By): Promise<MessageAnswer[]> {
  const seen = new Set(used);
  const answers: MessageAnswer[] = [];
  for (const message of messages) {
    const answer = await one(message, gate, seen, by);
    if (answer.ok) seen.add(answer.id);
    answers.push(answer);
  }
  return answers;
}

async function one(message: Message, gate: GateView | null, seen: Set<string>, by: By): Promise<MessageAnswer> {
  const { verb } = message;
  if (verb === 'supersede') return superseded(message, by);
  const refuse = (who: string, why: string): MessageAnswer => ({ ok: false, verb, by: clean(who, 60), why });
  if (typeof message.token !== 'string') return refuse(message.by, `${verb} is not signed`);
  let signed: Signed;
  try {
    signed = await read(message.token, by);
  } catch (error) {
    if (error instanceof BadToken) return refuse(message.by, error.message);
    throw error;
  }
  const { name } = signed.subject;
  const statement = signed.statement as VerbStatement;
  const why = unfit(verb, statement, by.grant) ?? (seen.has(signed.id) ? 'it was already used' : null);
  if (why !== null) return refuse(name, why);
  const refused = rightless(signed, gate, by) ?? unmetGate(name, statement, gate, by);
  if (refused !== null) return refuse(name, refused);
  const { comment = null, full = false, force = false, keep = false, unwatched = false, adopt = false } = statement;
  const proven = verb === 'approve' && gate !== null ? gate.id : verb === 'abort' && force ? OVERRIDE : null;
  const { app, environment, first: run, plan = '' } = by.grant;
  const receipt =
    proven === null
      ? null
      : await by.grants.receipt({ rollout: `${app}/${environment}`, run, gate: proven, plan, by: name });
  const { id, until } = signed;
  const stage = statement.gate?.stage ?? null;
  const flags = { full, force, keep, unwatched, adopt };
  return { ok: true, verb, by: name, comment, stage, ...flags, id, until, receipt };
}

/** The companion's word, which a worker has sealed when it had checked the newer release. */
async function superseded({ token }: Message, { seals, grant }: By): Promise<MessageAnswer> {
  const verb = 'supersede';
  const sealed = await seals.open<Supersede>('supersede', token);
  const by = clean(sealed?.by ?? 'someone', 60);
  if (sealed === null) return { ok: false, verb, by, why: 'it does not come from the companion of the target' };
  const meant = sealed.app === grant.app && sealed.environment === grant.environment && sealed.run === grant.first;
  if (!meant) return { ok: false, verb, by, why: 'it is for another rollout of this target' };
  const flags = { full: false, force: false, keep: false, unwatched: false, adopt: false };
  return {
    ok: true,
    verb,
    by,
    comment: null,
    stage: null,
    ...flags,
    receipt: null,
    id: `supersede-${sealed.run}`,
    until: Date.now(),
  };
}

/** Why a statement is not about this; null when it is. */
function unfit(verb: MessageVerb, statement: VerbStatement, grant: Grant): string | null {
  if (statement.act !== verb) return `what was signed is ${statement.act}, not ${verb}`;
  if (statement.app !== grant.app || statement.environment !== grant.environment) return 'it is for another target';
  return statement.run === grant.first ? null : 'it is for another rollout of this target';
}

function rightless({ subject, statement }: Signed, gate: GateView | null, { rule }: By): string | null {
  if (rule === null) return 'no rule of the policy is about this target';
  const { act } = statement as VerbStatement;
  const rights: Right[] = isOverride(statement as VerbStatement) ? [act, 'override'] : [act];
  for (const right of rights) {
    const holders = holdersOf(rule, right, gate?.stage);
    if (!isHolder(holders, subject)) return mayNot(subject.name, right, holders);
  }
  return null;
}

/** A decision must be about the gate that is open now, exactly as it was published. */
function unmetGate(
  name: string,
  { act, gate: signed, comment: why }: VerbStatement,
  gate: GateView | null,
  { rule, grant }: By,
): string | null {
  if (act !== 'approve' && act !== 'reject') return null;
  if (gate === null) return NO_APPROVAL;
  if (signed === undefined) return 'it names no approval';
  const other = wrongStage(signed.stage, gate);
  if (other !== null) return other;
  if (signed.id !== gate.id || signed.plan !== gate.plan || signed.expires !== gate.expires) {
    return 'the approval has changed since it was signed; check it and decide again';
  }
  // The policy may ask for more than the plan of this rollout does.
  const comment = gate.comment || rule?.approvals.comment === true;
  const notStarter = gate.notStarter || rule?.approvals.notStarter === true;
  return unmet(act, { by: name, comment: why }, { ...gate, comment, notStarter }, grant.starter);
}
