/** One look at a rollout: the running one by its query, a closed one by what it left behind. */
import type { WorkflowHandle } from '@temporalio/client';
import { decode } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { WatchHeartbeat } from '../health/types.js';
import { SluiceError } from '../model/errors.js';
import { rolloutId } from '../model/ids.js';
import { failureOf } from '../model/rollout/failure.js';
import { shownVerdict } from '../model/rollout/verdict.js';
import { joined } from '../model/series.js';
import { clean } from '../model/text.js';
import type { RolloutView } from '../model/view.js';
import { isRolloutType, type Outcome, type RolloutType } from '../model/words.js';
import { type Described, described, lastOfChain, sayForeign } from '../temporal/described.js';
import type { Link } from './connect.js';
import { failing, isFailing, isLate, isUnserved, noAnswer, toSluiceError } from './errors.js';
import type { AppEnvironment, Snapshot } from './types.js';

/** Longest wait for a worker's answer to a query, in ms. */
const ANSWER_WITHIN = 5_000;

/** A snapshot, and the run it belongs to. */
export interface Look extends Snapshot {
  view: RolloutView;
  run: string;
  /** Temporal has closed the run. */
  closed: boolean;
}

/** What has the id of the target's rollouts: the last one, or the one of `run`, whoever has started it. Null: nothing. */
export async function under(link: Link, { app, environment }: AppEnvironment, run?: string): Promise<Described | null> {
  return described(link.temporal, rolloutId(app, environment), run).catch((error: unknown) => {
    throw toSluiceError(error, link.address);
  });
}

/** Why a workflow with the id of a rollout is not one; null if it is one of ours. Anyone can use the id. */
export function foreignWords(seen: Described): string | null {
  if (isRolloutType(seen.type)) return null;
  const how = seen.running ? 'runs' : 'ran last';
  return `the workflow that ${how} with the id ${seen.workflowId} is not a Sluice rollout (${sayForeign(seen)})`;
}

/**
 * The last run of the target, or the one that closed the chain that starts with `run`. Errors: SLUICE_NO_ROLLOUT, also for a
 * workflow that someone else started.
 */
export async function describe(link: Link, target: AppEnvironment, run?: string): Promise<Described> {
  const seen = mustBeRollout(link, target, await under(link, target, run));
  return run === undefined
    ? seen
    : lastOfChain(link.temporal, seen).catch((error: unknown) => {
        throw toSluiceError(error, link.address);
      });
}

/** What was found, if it is one of our rollouts. Errors: SLUICE_NO_ROLLOUT. */
export function mustBeRollout(link: Link, target: AppEnvironment, seen: Described | null): Described {
  const id = rolloutId(target.app, target.environment);
  if (seen === null) {
    throw new SluiceError(
      'SLUICE_NO_ROLLOUT',
      `there is no rollout of ${id} in namespace ${link.namespace} at ${link.address}; \`sluice list --all\` shows what there is`,
    );
  }
  const foreign = foreignWords(seen);
  if (foreign === null) return seen;
  throw new SluiceError('SLUICE_NO_ROLLOUT', `${foreign}; \`sluice history ${id}\` lists past rollouts`);
}

/** The first run of the rollout that runs now; null when none does. */
export async function runningRun(link: Link, target: AppEnvironment): Promise<string | null> {
  const seen = await under(link, target);
  return seen?.running === true ? seen.run : null;
}

/** The last rollout, or the one of `run`. Errors: SLUICE_NO_ROLLOUT, those of `noAnswer` for a running one that nobody can ask. */
export async function look(link: Link, target: AppEnvironment, wanted?: string): Promise<Look> {
  const last = await describe(link, target);
  const followed = wanted !== undefined && last.run !== wanted;
  return lookAt(link, target, followed ? await describe(link, target, wanted) : last);
}

/** A snapshot of a run that was found. Errors: those of `noAnswer` for a running one that cannot be queried. */
export async function lookAt(link: Link, target: AppEnvironment, seen: Described): Promise<Look> {
  const { run } = seen;
  const handle = link.temporal.workflow.getHandle(seen.workflowId, seen.runId);
  if (seen.running) {
    const asked = await ask(link, handle);
    const view = await live(link, seen, asked);
    return { view, ended: view.phase === 'done', closed: false, trouble: null, run };
  }
  const view = await closedView(link, target, seen);
  return { view, ended: true, closed: true, trouble: null, run };
}

/** A workflow's answer to `status`. Errors: SLUICE_NO_WORKER, SLUICE_UNREACHABLE. */
export async function ask(link: Link, handle: WorkflowHandle): Promise<RolloutView> {
  try {
    return await link.temporal.withDeadline(Date.now() + ANSWER_WITHIN, () => handle.query<RolloutView>('status'));
  } catch (error) {
    // It has answered, under a key that is not here.
    if (error instanceof SluiceError) throw error;
    if (isFailing(error)) throw failing(`${handle.workflowId} cannot be queried`);
    if (!isUnserved(error)) throw toSluiceError(error, link.address);
    throw await noAnswer(
      link,
      isLate(error)
        ? `${handle.workflowId} did not answer within ${ANSWER_WITHIN / 1000} s`
        : `${handle.workflowId} cannot be queried (${failureOf(error).message})`,
    );
  }
}

/** The view with the counts of a running watcher, which are newer than the workflow's. */
async function live(link: Link, seen: Described, view: RolloutView): Promise<RolloutView> {
  const [payload] = seen.heartbeats('watch');
  if (payload === undefined || view.phase === 'done' || view.phase === 'restoring') return view;
  try {
    const { payloadConverter, payloadCodecs } = link.temporal.options.loadedDataConverter;
    const [told = payload] = await decode(payloadCodecs, [payload]);
    const { report } = payloadConverter.fromPayload<WatchHeartbeat>(told);
    // Of the watcher before the hold: its counts have been judged since.
    if (isHeld(view) && report.verdict.state === 'healthy') return view;
    return {
      ...view,
      verdict: shownVerdict(report),
      // Both are thinned out already.
      series: joined(view.series, report.series, Number.POSITIVE_INFINITY),
    };
  } catch {
    // A watcher of another version.
    return view;
  }
}

/** Held for want of evidence, and not for an approval that nobody gave. */
function isHeld({ phase, waitingFor }: RolloutView): boolean {
  return phase === 'held' && waitingFor?.gate == null;
}

/** How a run has ended: from its memo, else from its last words. Errors: of what it has left and nobody can read here. */
export async function closedView(link: Link, target: AppEnvironment, seen: Described): Promise<RolloutView> {
  const kept = await viewIn(link, seen);
  return kept instanceof Error ? lastWords(link, target, seen, kept) : (kept ?? lastWords(link, target, seen, null));
}

/**
 * Whether our workers have ended a run that has closed so, and left a view in its memo. Of one that failed only the failure says it: a
 * rollback leaves one, a refused start leaves what its starter wrote.
 */
export async function leavesView(
  link: Link,
  { status, workflowId, runId }: { status: string; workflowId: string; runId: string },
): Promise<boolean> {
  if (status === 'COMPLETED' || status === 'CANCELLED') return true;
  return status === 'FAILED' && (await lastFailure(link, { workflowId, runId })).code === 'SLUICE_ROLLED_BACK';
}

/** How a run closed as failed. */
async function lastFailure(
  link: Link,
  { workflowId, runId }: { workflowId: string; runId: string },
): Promise<Pick<RolloutView, 'outcome' | 'reason' | 'code'>> {
  return link.temporal.workflow
    .getHandle(workflowId, runId)
    .result()
    .then(
      () => ({ outcome: 'failed', code: null, reason: 'it failed' }),
      (error: unknown) => {
        const { code, message } = failureOf(error);
        return { outcome: code === 'SLUICE_ROLLED_BACK' ? 'rolledBack' : 'failed', code, reason: message };
      },
    );
}

/**
 * The view in the memo of a closed run. Only where our workers have ended it they have written that; else it may be of whoever
 * started it. An error says why it cannot be read.
 */
async function viewIn(link: Link, seen: Described): Promise<RolloutView | Error | null> {
  if (!(await leavesView(link, seen))) return null;
  try {
    const view = (await seen.memo('view')) as RolloutView | undefined;
    if (view?.schema !== 1) return null;
    // One that has closed without a result has its series here.
    const series = (await seen.memo('series')) as RolloutView['series'] | undefined;
    return { ...view, series: series ?? [] };
  } catch (error) {
    return error instanceof Error ? error : new Error(failureOf(error).message);
  }
}

/** A closed run without a view in its memo: refused before anything was touched, terminated, or with one that nobody can read. */
async function lastWords(
  link: Link,
  target: AppEnvironment,
  seen: Described,
  unread: Error | null,
): Promise<RolloutView> {
  const blank = blankView(target, seen);
  const handle = link.temporal.workflow.getHandle(seen.workflowId, seen.runId);
  if (seen.status === 'COMPLETED') {
    const result = (await handle.result().catch(() => null)) as RolloutView | null;
    if (result?.schema === 1) return result;
    if (unread !== null) throw toSluiceError(unread, link.address);
    return blank;
  }
  if (unread !== null) throw toSluiceError(unread, link.address);
  if (seen.status === 'FAILED') return { ...blank, ...(await refused(link, seen)) };
  const asked = await ask(link, handle).catch(async () => ({ ...blank, ...(await starter(link, seen)) }));
  const endedAt = seen.closedAt?.getTime() ?? null;
  return {
    ...asked,
    phase: 'done',
    // What it was doing has stopped, and so has the clock of it.
    stages: asked.stages.map((stage) =>
      stage.state === 'running' ? { ...stage, state: 'failed', current: null, until: null, endedAt } : stage,
    ),
    waitingFor: null,
    outcome: asked.outcome ?? 'failed',
    reason: `the workflow was closed from outside (${clean(seen.status.toLowerCase())}), so nothing was rolled back. See where the traffic is with \`sluice sweep\``,
    endedAt,
  };
}

/** Why a run closed as failed, and who said to have started it: it has left no view. Such a name was not checked where the check refused it. */
export async function refused(
  link: Link,
  { workflowId, runId }: { workflowId: string; runId: string },
): Promise<Pick<RolloutView, 'outcome' | 'reason' | 'code' | 'startedBy' | 'message'>> {
  const [{ outcome, code, reason }, { startedBy: by, message }] = await Promise.all([
    lastFailure(link, { workflowId, runId }),
    starter(link, { workflowId, runId }),
  ]);
  const startedBy = by !== null && code === 'SLUICE_ACCESS' ? `${by} (unchecked)` : by;
  return { outcome, reason, code, startedBy, message };
}

/** Who said to have started a run, and why; nulls where nobody did, or it cannot be read here. */
async function starter(
  link: Link,
  { workflowId, runId }: { workflowId: string; runId: string },
): Promise<Pick<RolloutView, 'startedBy' | 'message'>> {
  const input = await startInput(link, { workflowId, runId }).catch(() => ({}));
  const said = (key: string) => {
    const value: unknown = Reflect.get(input, key);
    return typeof value === 'string' && clean(value) !== '' ? clean(value, 300) : null;
  };
  return { startedBy: said('startedBy'), message: said('message') };
}

/** What a run was started with, from the first event of its history. */
export async function startInput(
  { temporal }: Link,
  execution: { workflowId: string; runId: string },
): Promise<object> {
  const { history } = await temporal.workflowService.getWorkflowExecutionHistory({
    namespace: temporal.options.namespace,
    execution,
    maximumPageSize: 1,
  });
  const payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  const { payloadConverter, payloadCodecs } = temporal.options.loadedDataConverter;
  const [first] = await decode(payloadCodecs, payloads);
  const input: unknown = first === undefined ? null : payloadConverter.fromPayload(first);
  return typeof input === 'object' && input !== null ? input : {};
}

function blankView(target: AppEnvironment, seen: Described): RolloutView {
  return {
    schema: 1,
    ...target,
    run: seen.run,
    strategy: seen.type as RolloutType,
    phase: 'done',
    outcome: 'failed' satisfies Outcome,
    reason: null,
    code: null,
    waitingFor: null,
    target: '',
    platform: '',
    stable: null,
    candidate: null,
    weight: 0,
    split: null,
    kept: null,
    live: null,
    bypass: [],
    stages: [],
    verdict: null,
    series: [],
    errors: [],
    events: [],
    eventsTotal: 0,
    refusals: [],
    refusalsTotal: 0,
    startedBy: null,
    message: null,
    startedAt: seen.startedAt.getTime(),
    phaseSince: (seen.closedAt ?? seen.startedAt).getTime(),
    endedAt: seen.closedAt?.getTime() ?? null,
    warnings: [],
    access: null,
  };
}
