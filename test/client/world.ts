/**
 * The real workflows and core activities on a real Temporal server, and an account whose one target lives in memory: all a
 * client needs to meet. The watcher finds every candidate healthy and tells live counts.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Context } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { coreActivities } from '../../activities/core.js';
import { withFailures } from '../../activities/failures.js';
import type { AccountActivities } from '../../activities/types.js';
import { type LocalTemporal, startTemporal } from '../../emulators/temporal.js';
import { connect, type Sluice } from '../../src/client/index.js';
import { codecOf, converterOf, unsealerOf, workerConverterOf } from '../../src/codec/index.js';
import type { WatchReport } from '../../src/health/types.js';
import { accountQueue, TASK_QUEUE } from '../../src/model/ids.js';
import { BEAT_EVERY } from '../../src/model/workers.js';
import type { BeforeState, Split } from '../../src/platforms/port.js';
import { openArtifacts } from '../../src/store/index.js';
import { makePlan } from '../../src/strategies/registry.js';
import { livingWorkers } from '../../src/temporal/living-workers.js';
import { ensureSearchAttributes } from '../../src/temporal/search-attributes.js';
import { OPEN, UNGRANTED } from '../support/access.js';
import { workflowBundle } from '../support/bundle.js';
import { egressFor } from '../support/egress.js';

/** Between two signs of life of the watcher, in ms: the first shows its counts at once, the others that it lives. */
const BEAT = 1_000;

const AT = { platform: 'lambda', account: 'default', region: 'us-east-1' };

export interface World {
  temporal: LocalTemporal;
  sluice: Sluice;
  /** What a client has that knows no codec. */
  raw: Connection;
  /** Runs `play` while workers are on, with the client's keys or with others. */
  withWorkers<T>(play: () => Promise<T>, codecKeys?: string): Promise<T>;
  stop(): Promise<void>;
}

export interface WorldOptions {
  searchAttributes: boolean;
  /** SLUICE_CODEC_KEYS of the client and the workers. */
  codecKeys?: string;
  /** Events after which a rollout continues as new. */
  history?: number;
  /** Limits of the server, lower than a production server's. */
  dynamicConfig?: Record<string, string | number>;
}

export async function startWorld(options: WorldOptions): Promise<World> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), workerHeartbeatInterval: BEAT_EVERY });
  const temporal = await startTemporal({ headless: true, dynamicConfig: options.dynamicConfig ?? {} });
  const connection = await NativeConnection.connect({ address: temporal.address });
  const plain = await Connection.connect({ address: temporal.address });
  if (options.searchAttributes) await ensureSearchAttributes(connection, 'default');
  const env = { TEMPORAL_ADDRESS: temporal.address, SLUICE_CODEC_KEYS: options.codecKeys };
  const sluice = await connect({ env });
  return {
    temporal,
    sluice,
    raw: plain,
    withWorkers: async (play, codecKeys = options.codecKeys) => {
      const codec = codecOf({ SLUICE_CODEC_KEYS: codecKeys });
      const common = {
        connection,
        dataConverter: workerConverterOf(codec),
        maxHeartbeatThrottleInterval: '50ms',
        defaultHeartbeatThrottleInterval: '50ms',
        shutdownGraceTime: '1s',
        shutdownForceTime: '3s',
      } as const;
      const core = coreActivities({
        client: new Client({ connection: plain, dataConverter: converterOf(codec) }),
        searchAttributes: options.searchAttributes,
        limits: { history: options.history ?? 4_000, signals: 2_000, heartbeat: 10_000, callLife: 60_000 },
        access: OPEN,
        artifacts: openArtifacts({
          setting: mkdtempSync(path.join(tmpdir(), 'sluice-store-')),
          namespace: 'default',
          env: {},
          cwd: '/',
        }),
        codec: unsealerOf(codec),
        egress: egressFor(),
        workersOf: (queue) => livingWorkers(new Client({ connection: plain }), queue, 'activity'),
        otherPolicies: async () => [],
      });
      const main = await Worker.create({
        ...common,
        ...workflowBundle(codec.encrypts),
        taskQueue: TASK_QUEUE,
        activities: core,
      });
      const activities = withFailures(accountInMemory());
      let run = () => main.runUntil(play);
      for (const lane of ['calls', 'watch', 'restore'] as const) {
        const worker = await Worker.create({ ...common, taskQueue: accountQueue(AT, lane), activities });
        const inner = run;
        run = () => worker.runUntil(inner);
      }
      return run();
    },
    stop: async () => {
      await sluice.close();
      await plain.close();
      await connection.close();
      await temporal.stop();
    },
  };
}

const splits = new Map<string, Split>();
const marks = new Map<string, string>();

/** As the driver of Lambda says it of a split that it meets. */
const LEFT = {
  level: 'refuse',
  code: 'SLUICE_ALIAS_SPLIT',
  message: 'split already; end it with `aws lambda …`',
} as const;

function splitOf(name: string): Split {
  return splits.get(name) ?? { stable: '1', candidate: null, weight: 0 };
}

function accountInMemory(): Partial<AccountActivities> {
  const write = (name: string, split: Split) => {
    splits.set(name, split);
    return { revision: String(Date.now()), split };
  };
  const before = (name: string): BeforeState => ({
    split: splitOf(name),
    release: { version: splitOf(name).stable ?? '1', digest: 'd' },
    revision: 'r0',
    description: '',
    mark: marks.get(name) ?? null,
    environments: null,
    capacity: 0,
  });
  return {
    prepare: async ({ spec }) => ({
      planSchema: 1,
      spec,
      before: before(spec.app),
      plan: makePlan(spec, { stable: splitOf(spec.app).stable }),
      warnings: [],
      health: { baselines: {}, firing: [] },
      ...UNGRANTED,
    }),
    inspect: async ({ spec }) => ({
      spec,
      before: before(spec.app),
      plan: makePlan(spec, { stable: splitOf(spec.app).stable }),
      health: { baselines: {}, firing: [] },
      findings: [
        { level: 'warn', code: 'BARE_NAME', message: 'a trigger uses the bare name' },
        ...(splitOf(spec.app).candidate === null ? [] : [LEFT]),
      ],
    }),
    deploy: async ({ spec }) => ({
      release: { version: 'version' in spec.release ? String(spec.release.version) : '0', digest: 'd' },
      environments: null,
    }),
    shift: async ({ spec, stable, candidate, weight, fence }) => {
      marks.set(spec.app, fence.mark);
      return write(spec.app, { stable, candidate, weight });
    },
    promote: async ({ spec, candidate }) => write(spec.app, { stable: candidate, candidate: null, weight: 0 }),
    restore: async ({ spec, before: was }) => write(spec.app, was.split),
    retire: async () => ({ deleted: [] }),
    probe: async () => ({ passed: true, lines: ['ok'] }),
    claim: async ({ spec }) => ({ before: before(spec.app), findings: [] }),
    sweep: async () => [
      { target: 'f:live', app: 'f', environment: 'production', run: 'r', split: '1 90 %, 2 10 %', cure: 'do it' },
    ],
    watch: async ({ weight }) => {
      const { cancelled, heartbeat } = Context.current();
      let stopped = false;
      cancelled.catch(() => {
        stopped = true;
      });
      for (let requests = 100; ; requests += 1) {
        const report = reportOf(requests, weight);
        if (stopped) return report;
        heartbeat({ report, at: Date.now() });
        await Promise.race([cancelled.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, BEAT))]);
      }
    },
  };
}

function reportOf(requests: number, weight: number): WatchReport {
  const verdict = {
    state: 'healthy' as const,
    why: `0 % of ${requests}`,
    counted: 'users' as const,
    stable: { requests: 900, errors: 0 },
    candidate: { requests, errors: 0 },
    sources: [],
    logE: -0.2,
    limit: Math.log(100),
    needed: 300,
    passes: false,
    probeBack: false,
    few: false,
  };
  const { stable, candidate, logE, limit } = verdict;
  return {
    verdict,
    state: { weight, sources: {}, alarms: { states: {}, unread: 0, why: null }, unhealthy: null },
    errors: [],
    series: [{ at: Date.now(), weight, logE, limit, stable, candidate }],
    asked: [{ source: 'counter', query: 'how many', answer: `${requests} requests` }],
  };
}

/** A rollout.yaml, parsed: an app of its own a test, so that tests do not meet. */
export function inputFor(app: string, strategy: object, version = 2): Record<string, unknown> {
  return {
    app,
    environment: 'production',
    target: { function: app, region: 'us-east-1' },
    release: { version },
    strategy,
    health: {
      probes: [{ name: 'smoke', invoke: { payload: {} }, every: '50ms' }],
      metrics: [],
      judge: { minRequests: 1 },
    },
    rollbackWindow: '1h',
  };
}

export const GATED = {
  type: 'canary',
  stages: [
    { weight: '10%', bake: '300ms', approval: { within: '5m' } },
    { weight: '100%', bake: '200ms' },
  ],
};
export const QUICK = { type: 'direct', bake: '100ms' };
export const LONG = { type: 'direct', bake: '1h' };
