import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { WebSiteManagementClient } from '@azure/arm-appservice';
import { ClientSecretCredential } from '@azure/identity';
import { createSend } from '../../../activities/platform/app-service/http.js';
import { ROOT } from '../../support/tools.js';
import { server } from './app.js';
import { GROUP, until } from './client.js';

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

interface Started {
  child: ChildProcess;
  endpoint: string;
  subscription: string;
  env: Record<string, string>;
  ca: string;
}

async function start(...args: string[]): Promise<Started> {
  const child = spawn(process.execPath, [MAIN, '--folder', folder, ...args], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  for await (const line of createInterface({ input: child.stdout as NonNullable<typeof child.stdout> })) {
    const said = JSON.parse(line) as Omit<Started, 'child' | 'ca'> & { caFile: string };
    return { child, ...said, ca: readFileSync(said.caFile, 'utf8') };
  }
  throw new Error('it ended without a word');
}

async function kill({ child }: Started): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

function clientOf({ env, endpoint, subscription, ca }: Started): WebSiteManagementClient {
  const { AZURE_TENANT_ID = '', AZURE_CLIENT_ID = '', AZURE_CLIENT_SECRET = '' } = env;
  const credential = new ClientSecretCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, {
    authorityHost: endpoint,
    disableInstanceDiscovery: true,
    tlsOptions: { ca },
  });
  return new WebSiteManagementClient(credential, subscription, {
    endpoint,
    tlsOptions: { ca },
    retryOptions: { maxRetries: 0 },
  });
}

async function own(azure: Started, method: string, page: string, body?: unknown) {
  const send = createSend(azure.ca);
  return send(`${azure.endpoint}/_sluice/${page}`, {
    method,
    signal: AbortSignal.timeout(10_000),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function text(azure: Started, host: string): Promise<string> {
  const answer = await createSend(azure.ca)(`https://${host}/`, { signal: AbortSignal.timeout(10_000) });
  return String((JSON.parse(answer.body.toString('utf8')) as { text: string }).text);
}

async function deploy(azure: Started, slot: string | null, zip: Buffer): Promise<string> {
  const { webApps } = clientOf(azure);
  const found = slot === null ? await webApps.get(GROUP, 'shop') : await webApps.getSlot(GROUP, 'shop', slot);
  const scm = found.hostNameSslStates?.find(({ hostType }) => hostType === 'Repository')?.name;
  const { env, endpoint } = azure;
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: env.AZURE_CLIENT_ID ?? '',
    client_secret: env.AZURE_CLIENT_SECRET ?? '',
    scope: 'x',
  });
  const send = createSend(azure.ca);
  const signal = AbortSignal.timeout(30_000);
  const token = await send(`${endpoint}/t/oauth2/v2.0/token`, { method: 'POST', body: form.toString(), signal });
  const { access_token } = JSON.parse(token.body.toString('utf8')) as { access_token: string };
  const sent = await send(`https://${scm}/api/publish?type=zip&clean=true`, {
    method: 'POST',
    body: zip,
    signal,
    headers: { authorization: `Bearer ${access_token}` },
  });
  const id = sent.headers['scm-deployment-id'] ?? '';
  const poller =
    slot === null
      ? webApps.getProductionSiteDeploymentStatus(GROUP, 'shop', id)
      : webApps.getSlotSiteDeploymentStatusSlot(GROUP, 'shop', slot, id);
  await poller.pollUntilDone();
  return found.defaultHostName ?? '';
}

test('a swap that was accepted is completed after SIGKILL, at the same addresses, once', async () => {
  const first = await start('--site', 'shop');
  const production = await deploy(first, null, server('old'));
  const staging = await deploy(first, 'staging', server('new'));
  await own(first, 'PUT', 'faults', { rules: [{ operations: ['Swap'], times: 1, effect: { hangs: true } }] });
  const poller = clientOf(first).webApps.swapSlot(GROUP, 'shop', 'staging', {
    targetSlot: 'production',
    preserveVnet: true,
  });
  poller.catch(() => undefined);
  await poller.submitted();
  expect(await text(first, production)).toBe('old');
  await kill(first);
  const second = await start();
  expect([second.endpoint, second.ca]).toEqual([first.endpoint, first.ca]);
  await until(async () => (await clientOf(second).webApps.get(GROUP, 'shop')).inProgressOperationId === undefined);
  expect(await text(second, production)).toBe('new');
  expect(await text(second, staging)).toBe('old');
}, 30_000);

test('what was written is there after SIGKILL; a deployment at work has failed', async () => {
  const first = await start('--site', 'shop');
  const { webApps } = clientOf(first);
  await webApps.updateApplicationSettings(GROUP, 'shop', { properties: { KEPT: 'yes' } });
  const production = await deploy(first, null, server('old'));
  await own(first, 'PUT', 'faults', { rules: [{ operations: ['Deploy'], times: 1, effect: { hangs: true } }] });
  deploy(first, null, server('half')).catch(() => undefined);
  await until(async () => {
    const writes = JSON.parse((await own(first, 'GET', 'writes')).body.toString('utf8')) as { operation: string }[];
    return writes.filter(({ operation }) => operation === 'Publish').length === 2;
  });
  await kill(first);
  const second = await start();
  const settings = await clientOf(second).webApps.listApplicationSettings(GROUP, 'shop');
  expect(settings.properties).toEqual({ KEPT: 'yes' });
  expect(await text(second, production)).toBe('old');
  // Kudu takes the next one: nothing is at work any more.
  await deploy(second, null, server('next'));
  expect(await text(second, production)).toBe('next');
}, 30_000);
