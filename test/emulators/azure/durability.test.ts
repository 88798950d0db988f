import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../../support/tools.js';
import { server } from './app.js';
import { ask, GROUP, hosts, type Reached, said, sdk, tokenOf, until } from './client.js';

/** The emulated Azure as a process that is killed: what it has answered is true afterwards. */
const MAIN = path.join(ROOT, 'dist', 'emulators', 'azure', 'main.js');
let folder: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  const parent = path.join(ROOT, '.sluice', 'test');
  mkdirSync(parent, { recursive: true });
  folder = mkdtempSync(path.join(parent, 'azure-'));
});
afterEach(() => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Started extends Reached {
  child: ChildProcess;
}

async function start(...args: string[]): Promise<Started> {
  const child = spawn(process.execPath, [MAIN, '--folder', folder, ...args], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  for await (const line of createInterface({ input: child.stdout as NonNullable<typeof child.stdout> })) {
    const told = JSON.parse(line) as Omit<Reached, 'ca'> & { caFile: string };
    return { child, ...told, ca: readFileSync(told.caFile, 'utf8') };
  }
  throw new Error('it ended without a word');
}

async function kill({ child }: Started): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

async function own(azure: Started, method: string, page: string, body?: unknown) {
  const given = body === undefined ? {} : { body: JSON.stringify(body) };
  return ask(azure, `${azure.endpoint}/_sluice/${page}`, { method, ...given });
}

/** Publishes to production or to the slot, and waits until ARM says that it runs. Answers its host. */
async function deploy(azure: Started, slot: string | undefined, zip: Buffer): Promise<string> {
  const client = sdk(azure);
  const { host, scm } = await hosts(client, 'shop', slot);
  const token = await tokenOf(azure);
  const sent = await ask(azure, `https://${scm}/api/publish?type=zip&clean=true`, { method: 'POST', body: zip, token });
  const id = sent.headers['scm-deployment-id'] ?? '';
  const { webApps } = client;
  const poller =
    slot === undefined
      ? webApps.getProductionSiteDeploymentStatus(GROUP, 'shop', id)
      : webApps.getSlotSiteDeploymentStatusSlot(GROUP, 'shop', slot, id);
  await poller.pollUntilDone();
  return host;
}

async function text(azure: Started, host: string): Promise<string | undefined> {
  return (await said(azure, host)).text;
}

test('an accepted swap is completed after SIGKILL, at the same addresses, once', async () => {
  const first = await start('--site', 'shop');
  const production = await deploy(first, undefined, server('old'));
  const staging = await deploy(first, 'staging', server('new'));
  await own(first, 'PUT', 'faults', { rules: [{ operations: ['Swap'], times: 1, effect: { hangs: true } }] });
  const poller = sdk(first).webApps.swapSlot(GROUP, 'shop', 'staging', {
    targetSlot: 'production',
    preserveVnet: true,
  });
  poller.catch(() => undefined);
  await poller.submitted();
  expect(await text(first, production)).toBe('old');
  await kill(first);
  const second = await start();
  expect([second.endpoint, second.ca]).toEqual([first.endpoint, first.ca]);
  await until(async () => (await sdk(second).webApps.get(GROUP, 'shop')).inProgressOperationId === undefined);
  expect(await text(second, production)).toBe('new');
  expect(await text(second, staging)).toBe('old');
});

test('written data survives SIGKILL; a running deployment has failed', async () => {
  const first = await start('--site', 'shop');
  const { webApps } = sdk(first);
  await webApps.updateApplicationSettings(GROUP, 'shop', { properties: { KEPT: 'yes' } });
  const production = await deploy(first, undefined, server('old'));
  await own(first, 'PUT', 'faults', { rules: [{ operations: ['Deploy'], times: 1, effect: { hangs: true } }] });
  deploy(first, undefined, server('half')).catch(() => undefined);
  await until(async () => {
    const writes = JSON.parse((await own(first, 'GET', 'writes')).body.toString('utf8')) as { operation: string }[];
    return writes.filter(({ operation }) => operation === 'Publish').length === 2;
  });
  await kill(first);
  const second = await start();
  const settings = await sdk(second).webApps.listApplicationSettings(GROUP, 'shop');
  expect(settings.properties).toEqual({ KEPT: 'yes' });
  expect(await text(second, production)).toBe('old');
  // Kudu takes the next one: nothing is at work any more.
  await deploy(second, undefined, server('next'));
  expect(await text(second, production)).toBe('next');
});
