/** Short workflows for what needs cloud credentials: the client has none, the worker does. */
import type { Finding, SweepFinding } from '../../activities/platform/platform.js';
import { SluiceError } from '../model/errors.js';
import type { Account } from '../model/ids.js';
import { movingId, parseMark, rolloutId } from '../model/ids.js';
import type { Moved, MovePlan } from '../model/moving.js';
import type { RolloutInput } from '../model/spec.js';
import type { RolloutType } from '../model/words.js';
import { mustAgree } from './agreement.js';
import type { Link } from './connect.js';
import { runningRun } from './look.js';
import { packed } from './packing.js';
import { startProof } from './proof.js';
import { type ShortRun, short } from './short-run.js';
import { whatRuns } from './start.js';
import type { Adopted, MoveRequest, PlanPreview, TargetName } from './types.js';

/** Longest that the activities of a change may take that a worker makes, in ms: their deadlines together are 14 minutes. */
const CHANGE = 15 * 60_000;

/**
 * Runs a short workflow, once the workers have the key that this client encrypts under. Its argument is made after that: nobody packs
 * or logs in for what is not sent.
 */
async function asked<T>(
  link: Link,
  { args, ...run }: Omit<ShortRun, 'args'> & { args: () => Promise<unknown> },
): Promise<T> {
  await mustAgree(link);
  return short<T>(link, { ...run, args: [await args()] });
}

/** See `Sluice.plan`. */
export async function plan(
  link: Link,
  request: { input: RolloutInput; type: RolloutType } & TargetName,
): Promise<PlanPreview> {
  const { app, environment, type } = request;
  const preview = await asked<PlanPreview>(link, {
    type: 'planOnly',
    summary: `plan ${app}/${environment} ${type}`,
    args: async () => {
      const input = await packed(link.artifacts, request);
      return { ...request, input: await withProof(link, 'plan', type, { ...request, input }) };
    },
  });
  return { ...preview, findings: await inSight(link, request, preview) };
}

/** The findings in sight of the rollout that runs now: its own split is no leftover that somebody should end by hand. */
async function inSight(link: Link, target: TargetName, { spec, before, findings }: PlanPreview): Promise<Finding[]> {
  const { app, environment } = target;
  const left = parseMark(before.mark ?? undefined);
  const own = left !== null && left.app === app && left.environment === environment;
  const running = await runningRun(link, target);
  if (running === null) return findings;
  const others = findings.filter(({ code }) => code !== 'SLUICE_ALIAS_SPLIT' || !own || left.run !== running);
  const id = rolloutId(app, environment);
  const what = await whatRuns(link, target);
  const then =
    spec.onNewRelease === 'reject'
      ? `A start is refused meanwhile. Wait with \`sluice status ${id} --until done\`, or end it with \`sluice abort ${id}\``
      : `A start does not begin at once: onNewRelease is ${spec.onNewRelease}`;
  return [
    ...others,
    {
      level: spec.onNewRelease === 'reject' ? 'refuse' : 'warn',
      code: 'SLUICE_ALREADY_RUNNING',
      message: `${what}. ${then}`,
    },
  ];
}

/** The workflow's argument with the proof of who asks. */
async function withProof(
  link: Link,
  act: 'plan' | 'adopt' | 'moveCallers',
  strategy: RolloutType,
  { input, app, environment }: { input: RolloutInput } & TargetName,
  release: string | null = null,
): Promise<RolloutInput> {
  const token = await startProof(link, { act, app, environment, strategy, release, input });
  return token === null ? input : { ...input, token };
}

/** See `Sluice.sweep`. A split is no leftover while the very run that left its mark goes on. */
export async function sweep(link: Link, account: Account): Promise<SweepFinding[]> {
  const split = await asked<SweepFinding[]>(link, {
    type: 'sweepAccount',
    summary: `sweep ${account.account} ${account.region}`,
    args: async () => account,
  });
  const gone = await Promise.all(split.map(async (each) => !(await isRunning(link, each))));
  return split.filter((_, at) => gone[at]);
}

async function isRunning(link: Link, { app, environment, run }: SweepFinding): Promise<boolean> {
  return (await runningRun(link, { app, environment })) === run;
}

/** See `Sluice.adopt`. */
export async function adopt(link: Link, request: { input: RolloutInput } & TargetName): Promise<Adopted> {
  const at = `${request.app}/${request.environment}`;
  return asked(link, {
    type: 'adoptTarget',
    summary: `adopt ${at}`,
    args: async () => ({ ...request, input: await withProof(link, 'adopt', 'direct', request) }),
    changes: { within: CHANGE, maybe: `${at} may have been adopted; run the same command again` },
  });
}

/** See `Sluice.callers`. */
export async function callers(link: Link, request: MoveRequest): Promise<MovePlan> {
  if ((await runningRun(link, request)) !== null) {
    const id = rolloutId(request.app, request.environment);
    throw new SluiceError(
      'SLUICE_ALREADY_RUNNING',
      `${await whatRuns(link, request)}. Its callers are moved before it or after it: wait with \`sluice status ${id} --until done\``,
    );
  }
  return asked(link, {
    type: 'lookCallers',
    summary: `callers of ${request.app}/${request.environment}`,
    args: async () => ({ ...request, input: await withProof(link, 'plan', 'direct', request) }),
  });
}

/** See `Sluice.moveCallers`. */
export async function moveCallers(link: Link, request: MoveRequest & { shown: string }): Promise<Moved> {
  const { app, environment, shown } = request;
  return asked(link, {
    type: 'moveCallers',
    workflowId: movingId(app, environment),
    summary: `move callers of ${app}/${environment}`,
    args: async () => ({ ...request, input: await withProof(link, 'moveCallers', 'direct', request, shown) }),
    changes: {
      within: CHANGE,
      maybe: `some callers of ${app}/${environment} may have been moved; run the same command again, which shows what is left`,
    },
  });
}
