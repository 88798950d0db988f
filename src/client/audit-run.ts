/** One run's history as lines of the audit: what each event says, and what an answer belongs to. */

import type { WorkflowHandle } from '@temporalio/client';
import type { LoadedDataConverter, Payload } from '@temporalio/common';
import { decode, decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { unholdUpdate } from '../../workflows/messages.js';
import { TASK_QUEUE } from '../model/ids.js';
import { NO_POLICY } from '../model/rollout/words.js';
import { clean } from '../model/text.js';
import { VERB_TABLE } from '../model/verbs.js';
import type { AuditEntry } from './types.js';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
export type HistoryEvent = NonNullable<History['events']>[number];
type Payloads = { payloads?: Payload[] | null } | null | undefined;
type Principal = HistoryEvent['principal'];
type Failure = Parameters<typeof decodeOptionalFailureToOptionalError>[1];
type Fields = Record<string, unknown>;

/** Whose histories these are: of the rollouts of a target, or of its companion. */
export type Kept = 'rollout' | 'companion';

/** Activities that change something at the provider. */
const CHANGES = new Set([
  'deploy',
  'warm',
  'shift',
  'promote',
  'restore',
  'retire',
  'takeBack',
  'adopt',
  'claim',
  'moveCallers',
]);

/** What is known of a rollout from one of its runs to the next. */
export interface Chain {
  /** Who sent a signed statement first; a worker decides on it later, perhaps in the next run. */
  bearers: Map<string, Principal>;
  /** The server's name for the workers, which forward what the companion received. */
  workers: Set<string>;
  split: unknown;
  signed: boolean;
}

/** Where an entry belongs. */
export interface Place {
  /** The workflow id. */
  rollout: string;
  of: Kept;
  /** The first run of the chain. */
  run: string;
  runId: string;
}

export type Told = Pick<AuditEntry, 'kind' | 'what'> & Partial<AuditEntry>;

/** `sender`: the principal that the server authenticated as the sender; `workers`: its name for those that forward. */
export function entryOf(
  { rollout, run, runId }: Omit<Place, 'of'>,
  event: HistoryEvent,
  told: Told,
  sender?: Principal,
  workers?: ReadonlySet<string>,
): AuditEntry {
  const who = told.who == null ? null : clean(told.who, 100);
  const principal = sender == null ? null : nameOf(sender);
  const passedOn = principal !== null && workers?.has(principal) === true;
  return {
    at: new Date(
      Number(event.eventTime?.seconds ?? 0) * 1000 + Number(event.eventTime?.nanos ?? 0) / 1e6,
    ).toISOString(),
    rollout,
    run,
    event: `${runId}/${event.eventId}`,
    why: null,
    before: null,
    after: null,
    proof: null,
    principal,
    mismatch: sender != null && who !== null && who !== sender.name && !passedOn,
    ...told,
    who,
    ...(told.why == null ? {} : { why: clean(told.why, 1_000) }),
  };
}

export function foreign(what: string, why: string): Told {
  return { kind: 'foreign', what: clean(what, 60), why };
}

export function elsewhere(queue: string): string {
  return `task queue "${clean(queue, 200)}", where no worker of Sluice is`;
}

export function typeOf(event: HistoryEvent): string {
  return event.workflowExecutionStartedEventAttributes?.workflowType?.name ?? '';
}

interface Begun {
  type: string;
  args?: unknown;
  /** The task queue of an activity. */
  queue: string;
}

/** Reads one run's history, remembering what an answer belongs to. */
export class Reader {
  private entries: AuditEntry[] = [];
  /** Activities and updates that have begun, by their event or id. */
  private readonly begun = new Map<string, Begun>();

  constructor(
    private readonly converter: LoadedDataConverter,
    private readonly place: Place,
    private readonly chain: Chain,
  ) {}

  /** `from`: events before this one are not listed; they only show what the later ones belong to. */
  async read(events: HistoryEvent[], from: number): Promise<AuditEntry[]> {
    for (const { principal, workflowTaskCompletedEventAttributes } of events) {
      if (principal != null && workflowTaskCompletedEventAttributes != null) this.chain.workers.add(nameOf(principal));
    }
    for (const [at, event] of events.entries()) {
      if (at === from) this.entries = [];
      try {
        await this.event(event);
      } catch (error) {
        // Anyone can add an event that nobody can read; the rest is still listed.
        this.add(event, { kind: 'unreadable', what: kindOf(event), why: wordsOf(error) });
      }
    }
    return from < events.length ? this.entries : [];
  }

  private add(event: HistoryEvent, of: Told, sender?: Principal): void {
    this.entries.push(entryOf(this.place, event, of, sender, this.chain.workers));
  }

  private async event(event: HistoryEvent): Promise<void> {
    if (this.place.of === 'companion') return this.companionEvent(event);
    if (event.workflowExecutionStartedEventAttributes != null) return this.started(event);
    if (event.activityTaskScheduledEventAttributes != null) return this.scheduled(event);
    if (event.activityTaskCompletedEventAttributes != null) return this.completed(event);
    if (event.workflowExecutionSignaledEventAttributes != null) return this.signaled(event);
    if (event.workflowExecutionUpdateAcceptedEventAttributes != null) return this.updateAccepted(event);
    if (event.workflowExecutionUpdateCompletedEventAttributes != null) return this.updateCompleted(event);
    const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
    if (failed != null) return this.failed(event, String(failed.scheduledEventId), failed.failure);
    return this.ended(event);
  }

  /** Most of what a companion hears is of rollouts, whose own histories say it. Only here is who released a held target. */
  private async companionEvent(event: HistoryEvent): Promise<void> {
    if (event.workflowExecutionUpdateAcceptedEventAttributes != null) return this.updateAccepted(event);
    if (event.workflowExecutionUpdateCompletedEventAttributes != null) return this.unheld(event);
    return this.ended(event);
  }

  private async unheld(event: HistoryEvent): Promise<void> {
    const { acceptedEventId, outcome } = event.workflowExecutionUpdateCompletedEventAttributes ?? {};
    const { type, args } = this.begun.get(`update ${acceptedEventId}`) ?? {};
    if (type !== unholdUpdate.name) return;
    const { by, token } = isFields(args) ? args : {};
    const said = { what: type, who: text(by), proof: text(token) };
    if (outcome?.failure != null) {
      // The name that came with a signature may be anyone's; whose the signature is, the reason says.
      const who = said.proof === null || said.who === null ? said.who : `${said.who} (unchecked)`;
      this.add(event, { kind: 'refusal', ...said, who, why: await this.lastWords(outcome.failure) });
      return;
    }
    // Who has signed it counts, whatever name came with it.
    const [answer] = await this.decoded(outcome?.success);
    const who = (isFields(answer) ? text(answer.by) : null) ?? said.who;
    this.add(event, { kind: 'verb', ...said, who, after: { hold: false } });
  }

  private async started(event: HistoryEvent): Promise<void> {
    const began = event.workflowExecutionStartedEventAttributes;
    if ((began?.continuedExecutionRunId ?? '') !== '') return;
    const [input] = await this.decoded(began?.input);
    const asked = isFields(input) ? input : {};
    const { startedBy, message, token, release } = asked;
    const type = typeOf(event);
    this.add(
      event,
      {
        kind: 'start',
        what: type,
        who: text(startedBy),
        why: text(message),
        after: type === 'undo' ? undoOf(asked) : { release: release ?? null },
        proof: text(token),
        identity: began?.identity ?? null,
      },
      event.principal,
    );
  }

  private async scheduled(event: HistoryEvent): Promise<void> {
    const { activityType, input, taskQueue } = event.activityTaskScheduledEventAttributes ?? {};
    const begun: Begun = { type: activityType?.name ?? '', queue: taskQueue?.name ?? '' };
    // Known even when its input cannot be read.
    this.begun.set(String(event.eventId), begun);
    [begun.args] = await this.decoded(input);
  }

  /** What an answer belongs to. Null, and listed as foreign, if it does not come from one of our workers. */
  private ours(event: HistoryEvent, scheduled: string, identity: string | null): Begun | null {
    const begun = this.begun.get(scheduled);
    if (begun === undefined) return null;
    if (begun.queue === TASK_QUEUE || begun.queue.startsWith(`${TASK_QUEUE}-`)) return begun;
    this.add(event, { ...foreign(begun.type, `it ran on ${elsewhere(begun.queue)}`), identity }, event.principal);
    return null;
  }

  private async completed(event: HistoryEvent): Promise<void> {
    const { scheduledEventId, result, identity } = event.activityTaskCompletedEventAttributes ?? {};
    const begun = this.ours(event, String(scheduledEventId), identity || null);
    if (begun === null) return;
    const { type, args } = begun;
    const [answer] = await this.decoded(result);
    if (type === 'parse') {
      const { access } = fieldsOf(answer, 'the answer of parse');
      const { policy, starter } = isFields(access) ? access : {};
      this.chain.signed = typeof policy === 'string';
      this.add(event, {
        kind: 'access',
        what: typeof policy === 'string' ? `policy ${clean(policy, 100)}` : NO_POLICY,
        who: text(starter),
      });
    } else if (type === 'prepare') {
      const { before, digest, plan } = fieldsOf(answer, 'the answer of prepare');
      const stages = listOf(fieldsOf(plan, 'the plan').stages, 'the stages of the plan');
      this.chain.split = fieldsOf(before, 'the state before').split ?? null;
      this.add(event, {
        kind: 'plan',
        what: `${stages.length} stages`,
        before: this.chain.split,
        after: { plan: digest },
      });
    } else if (type === 'decide') this.decided(event, args, answer);
    else if (type === 'watch') {
      const { state, why } = fieldsOf(fieldsOf(answer, 'the answer of watch').verdict, 'its verdict');
      this.add(event, { kind: 'verdict', what: clean(state, 60), why: text(why) });
    } else if (CHANGES.has(type)) this.changed(event, type, answer);
  }

  private changed(event: HistoryEvent, type: string, answer: unknown): void {
    const { split, release } = isFields(answer) ? answer : {};
    this.add(event, {
      kind: 'change',
      what: type,
      before: this.chain.split,
      after: split ?? (release === undefined ? null : { release }),
    });
    this.chain.split = split ?? this.chain.split;
  }

  private decided(event: HistoryEvent, args: unknown, answered: unknown): void {
    const messages = listOf(fieldsOf(args, 'the input of decide').messages, 'the messages');
    const answers = listOf(answered, 'the answer of decide');
    for (const [at, message] of messages.entries()) {
      if (answers[at] === undefined) continue;
      const { verb, token } = fieldsOf(message, 'a message');
      const answer = fieldsOf(answers[at], 'an answer of decide');
      const proof = text(token);
      const said = { what: clean(verb, 60), who: text(answer.by), proof };
      const sender = this.chain.bearers.get(proof ?? '');
      if (answer.ok !== true) this.add(event, { kind: 'refusal', ...said, why: text(answer.why) }, sender);
      else this.add(event, { kind: 'verb', ...said, why: text(answer.comment), after: flagsOf(answer) }, sender);
    }
  }

  /** Where signatures are needed, what counts is how a worker has decided. */
  private async signaled(event: HistoryEvent): Promise<void> {
    const { signalName, input, identity } = event.workflowExecutionSignaledEventAttributes ?? {};
    const [payload] = await this.decoded(input);
    const said = isFields(payload) ? payload : {};
    const { token, by, comment } = said;
    if (typeof token === 'string') {
      if (!this.chain.bearers.has(token)) this.chain.bearers.set(token, event.principal);
      if (this.chain.signed) return;
    }
    this.add(
      event,
      {
        kind: 'signal',
        what: clean(signalName, 60),
        who: text(by),
        why: text(comment),
        after: flagsOf(said),
        identity: identity ?? null,
      },
      event.principal,
    );
  }

  /** Its stamp is of the worker that has accepted it, not of who sent it. */
  private async updateAccepted(event: HistoryEvent): Promise<void> {
    const { acceptedRequest } = event.workflowExecutionUpdateAcceptedEventAttributes ?? {};
    const begun: Begun = { type: acceptedRequest?.input?.name ?? '', queue: '' };
    this.begun.set(`update ${event.eventId}`, begun);
    [begun.args] = await this.decoded(acceptedRequest?.input?.args);
  }

  private async updateCompleted(event: HistoryEvent): Promise<void> {
    const { acceptedEventId, outcome } = event.workflowExecutionUpdateCompletedEventAttributes ?? {};
    const { type = '', args } = this.begun.get(`update ${acceptedEventId}`) ?? {};
    if (this.chain.signed || !Object.hasOwn(VERB_TABLE, type)) return;
    const said = isFields(args) ? args : {};
    const { by, comment } = said;
    if (outcome?.failure != null)
      this.add(event, { kind: 'refusal', what: type, who: text(by), why: await this.lastWords(outcome.failure) });
    else this.add(event, { kind: 'verb', what: type, who: text(by), why: text(comment), after: flagsOf(said) });
  }

  private async failed(event: HistoryEvent, scheduled: string, failure: Failure): Promise<void> {
    const type = this.ours(event, scheduled, event.activityTaskFailedEventAttributes?.identity || null)?.type ?? '';
    if (CHANGES.has(type) || type === 'parse' || type === 'prepare') {
      this.add(event, {
        kind: CHANGES.has(type) ? 'change' : 'refusal',
        what: type,
        why: await this.lastWords(failure),
        before: this.chain.split,
      });
    }
  }

  private async ended(event: HistoryEvent): Promise<void> {
    const done = event.workflowExecutionCompletedEventAttributes;
    if (done != null) {
      const [view] = await this.decoded(done.result);
      const { outcome, reason } = isFields(view) ? view : {};
      this.add(event, {
        kind: 'end',
        what: text(outcome) ?? 'completed',
        why: text(reason),
        after: this.chain.split,
      });
    }
    const failed = event.workflowExecutionFailedEventAttributes;
    if (failed != null) {
      const rolledBack = failed.failure?.applicationFailureInfo?.type === 'SLUICE_ROLLED_BACK';
      const why = await this.lastWords(failed.failure);
      const after = rolledBack ? { after: this.chain.split } : {};
      this.add(event, { kind: 'end', what: rolledBack ? 'rolledBack' : 'failed', why, ...after });
    }
    const ended = event.workflowExecutionTerminatedEventAttributes;
    if (ended != null) {
      const { reason = null, identity = null } = ended;
      this.add(event, { kind: 'end', what: 'terminated', why: reason, identity }, event.principal);
    }
    if (event.workflowExecutionCanceledEventAttributes != null) this.add(event, { kind: 'end', what: 'canceled' });
    const asked = event.workflowExecutionCancelRequestedEventAttributes;
    if (asked != null)
      this.add(event, { kind: 'signal', what: 'cancel', identity: asked.identity ?? null }, event.principal);
  }

  /** The last message, below Temporal's own wrapping, which may be encrypted. */
  private async lastWords(failure: Failure): Promise<string> {
    let error: unknown = await decodeOptionalFailureToOptionalError(this.converter, failure);
    while (error instanceof Error && error.cause !== undefined) error = error.cause;
    return error instanceof Error ? error.message : '';
  }

  private async decoded(payloads: Payloads): Promise<unknown[]> {
    const { payloadConverter, payloadCodecs } = this.converter;
    return (await decode(payloadCodecs, payloads?.payloads ?? [])).map((payload) => {
      try {
        return payloadConverter.fromPayload(payload);
      } catch {
        // A signal from anyone may contain anything.
        return undefined;
      }
    });
  }
}

function nameOf({ type, name }: NonNullable<Principal>): string {
  return clean(`${type}:${name}`, 200);
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** What an undo's start asked for; without a release, for the one that the last rollout replaced. */
function undoOf({ to, hold, keepQueue }: Fields): object {
  const release = text(to);
  return {
    release: release === null ? null : clean(release, 100),
    hold: hold === true,
    keepQueue: keepQueue === true,
  };
}

function flagsOf({ stage, full, force, keep, unwatched, adopt }: Fields): object | null {
  const flags = Object.fromEntries(
    Object.entries({ full, force, keep, unwatched, adopt }).filter(([, set]) => set === true),
  );
  const named = text(stage);
  const all = { ...(named === null ? {} : { stage: clean(named, 100) }), ...flags };
  return Object.keys(all).length === 0 ? null : all;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Throws, in words for the trail, where it is no object. */
function fieldsOf(value: unknown, what: string): Fields {
  if (!isFields(value)) throw new Error(`${what} is not an object`);
  return value;
}

function listOf(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw new Error(`${what} is not a list`);
  return value;
}

/** `activityTaskCompleted` and the like. */
function kindOf(event: HistoryEvent): string {
  const found = Object.entries(event).find(([name, of]) => name.endsWith('EventAttributes') && of != null);
  return found?.[0].replace('EventAttributes', '') ?? 'event';
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : 'the reason is unknown';
}
