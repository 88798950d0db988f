/** Short workflows for what needs cloud credentials: the client has none, the worker does. */

import { SluiceError } from '../model/errors.js';
import type { Account } from '../model/ids.js';
import { movingId, parseMark, rolloutId } from '../model/ids.js';
import type { Moved, MovePlan } from '../model/moving.js';
import type { RolloutInput } from '../model/spec.js';
import type { RolloutType } from '../model/words.js';
import type { Finding, SweepFinding } from '../platforms/port.js';
import { mustAgree } from './agreement.js';
import type { Link } from './connect.js';
import { asked, short } from './helper-run.js';
import { runningRun } from './look.js';
import { packed } from './packing.js';
import { whatRuns } from './start.js';
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

/** The findings, given the rollout that runs now: its own split is not a leftover that someone should end by hand. */
async function inSight(
  link: Link,
  target: AppEnvironment,
  { spec, before, findings }: PlanPreview,
): Promise<Finding[]> {
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
      ? `A start would be refused now. Wait with \`sluice status ${id} --until done\`, or roll it back with \`sluice abort ${id}\``
      : `A start would not run immediately: onNewRelease is ${spec.onNewRelease}`;
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
