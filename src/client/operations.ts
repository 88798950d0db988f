/** Short workflows for what needs cloud credentials: the client has none, the worker does. */

import { SluiceError } from '../model/errors.js';
import type { Account } from '../model/ids.js';
import { movingId, parseMark, rolloutId } from '../model/ids.js';
import type { Moved, MovePlan } from '../model/moving.js';
import type { RolloutInput } from '../model/spec.js';
import type { RolloutType } from '../model/words.js';
import type { Finding, SweepFinding } from '../platforms/port.js';
import type { Described } from '../temporal/described.js';
import { mustAgree } from './agreement.js';
import type { Link } from './connect.js';
import { asked, short } from './helper-run.js';
import { foreignWords, runningRun, startInput, under } from './look.js';
import { packed } from './packing.js';
import { alreadyRunning, heldWords, whatRuns } from './start.js';
import { startToken } from './tokens.js';
import type { Adopted, AppEnvironment, MoveRequest, PlanPreview } from './types.js';

/** See `Sluice.plan`. */
export async function plan(
  link: Link,
  request: { input: RolloutInput; type: RolloutType } & AppEnvironment,
): Promise<PlanPreview> {
  const { app, environment, type } = request;
  await mustAgree(link);
  const whole = await packed(link.artifacts, request);
  const input = await withProof(link, 'plan', type, { ...request, input: whole });
  const preview = await asked<PlanPreview>(link, 'planOnly', `plan ${app}/${environment} ${request.type}`, {
    ...request,
    input,
  });
  return { ...preview, findings: await inSight(link, request, preview) };
}

/** The findings, given what stops a start that only the server knows of: a hold, and what runs. */
async function inSight(
  link: Link,
  target: AppEnvironment & { type: RolloutType },
  preview: PlanPreview,
): Promise<Finding[]> {
  const [held, findings] = await Promise.all([heldWords(link, target), besideWhatRuns(link, target, preview)]);
  return held === null ? findings : [...findings, { level: 'refuse', code: 'SLUICE_HELD', message: held }];
}

/** The findings, given the rollout that runs now: its own split is not a leftover that someone should end by hand. */
async function besideWhatRuns(
  link: Link,
  target: AppEnvironment & { type: RolloutType },
  { spec, before, findings }: PlanPreview,
): Promise<Finding[]> {
  const { app, environment } = target;
  const running = await under(link, target);
  if (running?.running !== true) return findings;
  const left = parseMark(before.mark ?? undefined);
  const own = left !== null && left.app === app && left.environment === environment;
  const others = findings.filter(({ code }) => code !== 'SLUICE_ALIAS_SPLIT' || !own || left.run !== running.run);
  const said = (level: Finding['level'], message: string) => [
    ...others,
    { level, code: 'SLUICE_ALREADY_RUNNING', message },
  ];
  if (spec.onNewRelease === 'reject') return said('refuse', (await alreadyRunning(link, target)).message);
  const what = foreignWords(running) ?? (await whatRuns(link, target));
  return (await takesNone(link, running))
    ? said('refuse', `${what}, and nothing can queue behind it. Start again after it, or undo with --keep-queue`)
    : said('warn', `${what}. A start would not run immediately: onNewRelease is ${spec.onNewRelease}`);
}

/** Whether what runs is an undo behind which nothing may queue. The companion decides that by what the undo was started with. */
async function takesNone(link: Link, running: Described): Promise<boolean> {
  if (running.type !== 'undo') return false;
  const { workflowId, run: runId } = running;
  // What cannot be read here, the companion can: its answer may be either.
  const input = await startInput(link, { workflowId, runId }).catch(() => ({ keepQueue: true }));
  return Reflect.get(input, 'keepQueue') !== true;
}

/** The workflow's argument with the proof of who asks. */
async function withProof(
  link: Link,
  act: 'plan' | 'adopt' | 'moveCallers',
  strategy: RolloutType,
  { input, app, environment }: { input: RolloutInput } & AppEnvironment,
  release: string | null = null,
): Promise<RolloutInput> {
  const token = await startToken(link, { act, app, environment, strategy, release, input });
  return token === null ? input : { ...input, token };
}

/** See `Sluice.sweep`. A split is no leftover while the very run that left its mark goes on. */
export async function sweep(link: Link, account: Account): Promise<SweepFinding[]> {
  await mustAgree(link);
  const split = await asked<SweepFinding[]>(
    link,
    'sweepAccount',
    `sweep ${account.account} ${account.region}`,
    account,
  );
  const gone = await Promise.all(split.map(async (each) => !(await isRunning(link, each))));
  return split.filter((_, at) => gone[at]);
}

async function isRunning(link: Link, { app, environment, run }: SweepFinding): Promise<boolean> {
  return (await runningRun(link, { app, environment })) === run;
}

/** See `Sluice.adopt`. */
export async function adopt(link: Link, request: { input: RolloutInput } & AppEnvironment): Promise<Adopted> {
  await mustAgree(link);
  const input = await withProof(link, 'adopt', 'direct', request);
  return short(link, 'adoptTarget', `adopt ${request.app}/${request.environment}`, [{ ...request, input }]);
}

/** See `Sluice.callers`. */
export async function callers(link: Link, request: MoveRequest): Promise<MovePlan> {
  if ((await runningRun(link, request)) !== null) {
    const id = rolloutId(request.app, request.environment);
    throw new SluiceError(
      'SLUICE_ALREADY_RUNNING',
      `${await whatRuns(link, request)}. Callers cannot be moved while it runs: wait with \`sluice status ${id} --until done\``,
    );
  }
  const input = await withProof(link, 'plan', 'direct', request);
  const summary = `callers of ${request.app}/${request.environment}`;
  return asked(link, 'lookCallers', summary, { ...request, input });
}

/** See `Sluice.moveCallers`. */
export async function moveCallers(link: Link, request: MoveRequest & { shown: string }): Promise<Moved> {
  const { app, environment, shown } = request;
  const input = await withProof(link, 'moveCallers', 'direct', request, shown);
  const summary = `move callers of ${app}/${environment}`;
  return short(link, 'moveCallers', summary, [{ ...request, input }], movingId(app, environment));
}
