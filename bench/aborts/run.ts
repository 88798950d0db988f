/** Many aborts at the same moment: how long until each target is at weight 0, on real parts. */
import { mkdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  GetAliasCommand,
  LambdaClient,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { zipSync } from 'fflate';
import { startAws } from '../../emulators/aws/index.js';
import type { Running } from '../../emulators/process.js';
import { startTemporal } from '../../emulators/temporal.js';
import { connect, type Sluice } from '../../src/client/index.js';
import { awsEnv } from '../../src/demo/clouds/lambda.js';
import { startWorkerProcess } from '../../src/demo/stack.js';
import type { RolloutView } from '../../src/model/view.js';

export interface AbortsOptions {
  /** Rollouts that are aborted together. */
  aborts: number;
  workers: number;
  /** How often all workers are killed by SIGKILL and others started, before. */
  restarts: number;
  /** For logs and the artifact store. */
  folder: string;
}

export interface AbortsResult {
  /** Ms from the aborts until the alias of each is at weight 0, ascending. */
  toZero: number[];
  /** Most control-plane calls within any second, of all workers. */
  busiest: number;
  /** How the rollouts have ended, each outcome once. */
  outcomes: string[];
  /** Aliases that are not at their stable release alone in the end. */
  astray: string[];
}

const REGION = 'us-east-1';
const FUNCTION = 'aborts';
/** Between two looks, and the longest wait for what comes, in ms. */
const LOOK_EVERY = 50;
const WITHIN = 120_000;
/** After its restarts: the time that the budget needs to forget the killed workers, in ms. */
const FORGETS_WITHIN = 5_000;

/** Starts all that it needs, and ends it again. Errors: what a part fails with, and an Error that says what did not come in time. */
export async function runAborts(options: AbortsOptions): Promise<AbortsResult> {
  const stops: (() => Promise<unknown>)[] = [];
  const calls: number[] = [];
  const zeroAt = new Map<string, number>();
  try {
    mkdirSync(options.folder, { recursive: true });
    const temporal = await startTemporal({ headless: true });
    stops.push(temporal.stop);
    const aws = await startAws({
      onCall: ({ path: url, headers }) => {
        const isOurs = headers.authorization?.includes(`Credential=${WORKER_KEY}/`) === true;
        if (isOurs && /^\/\d{4}-\d\d-\d\d\//.test(url) && !url.includes('/invocations')) calls.push(performance.now());
      },
      afterWrite: async ({ operation, status, qualifier, request }) => {
        const isZero = Object.keys(request.weights ?? {}).length === 0;
        if (operation === 'UpdateAlias' && status < 300 && isZero) zeroAt.set(qualifier ?? '', performance.now());
      },
    });
    stops.push(() => aws.stop());
    const env = { ...awsEnv(aws.endpoint), AWS_ACCESS_KEY_ID: WORKER_KEY };
    const start = () => startWorkerProcess({ temporal: temporal.address, folder: options.folder, env });
    let workers: Running[] = await started(options.workers, start);
    stops.push(() => Promise.all(workers.map((worker) => worker.stop())));
    const sluice = await connect({ env: { TEMPORAL_ADDRESS: temporal.address } });
    stops.push(() => sluice.close());

    const lambda = new LambdaClient({
      endpoint: aws.endpoint,
      region: REGION,
      credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    });
    const names = Array.from({ length: options.aborts }, (_, n) => `t${n}`);
    await makeTargets(lambda, names);
    await Promise.all(names.map((name) => begin(sluice, name)));
    await comes('all rollouts bake', () => allIn(sluice, names, 'baking'));
    for (let n = 0; n < options.restarts; n += 1) {
      await Promise.all(workers.map((worker) => worker.kill9()));
      workers = await started(options.workers, start);
    }
    if (options.restarts > 0) await pause(FORGETS_WITHIN);

    zeroAt.clear();
    const from = performance.now();
    const args = { by: 'bench', reason: 'all at once' };
    await Promise.all(names.map((name) => sluice.verb({ app: FUNCTION, environment: name }, 'abort', args)));
    await comes('all targets are at weight 0', async () => names.find((name) => !zeroAt.has(name)) ?? null);
    await comes('all rollouts have ended', () => allIn(sluice, names, 'done'));

    const views = await Promise.all(names.map((name) => sluice.status({ app: FUNCTION, environment: name })));
    const astray: string[] = [];
    for (const name of names) {
      const alias = await lambda.send(new GetAliasCommand({ FunctionName: FUNCTION, Name: name }));
      const weights = Object.keys(alias.RoutingConfig?.AdditionalVersionWeights ?? {});
      if (alias.FunctionVersion !== '1' || weights.length > 0) astray.push(name);
    }
    return {
      toZero: names.map((name) => (zeroAt.get(name) ?? Number.NaN) - from).sort((a, b) => a - b),
      busiest: busiestSecond(calls),
      outcomes: [...new Set(views.map(({ view }) => view?.outcome ?? 'none'))],
      astray,
    };
  } finally {
    for (const stop of stops.reverse()) await stop().catch(() => undefined);
  }
}

/** Access key of the workers, by which their calls are told from ours. */
const WORKER_KEY = 'workers';

function started(count: number, start: () => Promise<Running>): Promise<Running[]> {
  return Promise.all(Array.from({ length: count }, start));
}

/** One function with two releases, and an alias for each name. */
async function makeTargets(lambda: LambdaClient, names: string[]): Promise<void> {
  const code = (n: number) => zipSync({ 'index.js': Buffer.from(`exports.handler = async () => ${n};`) });
  const common = { FunctionName: FUNCTION, Publish: true };
  await lambda.send(
    new CreateFunctionCommand({
      ...common,
      Role: 'arn:aws:iam::000000000000:role/fn',
      Runtime: 'nodejs20.x',
      Handler: 'index.handler',
      Code: { ZipFile: code(1) },
    }),
  );
  await comes('the second release is published', async () => {
    const published = await lambda.send(new UpdateFunctionCodeCommand({ ...common, ZipFile: code(2) }));
    return published.Version === '2' ? null : `version ${published.Version}`;
  });
  for (const Name of names) {
    await lambda.send(new CreateAliasCommand({ FunctionName: FUNCTION, Name, FunctionVersion: '1' }));
  }
}

async function begin(sluice: Sluice, name: string): Promise<void> {
  await sluice.start({
    ...{ app: FUNCTION, environment: name, type: 'canary', onNewRelease: 'reject' },
    input: {
      app: FUNCTION,
      environment: name,
      target: { function: FUNCTION, alias: name, region: REGION },
      release: { version: 2 },
      strategy: {
        type: 'canary',
        stages: [
          { weight: '50%', bake: '1h' },
          { weight: '100%', bake: '1h' },
        ],
      },
      health: { probes: [{ name: 'smoke', invoke: { payload: {} }, every: '30s' }] },
    },
  });
}

/** Waits until `look` answers that nothing is missing (null), and fails with the last thing missing. */
async function comes(what: string, look: () => Promise<string | null>): Promise<void> {
  const end = Date.now() + WITHIN;
  for (;;) {
    const missing = await look().catch((error: unknown) => String(error));
    if (missing === null) return;
    if (Date.now() > end) throw new Error(`waited ${WITHIN / 1_000} s until ${what}: ${missing}`);
    await pause(LOOK_EVERY);
  }
}

/** Null when every rollout is in this phase, else how many are in which. */
async function allIn(sluice: Sluice, names: string[], wanted: RolloutView['phase']): Promise<string | null> {
  const views = await Promise.all(names.map((name) => sluice.status({ app: FUNCTION, environment: name })));
  const counts = new Map<string, number>();
  for (const { view } of views) {
    const seen = view === null ? 'not seen' : [view.phase, view.reason].filter(Boolean).join(': ');
    counts.set(seen, (counts.get(seen) ?? 0) + 1);
  }
  if (views.every(({ view }) => view?.phase === wanted)) return null;
  return [...counts].map(([seen, count]) => `${count} × ${seen}`).join(', ');
}

function busiestSecond(times: number[]): number {
  return Math.max(0, ...times.map((from) => times.filter((time) => time >= from && time < from + 1_000).length));
}
