import { ManagedIdentityCredential } from '@azure/identity';
import { MetricsClient } from '@azure/monitor-query-metrics';
import { type EmulatedAzure, startAzure } from '../../../emulators/azure/index.js';
import { Throttle } from '../../../emulators/azure/throttle.js';
import { packageOf, server } from './app.js';
import { ask, GROUP, hosts, publish, said, sdk, until } from './client.js';

/** The routes of Resource Manager, Entra and Azure Monitor, through Microsoft's own clients. */
let azure: EmulatedAzure;
beforeAll(async () => {
  azure = await startAzure({ throttle: false });
});
afterAll(() => azure.stop());

let made = 0;
async function site(options: Partial<Parameters<EmulatedAzure['createSite']>[0]> = {}): Promise<string> {
  const name = `site-${++made}`;
  await azure.createSite({ name, resourceGroup: GROUP, slots: ['staging'], ...options });
  return name;
}

test('the SDK creates plan, site and slot, up to the limit of the plan', async () => {
  const client = sdk(azure);
  const plan = await client.appServicePlans
    .createOrUpdate(GROUP, 'small', { location: 'westeurope', sku: { name: 'B1', tier: 'Basic' } })
    .pollUntilDone();
  const made = await client.webApps
    .createOrUpdate(GROUP, 'by-sdk', { location: 'westeurope', serverFarmId: plan.id ?? '' })
    .pollUntilDone();
  expect(made).toMatchObject({ name: 'by-sdk', state: 'Running' });
  // "App Service limits": Basic has no slots.
  await expect(
    client.webApps.createOrUpdateSlot(GROUP, 'by-sdk', 'staging', { location: 'westeurope' }).pollUntilDone(),
  ).rejects.toMatchObject({ statusCode: 409 });
  await client.appServicePlans
    .createOrUpdate(GROUP, 'small', { location: 'westeurope', sku: { name: 'S1', tier: 'Standard' } })
    .pollUntilDone();
  await client.webApps.createOrUpdateSlot(GROUP, 'by-sdk', 'staging', { location: 'westeurope' }).pollUntilDone();
  const slots = [];
  for await (const slot of client.webApps.listSlots(GROUP, 'by-sdk')) slots.push(slot.name);
  expect(slots).toEqual(['by-sdk/staging']);
  await client.webApps.delete(GROUP, 'by-sdk');
  await expect(client.webApps.get(GROUP, 'by-sdk')).rejects.toMatchObject({
    statusCode: 404,
    code: 'ResourceNotFound',
  });
});

test('a PATCH of the configuration merges; a PUT of the settings replaces all', async () => {
  const [client, name] = [sdk(azure), await site()];
  await client.webApps.updateConfiguration(GROUP, name, {
    experiments: { rampUpRules: [{ name: 'staging', reroutePercentage: 5 }] },
  });
  await client.webApps.updateConfiguration(GROUP, name, { numberOfWorkers: 3 });
  const found = await client.webApps.getConfiguration(GROUP, name);
  expect(found.experiments?.rampUpRules).toMatchObject([{ name: 'staging', reroutePercentage: 5 }]);
  const instances = [];
  for await (const one of client.webApps.listInstanceIdentifiers(GROUP, name)) instances.push(one);
  expect(instances).toHaveLength(3);
  await client.webApps.updateApplicationSettings(GROUP, name, { properties: { A: '1', B: '2' } });
  await client.webApps.updateApplicationSettings(GROUP, name, { properties: { B: '3' } });
  expect((await client.webApps.listApplicationSettings(GROUP, name)).properties).toEqual({ B: '3' });
});

test('settings restart the application without losing a request: the old process serves until the new one is ready', async () => {
  const [client, name] = [sdk(azure), await site()];
  const { host, scm } = await hosts(client, name);
  await publish(azure, scm, server('here'));
  const before = await said(azure, host);
  await client.webApps.updateApplicationSettings(GROUP, name, { properties: { TRAVELS: 'yes' } });
  const seen: { status: number; travels?: string }[] = [];
  await until(async () => {
    seen.push(await said(azure, host));
    return seen.at(-1)?.travels === 'yes';
  });
  expect(seen.every(({ status }) => status === 200)).toBe(true);
  expect((await said(azure, host)).pid).not.toBe(before.pid);
});

test('resolved Key Vault references are values; others keep their own text', async () => {
  const [client, name] = [sdk(azure), await site()];
  azure.state.secrets = { 'https://vault.vault.azure.net/secrets/known': 'the value' };
  const { host, scm } = await hosts(client, name);
  const [known, unknown] = ['known', 'unknown'].map((one) => `@Microsoft.KeyVault(VaultName=vault;SecretName=${one})`);
  await client.webApps.updateApplicationSettings(GROUP, name, {
    properties: { STAYS: known ?? '', TRAVELS: unknown ?? '', BAD: '@Microsoft.KeyVault(nothing)' },
  });
  const statuses: Record<string, string | undefined> = {};
  for await (const one of client.webApps.listAppSettingsKeyVaultReferences(GROUP, name))
    statuses[one.name ?? ''] = one.status;
  expect(statuses).toEqual({ STAYS: 'Resolved', TRAVELS: 'SecretNotFound', BAD: 'InvalidSyntax' });
  await publish(azure, scm, server('here'));
  expect(await said(azure, host)).toMatchObject({ stays: 'the value', travels: unknown });
});

test("functions are listed from their files, and slot differences from both slots' settings", async () => {
  const [client, name] = [sdk(azure), await site({ kind: 'functionapp,linux' })];
  const { scm } = await hosts(client, name, 'staging');
  const bindings = [{ type: 'queueTrigger', name: 'order', direction: 'in' }];
  await publish(azure, scm, packageOf({ 'server.js': '', 'orders/function.json': JSON.stringify({ bindings }) }));
  const found = [];
  for await (const one of client.webApps.listInstanceFunctionsSlot(GROUP, name, 'staging')) found.push(one.config);
  expect(found).toMatchObject([{ bindings }]);
  await client.webApps.updateApplicationSettingsSlot(GROUP, name, 'staging', { properties: { A: 'secret' } });
  const differences = [];
  for await (const one of client.webApps.listSlotDifferencesSlot(GROUP, name, 'staging', {
    targetSlot: 'production',
    preserveVnet: true,
  }))
    differences.push(one);
  expect(differences).toMatchObject([{ settingName: 'A', valueInCurrentSlot: 'secret', level: 'Warning' }]);
});

test('tags can be written while a swap runs', async () => {
  const [client, name] = [sdk(azure), await site()];
  azure.faults.set([{ operations: ['Swap'], times: 1, effect: { hangs: true } }]);
  const swap = client.webApps.swapSlot(GROUP, name, 'staging', { targetSlot: 'production', preserveVnet: true });
  await swap.submitted();
  const { token } = await new ManagedIdentityCredentialOf(azure).getToken();
  const url = `${azure.endpoint}/subscriptions/${azure.subscription}/resourceGroups/${GROUP}/providers/Microsoft.Web/sites/${name}/providers/Microsoft.Resources/tags/default?api-version=2021-04-01`;
  const body = JSON.stringify({ operation: 'Merge', properties: { tags: { sluice: 'mine' } } });
  expect((await ask(azure, url, { method: 'PATCH', body, token })).status).toBe(200);
  azure.faults.clear();
  await swap.pollUntilDone();
  expect((await client.webApps.get(GROUP, name)).tags).toEqual({ sluice: 'mine' });
});

/** The managed identity by the variables that App Service sets ("How to use managed identities"). */
class ManagedIdentityCredentialOf {
  constructor(readonly azure: EmulatedAzure) {}
  async getToken(scopes: string | string[] = 'https://management.azure.com/.default') {
    const { endpoint, header } = this.azure.managedIdentity;
    const before = { ...process.env };
    Object.assign(process.env, { IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: header });
    try {
      return await new ManagedIdentityCredential().getToken(scopes);
    } finally {
      process.env = before;
    }
  }
}

test('a wrong secret, a missing token and an expired token are refused', async () => {
  const { env, endpoint } = azure;
  const url = `${endpoint}/${env.AZURE_TENANT_ID}/oauth2/v2.0/token`;
  const wrong = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: env.AZURE_CLIENT_ID ?? '',
    client_secret: 'wrong',
    scope: 'x',
  });
  const refused = await ask(azure, url, { method: 'POST', body: wrong.toString() });
  expect([refused.status, refused.body.toString('utf8')]).toEqual([401, expect.stringContaining('invalid_client')]);
  const list = `${endpoint}/subscriptions/${azure.subscription}/providers/Microsoft.Web/sites`;
  expect((await ask(azure, list)).status).toBe(401);
  expect(
    (await ask(azure, list, { token: (await new ManagedIdentityCredentialOf(azure).getToken())?.token ?? '' })).status,
  ).toBe(200);
});

test('a role decides what is allowed, and a refusal names the action', async () => {
  const limited = await startAzure({ role: { actions: ['Microsoft.Web/sites/read'], notActions: ['*/delete'] } });
  try {
    await limited.createSite({ name: 'mine', resourceGroup: GROUP });
    const { webApps } = sdk(limited);
    await webApps.get(GROUP, 'mine');
    await expect(webApps.listApplicationSettings(GROUP, 'mine')).rejects.toMatchObject({
      statusCode: 403,
      code: 'AuthorizationFailed',
      message: expect.stringContaining("perform action 'microsoft.web/sites/config/list/action'"),
    });
    expect(limited.actions()).toEqual(['microsoft.web/sites/config/list/action', 'microsoft.web/sites/read']);
  } finally {
    await limited.stop();
  }
});

test('reads are throttled with Retry-After once their burst is used up', async () => {
  // None come back meanwhile, however slow the machine is.
  const strict = await startAzure({ throttle: { reads: { size: 20, perSecond: 0.01 } } });
  try {
    await strict.createSite({ name: 'mine', resourceGroup: GROUP });
    const { webApps } = sdk(strict);
    const asked = await Promise.allSettled(Array.from({ length: 25 }, () => webApps.get(GROUP, 'mine')));
    const refused = asked.flatMap((one) =>
      one.status === 'rejected'
        ? [one.reason as { statusCode: number; response: { headers: { get(name: string): string } } }]
        : [],
    );
    expect(refused.map(({ statusCode }) => statusCode)).toEqual([429, 429, 429, 429, 429]);
    expect(Number(refused[0]?.response.headers.get('retry-after'))).toBeGreaterThan(0);
  } finally {
    await strict.stop();
  }
});

test('a fault of each kind works as described', async () => {
  const [client, name] = [sdk(azure), await site()];
  const write = () => client.webApps.updateApplicationSettings(GROUP, name, { properties: { N: String(++made) } });
  const kept = async () => (await client.webApps.listApplicationSettings(GROUP, name)).properties?.N;
  await write();
  const before = await kept();
  const operations = ['UpdateApplicationSettings'];
  azure.faults.set([
    { operations, times: 1, effect: { status: 500, body: { error: { code: 'Broken', message: 'Down.' } } } },
  ]);
  await expect(write()).rejects.toMatchObject({ statusCode: 500, code: 'Broken' });
  azure.faults.set([{ operations, times: 1, effect: { reset: true } }]);
  await expect(write()).rejects.toThrow();
  expect(await kept()).toBe(before);
  azure.faults.set([{ operations, times: 1, effect: { lost: true } }]);
  await expect(write()).rejects.toThrow();
  expect(await kept()).toBe(String(made));
  azure.faults.set([{ operations, times: 1, effect: { heldMs: 200 } }]);
  const started = Date.now();
  await write();
  expect(Date.now() - started).toBeGreaterThanOrEqual(195);
  expect(azure.faults.struck()).toBe(1);
});

test('Azure Monitor reports finished minutes of a slot through its batch API', async () => {
  const name = await site();
  const resource = `/subscriptions/${azure.subscription}/resourceGroups/${GROUP}/providers/Microsoft.Web/sites/${name}`;
  const at = Date.now() - 120_000;
  for (const status of [200, 200, 503]) azure.traffic.add({ resource, release: 'r', status, seconds: 0.1, at });
  azure.traffic.add({ resource, release: 'r', status: 200, seconds: 0.1, at: Date.now() });
  const client = new MetricsClient(azure.endpoint, new ManagedIdentityCredentialOf(azure), {
    tlsOptions: { ca: azure.ca },
  });
  const [found] = await client.queryResources([resource], ['Requests', 'Http5xx'], 'Microsoft.Web/sites', {
    startTime: new Date(at - 120_000),
    endTime: new Date(),
    interval: 'PT1M',
  });
  const totals = found?.metrics.map((metric) =>
    metric.timeseries.flatMap(({ data }) => data ?? []).map(({ total }) => total),
  );
  expect(totals).toEqual([[3], [1]]);
});

test('a request that is not emulated says so', async () => {
  const { webApps } = sdk(azure);
  await expect(webApps.listBackups(GROUP, await site()).next()).rejects.toMatchObject({
    statusCode: 501,
    code: 'NotEmulated',
  });
});

test('a site on Linux refuses colons and hyphens in setting names; one on Windows accepts them', async () => {
  const client = sdk(azure);
  const [linux, windows] = [await site(), await site({ kind: 'app' })];
  const put = (name: string, setting: string) =>
    client.webApps.updateApplicationSettings(GROUP, name, { properties: { [setting]: 'x', 'spring.profile': 'prod' } });
  for (const setting of ['Logging:Level', 'my-name']) {
    await expect(put(linux, setting)).rejects.toMatchObject({ statusCode: 400 });
    expect((await put(windows, setting)).properties).toMatchObject({ [setting]: 'x' });
  }
  expect((await put(linux, 'Logging__Level')).properties).toMatchObject({ 'spring.profile': 'prod' });
  expect([
    (await client.webApps.get(GROUP, linux)).reserved,
    (await client.webApps.get(GROUP, windows)).reserved,
  ]).toEqual([true, false]);
});

test('a burst of 250 reads passes, and 25 more a second after it', () => {
  const throttle = new Throttle();
  const now = Date.now();
  const passed = (count: number, at: number) =>
    Array.from({ length: count }, () => throttle.refuses('GET', at)).filter((refused) => refused === null).length;
  expect(passed(300, now)).toBe(250);
  expect(throttle.refuses('GET', now)).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
  expect(passed(300, now + 2_000)).toBe(50);
});
