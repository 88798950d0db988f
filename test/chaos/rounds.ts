/**
 * One round: a rollout with a fault in the middle. Afterwards the alias must stand exactly at the old or the new release,
 * the log of writes must show no write out of turn, and the users' traffic must never have stopped.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { GetAliasCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { WorkflowFailedError } from '@temporalio/client';
import type { Write } from '../../emulators/aws/index.js';
import { parseMark, TASK_QUEUE } from '../../src/model/ids.js';
import type { RolloutView } from '../../src/model/view.js';
import type { Phase, Strategy } from '../../src/model/words.js';
import type { Random } from './random.js';
import type { World } from './world.js';

const STRATEGIES: Strategy[] = ['direct', 'blueGreen', 'canary', 'linear'];
const KINDS = [
  'crashWorker',
  'crashServer',
  'crashAfterEffect',
  'freeze',
  'throttle',
  'serverError',
  'reset',
  'lostAnswer',
  'abort',
  'none',
] as const;
export type Kind = (typeof KINDS)[number];
const PHASES: Phase[] = ['preparing', 'deploying', 'shifting', 'baking', 'promoting', 'restoring'];
/** A round that takes longer has hung, which is a violation. */
const LONGEST = 150_000;

export interface Round {
  number: number;
  strategy: Strategy;
  kind: Kind;
  phase: Phase;
  good: boolean;
}

export interface Finished {
  round: Round;
  outcome: string;
  seconds: number;
  kills: number;
  faults: number;
  violations: string[];
}

/** The round before the first: something good goes live. */
export const FIRST: Round = { number: 0, strategy: 'direct', kind: 'none', phase: 'baking', good: true };

/** Handlers of the rounds: the good one answers, the bad one passes its smoke test and then fails. */
export function writeExamples(folder: string): string {
  const handlers = {
    good: 'export const handler = async (event, context) => ({ statusCode: 200, release: context.functionVersion, user: event.user });\n',
    bad: "let calls = 0;\nexport const handler = async (event, context) => {\n  if (event.user === 'probe' && calls++ === 0) return { statusCode: 200 };\n  if (Math.random() < 0.6) throw new Error('bad release');\n  return { statusCode: 200, release: context.functionVersion };\n};\n",
  };
  for (const [name, code] of Object.entries(handlers)) {
    mkdirSync(path.join(folder, name), { recursive: true });
    writeFileSync(path.join(folder, name, 'index.mjs'), code);
  }
  return folder;
}

export function drawRound(random: Random, number: number): Round {
  return {
    number,
    strategy: random.pick(STRATEGIES),
    kind: random.pick(KINDS),
    phase: random.pick(PHASES),
    good: random.next() < 0.5,
  };
}

/** The spec of a round: short bakes, quick probes; a bad release answers every request with an error after its smoke test. */
export function specOf(round: Round, examples: string): Record<string, unknown> {
  const bake = '3s';
  const strategies: Record<Strategy, unknown> = {
    direct: { type: 'direct', bake },
    blueGreen: { type: 'blueGreen', bake },
    canary: {
      type: 'canary',
      stages: [
        { weight: '20%', bake },
        { weight: '50%', bake },
        { weight: '100%', bake: '2s' },
      ],
    },
    linear: { type: 'linear', step: '50%', interval: bake, bake: '2s' },
  };
  return {
    app: 'checkout',
    environment: 'production',
    target: { platform: 'lambda', function: 'checkout', alias: 'live', region: 'us-east-1', account: 'default' },
    release: { folder: path.join(examples, round.good ? 'good' : 'bad') },
    configuration: {
      runtime: 'nodejs20.x',
      handler: 'index.handler',
      role: 'arn:aws:iam::000000000000:role/checkout',
      // Each round is a release of its own.
      environment: { ROUND: String(round.number) },
    },
    strategy: strategies[round.strategy],
    health: {
      probes: [
        { name: 'user', invoke: { payload: { user: 'probe' } }, expect: { status: 200 }, every: '100ms', smoke: 1 },
      ],
      policy: { minRequests: 10, onUndecided: 'rollback', onNoData: 'rollback' },
    },
    deadlines: { deploy: '60s', shift: '30s', stuckAfter: '10s' },
    rollbackWindow: '1h',
  };
}

export async function playRound(world: World, round: Round, examples: string, gate: WriteGate): Promise<Finished> {
  const began = Date.now();
  const before = await alias(world);
  const firstWrite = world.aws.writes().at(-1)?.seq ?? 0;
  const count = { kills: 0, faults: 0 };
  const violations: string[] = [];
  const handle = await world.client.workflow.start(round.strategy, {
    workflowId: 'checkout/production',
    taskQueue: TASK_QUEUE,
    args: [specOf(round, examples)],
    workflowIdConflictPolicy: 'FAIL',
  });
  const trouble = makeTrouble(world, round, handle, gate, count);
  const view = await Promise.race([
    handle.result().then(
      (value) => value as RolloutView,
      (error: unknown) => ({
        failed: error instanceof WorkflowFailedError ? String(error.cause?.message) : String(error),
      }),
    ),
    pause(LONGEST, null, { ref: false }),
  ]);
  await trouble;
  await world.aws.faults.clear();
  if (view === null) {
    violations.push(`hung: ${JSON.stringify(await handle.query('status').catch(String)).slice(0, 600)}`);
    await handle.terminate('chaos: hung').catch(() => undefined);
  } else if ('failed' in view) {
    violations.push(`failed: ${view.failed}`);
  } else {
    violations.push(...(await checkEnd(world, round, view, before)));
  }
  violations.push(...outOfTurn(world.aws.writes().filter((write) => write.seq > firstWrite)));
  violations.push(...stopped(world, began));
  const outcome = view === null ? 'hung' : 'failed' in view ? 'failed' : String(view.outcome);
  return { round, outcome, seconds: (Date.now() - began) / 1000, ...count, violations };
}

type GatedWrite = Pick<Write, 'operation' | 'request' | 'status'>;

/** Holds the answer of a write back, so that a worker can die between an effect and its answer. */
export class WriteGate {
  private waiting: ((write: GatedWrite) => Promise<void>) | null = null;

  arm(then: (write: GatedWrite) => Promise<void>): void {
    this.waiting = then;
  }

  readonly onWrite = async (write: GatedWrite): Promise<void> => {
    if (this.waiting === null || write.operation !== 'UpdateAlias' || write.status >= 300) return;
    const then = this.waiting;
    this.waiting = null;
    await then(write);
  };
}

type Handle = Awaited<ReturnType<World['client']['workflow']['start']>>;

async function makeTrouble(
  world: World,
  round: Round,
  handle: Handle,
  gate: WriteGate,
  count: { kills: number; faults: number },
): Promise<void> {
  const rule = (more: Record<string, unknown>) =>
    world.aws.faults.set([{ service: 'lambda', operation: 'UpdateAlias', times: 2, ...more }]);
  switch (round.kind) {
    case 'none':
      return;
    case 'throttle':
      count.faults += 2;
      return rule({ error: { code: 'TooManyRequestsException' } });
    case 'serverError':
      count.faults += 2;
      return rule({ error: { code: 'ServiceException', status: 500 } });
    case 'reset':
      count.faults += 2;
      return rule({ reset: true });
    case 'lostAnswer':
      count.faults += 2;
      return rule({ response: { abort_bytes: 0 } });
    case 'crashAfterEffect':
      gate.arm(async () => {
        count.kills += 1;
        await world.crashWorker();
      });
      return;
    case 'freeze':
      return freeze(world, handle, gate, count);
    case 'crashWorker':
      await reached(handle, round.phase);
      count.kills += 1;
      return world.crashWorker();
    case 'crashServer':
      await reached(handle, round.phase);
      count.kills += 1;
      return world.crashServer();
    case 'abort':
      await reached(handle, round.phase);
      await handle.signal('abort', { by: 'chaos' }).catch(() => undefined);
  }
}

/** A worker is stopped in the middle of a write, another takes over and the rollout is aborted; then the first wakes up. */
async function freeze(
  world: World,
  handle: Handle,
  gate: WriteGate,
  count: { kills: number; faults: number },
): Promise<void> {
  const frozen = world.worker;
  let stopped = false;
  gate.arm(async () => {
    process.kill(frozen.pid, 'SIGSTOP');
    stopped = true;
  });
  const end = Date.now() + 60_000;
  while (!stopped && Date.now() < end && !(await isDone(handle))) await pause(20);
  if (!stopped) return;
  count.faults += 1;
  const second = await world.anotherWorker();
  await handle.signal('abort', { by: 'chaos' }).catch(() => undefined);
  await handle.result().catch(() => undefined);
  process.kill(frozen.pid, 'SIGCONT');
  await frozen.stop();
  world.worker = second;
}

/** Looks until the phase is reached, was passed, or the rollout is over. */
async function reached(handle: Handle, phase: Phase): Promise<void> {
  const end = Date.now() + 60_000;
  while (Date.now() < end) {
    const view = await handle.query<RolloutView>('status').catch(() => null);
    if (view?.phase === phase || view?.phase === 'done') return;
    if (view !== null && phase !== 'restoring' && PHASES.indexOf(view.phase) > PHASES.indexOf(phase)) return;
    await pause(10);
  }
}

async function isDone(handle: Handle): Promise<boolean> {
  return (await handle.describe()).status.name !== 'RUNNING';
}

async function alias(world: World): Promise<{ version: string; weights: Record<string, number> } | null> {
  const client = new LambdaClient({
    endpoint: world.aws.gatewayUrl,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  });
  try {
    const found = await client.send(new GetAliasCommand({ FunctionName: 'checkout', Name: 'live' }));
    return { version: found.FunctionVersion ?? '', weights: found.RoutingConfig?.AdditionalVersionWeights ?? {} };
  } catch {
    return null;
  } finally {
    client.destroy();
  }
}

async function checkEnd(
  world: World,
  round: Round,
  view: RolloutView,
  before: Awaited<ReturnType<typeof alias>>,
): Promise<string[]> {
  const found: string[] = [];
  const now = await alias(world);
  if (now === null) return before === null && view.outcome !== 'succeeded' ? [] : ['the alias is gone'];
  if (Object.keys(now.weights).length > 0) found.push(`the alias is left split: ${JSON.stringify(now)}`);
  const wanted = view.outcome === 'succeeded' ? view.candidate : before?.version;
  if (now.version !== wanted)
    found.push(`outcome ${view.outcome}, but the alias is at ${now.version} instead of ${wanted}`);
  if (view.outcome === 'succeeded' && !round.good) found.push('a bad release was promoted');
  if (view.outcome === 'rolledBack' && round.good && round.kind !== 'abort' && round.kind !== 'freeze')
    found.push(`a good release was rolled back: ${view.reason}`);
  return found;
}

/** Weights of one run never fall before it goes back, and nothing is written by it after that but the same restoring. */
function outOfTurn(writes: Write[]): string[] {
  const found: string[] = [];
  const runs = new Map<string, { weight: number; back: boolean }>();
  for (const write of writes) {
    if (write.operation !== 'UpdateAlias' || write.status >= 300 || write.qualifier !== 'live') continue;
    const by = parseMark(write.request.description);
    if (by === null) {
      found.push(`a write without our mark: ${JSON.stringify(write)}`);
      continue;
    }
    const run = runs.get(by.run) ?? { weight: 0, back: false };
    runs.set(by.run, run);
    const [weight] = Object.values(write.request.weights ?? {});
    if (by.step === 'restore') {
      run.back = true;
      if (weight !== undefined) found.push(`restoring wrote a weight: ${JSON.stringify(write)}`);
      continue;
    }
    const percent = weight === undefined ? 100 : weight * 100;
    if (run.back) found.push(`a write after the restore: ${JSON.stringify(write)}`);
    if (percent < run.weight) found.push(`a falling weight: ${JSON.stringify(write)}`);
    run.weight = percent;
  }
  return found;
}

/** Users were answered all the time: no second without an answer, and no failure but a bad release's own. */
function stopped(world: World, since: number): string[] {
  const answers = world.traffic.answers.filter((answer) => answer.at >= since);
  const unanswered = answers.filter((answer) => answer.failed && answer.version === '?');
  if (unanswered.length === 0) return [];
  const why = [...new Set(unanswered.map((answer) => answer.why))].join('; ');
  return [`${unanswered.length} of ${answers.length} requests of users got no answer: ${why}`];
}
