/**
 * What people and programs may send to a running rollout. Each verb is an update, which answers, and a signal, which cannot,
 * so its refusal is recorded. Anyone can send a payload, so each is checked by hand: a handler that throws on a malformed
 * signal would loop its workflow task for ever.
 */
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import type { CheckedMessage } from '../../src/model/access.js';
import { nameIn, type Payload, refusal } from '../../src/model/rollout/gate.js';
import { sealedOf } from '../../src/model/sealed.js';
import { clean } from '../../src/model/text.js';
import { VERB_TABLE } from '../../src/model/verbs.js';
import type { VerbAnswer } from '../../src/model/view.js';
import type { MessageVerb } from '../../src/model/words.js';
import { planQuery, statusQuery, supersedeSignal, verbSignal, verbUpdate } from '../messages.js';
import type { Unsealing } from '../unsealing.js';
import { type Checks, unsigned } from './checks.js';
import { factsOf, openGate, together } from './gate.js';
import type { Keep, KeepRequest } from './keep.js';
import type { Run } from './run.js';
import type { Undo } from './undo.js';

/** What the handlers use. */
interface Hearing {
  run: Run;
  undo: Undo;
  keep: Keep;
  checks: Checks;
  unsealing: Unsealing;
}

/** Registers every handler. Called before the first await, since messages can arrive before the first line runs. */
export function registerHandlers(rollout: Hearing): void {
  setHandler(statusQuery, () => rollout.run.journal.view(), { description: 'The whole state of the rollout.' });
  setHandler(planQuery, () => rollout.run.state.prepared?.plan ?? null, { description: 'The plan being executed.' });
  for (const verb of Object.keys(VERB_TABLE) as MessageVerb[]) {
    const { does, payload } = VERB_TABLE[verb];
    const description = `${does} Input: ${payload}`;
    setHandler(verbUpdate(verb), (given) => shielded(() => answer(rollout, verb, given)), {
      description,
      validator: (given) => {
        // An encrypted message is handled once a worker has decrypted it.
        if (sealedOf(given) === null) mustBePossible(rollout, verb, given);
      },
    });
    setHandler(
      verbSignal(verb),
      (given) => {
        rollout.run.length.signal();
        opened(rollout, verb, given, (said) => take(rollout, verb, said));
      },
      { description },
    );
  }
  setHandler(supersedeSignal, (given: unknown) => {
    rollout.run.length.signal();
    opened(rollout, 'supersede', given, (said) => makeWay(rollout, said));
  });
  setDefaultSignalHandler((name, given) => {
    rollout.run.length.signal();
    rollout.run.journal.refusal(
      name,
      nameIn(given),
      `there is no signal "${clean(name, 40)}"; expected one of ${Object.keys(VERB_TABLE).join(', ')}`,
    );
  });
}

/** A cancel of the workflow is a request like any other and stops no handler: a handler that throws would loop its task. */
function shielded<T>(work: () => Promise<T>): Promise<T> {
  return CancellationScope.nonCancellable(work);
}

/** The content of a signal, at once or after a worker decrypted it. One that cannot be decrypted is recorded. */
function opened({ unsealing, run }: Hearing, name: string, given: unknown, hear: (said: unknown) => void): void {
  const sealed = sealedOf(given);
  if (sealed === null) hear(given);
  else {
    unsealing.line(name, sealed, (found) => {
      if (found.ok) hear(found.value);
      else run.journal.refusal(name, nameIn(null), found.why);
    });
  }
}

/** A verb that came as a signal. */
function take(rollout: Hearing, verb: MessageVerb, given: unknown): void {
  const why = refused(rollout, verb, given);
  const payload = (given ?? {}) as Payload;
  if (why !== null) rollout.run.journal.refusal(verb, nameIn(given), why);
  else if (rollout.checks.ready) heard(rollout, verb, payload);
  else void shielded(() => later(rollout, verb, payload));
}

function makeWay(rollout: Hearing, given: unknown): void {
  if (!isMeant(rollout, given)) return;
  void shielded(async () => {
    await known(rollout);
    const payload = typeof given === 'object' && given !== null ? (given as Payload) : {};
    if (rollout.checks.needs('supersede')) rollout.checks.line('supersede', payload, taken(rollout));
    else supersede(rollout, nameIn(given));
  });
}

/** Errors: SLUICE_ACCESS, SLUICE_VERB. */
function mustBePossible(rollout: Hearing, verb: MessageVerb, given: unknown): void {
  const stranger = unproven(rollout, verb, given);
  if (stranger !== null) throw ApplicationFailure.nonRetryable(stranger, 'SLUICE_ACCESS');
  const why = refused(rollout, verb, given);
  if (why !== null) throw ApplicationFailure.nonRetryable(why, 'SLUICE_VERB');
}

/** Until it is known whether messages must be signed. */
function known({ checks, run }: Hearing): Promise<void> {
  return condition(() => checks.ready || run.state.phase === 'done');
}

/** A signal that came before that. */
async function later(rollout: Hearing, verb: MessageVerb, payload: Payload): Promise<void> {
  await known(rollout);
  const why = refused(rollout, verb, payload);
  if (why === null) heard(rollout, verb, payload);
  else rollout.run.journal.refusal(verb, nameIn(payload), why);
}

function heard(rollout: Hearing, verb: MessageVerb, payload: Payload): void {
  if (rollout.checks.needs(verb, payload)) rollout.checks.line(verb, payload, taken(rollout));
  else apply(rollout, verb, payload);
}

/** A message that a worker has checked counts if it is still possible. */
function taken(rollout: Hearing): (message: CheckedMessage) => void {
  return (message) => {
    const { verb } = message;
    if (verb === 'supersede') return supersede(rollout, message.by);
    const why = refused(rollout, verb, message);
    if (why !== null) return rollout.run.journal.refusal(verb, message.by, why);
    if (!rollout.checks.used(message)) return rollout.run.journal.refusal(verb, message.by, 'it was already used');
    apply(rollout, verb, message as unknown as Payload);
  };
}

function supersede(rollout: Hearing, by: string): void {
  const reason = `a newer release by ${by} replaces it`;
  if (rollout.run.isUndo) rollout.undo.makeWay(by);
  else rollout.run.leaveWith({ outcome: 'superseded', reason, code: null });
}

/** Why an update need not be checked at all: it lacks a required signature. */
function unproven({ checks, run }: Hearing, verb: MessageVerb, given: unknown): string | null {
  const { token, ...said } = (typeof given === 'object' && given !== null ? given : {}) as Payload;
  if (run.state.phase === 'done' || !checks.ready || !checks.needs(verb, said)) return null;
  return typeof token === 'string' ? null : unsigned(verb);
}

/** Why the verb is refused now; null if it is not. A message that a worker has checked is tested in the same way. */
function refused({ run, checks }: Hearing, verb: MessageVerb, given: unknown): string | null {
  const payload = (typeof given === 'object' && given !== null ? given : {}) as Payload;
  return refusal(factsOf(run.state), verb, given, typeof payload.token === 'string' && checks.needs(verb, payload));
}

/**
 * The content of an encrypted update. Errors: SLUICE_SEALED if it cannot be decrypted; otherwise those of the validator,
 * which could not read it.
 */
async function unsealed(rollout: Hearing, verb: MessageVerb, sealed: string): Promise<Payload> {
  const found = await rollout.unsealing.one(verb, sealed);
  if (!found.ok) {
    rollout.run.journal.refusal(verb, nameIn(null), found.why);
    throw ApplicationFailure.nonRetryable(
      `${verb} cannot be decrypted, so nothing was done: ${found.why}`,
      'SLUICE_SEALED',
    );
  }
  mustBePossible(rollout, verb, found.value);
  return (found.value ?? {}) as Payload;
}

async function answer(rollout: Hearing, verb: MessageVerb, sent: unknown): Promise<VerbAnswer> {
  const { checks } = rollout;
  const { state, length } = rollout.run;
  try {
    const sealed = sealedOf(sent);
    const given = sealed === null ? ((sent ?? {}) as Payload) : await unsealed(rollout, verb, sealed);
    let payload = given;
    if (!checks.ready) await known(rollout);
    if (state.phase !== 'done' && checks.needs(verb, given)) {
      const checked = await checks.one(verb, given);
      if (!checks.used(checked)) throw ApplicationFailure.nonRetryable(`${verb}: it was already used`, 'SLUICE_ACCESS');
      payload = checked as unknown as Payload;
    }
    // It may have become too late meanwhile.
    const why = refused(rollout, verb, payload);
    if (why !== null) throw ApplicationFailure.nonRetryable(why, 'SLUICE_VERB');
    if (payload.keep === true) {
      const refused = await rollout.keep.keep(keepOf(payload));
      if (refused === null) return { verb, phase: state.phase, message: 'ends; nothing more is written' };
      rollout.run.journal.refusal(verb, nameIn(payload), refused);
      throw ApplicationFailure.nonRetryable(refused, 'SLUICE_VERB');
    }
    return { verb, phase: state.phase, message: apply(rollout, verb, payload) };
  } finally {
    // A refused one is in the history too, and a run accepts only 2,000 updates.
    length.look();
  }
}

function keepOf(payload: Payload): KeepRequest {
  const comment = payload.comment == null ? null : clean(payload.comment, 300);
  return {
    by: nameIn(payload),
    said: comment === null ? '' : ` (${comment})`,
    unwatched: payload.unwatched === true,
  };
}

/** Handles a signal; a refusal is recorded. */
async function keepSilently({ keep, run }: Hearing, payload: Payload): Promise<void> {
  const why = await keep.keep(keepOf(payload));
  if (why !== null) run.journal.refusal('abort', nameIn(payload), why);
}

function apply(rollout: Hearing, verb: MessageVerb, given: Payload | undefined): string {
  const { state, journal, requests } = rollout.run;
  const payload = given ?? {};
  const by = nameIn(payload);
  const comment = payload.comment == null ? null : clean(payload.comment, 300);
  const said = comment === null ? '' : `: ${comment}`;
  const effect = state.phase === 'done' ? '' : (VERB_TABLE[verb].in[state.phase] ?? '');
  switch (verb) {
    case 'approve':
      return approve(rollout, by, comment);
    case 'reject':
      if (state.step.gate !== undefined) state.step.gate.decision = { approved: false, by, comment };
      break;
    case 'pause':
      requests.pause = { by };
      break;
    case 'resume':
      requests.resume = by;
      break;
    case 'skip':
      requests.skip = by;
      break;
    case 'promote':
      requests.promote = by;
      state.full ||= payload.full === true;
      break;
    case 'retry':
      requests.retry = by;
      if (payload.adopt === true) requests.adopt = true;
      break;
    case 'abort':
      if (payload.keep === true) {
        void shielded(() => keepSilently(rollout, payload));
        return effect;
      }
      return abort(rollout, by, said, payload.force === true);
    default:
      // A verb that is not handled here does not compile.
      verb satisfies never;
  }
  if (verb !== 'reject') journal.event(`${verb}${said}: ${effect}`, by);
  return effect;
}

/** One more person approves; with enough different people the gate opens. */
function approve({ run: { state, journal } }: Hearing, by: string, comment: string | null): string {
  const { gate } = state.step;
  const people = openGate(state)?.people ?? 1;
  if (gate === undefined) return '';
  gate.approvals.push({ by, comment });
  const names = gate.approvals.map((each) => each.by);
  if (names.length >= people) {
    gate.decision = { approved: true, by: together(names), comment };
    return state.phase === 'paused' ? 'approved; the rollout continues once resumed' : 'continues';
  }
  journal.event(
    `stage ${gate.stage} approved (${names.length} of ${people})${comment === null ? '' : `: ${comment}`}`,
    by,
  );
  journal.publish();
  return `${names.length} of ${people} people have approved`;
}

/** Outranks everything. A second one is answered; with force it also overwrites a foreign change. */
function abort(rollout: Hearing, by: string, said: string, force: boolean): string {
  const { state, journal } = rollout.run;
  const second = state.leave !== null;
  state.force ||= force;
  journal.event(`abort${force ? ' --force' : ''}${said}`, by);
  rollout.run.leaveWith({ outcome: 'rolledBack', reason: `aborted by ${by}${said}`, code: null });
  if (!second) return 'rolling back';
  return force ? 'already rolling back; now also overwrites the foreign change' : 'already rolling back';
}

/** A supersede that names a run is only for that run. */
function isMeant(rollout: Hearing, given: unknown): boolean {
  const run = typeof given === 'object' && given !== null ? (given as Payload).run : undefined;
  return run === undefined || run === rollout.run.state.run;
}
