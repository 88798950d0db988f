/** One look at a rollout: the running one by its query, a closed one by what it left behind. */
import type { WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import { decode } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { WatchHeartbeat } from '../../activities/health/types.js';
import { SluiceError } from '../model/errors.js';
import { failureOf } from '../model/failures.js';
import { rolloutId } from '../model/ids.js';
import { joined } from '../model/series.js';
import { clean } from '../model/text.js';
import type { RolloutView } from '../model/view.js';
import type { Outcome, RolloutType } from '../model/words.js';
import type { Link } from './connect.js';
import { failing, isFailing, isLate, isUnserved, noAnswer, toSluiceError } from './errors.js';
import type { Snapshot, TargetName } from './types.js';

/** Longest wait for a worker's answer to a query, in ms. */
const ANSWER_WITHIN = 5_000;

/** A look, and which run it was. */
export interface Look extends Snapshot {
  view: RolloutView;
  run: string;
  /** Temporal has closed the run. */
  closed: boolean;
}

/** The first run of the chain: what view and companion call the run. */
export function firstRun(info: { runId: string; raw: unknown }): string {
  const raw = info.raw as {
    firstRunId?: string | null;
    workflowExecutionInfo?: { firstRunId?: string | null } | null;
  };
  return raw.workflowExecutionInfo?.firstRunId || raw.firstRunId || info.runId;
}

/** The last run of the target, or the one that begins with `run`. */
export async function describe(link: Link, target: TargetName, run?: string): Promise<WorkflowExecutionDescription> {
  const handle = link.temporal.workflow.getHandle(rolloutId(target.app, target.environment), run);
  try {
    return await link.temporal.withDeadline(Date.now() + ANSWER_WITHIN, () => handle.describe());
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw toSluiceError(error, link.address);
    throw new SluiceError(
      'SLUICE_NO_ROLLOUT',
      `there is no rollout of ${target.app}/${target.environment} in namespace ${link.namespace} at ${link.address}; \`sluice list --all\` shows what there is`,
    );
  }
}

/** The first run of the rollout that runs now; null when none does. */
export async function runningRun(link: Link, { app, environment }: TargetName): Promise<string | null> {
  try {
    const seen = await link.temporal.workflow.getHandle(rolloutId(app, environment)).describe();
    return seen.status.name === 'RUNNING' ? firstRun(seen) : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw toSluiceError(error, link.address);
  }
}

/** The last rollout, or the one of `run`. Errors: SLUICE_NO_ROLLOUT, those of `noAnswer` for a running one that nobody can ask. */
export async function look(link: Link, target: TargetName, wanted?: string): Promise<Look> {
  const last = await describe(link, target);
  const followed = wanted !== undefined && firstRun(last) !== wanted;
  const seen = followed ? await describe(link, target, wanted) : last;
  const run = firstRun(seen);
  const handle = link.temporal.workflow.getHandle(seen.workflowId, seen.runId);
  if (seen.status.name === 'RUNNING') {
    const asked = await ask(link, handle);
    const view = await live(link, seen, asked);
    return { view, ended: view.phase === 'done', closed: false, trouble: null, run };
  }
  const view = (seen.memo?.view as RolloutView | undefined) ?? (await lastWords(link, target, seen, handle));
  return { view, ended: true, closed: true, trouble: null, run };
}

/** A workflow's answer to `status`. Errors: SLUICE_NO_WORKER, SLUICE_UNREACHABLE. */
export async function ask(link: Link, handle: WorkflowHandle): Promise<RolloutView> {
  try {
    return await link.temporal.withDeadline(Date.now() + ANSWER_WITHIN, () => handle.query<RolloutView>('status'));
  } catch (error) {
    // It has answered, under a key that is not here.
    if (error instanceof SluiceError) throw error;
    if (isFailing(error)) throw failing(`${handle.workflowId} cannot be asked`);
    if (!isUnserved(error)) throw toSluiceError(error, link.address);
    throw await noAnswer(
      link,
      isLate(error)
        ? `${handle.workflowId} did not answer within ${ANSWER_WITHIN / 1000} s`
        : `${handle.workflowId} cannot be asked (${failureOf(error).message})`,
    );
  }
}

/** The view with what a watcher at work has counted: newer than what the workflow knows. */
async function live(link: Link, seen: WorkflowExecutionDescription, view: RolloutView): Promise<RolloutView> {
  const watcher = seen.raw.pendingActivities?.find((activity) => activity.activityType?.name === 'watch');
  const [payload] = watcher?.heartbeatDetails?.payloads ?? [];
  if (payload === undefined || view.phase === 'done' || view.phase === 'restoring') return view;
  try {
    const { payloadConverter, payloadCodecs } = link.temporal.options.loadedDataConverter;
    const [told = payload] = await decode(payloadCodecs, [payload]);
    const { report } = payloadConverter.fromPayload<WatchHeartbeat>(told);
    // Of the watcher before the hold: its counts have been judged since.
    if (isHeld(view) && report.verdict.state === 'healthy') return view;
    const { passes: _, probeBack: __, few: ___, ...verdict } = report.verdict;
    return {
      ...view,
      verdict: { ...verdict, asked: report.asked },
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

/** A closed run without a view in its memo: refused before anything was touched, terminated, or of a foreign make. */
export async function lastWords(
  link: Link,
  target: TargetName,
  seen: WorkflowExecutionDescription,
  handle: WorkflowHandle,
): Promise<RolloutView> {
  const blank = blankView(target, seen);
  // A run that others have followed has ended, even where it was first continued as new.
  if (seen.status.name === 'COMPLETED' || seen.status.name === 'CONTINUED_AS_NEW') {
    const result = (await handle.result().catch(() => null)) as RolloutView | null;
    return result?.schema === 1 ? result : blank;
  }
  if (seen.status.name === 'FAILED') return { ...blank, outcome: 'failed', ...(await refused(link, seen)) };
  const asked = await ask(link, handle).catch(() => blank);
  return {
    ...asked,
    phase: 'done',
    waitingFor: null,
    outcome: asked.outcome ?? 'failed',
    reason: `the workflow was closed from outside (${clean(seen.status.name.toLowerCase())}), so nothing was put back. See where the traffic is with \`sluice sweep\``,
    endedAt: seen.closeTime?.getTime() ?? null,
  };
}

/** Why a run closed as failed, and who said to have started it: it has left no view. Such a name was not checked where the check refused it. */
export async function refused(
  link: Link,
  { workflowId, runId }: { workflowId: string; runId: string },
): Promise<Pick<RolloutView, 'reason' | 'code' | 'startedBy' | 'message'>> {
  const [{ code, message: reason }, input] = await Promise.all([
    link.temporal.workflow
      .getHandle(workflowId, runId)
      .result()
      .then(
        () => ({ code: null, message: 'it failed' }),
        (error: unknown) => failureOf(error),
      ),
    startInput(link, { workflowId, runId }).catch(() => ({})),
  ]);
  const said = (key: string) => {
    const value: unknown = Reflect.get(input, key);
    return typeof value === 'string' && clean(value) !== '' ? clean(value, 300) : null;
  };
  const by = said('startedBy');
  const startedBy = by !== null && code === 'SLUICE_ACCESS' ? `${by} (unchecked)` : by;
  return { reason, code, startedBy, message: said('message') };
}

/** What a run was started with, from the first event of its history. */
async function startInput({ temporal }: Link, execution: { workflowId: string; runId: string }): Promise<object> {
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

function blankView(target: TargetName, seen: WorkflowExecutionDescription): RolloutView {
  return {
    schema: 1,
    ...target,
    run: firstRun(seen),
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
    startedAt: seen.startTime.getTime(),
    phaseSince: seen.closeTime?.getTime() ?? seen.startTime.getTime(),
    endedAt: seen.closeTime?.getTime() ?? null,
    warnings: [],
    access: null,
  };
}
