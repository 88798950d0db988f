/**
 * One round: a rollout with a fault in the middle. Afterwards the target must stand exactly at the old or the new release,
 * the log of writes must show no write out of turn, and the users' traffic must never have stopped.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { resultOf } from '../../src/client/index.js';
import { packerTo, storeIn } from '../../src/demo/stack.js';
import { parseMark, TASK_QUEUE } from '../../src/model/ids.js';
import type { RolloutView } from '../../src/model/view.js';
import type { Phase, Strategy } from '../../src/model/words.js';
import type { CloudFault, Ground, OnWrite, TrafficWrite } from './ground.js';
import type { Random } from './random.js';
import type { World } from './world.js';

const STRATEGIES: Strategy[] = ['direct', 'blueGreen', 'canary', 'linear'];
/** Kills and freezes: each drawn round has one. */
const BLOWS = ['crashWorker', 'crashServer', 'crashAfterEffect', 'crashInSwap', 'freeze'] as const;
/** Faults of the provider: each drawn round has one. */
const FAULTS: readonly CloudFault[] = ['throttle', 'serverError', 'reset', 'lostAnswer'];
export type Kind = (typeof BLOWS)[number] | CloudFault | 'none';
const PHASES: Phase[] = ['preparing', 'deploying', 'shifting', 'baking', 'promoting', 'restoring'];
/** A round that takes longer has hung, which is a violation; in ms, on a machine that has other things to do. */
const LONGEST = 600_000;
/** Between two looks at a rollout, in ms: each costs the server and the worker what a step of the rollout costs. */
const LOOK_EVERY = 60;

export interface Round {
  number: number;
  strategy: Strategy;
  kind: Kind;
  /** Beside the kind: what the provider does to the first writes. */
  fault?: CloudFault;
  phase: Phase;
  good: boolean;
}

export interface Finished {
  round: Round;
  outcome: string;
  seconds: number;
  kills: number;
  freezes: number;
  faults: number;
  violations: string[];
}

/** What was done in a round. */
type Count = Pick<Finished, 'kills' | 'freezes' | 'faults'>;

/** The round before the first: something good goes live. */
export const FIRST: Round = { number: 0, strategy: 'direct', kind: 'none', phase: 'baking', good: true };

/** A kill or freeze, and a fault. `swaps`: releases change places there. */
export function drawRound(random: Random, number: number, swaps: boolean): Round {
  const good = random.next() < 0.5;
  // A bad canary never comes to its swap, a good release never to its restoring: nothing would happen.
  const kinds = BLOWS.filter((kind) => kind !== 'crashInSwap' || (swaps && good));
  const phases = PHASES.filter((phase) => phase !== 'restoring' || !good);
  return {
    number,
    strategy: random.pick(STRATEGIES),
    kind: random.pick(kinds),
    fault: random.pick(FAULTS),
    phase: random.pick(phases),
    good,
  };
}

/** The spec of a round: short bakes, quick probes; a bad release fails most requests after its smoke test. */
function specOf(ground: Ground, round: Round, examples: string): Record<string, unknown> {
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
  const { probe, ...rest } = ground.spec(round, examples) as { probe: object };
  return {
    app: 'checkout',
    environment: 'production',
    ...rest,
    strategy: strategies[round.strategy],
    health: {
      probes: [{ name: 'user', ...probe, expect: { status: 200 }, every: '200ms', smoke: 1 }],
      // A round is over before a cloud has counted a minute.
      metrics: [],
      // What a busy machine has not counted yet is waited for.
      judge: { minRequests: 5, maxHold: '5m', remindEvery: '2s' },
    },
    deadlines: { deploy: '5m', shift: '2m', stuckAfter: '10s' },
    rollbackWindow: '1h',
  };
}

export async function playRound(world: World, round: Round, examples: string, gate: WriteGate): Promise<Finished> {
  const began = Date.now();
  const before = await world.ground.state();
  const firstWrite = world.ground.writes().at(-1)?.seq ?? 0;
  const count: Count = { kills: 0, freezes: 0, faults: 0 };
  const violations: string[] = [];
  const handle = await world.client.workflow.start(round.strategy, {
    workflowId: 'checkout/production',
    taskQueue: TASK_QUEUE,
    args: [await packerTo(storeIn(world.folder))(specOf(world.ground, round, examples))],
    workflowIdConflictPolicy: 'FAIL',
  });
  const trouble = makeTrouble(world, round, handle, gate, count);
  const view = await Promise.race([
    resultOf(handle).then(
      (value) => value,
      (error: unknown) => ({
        failed: error instanceof WorkflowFailedError ? String(error.cause?.message) : String(error),
      }),
    ),
    pause(LONGEST, null, { ref: false }),
  ]);
  if (view === null) {
    violations.push(`hung: ${JSON.stringify(await handle.query('status').catch(String)).slice(0, 600)}`);
    // What makes the trouble waits for an end of the rollout, too.
    await handle.terminate('chaos: hung').catch(() => undefined);
  }
  await trouble;
  gate.disarm();
  await world.ground.heal();
  if (view !== null && 'failed' in view) violations.push(`failed: ${view.failed}`);
  else if (view !== null) violations.push(...(await checkEnd(world, round, view, before)));
  violations.push(...outOfTurn(world.ground.writes().filter((write) => write.seq > firstWrite)));
  violations.push(...stopped(world, began));
  const outcome = view === null ? 'hung' : 'failed' in view ? 'failed' : String(view.outcome);
  return { round, outcome, seconds: (Date.now() - began) / 1000, ...count, violations };
}

/** Holds the answer of a write to the traffic back, so that a worker can die between an effect and its answer. */
export class WriteGate {
  private waiting: OnWrite | null = null;
  private swapsOnly = false;

  /** `swap`: only one that lets releases change places. */
  arm(then: OnWrite, swap = false): void {
    this.waiting = then;
    this.swapsOnly = swap;
  }

  disarm(): void {
    this.waiting = null;
  }

  readonly onWrite: OnWrite = async (write) => {
    if (this.waiting === null || (this.swapsOnly && !write.swap)) return;
    const then = this.waiting;
    this.waiting = null;
    await then(write);
  };
}

type Handle = Awaited<ReturnType<World['client']['workflow']['start']>>;

async function makeTrouble(world: World, round: Round, handle: Handle, gate: WriteGate, count: Count): Promise<void> {
  // A swap that is held is a fault of its own, and the emulated cloud knows one at a time.
  if (round.fault !== undefined && round.kind !== 'crashInSwap') {
    count.faults += 1;
    await world.ground.fault(round.fault);
  }
  switch (round.kind) {
    case 'none':
      return;
    case 'throttle':
    case 'serverError':
    case 'reset':
    case 'lostAnswer':
      count.faults += 1;
      return world.ground.fault(round.kind);
    case 'crashAfterEffect':
      gate.arm(async () => {
        count.kills += 1;
        await world.crashWorker();
      });
      return;
    case 'crashInSwap':
      return crashInSwap(world, handle, gate, count);
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
  }
}

/** The worker dies between the acceptance of a swap and its end; the swap ends when another worker is there. */
async function crashInSwap(world: World, handle: Handle, gate: WriteGate, count: Count): Promise<void> {
  if (!world.ground.holdSwap()) return;
  count.faults += 1;
  let accepted = false;
  gate.arm(async () => {
    accepted = true;
  }, true);
  const end = Date.now() + LONGEST;
  while (!accepted && Date.now() < end && !(await isDone(handle))) await pause(LOOK_EVERY);
  if (!accepted) return;
  // Its answer reaches the worker, which tells Temporal at its next heartbeat.
  while (!(await toldOfSwap(handle)) && Date.now() < end) await pause(LOOK_EVERY);
  count.kills += 1;
  await world.crashWorker();
  await world.ground.heal();
}

/** Whether an activity has left the state of a swap for its next attempt. */
async function toldOfSwap(handle: Handle): Promise<boolean> {
  const { raw } = await handle.describe();
  const details = (raw.pendingActivities ?? []).flatMap(({ heartbeatDetails }) => heartbeatDetails?.payloads ?? []);
  return details.some(({ data }) => Buffer.from(data ?? []).includes('"swap"'));
}

/** A worker is stopped in the middle of a write, another takes over and the rollout is aborted; then the first wakes up. */
async function freeze(world: World, handle: Handle, gate: WriteGate, count: Count): Promise<void> {
  const frozen = world.worker;
  let stopped = false;
  gate.arm(async () => {
    process.kill(frozen.pid, 'SIGSTOP');
    stopped = true;
  });
  const end = Date.now() + LONGEST;
  while (!stopped && Date.now() < end && !(await isDone(handle))) await pause(LOOK_EVERY);
  if (!stopped) return;
  count.freezes += 1;
  const second = await world.anotherWorker();
  await handle.signal('abort', { by: 'chaos' }).catch(() => undefined);
  await handle.result().catch(() => undefined);
  process.kill(frozen.pid, 'SIGCONT');
  await frozen.stop();
  world.worker = second;
}

/** Looks until the phase is reached, was passed, or the rollout is over. */
async function reached(handle: Handle, phase: Phase): Promise<void> {
  const end = Date.now() + LONGEST;
  while (Date.now() < end) {
    const view = await handle.query<RolloutView>('status').catch(() => null);
    if (view?.phase === phase || view?.phase === 'done') return;
    if (view !== null && phase !== 'restoring' && PHASES.indexOf(view.phase) > PHASES.indexOf(phase)) return;
    await pause(LOOK_EVERY);
  }
}

async function isDone(handle: Handle): Promise<boolean> {
  return (await handle.describe()).status.name !== 'RUNNING';
}

async function checkEnd(
  world: World,
  round: Round,
  view: RolloutView,
  before: Awaited<ReturnType<Ground['state']>>,
): Promise<string[]> {
  const found: string[] = [];
  const now = await world.ground.state();
  if (now === null) return before === null && view.outcome !== 'succeeded' ? [] : ['the target is gone'];
  found.push(...now.left);
  const wanted = view.outcome === 'succeeded' ? view.candidate : before?.version;
  if (now.version !== wanted)
    found.push(`outcome ${view.outcome}, but the target is at ${now.version} instead of ${wanted}`);
  if (view.outcome === 'succeeded' && !round.good) found.push('a bad release was promoted');
  if (view.outcome === 'rolledBack' && round.good && round.kind !== 'freeze')
    found.push(`a good release was rolled back: ${view.reason}`);
  return found;
}

/**
 * Weights of one run never fall before it goes back, but to nothing for a promotion; releases change places once; and
 * nothing is written by it after it went back but the same restoring.
 */
function outOfTurn(writes: TrafficWrite[]): string[] {
  const found: string[] = [];
  const runs = new Map<string, { weight: number; back: boolean; swaps: number }>();
  for (const write of writes) {
    const by = parseMark(write.mark ?? undefined);
    if (by === null) {
      found.push(`a write without our mark: ${JSON.stringify(write)}`);
      continue;
    }
    const run = runs.get(by.run) ?? { weight: 0, back: false, swaps: 0 };
    runs.set(by.run, run);
    if (by.step === 'restore') {
      run.back = true;
      if (write.weight !== null) found.push(`restoring wrote a weight: ${JSON.stringify(write)}`);
      continue;
    }
    const percent = write.weight ?? 100;
    if (run.back) found.push(`a write after the restore: ${JSON.stringify(write)}`);
    if (percent < run.weight) found.push(`a falling weight: ${JSON.stringify(write)}`);
    run.weight = percent;
    run.swaps += write.swap ? 1 : 0;
    if (run.swaps > 1) found.push(`a second swap: ${JSON.stringify(write)}`);
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
