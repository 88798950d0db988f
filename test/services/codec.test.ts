/** An encrypted rollout in the real UI: unreadable by itself, readable through the codec server. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { connect, type Sluice } from '../../src/client/index.js';
import { codecOf, serveCodec } from '../../src/codec/index.js';
import { type Stack, startStack } from '../../src/demo/stack.js';
import { ROOT } from '../support/tools.js';
import { until } from '../support/until.js';

const KEYS = `one:${randomBytes(32).toString('base64')}`;
const TARGET = { app: 'checkout', environment: 'production' };

let stack: Stack;
let sluice: Sluice;
let codec: Awaited<ReturnType<typeof serveCodec>>;
let browser: Browser;

beforeAll(async () => {
  const folder = path.join(ROOT, '.sluice', 'ui', `codec-${process.pid}`);
  stack = await startStack(folder, { workerEnv: { SLUICE_CODEC_KEYS: KEYS } });
  sluice = await connect({
    env: { TEMPORAL_ADDRESS: stack.temporal.address, SLUICE_STORE: stack.store, SLUICE_CODEC_KEYS: KEYS },
  });
  codec = await serveCodec({
    codec: codecOf({ SLUICE_CODEC_KEYS: KEYS }),
    host: '127.0.0.1',
    port: 0,
    origins: [stack.temporal.uiUrl ?? ''],
    admission: { token: null, signed: null },
  });
  browser = await chromium.launch({
    executablePath: process.env.SLUICE_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
});

afterAll(async () => {
  await browser?.close();
  await codec?.close();
  await sluice?.close();
  await stack?.stop();
});

/** The text of a page of the run, the frames in it included, once it has `expected`. */
async function text(page: Page, run: string, tab: string, expected: string): Promise<string> {
  await page.goto(`${stack.temporal.uiUrl}/namespaces/default/workflows/checkout%2Fproduction/${run}/${tab}`);
  return until(`"${expected}" on the page ${tab}`, async () => {
    const texts = await Promise.all(page.frames().map((frame) => frame.locator('body').textContent()));
    const shown = texts.join('\n');
    return shown.includes(expected) ? shown : null;
  });
}

async function setCodecServer(page: Page): Promise<void> {
  await page.getByTestId('data-encoder-status').click();
  await page.getByTestId('use-local-endpoint-input').check();
  await page.getByTestId('data-encoder-endpoint-input').fill(codec.url);
  await page.getByTestId('confirm-modal-button').first().click();
}

async function sendSignal(page: Page, name: string, input: object): Promise<void> {
  await page.getByRole('button', { name: 'More Actions' }).click();
  await page.getByTestId('signal-button').filter({ visible: true }).first().click();
  const dialog = page.getByTestId('signal-confirmation-modal').filter({ visible: true });
  await dialog.getByTestId('signal-select-button').click();
  await dialog.getByRole('option', { name }).click();
  await dialog.locator('.cm-content').fill(JSON.stringify(input));
  await dialog.getByTestId('confirm-modal-button').click();
}

/** What the server has of the signals that a run got. */
async function signals(): Promise<string[]> {
  const { events } = await stack.client.workflow.getHandle('checkout/production').fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
    signal == null ? [] : [Buffer.from(signal.input?.payloads?.[0]?.data ?? []).toString('latin1')],
  );
}

test('an encrypted rollout is unreadable in the UI until a person sets the codec server, and can then be read and controlled', async () => {
  const input = {
    ...TARGET,
    target: { function: 'checkout', alias: 'live', region: 'us-east-1' },
    release: { folder: path.join(ROOT, 'examples', 'checkout', 'v1') },
    configuration: { runtime: 'nodejs20.x', handler: 'index.handler', role: 'arn:aws:iam::000000000000:role/checkout' },
    strategy: { type: 'direct', bake: '1h' },
  };
  const said = { by: 'ann', message: 'the reason that ann gave' };
  const { run } = await sluice.start({ ...TARGET, type: 'direct', input, onNewRelease: 'reject', ...said });
  await until('baking', async () => (await sluice.status(TARGET)).view?.phase === 'baking');
  const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });

  expect(await text(page, run ?? '', 'history', 'Activity Task Scheduled')).not.toMatch(/ann gave|stable release/);
  expect(await text(page, run ?? '', 'user-metadata', 'No Current Details')).not.toContain('Baking');
  await setCodecServer(page);
  const history = await text(page, run ?? '', 'history', 'the reason that ann gave');
  expect(history).toContain('make 1 the stable release');
  expect(await text(page, run ?? '', 'user-metadata', 'Baking')).toContain('Waiting for the end of the bake at 100 %');

  await sendSignal(page, 'abort', { by: 'bob of the UI' });
  const { view } = await sluice.wait(TARGET, 'done');
  expect(view?.events.map(({ by }) => by)).toContain('bob of the UI');
  const sent = await signals();
  expect(sent).toHaveLength(1);
  expect(sent[0]).not.toContain('bob');
});
