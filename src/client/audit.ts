/**
 * What happened to a target, from the histories of its rollouts: who said or did what, why, and what was before and after.
 * The server wrote them down as they happened; here they only become lines.
 */
import type { WorkflowHandle } from '@temporalio/client';
import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { DecideArgs } from '../../activities/access/index.js';
import type { WatchReport } from '../../activities/health/types.js';
import type { Split } from '../../activities/platform/platform.js';
import type { Parsed, Prepared } from '../../activities/types.js';
import type { MessageAnswer } from '../model/access.js';
import { SluiceError } from '../model/errors.js';
import { rolloutId } from '../model/ids.js';
import { clean } from '../model/text.js';
import { VERB_TABLE } from '../model/verbs.js';
import type { RolloutView } from '../model/view.js';
import type { Link } from './connect.js';
import { toSluiceError } from './errors.js';
import type { AuditEntry, TargetName } from './types.js';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
type HistoryEvent = NonNullable<History['events']>[number];
type Payloads = { payloads?: unknown[] | null } | null | undefined;
type Principal = HistoryEvent['principal'];
type Failure = Parameters<typeof decodeOptionalFailureToOptionalError>[1];

/** Activities that change something at the provider. */
const CHANGES = new Set(['deploy', 'warm', 'shift', 'promote', 'restore', 'retire', 'adopt', 'claim']);
const TYPES = "WorkflowType IN ('direct', 'blueGreen', 'canary', 'linear', 'undo')";

/** See `Sluice.audit`. */
export async function audit(link: Link, target: TargetName): Promise<AuditEntry[]> {
  const id = rolloutId(target.app, target.environment);
  const runs: { runId: string; at: number }[] = [];
  try {
    for await (const { runId, startTime } of link.temporal.workflow.list({
      query: `${TYPES} AND WorkflowId = '${id}'`,
    })) {
      runs.push({ runId, at: startTime.getTime() });
    }
    // The list may be a moment behind; of the last run the server knows at once.
    const last = await link.temporal.workflow
      .getHandle(id)
      .describe()
      .catch(() => null);
    if (last !== null && runs.every(({ runId }) => runId !== last.runId)) {
      runs.push({ runId: last.runId, at: last.startTime.getTime() });
    }
    runs.sort((a, b) => a.at - b.at);
    if (runs.length === 0)
      throw new SluiceError(
        'SLUICE_NO_ROLLOUT',
        `there is no rollout of ${id}; \`sluice list --all\` shows what there is`,
      );
    const entries: AuditEntry[] = [];
    for (const { runId } of runs) {
      const { events } = await link.temporal.workflow.getHandle(id, runId).fetchHistory();
      entries.push(...(await new Reader(link, id, runId).read(events ?? [])));
    }
    return entries;
  } catch (error) {
    throw error instanceof SluiceError ? error : toSluiceError(error, link.address);
  }
}

/** Reads one run's history, remembering what an answer belongs to. */
class Reader {
  private readonly entries: AuditEntry[] = [];
  /** Activities and updates that have begun, by their event or id. */
  private readonly begun = new Map<string, { type: string; args: unknown }>();
  /** Who sent a signed statement first; a worker decides on it later. */
  private readonly bearers = new Map<string, Principal>();
  /** As whom the server knows this run's workers, who pass on what the companion was given. */
  private readonly workers = new Set<string>();
  private split: Split | null = null;
  private first: string;
  private signed = false;

  constructor(
    private readonly link: Link,
    private readonly rollout: string,
    private readonly runId: string,
  ) {
    this.first = runId;
  }

  async read(events: HistoryEvent[]): Promise<AuditEntry[]> {
    for (const { principal, workflowTaskCompletedEventAttributes } of events) {
      if (principal != null && workflowTaskCompletedEventAttributes != null) this.workers.add(nameOf(principal));
    }
    for (const event of events) await this.event(event);
    return this.entries;
  }

  /** `sender`: whom the server has authenticated as who said it. */
  private add(
    event: HistoryEvent,
    of: Pick<AuditEntry, 'kind' | 'what'> & Partial<AuditEntry>,
    sender?: Principal,
  ): void {
    const who = of.who == null ? null : clean(of.who, 100);
    const principal = sender == null ? null : nameOf(sender);
    const passedOn = principal !== null && this.workers.has(principal);
    this.entries.push({
      at: new Date(
        Number(event.eventTime?.seconds ?? 0) * 1000 + Number(event.eventTime?.nanos ?? 0) / 1e6,
      ).toISOString(),
      rollout: this.rollout,
      run: this.first,
      event: `${this.runId}/${event.eventId}`,
      why: null,
      before: null,
      after: null,
      proof: null,
      principal,
      mismatch: sender != null && who !== null && who !== sender.name && !passedOn,
      ...of,
      who,
      ...(of.why == null ? {} : { why: clean(of.why, 1_000) }),
    });
  }

  private async event(event: HistoryEvent): Promise<void> {
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

  private async started(event: HistoryEvent): Promise<void> {
    const began = event.workflowExecutionStartedEventAttributes;
    this.first = began?.firstExecutionRunId || this.runId;
    if ((began?.continuedExecutionRunId ?? '') !== '') return;
    const [input] = (await this.decoded(began?.input)) as [Record<string, unknown> | undefined];
    const { startedBy, message, token, release } = input ?? {};
    this.add(
      event,
      {
        kind: 'start',
        what: began?.workflowType?.name ?? '',
        who: text(startedBy),
        why: text(message),
        after: { release: release ?? null },
        proof: text(token),
        identity: began?.identity ?? null,
      },
      event.principal,
    );
  }

  private async scheduled(event: HistoryEvent): Promise<void> {
    const { activityType, input } = event.activityTaskScheduledEventAttributes ?? {};
    const [args] = await this.decoded(input);
    this.begun.set(String(event.eventId), { type: activityType?.name ?? '', args });
  }

  private async completed(event: HistoryEvent): Promise<void> {
    const { scheduledEventId, result } = event.activityTaskCompletedEventAttributes ?? {};
    const { type = '', args } = this.begun.get(String(scheduledEventId)) ?? {};
    const [answer] = await this.decoded(result);
    if (type === 'parse') {
      const { access } = answer as Parsed;
      this.signed = access?.policy != null;
      this.add(event, {
        kind: 'access',
        what: access?.policy == null ? 'open: no policy' : `policy ${access.policy}`,
        who: access?.starter ?? null,
      });
    } else if (type === 'prepare') {
      const { before, digest, plan } = answer as Prepared;
      this.split = before.split;
      this.add(event, {
        kind: 'plan',
        what: `${plan.stages.length} stages`,
        before: before.split,
        after: { plan: digest },
      });
    } else if (type === 'decide') this.decided(event, args as DecideArgs, answer as MessageAnswer[]);
    else if (type === 'watch') {
      const { verdict } = answer as WatchReport;
      this.add(event, { kind: 'verdict', what: verdict.state, why: verdict.why });
    } else if (CHANGES.has(type)) this.changed(event, type, answer);
  }

  private changed(event: HistoryEvent, type: string, answer: unknown): void {
    const { split, release } = (answer ?? {}) as { split?: Split; release?: unknown };
    this.add(event, {
      kind: 'change',
      what: type,
      before: this.split,
      after: split ?? (release === undefined ? null : { release }),
    });
    this.split = split ?? this.split;
  }

  private decided(event: HistoryEvent, { messages }: DecideArgs, answers: MessageAnswer[]): void {
    for (const [at, { verb, token }] of messages.entries()) {
      const answer = answers[at];
      if (answer === undefined) continue;
      const proof = text(token);
      const said = { what: verb, who: answer.by, proof };
      const sender = this.bearers.get(proof ?? '');
      if (!answer.ok) this.add(event, { kind: 'refusal', ...said, why: answer.why }, sender);
      else this.add(event, { kind: 'verb', ...said, why: answer.comment, after: flagsOf(answer) }, sender);
    }
  }

  /** Where signatures are needed, what counts is how a worker has decided. */
  private async signaled(event: HistoryEvent): Promise<void> {
    const { signalName, input, identity } = event.workflowExecutionSignaledEventAttributes ?? {};
    const [payload] = (await this.decoded(input)) as [Record<string, unknown> | null | undefined];
    if (this.signed && typeof payload?.token === 'string') {
      if (!this.bearers.has(payload.token)) this.bearers.set(payload.token, event.principal);
      return;
    }
    this.add(
      event,
      {
        kind: 'signal',
        what: clean(signalName, 60),
        who: text(payload?.by),
        why: text(payload?.comment),
        identity: identity ?? null,
      },
      event.principal,
    );
  }

  /** Its stamp is of the worker that has accepted it, not of who sent it. */
  private async updateAccepted(event: HistoryEvent): Promise<void> {
    const { acceptedRequest } = event.workflowExecutionUpdateAcceptedEventAttributes ?? {};
    const [args] = await this.decoded(acceptedRequest?.input?.args);
    this.begun.set(`update ${event.eventId}`, { type: acceptedRequest?.input?.name ?? '', args });
  }

  private async updateCompleted(event: HistoryEvent): Promise<void> {
    const { acceptedEventId, outcome } = event.workflowExecutionUpdateCompletedEventAttributes ?? {};
    const { type = '', args } = this.begun.get(`update ${acceptedEventId}`) ?? {};
    if (this.signed || !Object.hasOwn(VERB_TABLE, type)) return;
    const { by, comment } = (args ?? {}) as Record<string, unknown>;
    if (outcome?.failure != null)
      this.add(event, { kind: 'refusal', what: type, who: text(by), why: await this.lastWords(outcome.failure) });
    else this.add(event, { kind: 'verb', what: type, who: text(by), why: text(comment) });
  }

  private async failed(event: HistoryEvent, scheduled: string, failure: Failure): Promise<void> {
    const { type = '' } = this.begun.get(scheduled) ?? {};
    if (CHANGES.has(type) || type === 'parse' || type === 'prepare') {
      this.add(event, {
        kind: CHANGES.has(type) ? 'change' : 'refusal',
        what: type,
        why: await this.lastWords(failure),
        before: this.split,
      });
    }
  }

  private async ended(event: HistoryEvent): Promise<void> {
    const done = event.workflowExecutionCompletedEventAttributes;
    if (done != null) {
      const [view] = (await this.decoded(done.result)) as [RolloutView | undefined];
      this.add(event, {
        kind: 'end',
        what: view?.outcome ?? 'completed',
        why: view?.reason ?? null,
        after: this.split,
      });
    }
    const failed = event.workflowExecutionFailedEventAttributes;
    if (failed != null) this.add(event, { kind: 'end', what: 'failed', why: await this.lastWords(failed.failure) });
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

  /** What was said last, below Temporal's own wrapping, which may be encrypted. */
  private async lastWords(failure: Failure): Promise<string> {
    let error: unknown = await decodeOptionalFailureToOptionalError(
      this.link.temporal.options.loadedDataConverter,
      failure,
    );
    while (error instanceof Error && error.cause !== undefined) error = error.cause;
    return error instanceof Error ? error.message : '';
  }

  private async decoded(payloads: Payloads): Promise<unknown[]> {
    const { payloadConverter, payloadCodecs } = this.link.temporal.options.loadedDataConverter;
    let found = (payloads?.payloads ?? []) as Parameters<(typeof payloadCodecs)[number]['decode']>[0];
    for (const codec of [...payloadCodecs].reverse()) found = await codec.decode(found);
    return found.map((payload) => {
      try {
        return payloadConverter.fromPayload(payload);
      } catch {
        // A signal from anybody may hold anything.
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

function flagsOf({ stage, full, force, adopt }: Extract<MessageAnswer, { ok: true }>): object | null {
  const flags = Object.fromEntries(Object.entries({ full, force, adopt }).filter(([, set]) => set));
  const all = { ...(stage === null ? {} : { stage }), ...flags };
  return Object.keys(all).length === 0 ? null : all;
}
