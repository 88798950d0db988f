/**
 * The demo: four releases of `checkout` on a real Temporal server and a real Lambda API on this machine, with users who
 * never stop. The fourth release is bad, and nobody touches anything.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { rolloutId, TASK_QUEUE } from '../model/ids.js';
import type { RolloutView } from '../model/view.js';
import type { RolloutType } from '../model/words.js';
import { parseSpecText } from '../spec/index.js';
import { LiveView } from './live.js';
import { type Played, resultLine, table } from './report.js';
import { type Stack, startStack } from './stack.js';
import { Traffic } from './traffic.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const EXAMPLES = path.join(ROOT, 'examples', 'checkout');
const PER_SECOND = 20;
/** A rollout of the demo that has not ended by then is a failure of the demo. */
const ONE_ROLLOUT = 120_000;

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

const { values: flags } = parseArgs({
  options: {
    output: { type: 'string', default: 'text' },
    keep: { type: 'boolean', default: false },
    platform: { type: 'string', default: 'lambda' },
  },
});

async function main(): Promise<number> {
  if (flags.platform !== 'lambda') {
    process.stderr.write(`the demo knows --platform lambda, not "${flags.platform}"\n`);
    return 2;
  }
  const folder = path.join(ROOT, '.sluice', 'demo', String(process.pid));
  const stack = await startStack(folder);
  let ending = false;
  const end = async (code: number) => {
    if (ending) return;
    ending = true;
    await stack.stop();
    process.exit(code);
  };
  process.once('SIGINT', () => void end(130));
  process.once('SIGTERM', () => void end(143));
  const say = (text: string) => process.stderr.write(`${text}\n`);
  say(`Temporal UI: ${stack.temporal.uiUrl}`);
  say(`Lambda API:  ${stack.aws.endpoint}\n`);

  const traffic = new Traffic(stack.aws.endpoint, { function: 'checkout', alias: 'live' }, PER_SECOND);
  const played: Played[] = [];
  try {
    for (const act of ACTS) {
      played.push(await play(stack, traffic, act));
      if (played.length === 1) traffic.start();
    }
    await traffic.stop();
  } finally {
    if (!flags.keep) await stack.stop();
  }
  const ok =
    played.every((each, at) => each.outcome === ACTS[at]?.expected && (each.failed === 0 || at === ACTS.length - 1)) &&
    (played.at(-1)?.failed ?? 0) > 0;
  say(`\n${table(played).join('\n')}\n`);
  say(
    ok
      ? 'Everything ended as it must: only version 4 failed requests, and it was taken back by itself.'
      : 'Something did not end as it must; see the table.',
  );
  if (flags.output === 'json') process.stdout.write(`${resultLine(played, ok)}\n`);
  if (flags.keep) await stay(stack);
  return ok ? 0 : 1;
}

async function play(stack: Stack, traffic: Traffic, act: Act): Promise<Played> {
  const file = path.join(EXAMPLES, act.file);
  const spec = parseSpecText(readFileSync(file, 'utf8'), {
    file,
    environment: 'production',
    env: { RELEASE: act.release },
    baseDir: EXAMPLES,
  });
  const began = Date.now();
  const handle = await stack.client.workflow.start(act.type, {
    workflowId: rolloutId(spec.app, spec.environment),
    taskQueue: TASK_QUEUE,
    args: [{ ...spec, startedBy: 'demo', message: act.title }],
    workflowIdConflictPolicy: 'FAIL',
    staticSummary: `${spec.app} ${spec.environment}: ${act.title}`,
  });
  const live = new LiveView(act.title);
  let view: RolloutView | null = null;
  let approved = false;
  while (Date.now() - began < ONE_ROLLOUT) {
    view = await handle.query<RolloutView>('status');
    live.show(view, traffic.byVersion(began));
    if (view.phase === 'done') break;
    const gate = view.phase === 'awaitingApproval' ? view.waitingFor?.stage : undefined;
    if (gate != null && !approved) {
      approved = true;
      live.note(
        `approving by a signal: temporal workflow signal -w ${handle.workflowId} --name approve --input '{"stage":"${gate}","by":"ann"}'`,
      );
      await handle.signal('approve', { stage: gate, by: 'ann', comment: 'looks good' });
    }
    await pause(250);
  }
  live.end();
  const ended = Date.now();
  const result = view?.phase === 'done' ? ((await handle.result()) as RolloutView) : view;
  const counts = [...traffic.byVersion(began).values()];
  return {
    title: act.title,
    strategy: act.type,
    outcome: result?.outcome ?? null,
    reason: result?.reason ?? null,
    seconds: (ended - began) / 1000,
    requests: counts.reduce((sum, each) => sum + each.requests, 0),
    failed: counts.reduce((sum, each) => sum + each.failed, 0),
    detectSeconds: detectSeconds(stack, traffic, began, result),
    liveVersion: (result?.outcome === 'succeeded' ? result.candidate : result?.stable) ?? null,
  };
}

/** Seconds from the first bad answer to the write that took the traffic back, by the cloud's own log of writes. */
function detectSeconds(stack: Stack, traffic: Traffic, began: number, view: RolloutView | null): number | null {
  if (view?.outcome !== 'rolledBack') return null;
  const first = traffic.answers.find((answer) => answer.at >= began && answer.failed);
  const restored = (write: { status: number; request: { description?: string } }) =>
    write.status === 200 && write.request.description?.endsWith(':restore') === true;
  const back = stack.aws.writes().findLast(restored);
  if (first === undefined || back === undefined) return null;
  return Math.max(0, (back.time - first.at) / 1000);
}

/** `--keep`: everything stays up until Ctrl-C. */
async function stay(stack: Stack): Promise<void> {
  process.stderr.write(
    [
      '\nAll of it stays up until Ctrl-C. In another terminal:',
      `  export TEMPORAL_ADDRESS=${stack.temporal.address} AWS_ENDPOINT_URL=${stack.aws.endpoint} AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo AWS_REGION=us-east-1`,
      '  npx sluice get checkout/production',
      '  npx sluice releases checkout',
      `  open ${stack.temporal.uiUrl}\n`,
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
