/**
 * A stage to watch the durable process on: the real workflows on the time-skipping server, with a target that lives in
 * memory and does to the letter what the port promises (fenced, marked, read back). Its own promises are tested by the
 * conformance suite against the real driver; here it only has to fail where a test says so.
 */

import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { Connection } from '@temporalio/client';
import { type InternalConnectionOptions, InternalConnectionOptionsSymbol } from '@temporalio/client/lib/connection.js';
import type { Duration } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { toFailure } from '../../activities/failures.js';
import type { AccountActivities, CoreActivities, Limits, NotifyEvent } from '../../activities/types.js';
import { resultOf } from '../../src/client/index.js';
import type { ProbeReport, WatchInput, WatchReport } from '../../src/health/types.js';
import type { Verdict } from '../../src/judge/types.js';
import type { AccessRecord } from '../../src/model/access.js';
import { SluiceError } from '../../src/model/errors.js';
import { accountQueue, mark, rolloutId } from '../../src/model/ids.js';
import type { Spec } from '../../src/model/spec.js';
import type { RolloutView } from '../../src/model/view.js';
import type { Phase, RolloutType, VerdictState } from '../../src/model/words.js';
import type { WorkersSeen } from '../../src/model/workers.js';
import type { BeforeState, ErrorSample, Split } from '../../src/platforms/port.js';
import { ForeignChange } from '../../src/platforms/shared/foreign.js';
import { makePlan } from '../../src/strategies/registry.js';
import { SEARCH_ATTRIBUTES } from '../../src/temporal/search-attributes.js';
import type { RolloutEvent, UndoRecord } from '../../workflows/messages.js';
import { OPEN_RECORD, UNGRANTED } from '../support/access.js';
import { workflowBundle } from '../support/bundle.js';
import { tool } from '../support/tools.js';
import { until } from '../support/until.js';

export type Fault = (activity: string, attempt: number) => SluiceError | null;

/** The target in memory, and what happened to it. */
export class Target {
  split: Split = { stable: '1', candidate: null, weight: 0 };
  revision = 'r0';
  mark: string | null = null;
  /** `probed`: the last probe before the write passed. */
  writes: { step: string; split: Split; probed: boolean }[] = [];
  calls: string[] = [];
  notified: NotifyEvent[] = [];
  told: RolloutEvent[] = [];
  verdict: (weight: number) => VerdictState = () => 'healthy';
  /** What a way back leaves behind. */
  remarks: string[] = [];
  /** Whether an unhealthy verdict comes from a ceiling alone, with nothing to compare with. */
  ceilingOnly = false;
  /** Evidence against the candidate, ln E. */
  logE = 0;
  /** Whether too few requests are a verdict's only doubt. */
  few = false;
  /** From this weight on the candidate is shown to be no worse as soon as it may be. */
  passesFrom = Number.POSITIVE_INFINITY;
  /** What each watcher was told when it began. */
  watched: WatchInput[] = [];
  /** What the candidate's logs say. */
  logged: ErrorSample[] = [];
  fault: Fault = () => null;
  /** The answer to a call whose effect is done is lost on its way. */
  answerLost: (activity: string, attempt: number) => boolean = () => false;
  probePasses = true;
  private probed = false;
  /** What the companion knows for `undo`. */
  undo: UndoRecord | null = null;
  /** The approvals that the last write was shown. */
  receipts: string[] = [];
  /** The revision that the last deployment was told to take for the target's. */
  adopted: string | null = null;
  /** What the workers' key has made out for the run; null as of workers that have none. */
  grant: string | null = null;
  /** How often a queued release finds the way taken. */
  busy = 0;
  /** How far time moves between two of the watcher's signs of life, at most. */
  pace: Duration = '1m';
  /** Aborted when the scene is over, so that no watcher sleeps on. */
  readonly over = new AbortController();
  /** Runs as a call begins, before anything it does. */
  atCall: (activity: string) => Promise<void> = async () => undefined;

  write(split: Split, mark: string): { revision: string; split: Split } {
    this.split = split;
    this.mark = mark;
    this.revision = randomUUID();
    this.writes.push({ step: mark.split(':').at(-1) ?? '', split, probed: this.probed });
    return { revision: this.revision, split };
  }

  probe(): ProbeReport {
    this.probed = this.probePasses;
    return this.probed
      ? { passed: true, lines: ['smoke: ok'] }
      : { passed: false, lines: [], why: 'probe smoke: expected status 200, got 500' };
  }

  /** What a rollout finds here before it begins. */
  before(): BeforeState {
    const { stable } = this.split;
    return {
      split: this.split,
      release: stable === null ? null : { version: stable, digest: `sha-${stable}` },
      revision: stable === null ? null : this.revision,
      description: '',
      mark: null,
      environments: null,
      capacity: 0,
    };
  }

  /** Somebody else's hand. */
  foreign(split: Split): void {
    this.split = split;
    this.revision = randomUUID();
  }
}

/** Where activities run. */
export interface Host {
  targetOf(app: string): Target;
  /** Time between two of the watcher's signs of life. */
  rest(target: Target): Promise<void>;
  /** ms since the epoch, by the server's clock. */
  now(): Promise<number>;
  /** Throws when the host has died: what runs there has no effect and no answer any more. */
  mustLive(): void;
}

const NO_WORKERS: WorkersSeen = { workers: 0, places: 0, taken: 0 };
const NO_COUNTS = { requests: 0, errors: 0 };
const UNTOUCHED = { sources: {}, alarms: { states: {}, unread: 0, why: null }, unhealthy: null };

function reportOf(state: VerdictState, { weight, state: known }: WatchInput, more: Partial<Verdict> = {}): WatchReport {
  return {
    verdict: {
      state,
      why: `${state} at ${weight} %`,
      counted: 'users',
      stable: NO_COUNTS,
      candidate: NO_COUNTS,
      sources: [],
      logE: 0,
      limit: Math.log(100),
      needed: null,
      passes: false,
      probeBack: false,
      few: false,
      ...more,
    },
    // What the judge knows grows by each watcher's stretch.
    state: { ...UNTOUCHED, weight, alarms: { ...UNTOUCHED.alarms, unread: (known?.alarms.unread ?? 0) + 1 } },
    errors: state === 'unhealthy' ? [{ what: 'Error: card declined', count: 3 }] : [],
    series: [],
    asked: [],
  };
}

/** One play: a target, and the hands to start and steer a rollout. */
export interface Act {
  target: Target;
  env: TestWorkflowEnvironment;
  start(type: RolloutType, spec: Spec): Promise<Rolling>;
}

export type Rolling = Awaited<ReturnType<typeof begin>>;

async function begin(env: TestWorkflowEnvironment, type: RolloutType, spec: Spec) {
  const handle = await env.client.workflow.start(type, {
    workflowId: `${spec.app}/${spec.environment}`,
    taskQueue: 'sluice',
    args: [spec],
    workflowIdConflictPolicy: 'FAIL',
  });
  return handle;
}

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR' } } });

export interface StageOptions {
  limits?: Partial<Limits>;
  /** How a run that continues another gets its grant; without it, it keeps the one that it had. */
  renew?: CoreActivities['renew'];
  /** What `parse` records of the policy; without it, there is none. */
  access?: Partial<AccessRecord>;
  /** How a worker checks what is signed, and opens what is sealed; without it, nothing is answered, and nothing opens. */
  decide?: CoreActivities['decide'];
  unseal?: CoreActivities['unseal'];
  /** False: nobody serves the account. */
  accountWorkers?: boolean;
  /** The workflows' worker keeps nothing between two tasks, as if it died after each: every task replays the run. */
  forgetful?: boolean;
  searchAttributes?: boolean;
  /** What the server lists of the account's workers; null: it does not say. None unless given. */
  seen?: WorkersSeen | null;
}

/** Who a client and the workers say they are: histories are kept, and must not name a machine. */
const IDENTITY = 'stage';

/** Plays one scene on a server of its own: time that one test skips is no other test's time. */
export async function onStage<T>(scene: (act: Act) => Promise<T>, options: StageOptions = {}): Promise<void> {
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: tool('temporal-test-server') } },
    client: { identity: IDENTITY },
  });
  try {
    await playOn(env, scene, options);
  } finally {
    await env.teardown();
  }
}

async function playOn<T>(
  env: TestWorkflowEnvironment,
  scene: (act: Act) => Promise<T>,
  options: StageOptions,
): Promise<void> {
  const target = new Target();
  // The environment's own connection would retry a sleep after the scene is over, on a channel that is closed, and end the process.
  const withClock: InternalConnectionOptions = {
    address: env.address,
    interceptors: [],
    [InternalConnectionOptionsSymbol]: { supportsTestService: true },
  };
  const clock = await Connection.connect(withClock);
  const { testService } = clock;
  if (testService === undefined) throw new Error('this server cannot skip time');
  // One listener for each sleep of the watcher: hundreds are meant.
  setMaxListeners(0, target.over.signal);
  const limits: Limits = {
    history: 4_000,
    signals: 2_000,
    heartbeat: 400 * 86_400_000,
    callLife: 60_000,
    ...options.limits,
  };
  const common = {
    connection: env.nativeConnection,
    identity: IDENTITY,
    maxHeartbeatThrottleInterval: '20ms',
    defaultHeartbeatThrottleInterval: '20ms',
    shutdownGraceTime: '1s',
    shutdownForceTime: '5s',
  } as const;
  const at = { platform: 'lambda', account: 'default', region: 'us-east-1' };
  const targetOf = () => target;
  const light = lightOf({ targetOf }, () => limits, options.searchAttributes === true, options.seen, options);
  const activities = accountOf({
    targetOf,
    // A running activity locks the server's clock; this sleep gives its lock back. It always ends before the activity
    // does: under an activity that is gone it would unlock the clock twice, and time would run away.
    rest: async ({ over, pace }) => {
      const sleep = () => testService.unlockTimeSkippingWithSleep({ duration: msToTs(pace) });
      await clock.withAbortSignal(over.signal, sleep).catch(() => undefined);
    },
    now: () => env.currentTimeMs(),
    mustLive: () => undefined,
  });
  const maxCachedWorkflows = options.forgetful === true ? 0 : 100;
  // The test server cannot list what is registered, so nothing is looked up before.
  if (options.searchAttributes === true) {
    await env.connection.operatorService.addSearchAttributes({
      namespace: 'default',
      searchAttributes: SEARCH_ATTRIBUTES,
    });
  }
  const workers = await Promise.all([
    Worker.create({ ...common, ...workflowBundle(), taskQueue: 'sluice', activities: light, maxCachedWorkflows }),
    ...(options.accountWorkers === false ? [] : (['calls', 'watch', 'restore'] as const)).map((lane) =>
      Worker.create({ ...common, taskQueue: accountQueue(at, lane), activities }),
    ),
  ]);
  const runs = workers.map((worker) => worker.run());
  try {
    await scene({ target, env, start: (type, spec) => begin(env, type, spec) });
  } finally {
    target.over.abort();
    for (const worker of workers) worker.shutdown();
    await Promise.all(runs);
    await clock.close();
  }
}

export function lightOf(
  { targetOf }: Pick<Host, 'targetOf'>,
  limitsOf: (app: string) => Limits,
  searchAttributes: boolean,
  seen: WorkersSeen | null = NO_WORKERS,
  { access, renew, decide, unseal }: Pick<StageOptions, 'access' | 'renew' | 'decide' | 'unseal'> = {},
): CoreActivities {
  return {
    workersOf: async () => {
      if (seen === null) throw ApplicationFailure.nonRetryable('the server does not say');
      return seen;
    },
    parse: async ({ input, app, environment, type }) => {
      const { undo } = targetOf(app);
      await targetOf(app).atCall('parse');
      if (type === 'undo' && undo === null) throw ApplicationFailure.nonRetryable('nothing to undo', 'SLUICE_SPEC');
      const asked = { version: undo?.version ?? '', hold: false, keepQueue: false, unknown: null };
      const own = { ...undo?.spec, startedBy: input.startedBy, release: { version: asked.version } };
      const spec = (type === 'undo' ? own : input) as unknown as Spec;
      if (spec.app !== app || spec.environment !== environment)
        throw ApplicationFailure.nonRetryable('the spec is of another app', 'SLUICE_SPEC');
      return {
        ...{
          spec,
          searchAttributes,
          limits: limitsOf(app),
          access: { ...OPEN_RECORD, ...access, grant: targetOf(app).grant },
        },
        ...(type === 'undo' ? { undo: asked } : {}),
      };
    },
    believeUndo: async () => undefined,
    admitUnhold: async ({ by }) => ({ by }),
    notify: async ({ spec, event }) => {
      const target = targetOf(spec.app);
      target.notified.push(event);
      await target.atCall('notify');
    },
    identity: async () => ({ policy: null, encryption: null, logins: [], robots: false, codecKeys: [] }),
    // As of a worker that has no key.
    unseal: unseal ?? (async ({ sealed }) => sealed.map(() => ({ ok: false, why: 'its key is not here', late: true }))),
    decide: decide ?? (async () => []),
    renew: renew ?? (async ({ grants }) => grants),
    admit: async ({ app }) => {
      await targetOf(app).atCall('admit');
      return { by: null };
    },
    tellCompanion: async ({ app, event }) => {
      targetOf(app).told.push(event);
    },
    startRollout: async ({ app, environment }) => {
      const target = targetOf(app);
      await target.atCall('startRollout');
      if (target.busy === 0) return { started: 'a run' };
      target.busy -= 1;
      return { busy: rolloutId(app, environment) };
    },
    supersede: async () => undefined,
    isRunning: async ({ app }) => targetOf(app).busy > 0,
  };
}

/** The activities of an account whose targets live in memory. */
export function accountOf({ targetOf, rest, now, mustLive }: Host): Partial<AccountActivities> {
  const guarded = <A extends { spec: Spec }, R>(name: string, work: (args: A, target: Target) => Promise<R>) => {
    return async (args: A): Promise<R> => {
      const target = targetOf(args.spec.app);
      target.calls.push(name);
      await target.atCall(name);
      mustLive();
      const { attempt } = Context.current().info;
      const fault = target.fault(name, attempt);
      if (fault !== null) throw toFailure(name, fault);
      const answer = await work(args, target).catch((error: unknown) => {
        throw toFailure(name, error);
      });
      if (target.answerLost(name, attempt))
        throw toFailure(name, new SluiceError('SLUICE_PROVIDER', 'the answer was lost'));
      return answer;
    };
  };
  const fenced = (target: Target, fence: { revision: string | null; mark: string }, split: Split) => {
    if (fence.revision !== target.revision) {
      if (target.mark === fence.mark && sameSplit(target.split, split))
        return { revision: target.revision, split: target.split };
      throw new ForeignChange('the alias was changed by someone else', target.split);
    }
    return target.write(split, fence.mark);
  };
  return {
    prepare: guarded('prepare', async ({ spec }, target) => ({
      planSchema: 1,
      spec,
      before: target.before(),
      plan: makePlan(spec, { stable: target.split.stable }),
      health: { baselines: {}, firing: [] },
      warnings: [],
      ...UNGRANTED,
      grant: target.grant,
    })),
    deploy: guarded('deploy', async ({ spec, adopted = null }, target) => {
      target.adopted = adopted;
      const version = 'version' in spec.release ? String(spec.release.version) : '2';
      return { release: { version, digest: `sha-${version}` }, environments: null };
    }),
    warm: guarded('warm', async () => undefined),
    shift: guarded('shift', async ({ fence, stable, candidate, weight, receipts }, target) => {
      target.receipts = receipts;
      return fenced(target, fence, { stable, candidate, weight });
    }),
    promote: guarded('promote', async ({ fence, candidate, receipts }, target) => {
      target.receipts = receipts;
      return fenced(
        target,
        { ...fence, revision: fence.revision ?? target.revision },
        { stable: candidate, candidate: null, weight: 0 },
      );
    }),
    restore: guarded('restore', async ({ before, attempted, lastRevision, mark, force }, target) => {
      const explained =
        target.revision === lastRevision ||
        target.revision === before.revision ||
        [...attempted, { mark, split: before.split }].some(
          (write) => write.mark === target.mark && sameSplit(write.split, target.split),
        );
      if (!explained && !force) throw new ForeignChange('the alias was changed by someone else', target.split);
      return {
        ...target.write(before.split, mark),
        ...(target.remarks.length === 0 ? {} : { remarks: target.remarks }),
      };
    }),
    errors: guarded('errors', async ({ seen }, target) => [...target.logged, ...seen]),
    read: guarded('read', async (_, target) => ({ split: target.split })),
    adopt: guarded('adopt', async (_, target) => ({ revision: target.revision, split: target.split })),
    probe: guarded('probe', async (_, target) => target.probe()),
    inspect: guarded('inspect', async ({ spec }, target) => ({
      spec,
      before: target.before(),
      plan: makePlan(spec, { stable: target.split.stable }),
      health: { baselines: {}, firing: [] },
      findings: [],
    })),
    claim: guarded('claim', async ({ spec, run }, target) => {
      target.write(target.split, mark(spec.app, spec.environment, run, 'adopt'));
      return { before: target.before(), findings: [] };
    }),
    callers: async () => ({
      steps: [{ id: 'move/orders', kind: 'do' as const, text: 'move the mapping of orders' }],
      digest: 'shown',
    }),
    moveCallers: guarded('moveCallers', async ({ steps }) => ({ done: steps, left: [] })),
    sweep: async () => [],
    retire: guarded('retire', async () => ({ deleted: ['1'] })),
    takeBack: guarded('takeBack', async (_, target) => {
      const { stable } = target.split;
      target.split = { stable: null, candidate: null, weight: 0 };
      return { taken: stable };
    }),
    watch: async (input) => {
      const target = targetOf(input.spec.app);
      target.calls.push('watch');
      target.watched.push(input);
      const { cancelled, heartbeat } = Context.current();
      let stopped = false;
      cancelled.catch(() => {
        stopped = true;
      });
      // Before any sleep: an activity that ends under its own sleep leaves the server's clock running away.
      const report = (more: Partial<Verdict> = {}) =>
        reportOf(target.verdict(input.weight), input, {
          probeBack: target.ceilingOnly,
          logE: target.logE,
          few: target.few,
          ...more,
        });
      if (target.verdict(input.weight) === 'unhealthy') return report();
      const { earliest, weight } = input;
      while (!stopped && !target.over.signal.aborted) {
        const said = target.verdict(weight);
        // What ends the watch is no heartbeat's.
        if (said === 'unhealthy' || (input.held && said === 'healthy')) return report();
        heartbeat({ report: report(), at: 0 });
        if (earliest !== null && weight >= target.passesFrom && (await now()) >= earliest) {
          return report({ passes: true });
        }
        await rest(target);
        mustLive();
      }
      return report();
    },
  };
}

function sameSplit(one: Split, other: Split): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Lets the clock run until the rollout has ended. Its final view. */
export async function ending(rolling: Rolling): Promise<RolloutView> {
  return await resultOf(rolling);
}

/** The most of the server's time that passes with one look, in ms. */
const LEAP = 10_000;

/** Lets some of the server's time pass with each call: a second at first, then up to ten. */
export function leaps({ env }: Pick<Act, 'env'>): () => Promise<void> {
  let leap = 1_000;
  return async () => {
    await env.sleep(leap);
    leap = Math.min(LEAP, leap * 1.3);
  };
}

/** Waits for a phase, however long it takes. */
export async function phase(act: Pick<Act, 'env'>, rolling: Rolling, wanted: Phase): Promise<RolloutView> {
  const pass = leaps(act);
  return until(`phase ${wanted}`, async () => {
    const view = await rolling.query<RolloutView>('status');
    if (view.phase === wanted) return view;
    await pass();
    return null;
  });
}

/**
 * The companion was told that the release is live since the event `said`, a bake of a minute before the end, and that `undo`
 * has its time from the end.
 */
export function mustTellTheSwitch({ target }: Act, events: RolloutView['events'], said: string): void {
  const told = target.told.at(-1);
  const switched = events.find(({ text }) => text === said)?.at;
  if (told?.kind !== 'ended' || told.entry === null || switched === undefined) throw new Error('no release is live');
  const { since, undoUntil } = told.entry;
  expect(since).toBe(switched);
  expect(told.at - since).toBeGreaterThanOrEqual(60_000);
  expect(undoUntil).toBe(told.at + (told.undo?.window ?? 0));
}
