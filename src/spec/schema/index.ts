/** The shape of rollout.yaml as people write it. Parsed, durations are milliseconds and percentages numbers. */
import { z } from 'zod';
import { isBypassId } from '../../model/bypass.js';
import { DEFAULTS } from '../defaults.js';
import { health } from './health.js';
import { parsedForm } from './parsed-form.js';
import { DAY, duration, name, reference, SECOND, strict, text, whole } from './parts.js';
import { strategy } from './strategy.js';
import { configuration, release, target } from './target.js';

const deadlines = strict({
  worker: duration(SECOND, 30 * DAY)
    .prefault(DEFAULTS.deadlines.worker)
    .describe('Until a worker that serves the account takes the first task.'),
  deploy: duration(SECOND, DAY).prefault(DEFAULTS.deadlines.deploy).describe('Deploying the release.'),
  warm: duration(SECOND, DAY).prefault(DEFAULTS.deadlines.warm).describe('Readying provisioned concurrency.'),
  shift: duration(SECOND, DAY).prefault(DEFAULTS.deadlines.shift).describe('One change of weights.'),
  probe: duration(SECOND, DAY)
    .prefault(DEFAULTS.deadlines.probe)
    .describe('The smoke probes; a probe that has neither passed nor failed by then fails.'),
  pause: duration(SECOND).prefault(DEFAULTS.deadlines.pause).describe('The longest pause.'),
  stuckAfter: duration(SECOND, DAY)
    .prefault(DEFAULTS.deadlines.stuckAfter)
    .describe('How long a rollback may take before the rollout is shown as `stuck`.'),
});

const notify = strict({
  webhook: z
    .string()
    .regex(/^https?:\/\/\S+$/, 'expected an http or https URL')
    .describe('URL that is called whenever a rollout ends or waits.'),
  secret: reference().exactOptional().describe('Reference to the secret that signs the message.'),
});

export const written = strict({
  app: name().describe('The app. With the environment it is the workflow id, and so the lock on the target.'),
  environment: name().describe('The environment, unless it is chosen when starting.'),
  target: target.describe('Where the release is rolled out.'),
  release: release.describe('Where the code comes from: exactly one of the members.'),
  configuration: configuration
    .prefault({})
    .describe(
      'Configuration of the release. Absent fields stay as they are at the target. A change of configuration alone is a release too.',
    ),
  strategy: strategy.prefault({ ...DEFAULTS.strategy }).describe('How the release reaches its users.'),
  health: health.prefault({}).describe('What is watched, and how the judge decides.'),
  onNewRelease: z
    .enum(['reject', 'replace', 'queue'])
    .prefault(DEFAULTS.onNewRelease)
    .describe('What a second release of this target does while a rollout is running.'),
  rollbackWindow: duration()
    .prefault(DEFAULTS.rollbackWindow)
    .describe('How long the replaced release stays ready for `undo`.'),
  retain: whole(0, 1_000)
    .prefault(DEFAULTS.retain)
    .describe('How many old releases to keep after the rollback window.'),
  notify: z
    .array(notify)
    .max(10, 'at most 10 webhooks')
    .prefault([...DEFAULTS.notify])
    .describe('Webhooks.'),
  deadlines: deadlines.prefault({}).describe('The longest that each step may take.'),
  allowUnjudged: z
    .boolean({ error: 'expected true or false' })
    .prefault(DEFAULTS.allowUnjudged)
    .describe('Run even though nothing could ever judge the candidate.'),
  allowBypass: z
    .array(
      z
        .string()
        .refine(
          isBypassId,
          'expected mapping/UUID, url, calls, or calls-until/TIME such as calls-until/2026-11-30T15:05Z (`sluice plan` prints them)',
        ),
    )
    .max(50, 'at most 50 callers')
    .prefault([...DEFAULTS.allowBypass])
    .describe(
      'Lambda: callers of the bare function that may get the release as soon as it is deployed, before any weight. `sluice plan` lists them by these ids.',
    ),
  message: text().exactOptional().describe('Why this rollout, in your words.'),
  startedBy: text(200).exactOptional().describe('Who started it; the client fills it in.'),
});

/** The same of a complete spec in the shape of a rollout.yaml: its units are numbers already. */
export const parsedAlready = parsedForm(written) as z.ZodType<Written>;

/** rollout.yaml once checked: defaults filled in, units converted, not yet the {@link Spec} that the workflow carries. */
export type Written = z.output<typeof written>;
