/** One run: a function with users, a candidate at 10 %, and somebody who judges it until it has no weight or the time is over. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { resultOf } from '../../src/client/index.js';
import { lambdaUsers } from '../../src/demo/clouds/lambda.js';
import type { Stack } from '../../src/demo/stack.js';
import { type Answer, Traffic } from '../../src/demo/traffic.js';
import { rolloutId, TASK_QUEUE } from '../../src/model/ids.js';
import type { RolloutView } from '../../src/model/view.js';
import { alarmFires } from './alarm.js';
import { handlersOf, SLOW_LIMIT } from './candidates.js';
import { flaggerTick, INTERVAL } from './flagger.js';
import type { Minutes } from './minutes.js';
import type { Arm, Cell } from './options.js';
import { ALIAS, CANDIDATE, type Targets, WEIGHT } from './targets.js';

/** Stable serves alone for so long, in ms: there is a time before the rollout, as anywhere. */
const BEFORE = 10_000;
/** Between two looks of the models, in ms. CloudWatch evaluates such an alarm once a minute; this is kinder. */
const LOOK = 5_000;
/** Between two looks at a rollout, in ms. */
const STATUS = 500;
/** Longest start of a rollout until its candidate has weight, in ms. */
const START = 60_000;

/** The fast source: stretches of a second, final two seconds later. Bench and bound go by it. */
export const FAST = { window: 1_000, delay: 2_000 };

/** Calls of the probe a second, of each release. */
const PROBES = 5;
/** Requests a second that a run makes, with its probes. */
export function loadOf(arm: Arm, rate: number): number {
  return arm === 'fast' ? rate + 2 * PROBES : rate;
}

export interface World {
  stack: Stack;
  targets: Targets;
  minutes: Minutes;
  cap: number;
}

/** What one judge did in one run. */
export interface Run extends Cell {
  arm: Arm;
  /** Bad answers of the candidate until it had no weight, or until the time was over. */
  failed: number;
  /** From the first of them until then; null when it kept its weight. */
  seconds: number | null;
}

/** How well the machine kept up: how late requests were sent, and how long stable took to answer, in ms. */
export interface Strain {
  lags: number[];
  latencies: number[];
  /** Requests that nobody answered. */
  lost: number;
}

export interface Played {
  runs: Run[];
  strain: Strain;
}

/** A rollout of Sluice's own. */
export async function playRollout(world: World, name: string, cell: Cell, arm: 'fast' | 'cloudwatch'): Promise<Played> {
  return withUsers(world, name, cell, arm === 'fast' ? 'JSON' : 'Text', async (traffic) => {
    const back = await rollOut(world, name, specOf(name, cell, arm, world.cap), world.cap);
    return [outcome(cell, arm, traffic.answers, back)];
  });
}

/**
 * An alias that the bench splits by itself, watched by the models of the other tools. They share it: the first one that would go back
 * has its time noted, and the last one really does. Nothing is charged for their write.
 */
export async function playModels(
  world: World,
  name: string,
  cell: Cell,
  arms: ('alarm' | 'flagger')[],
): Promise<Played> {
  return withUsers(world, name, cell, 'Text', async (traffic) => {
    await world.targets.split(name, WEIGHT);
    const backs = await modelsDecide(world, name, arms);
    await world.targets.split(name, 0);
    return arms.map((arm) => outcome(cell, arm, traffic.answers, backs[arm] ?? null));
  });
}

async function withUsers(
  { stack, targets }: World,
  name: string,
  { candidate, rate }: Cell,
  logFormat: 'JSON' | 'Text',
  judge: (traffic: Traffic) => Promise<Run[]>,
): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  await targets.create(name, handlersOf(candidate, join(folder, 'begun')), logFormat);
  const traffic = new Traffic(lambdaUsers(stack.aws.gatewayUrl, { function: name, alias: ALIAS }), rate);
  traffic.start();
  try {
    await pause(BEFORE);
    return { runs: await judge(traffic), strain: strainOf(traffic.answers) };
  } finally {
    await traffic.stop();
    await targets.delete(name);
    rmSync(folder, { recursive: true });
  }
}

function strainOf(answers: Answer[]): Strain {
  return {
    lags: answers.map(({ lagMs }) => lagMs),
    latencies: answers.filter(({ version }) => version === '1').map(({ latencyMs }) => latencyMs),
    lost: answers.filter(({ version }) => version === '?').length,
  };
}

/** `back`: when the candidate had no weight any more, ms since the epoch; null when the time was over before. */
function outcome(cell: Cell, arm: Arm, answers: Answer[], back: number | null): Run {
  const bad = answers.filter(
    ({ at, version, failed }) => version === CANDIDATE && (failed || cell.candidate === 'slow') && at <= (back ?? at),
  );
  const first = Math.min(...bad.map(({ at }) => at));
  return {
    ...cell,
    arm,
    failed: bad.length,
    seconds: back === null || bad.length === 0 ? null : (back - first) / 1_000,
  };
}

/** Ms since the epoch at which the write that takes the candidate's weight had effect, by the cloud's own log. */
async function rollOut({ stack }: World, name: string, spec: object, cap: number): Promise<number | null> {
  const handle = await stack.client.workflow.start('canary', {
    workflowId: rolloutId(name, 'bench'),
    taskQueue: TASK_QUEUE,
    args: [spec],
    workflowIdConflictPolicy: 'FAIL',
  });
  let weighted: number | null = null;
  for (const began = Date.now(); ; ) {
    const view = await handle.query<RolloutView>('status');
    if (view.phase === 'done') break;
    if (view.weight > 0) weighted ??= Date.now();
    if (weighted === null && Date.now() - began > START) throw new Error(`${name} did not start: ${view.reason}`);
    if (weighted !== null && Date.now() - weighted > cap) {
      await handle.signal('abort', { by: 'bench', force: true });
      await resultOf(handle);
      return null;
    }
    await pause(STATUS);
  }
  const view = await resultOf(handle);
  const back = stack.aws
    .writes()
    .findLast(
      (write) => write.function === name && write.status === 200 && write.request.description?.endsWith(':restore'),
    );
  if (view.outcome !== 'rolledBack' || back === undefined) {
    throw new Error(`${name} ended as ${view.outcome} without a way back: ${view.reason}`);
  }
  return back.time;
}

function specOf(name: string, { candidate }: Cell, arm: 'fast' | 'cloudwatch', cap: number): object {
  // An answer that is slow for users is slow for a probe; otherwise only a dead release is.
  const latency = candidate === 'slow' ? { latency: `${SLOW_LIMIT}ms` } : {};
  const { window, delay } = FAST;
  const fast = {
    probes: [
      {
        name: 'smoke',
        invoke: { payload: { user: 'probe' } },
        expect: { status: 200 },
        every: `${1_000 / PROBES}ms`,
        smoke: 1,
        ...latency,
      },
    ],
    metrics: [
      { name: 'requests', lambdaLogs: { every: '500ms', window: `${window}ms`, delay: `${delay}ms` }, ...latency },
    ],
  };
  return {
    app: name,
    environment: 'bench',
    target: { function: name, alias: ALIAS, region: 'us-east-1' },
    release: { version: Number(CANDIDATE) },
    strategy: {
      type: 'canary',
      stages: [
        { weight: `${WEIGHT}%`, bake: `${cap / 1_000 + 60}s` },
        // Nobody comes that far: it is as long as the metrics need to speak.
        { weight: '100%', bake: `${cap / 1_000 + 60}s` },
      ],
    },
    health: arm === 'fast' ? fast : { probes: [], metrics: [{ name: 'requests', cloudwatch: {}, ...latency }] },
  };
}

/** When each of the models would go back, ms since the epoch; absent for one that does not within the time. */
async function modelsDecide(
  { minutes, cap }: World,
  name: string,
  arms: ('alarm' | 'flagger')[],
): Promise<Partial<Record<Arm, number>>> {
  const backs: Partial<Record<Arm, number>> = {};
  const began = Date.now();
  let nextTick = began + INTERVAL;
  let failedChecks = 0;
  while (Date.now() - began < cap && arms.some((arm) => backs[arm] === undefined)) {
    await pause(LOOK);
    const now = Date.now();
    const seen = await minutes.read(name, now);
    if (backs.alarm === undefined && alarmFires(seen.aliasErrors)) backs.alarm = now;
    if (now < nextTick) continue;
    nextTick += INTERVAL;
    const { failed, back } = flaggerTick(failedChecks, seen.candidate);
    failedChecks = failed;
    if (back) backs.flagger ??= now;
  }
  return backs;
}
