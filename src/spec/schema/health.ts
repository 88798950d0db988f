/** What is watched: probes, the users' own counts, alarms, and what they mean. */
import { z } from 'zod';
import { DEFAULTS } from '../defaults.js';
import { metric } from './metrics.js';
import {
  address,
  chance,
  duration,
  headers,
  jsonPath,
  MINUTE,
  name,
  SECOND,
  share,
  strict,
  text,
  whole,
} from './parts.js';

const invoke = strict({
  payload: z.unknown().exactOptional().describe('The event, any JSON.'),
});

const http = strict({
  url: address()
    .regex(/\{(?:version|host)\}/, 'must contain {version} or {host} (else both releases would be measured as one)')
    .describe(
      'URL of one release; `{version}` is replaced by its version, `{host}` on App Service by the host that serves it.',
    ),
  method: z
    .enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    .prefault(DEFAULTS.probe.method)
    .describe('HTTP method.'),
  headers: headers(),
  body: z.string().exactOptional().describe('Request body.'),
});

const expectation = strict({
  status: whole(100, 599)
    .exactOptional()
    .describe('`statusCode` of the answer, or the HTTP status (default for `http`: 200).'),
  path: jsonPath().exactOptional().describe('JSON path into the answer; there must be a value.'),
  equals: z.unknown().exactOptional().describe('The value expected at `path`.'),
}).superRefine((value, ctx) => {
  if ('equals' in value && value.path === undefined) {
    ctx.addIssue('equals needs a path (the whole answer is path: $)');
  }
});

const probe = strict({
  name: name().describe('The name that stages refer to.'),
  invoke: invoke.exactOptional().describe('Calls the function with this event. Exactly one of invoke and http.'),
  http: http.exactOptional().describe('Sends an HTTP request.'),
  expect: expectation.prefault({}).describe('What the answer must be. Without it: no function error, or status 200.'),
  latency: duration(1, MINUTE).prefault(DEFAULTS.probe.latency).describe('Longest time an answer may take.'),
  every: duration(50, MINUTE)
    .prefault(DEFAULTS.probe.every)
    .describe(
      'Time between two calls while the candidate has weight: 50ms to 60s. A fifth of it, not under 50ms, while the candidate fails.',
    ),
  safe: z
    .boolean()
    .prefault(DEFAULTS.probe.safe)
    .describe('It has no side effects; needed where `invocation` is not sync.'),
  smoke: whole(1, 100)
    .prefault(DEFAULTS.probe.smoke)
    .describe(
      'Number of successful calls in a row that pass the probe before the candidate gets traffic; the same number of failures in a row fails it. So does reaching `deadlines.probe`.',
    ),
}).superRefine((value, ctx) => {
  const kinds = ['invoke', 'http'].filter((kind) => kind in value);
  if (kinds.length !== 1) {
    ctx.addIssue(`a probe has exactly one of invoke and http${kinds.length === 0 ? '' : ' (here: both)'}`);
  }
});

const either = ['rollback', 'hold'] as const;
const any = [...either, 'promote'] as const;

/** The judge's settings; a stage may override each. */
const judgeFields = {
  alpha: chance().describe('Largest chance that a release that is no worse than stable is ever called unhealthy.'),
  ceiling: share().describe(
    "Share of errors the candidate may have whatever stable does (your SLO). Default: from the stable release's history.",
  ),
  minRequests: whole(1, 1_000_000).describe(
    'Fewest requests of the candidate at a weight before its bake can pass: of each metric, or of the probes if there is none.',
  ),
  minErrors: whole(1, 1_000_000).describe('Fewest errors of the candidate before it can be unhealthy.'),
  dispersion: z
    .number({ error: 'expected a number, 1 or more' })
    .min(1, 'expected a number, 1 or more')
    .max(1_000, 'at most 1000')
    .describe("How many errors tend to occur together (retries). Default: measured from the stable release's history."),
  margin: share().describe(
    "How much worse than stable a release may be and still pass a bake early. Default: 1%, or the stable release's own rate if higher.",
  ),
  beta: chance().describe('Chance that a release worse than that passes a bake early.'),
  probeBack: z
    .boolean()
    .describe(
      'At 100%, with nothing to compare with: send half the traffic back to stable once, to see whether the release is at fault.',
    ),
  onUnhealthy: z.enum(either).describe('What to do with an unhealthy candidate.'),
  onUndecided: z.enum(any).describe('What to do when a bake ends and the counts do not settle it.'),
  onNoData: z.enum(any).describe('What to do when a bake ends and a metric has counted no requests of the candidate.'),
  maxHold: duration(SECOND).describe('Longest hold; then the rollout rolls back.'),
  remindEvery: duration(SECOND).describe('Time between reminders while held.'),
};

const judge = strict({
  alpha: judgeFields.alpha.prefault(DEFAULTS.judge.alpha),
  ceiling: judgeFields.ceiling.exactOptional(),
  minRequests: judgeFields.minRequests.prefault(DEFAULTS.judge.minRequests),
  minErrors: judgeFields.minErrors.prefault(DEFAULTS.judge.minErrors),
  dispersion: judgeFields.dispersion.exactOptional(),
  margin: judgeFields.margin.exactOptional(),
  beta: judgeFields.beta.prefault(DEFAULTS.judge.beta),
  probeBack: judgeFields.probeBack.prefault(DEFAULTS.judge.probeBack),
  onUnhealthy: judgeFields.onUnhealthy.prefault(DEFAULTS.judge.onUnhealthy),
  onUndecided: judgeFields.onUndecided.prefault(DEFAULTS.judge.onUndecided),
  onNoData: judgeFields.onNoData.prefault(DEFAULTS.judge.onNoData),
  maxHold: judgeFields.maxHold.prefault(DEFAULTS.judge.maxHold),
  remindEvery: judgeFields.remindEvery.prefault(DEFAULTS.judge.remindEvery),
});

/** What a stage may say of its own. */
export const judgeOverride = strict(judgeFields).partial();

/** Reports the second of two entries with one name. */
function uniqueNames<T extends { name: string }>(entries: T[], ctx: z.RefinementCtx<T[]>): void {
  const seen = new Set<string>();
  for (const [i, { name: said }] of entries.entries()) {
    if (seen.has(said)) ctx.addIssue({ code: 'custom', path: [i, 'name'], message: `"${said}" appears twice` });
    seen.add(said);
  }
}

const alarm = strict({
  name: name().describe('Its name in every view.'),
  cloudwatch: text(255).describe("The alarm's name, in the function's account and region."),
});

export const health = strict({
  invocation: z
    .enum(['sync', 'async', 'stream'])
    .prefault(DEFAULTS.invocation)
    .describe('How the function is called. Errors of async and stream calls arrive minutes late.'),
  probes: z
    .array(probe)
    .max(20, 'at most 20 probes')
    .superRefine(uniqueNames)
    .prefault([...DEFAULTS.probes])
    .describe("Sluice's own calls, to each release separately."),
  metrics: z
    .array(metric)
    .max(10, 'at most 10 metrics')
    .superRefine(uniqueNames)
    .prefault([...DEFAULTS.metrics])
    .describe("The users' own requests."),
  alarms: z
    .array(alarm)
    .max(20, 'at most 20 alarms')
    .superRefine(uniqueNames)
    .prefault([...DEFAULTS.alarms])
    .describe('Alarms that stop the rollout when they go off during it.'),
  judge: judge.prefault({}).describe('When the candidate is unhealthy, and what to do when that is not clear.'),
});
