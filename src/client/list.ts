/** Lists of rollouts and targets, from the server's visibility store. No worker is needed. */

import { parseRolloutId, rolloutId } from '../model/ids.js';
import { SEARCH_ATTRIBUTES } from '../model/rollout/words.js';
import type { CompanionView, RolloutView } from '../model/view.js';
import { OUTCOMES, type Outcome, PHASES, type Phase, type RolloutType, STRATEGIES } from '../model/words.js';
import { type Listed, listed, OURS } from '../temporal/described.js';
import type { Link } from './connect.js';
import { isUnknownAttribute, toSluiceError } from './errors.js';
import { ask, closedView, leavesView, refused, under } from './look.js';
import { ledgerOf } from './start.js';
import type { AppEnvironment, HistoryEntry, ListEntry, ListFilter } from './types.js';

/** Most entries of a list, newest first. */
const AT_MOST = 500;
/** Most rollouts that are asked one by one: running ones where the server cannot filter by phase, those that closed as failed. */
const ASKED_AT_MOST = 50;
const TYPES = [...STRATEGIES, 'undo'].map((type) => `'${type}'`).join(', ');
const ROLLOUTS = `WorkflowType IN (${TYPES}) AND ${OURS} AND ExecutionStatus != 'ContinuedAsNew'`;

/** Closed by someone else than our workers, so without an outcome. */
const OUTSIDE = "ExecutionStatus IN ('Terminated', 'TimedOut')";

const [PHASE] = SEARCH_ATTRIBUTES.phase;
const [OUTCOME] = SEARCH_ATTRIBUTES.outcome;
const [WEIGHT] = SEARCH_ATTRIBUTES.weight;

/** See `Sluice.list`. */
export async function list(link: Link, filter: ListFilter): Promise<ListEntry[]> {
  const closed = filter.phase !== undefined && isOutcome(filter.phase);
  const parts = [ROLLOUTS];
  if (closed) parts.push("ExecutionStatus != 'Running'");
  else if (filter.phase !== undefined || filter.all !== true) parts.push("ExecutionStatus = 'Running'");
  if (filter.olderThan !== undefined) {
    parts.push(`StartTime < '${new Date(Date.now() - filter.olderThan).toISOString()}'`);
  }
  const query = parts.join(' AND ');
  const named = filter.app === undefined ? null : pattern(filter.app);
  const matches = (entry: ListEntry) =>
    (named === null || named.test(entry.app)) &&
    (filter.phase === undefined || entry.phase === filter.phase || entry.outcome === filter.phase);
  if (filter.phase === undefined) return (await entries(link, query)).filter(matches);
  const attribute = `${closed ? OUTCOME : PHASE} = '${filter.phase}'`;
  const found = filter.phase === 'failed' ? `(${attribute} OR ${OUTSIDE})` : attribute;
  try {
    return (await entries(link, `${query} AND ${found}`, false)).filter(matches);
  } catch (error) {
    if (!isUnknownAttribute(error)) throw toSluiceError(error, link.address);
    const all = await entries(link, query);
    return (await Promise.all(all.slice(0, ASKED_AT_MOST).map((entry) => filledIn(link, entry)))).filter(matches);
  }
}

/** Running rollouts in one of the phases; where the server cannot filter by phase, all that run, with a phase of null. */
export async function inPhases(link: Link, phases: readonly Phase[]): Promise<ListEntry[]> {
  const running = `${ROLLOUTS} AND ExecutionStatus = 'Running'`;
  try {
    return await entries(link, `${running} AND ${PHASE} IN (${phases.map((each) => `'${each}'`).join(', ')})`, false);
  } catch (error) {
    if (!isUnknownAttribute(error)) throw toSluiceError(error, link.address);
    return entries(link, running);
  }
}

/** See `Sluice.history`. */
export async function history(link: Link, target: AppEnvironment): Promise<HistoryEntry[]> {
  const found = await closed(link, target);
  const bare = found.filter(({ entry, bare }) => bare && entry.closed !== 'COMPLETED').slice(0, ASKED_AT_MOST);
  await Promise.all(
    bare.map(async (each) => {
      each.entry = { ...each.entry, ...(await lastSeen(link, target, each)) };
    }),
  );
  return found.map(({ entry }) => entry);
}

/** What `get` says of a run that has left no view: of a refused start its failure, of what was closed from outside what it was doing. */
async function lastSeen(link: Link, target: AppEnvironment, of: Closed): Promise<Partial<HistoryEntry>> {
  if (of.entry.closed === 'FAILED') {
    const { outcome, reason, startedBy: by, message } = await refused(link, of);
    return { outcome, reason, by, message };
  }
  const seen = await under(link, target, of.runId);
  // The list may be a moment behind what is kept no longer.
  if (seen === null) return {};
  const view = await closedView(link, target, seen);
  const { outcome, reason, startedBy: by, message, candidate: release } = view;
  return { outcome, reason, by, message, release };
}

/** A closed run, and whether it has left no view. `runId` is its own, where `run` is the first of its chain. */
interface Closed {
  workflowId: string;
  runId: string;
  bare: boolean;
  entry: HistoryEntry;
}

async function closed(link: Link, target: AppEnvironment): Promise<Closed[]> {
  const id = rolloutId(target.app, target.environment);
  const found: Closed[] = [];
  const failed = { left: ASKED_AT_MOST };
  await each(link, `${ROLLOUTS} AND WorkflowId = '${id}' AND ExecutionStatus != 'Running'`, async (one) => {
    const { info } = one;
    const { workflowId, runId } = info;
    const view = await viewIn(link, one, failed);
    const entry = {
      ...entryOf(one, view, target),
      closed: info.status.name,
      reason: view?.reason ?? null,
      release: view?.candidate ?? null,
      by: view?.startedBy ?? null,
      message: view?.message ?? null,
    };
    found.push({ workflowId, runId, bare: view === null, entry });
  });
  return found;
}

/** The closed run whose id ends with `run`; undefined if there is none. */
export async function closedRun(link: Link, target: AppEnvironment, run: string): Promise<HistoryEntry | undefined> {
  return (await closed(link, target)).map(({ entry }) => entry).find((entry) => entry.run.endsWith(run));
}

/** See `Sluice.releases`. */
export async function releases(link: Link, app: string, environment?: string): Promise<CompanionView[]> {
  const environments = environment === undefined ? await environmentsOf(link, app) : [environment];
  const views = await Promise.all(environments.map((each) => ledgerOf(link, { app, environment: each })));
  return views.filter((view) => view !== null);
}

async function environmentsOf(link: Link, app: string): Promise<string[]> {
  const found = new Set<string>();
  await each(link, `WorkflowType = 'companion' AND ${OURS} AND ExecutionStatus = 'Running'`, async ({ info }) => {
    const [kind, owner, environment] = info.workflowId.split('/');
    if (kind === 'companion' && owner === app && environment !== undefined) found.add(environment);
  });
  return [...found].sort();
}

async function entries(link: Link, query: string, translate = true): Promise<ListEntry[]> {
  const found: ListEntry[] = [];
  const failed = { left: ASKED_AT_MOST };
  await each(
    link,
    query,
    async (one) => {
      const target = parseRolloutId(one.info.workflowId);
      if (target !== null) found.push(entryOf(one, await viewIn(link, one, failed), target));
    },
    translate,
  );
  return found;
}

async function each(link: Link, query: string, take: (one: Listed) => Promise<void>, translate = true): Promise<void> {
  let seen = 0;
  try {
    for await (const one of listed(link.temporal, query)) {
      await take(one);
      seen += 1;
      if (seen >= AT_MOST) return;
    }
  } catch (error) {
    throw translate ? toSluiceError(error, link.address) : error;
  }
}

function entryOf({ info, run }: Listed, view: RolloutView | null, target: AppEnvironment): ListEntry {
  const attributes = new Map(info.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
  const status = info.status.name;
  const open = status === 'RUNNING';
  const outcome = (attributes.get(OUTCOME) as Outcome | undefined) ?? view?.outcome ?? null;
  const weight = attributes.get(WEIGHT);
  return {
    ...target,
    strategy: info.type as RolloutType,
    phase: open ? ((attributes.get(PHASE) as Phase | 'done' | undefined) ?? null) : 'done',
    // Of what was closed from outside nobody has written an outcome.
    outcome: outcome ?? (open || status === 'COMPLETED' ? null : 'failed'),
    weight: typeof weight === 'number' ? weight : (view?.weight ?? null),
    startedAt: view?.startedAt ?? info.startTime.getTime(),
    endedAt: info.closeTime?.getTime() ?? null,
    // The list does not know the first run of a chain; the view does.
    run: view?.run ?? run,
  };
}

/** The same entry with what only the workflow itself knows. */
async function filledIn(link: Link, entry: ListEntry): Promise<ListEntry> {
  if (entry.phase !== null) return entry;
  const handle = link.temporal.workflow.getHandle(rolloutId(entry.app, entry.environment));
  const view = await ask(link, handle).catch(() => null);
  return view === null ? entry : { ...entry, phase: view.phase, outcome: view.outcome, weight: view.weight };
}

/**
 * The view that our workers have left in the memo; in a run that they have not ended it may be of whoever started it.
 * `failed`: how many failures may still be asked for.
 */
async function viewIn(link: Link, { info, memo }: Listed, failed: { left: number }): Promise<RolloutView | null> {
  const { workflowId, runId } = info;
  const status = info.status.name;
  // A failure is no part of a list, and has to be asked for.
  if (status === 'FAILED' && failed.left-- <= 0) return null;
  if (!(await leavesView(link, { status, workflowId, runId }))) return null;
  const view = (await memo('view')) as RolloutView | undefined;
  return view?.schema === 1 ? view : null;
}

function isOutcome(word: Phase | Outcome): boolean {
  return (OUTCOMES as readonly string[]).includes(word) && !(PHASES as readonly string[]).includes(word);
}

/** `check*` as an expression for the whole name. */
export function pattern(glob: string): RegExp {
  const parts = glob.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}
