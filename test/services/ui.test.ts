/** The Temporal UI in a real browser: a person who knows nothing of Sluice reads the state of a rollout off its page. */

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { resultOf } from '../../src/client/index.js';
import { type Stack, startStack } from '../../src/demo/stack.js';
import type { RolloutView } from '../../src/model/view.js';
import { ROOT } from '../support/tools.js';
import { until } from '../support/until.js';

/** `UPDATE_PICTURES=1` keeps the pictures in the docs; otherwise they go to the scratch folder. */
const PICTURES = path.join(ROOT, process.env.UPDATE_PICTURES === '1' ? 'docs/pictures' : '.sluice/pictures');
const EXAMPLES = path.join(ROOT, 'examples', 'checkout');

let stack: Stack;
let browser: Browser;
let starts = 0;

beforeAll(async () => {
  mkdirSync(PICTURES, { recursive: true });
  stack = await startStack(path.join(ROOT, '.sluice', 'ui', String(process.pid)));
  browser = await chromium.launch({
    executablePath: process.env.SLUICE_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  await finished(await start('direct', 'v1', { type: 'direct', bake: '1s' }));
});

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

afterEach(async () => {
  const handle = stack.client.workflow.getHandle('checkout/production');
  if ((await handle.describe()).status.name !== 'RUNNING') return;
  await handle.signal('abort', { by: 'the end of a test', force: true });
  await resultOf(handle);
});

async function start(type: string, release: string, strategy: unknown, more: Record<string, unknown> = {}) {
  return stack.client.workflow.start(type, {
    workflowId: 'checkout/production',
    taskQueue: 'sluice',
    args: [
      await stack.pack({
        app: 'checkout',
        environment: 'production',
        target: { function: 'checkout', alias: 'live', region: 'us-east-1' },
        release: { folder: path.join(EXAMPLES, release) },
        configuration: {
          runtime: 'nodejs20.x',
          handler: 'index.handler',
          role: 'arn:aws:iam::000000000000:role/checkout',
          // Each start is a release of its own, in whatever order the tests run.
          environment: { START: String(++starts) },
        },
        strategy,
        health: {
          // A bake of a second has seen few requests.
          judge: { minRequests: 3 },
          probes: [{ name: 'smoke', invoke: { payload: { user: 'user-1' } }, expect: { status: 200 }, every: '100ms' }],
          metrics: [],
        },
        ...more,
      }),
    ],
    staticSummary: `checkout production ${type}`,
  });
}

type Rolling = Awaited<ReturnType<typeof start>>;

async function reached(rolling: Rolling, phase: string): Promise<RolloutView> {
  return until(`phase ${phase}`, async () => {
    const view = await rolling.query<RolloutView>('status');
    return view.phase === phase ? view : null;
  });
}

async function finished(rolling: Rolling): Promise<RolloutView> {
  return await resultOf(rolling);
}

/** The text of the run's metadata page, which is kept as a picture too. */
async function look(rolling: Rolling, name: string, expected: string): Promise<string> {
  const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
  const run = (await rolling.describe()).runId;
  const id = encodeURIComponent(rolling.workflowId);
  await page.goto(`${stack.temporal.uiUrl}/namespaces/default/workflows/${id}/${run}/user-metadata`);
  // The UI renders Markdown in a frame of its own.
  const text = await until(`"${expected}" on the page`, async () => {
    const shown = await page.frame({ name: 'user-metadata-current-details' })?.locator('body').textContent();
    return shown?.includes(expected) === true ? shown : null;
  });
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
  await page.close();
  return text;
}

const canary = {
  type: 'canary',
  stages: [
    { weight: '10%', bake: '1s', approval: { within: '1h' } },
    { weight: '100%', bake: '1s' },
  ],
};

test('a running rollout shows where the traffic is and how long it bakes', async () => {
  const rolling = await start('canary', 'v2', {
    type: 'canary',
    stages: [
      { weight: '10%', bake: '1h' },
      { weight: '100%', bake: '1s' },
    ],
  });
  await reached(rolling, 'baking');
  const text = await look(rolling, 'running', 'Baking');
  expect(text).toMatch(/stable \d+ has 90 %, candidate \d+ 10 %/);
  expect(text).toContain('Waiting for the end of the bake at 10 %');
  await rolling.executeUpdate('abort', { args: [{ by: 'test' }] });
  await finished(rolling);
});

test('a rollout waiting for approval shows the exact signal that approves it', async () => {
  const rolling = await start('canary', 'v2', canary);
  await reached(rolling, 'awaitingApproval');
  const text = await look(rolling, 'awaiting', 'Waiting for approval');
  expect(text).toContain('{"stage":"10%","by":"you"}');
  expect(text).toContain('sluice approve checkout/production');
  await rolling.signal('approve', { stage: '10%', by: 'ann' });
  expect((await finished(rolling)).outcome).toBe('succeeded');
});

test("a rolled-back rollout shows the reason first, with the candidate's errors", async () => {
  const health = {
    judge: { minRequests: 3 },
    metrics: [],
    probes: [
      { name: 'fifth', invoke: { payload: { user: 'user-5' } }, expect: { status: 200 }, every: '100ms', smoke: 1 },
    ],
  };
  const rolling = await start('canary', 'v4', canary, { health, allowUnjudged: true });
  const view = await finished(rolling);
  expect(view.outcome).toBe('rolledBack');
  const text = await look(rolling, 'rolled-back', 'Rolled back');
  expect(text).toContain('Why:');
});

test('a stuck rollout shows the two ways out', async () => {
  const rolling = await start('canary', 'v3', {
    type: 'canary',
    stages: [
      { weight: '10%', bake: '3s' },
      { weight: '100%', bake: '1s' },
    ],
  });
  await reached(rolling, 'baking');
  const { LambdaClient, UpdateAliasCommand } = await import('@aws-sdk/client-lambda');
  const somebody = new LambdaClient({
    endpoint: stack.aws.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  });
  await somebody.send(
    new UpdateAliasCommand({
      FunctionName: 'checkout',
      Name: 'live',
      FunctionVersion: '1',
      RoutingConfig: { AdditionalVersionWeights: {} },
    }),
  );
  somebody.destroy();
  await reached(rolling, 'stuck');
  const text = await look(rolling, 'stuck', 'Stuck');
  expect(text).toContain('foreignChange');
  expect(text).toContain('--force');
  expect(text).toContain('--adopt');
  await rolling.executeUpdate('abort', { args: [{ by: 'test', force: true }] });
  expect((await finished(rolling)).outcome).toBe('rolledBack');
});
