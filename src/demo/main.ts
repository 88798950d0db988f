/**
 * The demo: four releases of `checkout` on a real Temporal server and an emulated cloud on this machine, with users who
 * never stop. The fourth release is bad, and nobody touches anything.
 */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { resultOf } from '../client/index.js';
import { listPage } from '../model/helper.js';
import { rolloutId, TASK_QUEUE } from '../model/ids.js';
import { staticTexts } from '../model/rollout/begin.js';
import type { RolloutView } from '../model/view.js';
import type { RolloutType } from '../model/words.js';
import { parseSpecText } from '../spec/index.js';
import type { Cloud, Platform } from './cloud.js';
import { startAppService } from './clouds/app-service.js';
import { startLambda } from './clouds/lambda.js';
import { follow } from './follow.js';
import { LiveView } from './live.js';
import { type Played, resultLine, table } from './report.js';
import { type Parts, startParts } from './stack.js';
import { Traffic } from './traffic.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PER_SECOND = 20;
/** Longest wait for everything that was started to end, in ms; what has not ended by then is killed with this process. */
const END_WITHIN = 30_000;

interface Act {
  title: string;
  file: string;
  release: string;
  type: RolloutType;
  expected: RolloutView['outcome'];
}

const ACTS: Act[] = [
  { title: 'version 1, direct', file: 'direct.yaml', release: 'v1', type: 'direct', expected: 'succeeded' },
  { title: 'version 2, blue-green', file: 'blue-green.yaml', release: 'v2', type: 'blueGreen', expected: 'succeeded' },
  {
    title: 'version 3, canary with an approval',
    file: 'rollout.yaml',
    release: 'v3',
    type: 'canary',
    expected: 'succeeded',
  },
  {
    title: 'version 4, canary; it fails for every fifth user',
    file: 'rollout.yaml',
    release: 'v4',
    type: 'canary',
    expected: 'rolledBack',
  },
];

const say = (text: string) => process.stderr.write(`${text}\n`);

const { values: flags } = parseArgs({
  options: {
    output: { type: 'string', default: 'text' },
    keep: { type: 'boolean', default: false },
    platform: { type: 'string', default: 'lambda' },
  },
});

/** A platform that the demo knows. */
interface Stage {
  platform: Platform;
  title: string;
  /** Folder of its releases and their rollout.yaml. */
  examples: string;
  start: () => Promise<Cloud>;
}

const STAGES: Stage[] = [
  { platform: 'lambda', title: 'AWS Lambda', examples: path.join(ROOT, 'examples', 'checkout'), start: startLambda },
  {
    platform: 'app-service',
    title: 'Azure App Service',
    examples: path.join(ROOT, 'examples', 'checkout-app-service'),
    start: startAppService,
  },
];

async function main(): Promise<number> {
  const chosen = STAGES.filter(({ platform }) => flags.platform === 'all' || platform === flags.platform);
  if (chosen.length === 0) {
    const known = STAGES.map(({ platform }) => platform).join(', ');
    process.stderr.write(`the demo knows --platform ${known} and all, not "${flags.platform}"\n`);
    return 2;
  }
  if (flags.keep && chosen.length > 1) {
    process.stderr.write('--keep leaves one platform running: name it with --platform\n');
    return 2;
  }
  const played: Played[] = [];
  let ok = true;
  for (const stage of chosen) {
    const acts = await demonstrate(stage);
    ok &&= endedAsTheyMust(acts);
    played.push(...acts);
  }
  if (flags.output === 'json') process.stdout.write(`${resultLine(played, ok)}\n`);
  return ok ? 0 : 1;
}

/** All acts on one platform, on a stack of its own. */
async function demonstrate({ platform, title, examples, start }: Stage): Promise<Played[]> {
  const folder = path.join(ROOT, '.sluice', 'demo', String(process.pid), platform);
  const stack = await startParts(folder, { cloud: start, envOf: ({ env }) => env });
  const interrupted = endOnSignals(stack);
  say(`${title}`);
  say(`Temporal UI: ${listPage(stack.temporal.uiUrl ?? '', stack.client.options.namespace)}`);
  say(`${stack.cloud.api.name}:  ${stack.cloud.api.url}\n`);
  const traffic = new Traffic(stack.cloud.users(), PER_SECOND);
  const played: Played[] = [];
  try {
    let wrong: string | null = null;
    for (const act of ACTS) {
      const done = await play({ stack, traffic, examples }, act);
      played.push(done);
      if (played.length === 1) traffic.start();
      if (done.outcome === act.expected) continue;
      // The next one could not even start.
      wrong = `${act.title} should be ${act.expected} and is ${done.outcome ?? 'not ended'} (${done.reason}). The demo stops here.`;
      break;
    }
    await traffic.stop();
    say(`\n${table(played).join('\n')}\n`);
    say(
      endedAsTheyMust(played)
        ? 'Everything ended as expected: only version 4 failed requests, and it was rolled back automatically.'
        : (wrong ?? 'Something did not end as expected; see the table.'),
    );
    if (flags.keep && wrong === null) await stay(stack);
    return played;
  } finally {
    await endWithin(traffic.stop().then(() => stack.stop()));
    interrupted.forget();
  }
}

/** Ends what was started; a part that does not end keeps nobody waiting. */
async function endWithin(ending: Promise<unknown>): Promise<void> {
  const late = new Promise<void>((resolve) => setTimeout(resolve, END_WITHIN).unref());
  await Promise.race([ending.catch(() => undefined), late]);
}

function endedAsTheyMust(played: Played[]): boolean {
  const last = ACTS.length - 1;
  return (
    played.every((each, at) => each.outcome === ACTS[at]?.expected && (each.failed === 0 || at === last)) &&
    (played[last]?.failed ?? 0) > 0
  );
}

/** Ctrl-C ends what was started, whatever goes on. */
function endOnSignals(stack: Parts<Cloud>): { forget(): void } {
  let ending = false;
  const end = (code: number) => () => {
    if (ending) return;
    ending = true;
    void endWithin(stack.stop()).finally(() => process.exit(code));
  };
  const onSignal = { SIGINT: end(130), SIGTERM: end(143) } as const;
  for (const [signal, handler] of Object.entries(onSignal)) process.once(signal, handler);
  return {
    forget: () => {
      for (const [signal, handler] of Object.entries(onSignal)) process.removeListener(signal, handler);
    },
  };
}

interface Scene {
  stack: Parts<Cloud>;
  traffic: Traffic;
  examples: string;
}

async function play({ stack, traffic, examples }: Scene, act: Act): Promise<Played> {
  const file = path.join(examples, act.file);
  const spec = parseSpecText(readFileSync(file, 'utf8'), {
    file,
    environment: 'production',
    env: { RELEASE: act.release },
    baseDir: examples,
  });
  const began = Date.now();
  const input = { ...(await stack.pack(spec)), startedBy: 'demo', message: act.title };
  const { app, environment } = spec;
  const handle = await stack.client.workflow.start(act.type, {
    workflowId: rolloutId(spec.app, spec.environment),
    taskQueue: TASK_QUEUE,
    args: [input],
    workflowIdConflictPolicy: 'FAIL',
    ...staticTexts({ app, environment, type: act.type, input, namespace: stack.client.options.namespace }),
  });
  const live = new LiveView(act.title);
  const { view, why } = await follow({
    look: () => handle.query<RolloutView>('status'),
    show: (now) => live.show(now, traffic.byVersion(began)),
    approve: async (stage) => {
      live.note(
        `approving by a signal: temporal workflow signal -w ${handle.workflowId} --name approve --input '{"stage":"${stage}","by":"ann"}'`,
      );
      await handle.signal('approve', { stage, by: 'ann', comment: 'looks good' });
    },
  });
  live.end();
  const ended = Date.now();
  const result = why === null ? await resultOf(handle) : view;
  const counts = [...traffic.byVersion(began).values()];
  return {
    platform: stack.cloud.platform,
    title: act.title,
    strategy: act.type,
    outcome: result?.outcome ?? null,
    reason: why ?? result?.reason ?? null,
    seconds: (ended - began) / 1000,
    requests: counts.reduce((sum, each) => sum + each.requests, 0),
    failed: counts.reduce((sum, each) => sum + each.failed, 0),
    detectSeconds: detectSeconds(stack.cloud, traffic, began, result),
    liveVersion: (result?.outcome === 'succeeded' ? result.candidate : result?.stable) ?? null,
  };
}

/** Seconds from the first bad answer to the write that took the traffic back, by the cloud's own log of writes. */
function detectSeconds(cloud: Cloud, traffic: Traffic, began: number, view: RolloutView | null): number | null {
  if (view?.outcome !== 'rolledBack') return null;
  const first = traffic.answers.find((answer) => answer.at >= began && answer.failed);
  const back = cloud.takenBackAt();
  if (first === undefined || back === null) return null;
  return Math.max(0, (back - first.at) / 1000);
}

/** `--keep`: everything stays up until Ctrl-C. */
async function stay({ temporal, cloud }: Parts<Cloud>): Promise<void> {
  process.stderr.write(
    [
      '\nAll of it stays up until Ctrl-C. In another terminal:',
      `  export ${Object.entries({ TEMPORAL_ADDRESS: temporal.address, ...cloud.env })
        .map((pair) => pair.join('='))
        .join(' ')}`,
      '  npx sluice get checkout/production',
      '  npx sluice releases checkout',
      `  open '${listPage(temporal.uiUrl ?? '', 'default')}'\n`,
    ].join('\n'),
  );
  await new Promise<never>(() => undefined);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`the demo could not run: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
// Whatever still holds on ends with this process.
setTimeout(() => process.exit(), END_WITHIN).unref();
