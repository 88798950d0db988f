/** The types of a complete spec, as rollout.yaml becomes after defaults. */
import type { JudgeRules } from './judge-rules.js';
import type { StrategySpec } from './strategy.js';
import type { Configuration, Target } from './target.js';
import type { OnNewRelease } from './words.js';

export type { JudgeRules } from './judge-rules.js';
export type { ApprovalSpec, Bake, StageSpec, StrategySpec } from './strategy.js';
export type {
  AppServiceTarget,
  Configuration,
  FunctionConfiguration,
  LambdaTarget,
  PlatformName,
  SiteConfiguration,
  Target,
} from './target.js';

/**
 * The spec of one rollout with every default filled in: what `prepare` records and the workflow carries.
 * Durations are milliseconds, weights percent (0-100), latencies milliseconds, shares 0-1.
 */
export interface Spec {
  /** Marks the complete form, so that a spec that was parsed once parses to itself. The parser sets it. */
  specSchema?: 1;
  app: string;
  environment: string;
  target: Target;
  release: ReleaseSource;
  /** What the release runs with, in the platform's own fields. Absent fields keep what the target has. */
  configuration: Configuration;
  strategy: StrategySpec;
  health: HealthSpec;
  onNewRelease: OnNewRelease;
  /** How long the replaced release stays ready for `undo`. */
  rollbackWindow: number;
  /** How many old releases to keep when retiring. */
  retain: number;
  /** Webhooks that are called at every end and every wait. */
  notify: NotifySpec[];
  deadlines: Deadlines;
  /** Run even though nothing could ever judge the candidate. */
  allowUnjudged: boolean;
  /** Callers of the bare function that may get the release as soon as it is deployed, by id (src/model/bypass.ts). Lambda. */
  allowBypass: string[];
  /** Free text: why this rollout. */
  message?: string;
  /** Who started it, as far as the client says. */
  startedBy?: string;
}

/** Where the code comes from. Exactly one of the members; which ones a platform takes, its kit says. */
export type ReleaseSource =
  | { folder: string }
  | { zip: string }
  | { s3: { bucket: string; key: string; version?: string } }
  | { image: string }
  /** There already: a number on Lambda, a release id (`r-…`) on App Service. */
  | { version: number | string }
  /** What someone else has put into `$LATEST`, as it is when the run is prepared. Lambda. */
  | { latest: true }
  /** The code that is live, with another configuration. */
  | { current: true }
  /** Packed already: what `folder` and `zip` become before they leave the machine that starts. */
  | { artifact: Artifact };

type KeysOf<U> = U extends unknown ? keyof U : never;

/** `folder`, `zip`, `version`, … */
export type ReleaseKind = KeysOf<ReleaseSource>;

/** A packed artifact: its name in the artifact store of whoever looks for it. */
export interface Artifact {
  /** Hex SHA-256 of the zip. */
  sha256: string;
  bytes: number;
}

export interface HealthSpec {
  /** How the function is called. `async` and `stream`: its errors arrive minutes late, and a probe has side effects. */
  invocation: 'sync' | 'async' | 'stream';
  probes: ProbeSpec[];
  metrics: MetricSpec[];
  /** Alarms of the platform that stop a rollout when they go off during it. */
  alarms: AlarmSpec[];
  judge: JudgeRules;
}

/** An alarm that someone else maintains. One that fires at the start is recorded and ignored until it has been quiet once. */
export interface AlarmSpec {
  name: string;
  kind: 'cloudwatch';
  /** The alarm's name in CloudWatch. */
  alarm: string;
}

export interface ProbeExpect {
  /** `statusCode` of the answer (or the HTTP status). */
  status?: number;
  /** JSON path (`$.a.b[0]`) into the answer. */
  path?: string;
  /** The value at `path`. */
  equals?: unknown;
}

export interface ProbeSpec {
  name: string;
  kind: 'invoke' | 'http';
  /** `invoke`: the event. How the function recognizes a probe is in docs/health.md. */
  payload?: unknown;
  /** `http`: URL per arm; `{version}` is replaced by the release's version, `{host}` by the host that serves it. */
  url?: string;
  method?: string;
  /** A value may be a reference to a secret. */
  headers?: Record<string, string>;
  body?: string;
  expect: ProbeExpect;
  /** Longest answer, in milliseconds. */
  latency: number;
  /** Milliseconds between two calls while a candidate has weight: 50 (20 a second) to 60000. A fifth of it while the candidate fails. */
  every: number;
  /** It has no side effects: may be sent to a function that is not called synchronously. */
  safe: boolean;
  /** How often the smoke test before the first weight must succeed in a row. */
  smoke: number;
}

/** The sources of users' counts that a platform has itself, by kind. */
interface PlatformMetrics {
  cloudwatch: CloudwatchMetric;
  lambdaLogs: LambdaLogsMetric;
  azureMonitor: AzureMonitorMetric;
}

/** Sources that anyone may run; every platform has them. */
interface ServerMetrics {
  prometheus: PrometheusMetric;
  http: HttpMetric;
}

export type PlatformMetricKind = keyof PlatformMetrics;
export type ServerMetricKind = keyof ServerMetrics;
export type MetricKind = PlatformMetricKind | ServerMetricKind;

/** The source of users' counts of a kind. */
export type MetricOf<K extends MetricKind> = (PlatformMetrics & ServerMetrics)[K];

/** A source of users' own counts. */
export type MetricSpec = MetricOf<MetricKind>;

interface Metric {
  name: string;
  /** Milliseconds between reads. */
  every: number;
  /** Milliseconds after the end of a stretch until what is counted in it is final. */
  delay: number;
  /** Reported, never decides. */
  dryRun: boolean;
}

/** CloudWatch's minutes, by alias and executed version. */
export interface CloudwatchMetric extends Metric {
  kind: 'cloudwatch';
  /** Metric namespace; `AWS/Lambda` unless the counts are published elsewhere. */
  namespace: string;
  /** Slower answers are counted as slow, in milliseconds. */
  latency?: number;
}

/** The report that Lambda logs of each invocation. */
export interface LambdaLogsMetric extends Metric {
  kind: 'lambdaLogs';
  /** Length of a stretch, in milliseconds. */
  window: number;
  /** Slower answers are counted as slow, in milliseconds. */
  latency?: number;
}

/** Azure Monitor's minutes, by site and slot. It counts answers, not how many of them were slow. */
export interface AzureMonitorMetric extends Metric {
  kind: 'azureMonitor';
}

/** PromQL, with `{version}` or `{release}`, `{window}`, and the target's `{function}` and `{alias}`, or `{site}` and `{slot}`, filled in. */
export interface PrometheusMetric extends Metric {
  kind: 'prometheus';
  /** Base address of the server's API. */
  url: string;
  requests: string;
  errors: string;
  slow?: string;
  /** Length of a stretch, in milliseconds. */
  window: number;
  /** Reference to the bearer token. */
  token?: string;
}

/** Any address that answers counts as JSON. */
export interface HttpMetric extends Metric {
  kind: 'http';
  /** With `{version}`, `{from}` and `{to}`. */
  url: string;
  /** A value may be a reference to a secret. */
  headers?: Record<string, string>;
  /** JSON paths to the counts. */
  requests: string;
  errors: string;
  slow?: string;
  /** Length of a stretch, in milliseconds. */
  window: number;
  /** Reference to the bearer token. */
  token?: string;
}

export interface NotifySpec {
  webhook: string;
  /** Reference to the signing secret. */
  secret?: string;
}

/** Longest waits of one rollout, in milliseconds. */
export interface Deadlines {
  /** Until a worker that serves the account takes the first task. */
  worker: number;
  deploy: number;
  warm: number;
  shift: number;
  probe: number;
  /** Longest pause. */
  pause: number;
  /** How long restoring may take before the rollout says `stuck`. */
  stuckAfter: number;
}

/** One release of a target: on Lambda a published version, on App Service a package by its release id. */
export interface Release {
  version: string;
  /** Digest of its code, as the platform writes it (Lambda: CodeSha256, base64). */
  digest: string;
}

/** The one JSON argument of a rollout workflow: a parsed rollout.yaml, or a spec with all defaults. */
export type RolloutInput = Record<string, unknown>;

/** Takes what is wrong at a place of the spec. */
export type Report = (path: (string | number)[], message: string) => void;
