/**
 * What happened to a target, from the histories of its rollouts and of its companion: who said or did what, why,
 * and the state before and after. The server wrote them down as they happened; here they only become lines.
 */
import { WorkflowNotFoundError } from '@temporalio/client';
import type { LoadedDataConverter } from '@temporalio/common';
import { SluiceError } from '../model/errors.js';
import { companionId, rolloutId, TASK_QUEUE } from '../model/ids.js';
import { isRolloutType } from '../model/words.js';
import { described, listed } from '../temporal/described.js';
import { type Chain, elsewhere, entryOf, foreign, type HistoryEvent, type Kept, Reader, typeOf } from './audit-run.js';
import type { Link } from './connect.js';
import { toSluiceError } from './errors.js';
import type { AppEnvironment, AuditEntry } from './types.js';

/** One run of a target, as the server has kept it. */
export interface KeptRun {
  runId: string;
  events: HistoryEvent[];
}

/** See `Sluice.audit`. */
export async function audit(link: Link, { app, environment }: AppEnvironment): Promise<AuditEntry[]> {
  const id = rolloutId(app, environment);
  try {
    const rollouts = await toldOf(link, id, 'rollout');
    const companion = await toldOf(link, companionId(app, environment), 'companion');
    if (rollouts === null && (companion ?? []).length === 0)
      throw new SluiceError(
        'SLUICE_NO_ROLLOUT',
        `there is no rollout of ${id}; \`sluice list --all\` shows what there is`,
      );
    return merged(rollouts ?? [], companion ?? []);
  } catch (error) {
    throw error instanceof SluiceError ? error : toSluiceError(error, link.address);
  }
}

/** What the runs of a workflow id say, oldest first; null if there is none. */
async function toldOf(link: Link, id: string, of: Kept): Promise<AuditEntry[] | null> {
  const runs: { runId: string; at: number }[] = [];
  // Of every type: what someone else ran with this id is listed too.
  for await (const { info } of listed(link.temporal, `WorkflowId = '${id}'`)) {
    runs.push({ runId: info.runId, at: info.startTime.getTime() });
  }
  // The list may be a moment behind; of the last run the server knows at once.
  const last = await described(link.temporal, id).catch(() => null);
  if (last !== null && runs.every(({ runId }) => runId !== last.runId)) {
    runs.push({ runId: last.runId, at: last.startedAt.getTime() });
  }
  runs.sort((a, b) => a.at - b.at);
  if (runs.length === 0) return null;
  const teller = new Teller(id, link.temporal.options.loadedDataConverter, of);
  for (const { runId } of runs) {
    const history = await link.temporal.workflow
      .getHandle(id, runId)
      .fetchHistory()
      .catch((error: unknown) => {
        // The list may also be a moment behind what is kept no longer.
        if (error instanceof WorkflowNotFoundError) return null;
        throw error;
      });
    await teller.tell({ runId, events: history?.events ?? [] });
  }
  return teller.entries;
}

/** By time. Each of the two keeps its own order: the server's clocks may differ, and a history is in order as it is. */
function merged(entries: AuditEntry[], others: AuditEntry[]): AuditEntry[] {
  const all: AuditEntry[] = [];
  let next = 0;
  for (const entry of entries) {
    for (let other = others[next]; other !== undefined && other.at < entry.at; other = others[next]) {
      all.push(other);
      next += 1;
    }
    all.push(entry);
  }
  return [...all, ...others.slice(next)];
}

/** Tells the runs of one target, or of its companion, oldest first. */
export class Teller {
  readonly entries: AuditEntry[] = [];
  /** By the first run. */
  private readonly chains = new Map<string, Chain>();
  private readonly foreign = new Set<string>();

  constructor(
    private readonly rollout: string,
    private readonly converter: LoadedDataConverter,
    private readonly of: Kept = 'rollout',
  ) {}

  /** Adds what a run says. Of one that is not of Sluice's workers only that it is. Never fails. */
  async tell({ runId, events }: KeptRun): Promise<void> {
    const [first] = events;
    if (first === undefined) return;
    const began = first.workflowExecutionStartedEventAttributes;
    const firstRun = began?.firstExecutionRunId || runId;
    const of = { rollout: this.rollout, of: this.of, run: firstRun, runId };
    const say = (why: string, by = first) =>
      this.entries.push(entryOf(of, by, { ...foreign(typeOf(first), why), identity: identityOf(by) }, by.principal));
    const why = whyForeign(first, this.of);
    if (why !== null) {
      this.foreign.add(runId);
      say(why);
      return;
    }
    const origin = began?.originalExecutionRunId || runId;
    const reset = events.findIndex(({ workflowTaskFailedEventAttributes: failed }) => failed?.newRunId === runId);
    // What our workers did afterwards is as true as anything they do; the state before is not of this run.
    if (origin !== runId)
      say(`it was made by Reset from run ${origin}; what it copied from there is not listed again`, events[reset]);
    const before = began?.continuedExecutionRunId ?? '';
    if (this.foreign.has(before)) say(`it continues run ${before}, which is foreign`);
    const none = { bearers: new Map(), workers: new Set<string>(), split: null, signed: false };
    const chain: Chain = this.chains.get(firstRun) ?? none;
    this.chains.set(firstRun, chain);
    this.entries.push(
      ...(await new Reader(this.converter, of, chain).read(events, origin === runId ? 0 : reset + 1 || events.length)),
    );
  }
}

/** Why a run is not one of Sluice's own; null if it is. */
function whyForeign(first: HistoryEvent, of: Kept): string | null {
  const began = first.workflowExecutionStartedEventAttributes;
  const queue = began?.taskQueue?.name ?? '';
  if (queue !== TASK_QUEUE) return `it ran on ${elsewhere(queue)}`;
  const type = began?.workflowType?.name ?? '';
  if (of === 'rollout' && !isRolloutType(type)) return 'its type is not a rollout type';
  if (of === 'companion' && type !== 'companion') return 'its type is not that of a companion';
  if (began?.eagerExecutionAccepted === true)
    return 'its starter also took its tasks, bypassing the workers (an eager start)';
  return null;
}

function identityOf(event: HistoryEvent): string | null {
  const of = event.workflowExecutionStartedEventAttributes ?? event.workflowTaskFailedEventAttributes;
  return of?.identity || null;
}
