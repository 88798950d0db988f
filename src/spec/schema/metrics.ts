/** The sources of users' counts that `health.metrics` takes, one record a kind: docs/development/add-a-metric-source.md. */
import { z } from 'zod';
import type { MetricKind, MetricOf, ServerMetricKind } from '../../model/spec.js';
import { DEFAULTS } from '../defaults.js';
import { address, duration, HOUR, headers, jsonPath, MINUTE, name, reference, SECOND, strict, text } from './parts.js';

const every = () =>
  duration(500, 10 * MINUTE)
    .prefault(DEFAULTS.metric.every)
    .describe('Time between two reads.');

const delay = (otherwise: string) =>
  duration(0, HOUR)
    .prefault(otherwise)
    .describe('How long after the end of a stretch its counts are final; later ones are not counted.');

/** Whole seconds, so that stretches begin where the seconds of other systems do. */
const window = () =>
  duration(SECOND, 10 * MINUTE)
    .refine((ms) => ms % SECOND === 0, 'expected whole seconds')
    .prefault(DEFAULTS.metric.window)
    .describe('Length of a stretch: requests are counted from one end to the next.');

const token = () => reference().exactOptional().describe('Reference to the bearer token.');

const cloudwatch = strict({
  every: every(),
  namespace: text(255).prefault(DEFAULTS.metric.namespace).describe('Metric namespace.'),
  delay: delay(DEFAULTS.metric.cloudwatchDelay),
}).describe("The users' requests and errors by release, from CloudWatch.");

const lambdaLogs = strict({
  every: every(),
  window: window(),
  delay: delay(DEFAULTS.metric.delay),
}).describe('The same within seconds, from the reports in the logs; needs configuration.logFormat: JSON.');

const azureMonitor = strict({
  every: every(),
  delay: delay(DEFAULTS.metric.azureMonitorDelay),
}).describe("The users' requests and errors of a site by slot, from Azure Monitor.");

const promql = () =>
  text(4096).regex(
    /\{(?:version|release)\}/,
    'must contain {version} or {release} (else both releases would be measured as one)',
  );

const prometheus = strict({
  url: address().describe("The server's address, without /api."),
  requests: promql().describe('Counters of the requests of `{version}`, or their number in `{window}`.'),
  errors: promql().describe('The same of the failed ones.'),
  slow: promql().exactOptional().describe('The same of the slow ones.'),
  every: every(),
  window: window(),
  delay: delay(DEFAULTS.metric.delay),
  token: token(),
}).describe('Counts from PromQL.');

const counts = strict({
  url: address()
    .regex(/\{(?:version|host)\}/, 'must contain {version} or {host} (else both releases would be measured as one)')
    .includes('{from}', 'must contain {from}, the start of the interval in seconds since 1970')
    .includes('{to}', 'must contain {to}, the end of the interval in seconds since 1970')
    .describe(
      'Requested for each release, as a probe is, and for each interval; `{from}` and `{to}` are seconds since 1970.',
    ),
  headers: headers(),
  requests: jsonPath().describe('JSON path to the number of requests.'),
  errors: jsonPath().describe('JSON path to the number of failed ones.'),
  slow: jsonPath().exactOptional().describe('JSON path to the number of slow ones.'),
  every: every(),
  window: window(),
  delay: delay(DEFAULTS.metric.delay),
  token: token(),
}).describe('Counts from any address that answers JSON.');

interface Kind<K extends MetricKind> {
  /** Its own fields. */
  schema: z.ZodType<Omit<MetricOf<K>, 'kind' | 'name' | 'latency' | 'dryRun'>>;
  /** Who answers: the target's platform, whose driver has the source, or a server that anyone may run (src/health/sources). */
  of: K extends ServerMetricKind ? 'server' : 'platform';
  /** What it can tell of slow answers: how many took longer than `latency`, what its field `slow` asks for, or nothing. */
  slow: 'latency' | 'slow' | null;
  /** A source of the same platform that counts the same within seconds. */
  faster?: MetricKind;
}

export const METRICS: { readonly [K in MetricKind]: Kind<K> } = {
  cloudwatch: { schema: cloudwatch, of: 'platform', slow: 'latency', faster: 'lambdaLogs' },
  lambdaLogs: { schema: lambdaLogs, of: 'platform', slow: 'latency' },
  prometheus: { schema: prometheus, of: 'server', slow: 'slow' },
  http: { schema: counts, of: 'server', slow: 'slow' },
  azureMonitor: { schema: azureMonitor, of: 'platform', slow: null },
};

const KINDS = Object.keys(METRICS) as MetricKind[];

/** The kinds that every platform has. */
export const SERVER_METRICS = KINDS.filter((kind) => METRICS[kind].of === 'server');

function telling(slow: Kind<MetricKind>['slow']): string[] {
  return KINDS.filter((kind) => METRICS[kind].slow === slow);
}

const both = (kinds: string[]) => kinds.join(' and ');

/** Each kind as a member that may be there. */
const members = Object.fromEntries(KINDS.map((kind) => [kind, METRICS[kind].schema.exactOptional()]));

export const metric = strict({
  name: name().describe('Name of this source in every view.'),
  ...members,
  latency: duration(1, 15 * MINUTE)
    .exactOptional()
    .describe(`Slower answers count as slow. For ${both(telling('latency'))}; ${both(telling('slow'))} have \`slow\`.`),
  dryRun: z.boolean().prefault(DEFAULTS.metric.dryRun).describe('true: reported, but never decides.'),
}).superRefine((value, ctx) => {
  const kinds = KINDS.filter((kind) => kind in value);
  if (kinds.length !== 1) {
    const here = kinds.length === 0 ? '' : ` (here: ${both(kinds)})`;
    ctx.addIssue(`a metric has exactly one of ${KINDS.join(', ')}${here}`);
  }
  if (value.latency !== undefined && !kinds.some((kind) => METRICS[kind].slow === 'latency')) {
    ctx.addIssue(
      `latency is for ${both(telling('latency'))} (${both(telling('slow'))} count slow answers by \`slow\`, ${both(telling(null))} does not count slow answers)`,
    );
  }
});
