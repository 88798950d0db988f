import { type EmulatedAzure, startAzure } from '../../../emulators/azure/index.js';
import { packageOf, server } from './app.js';
import { ask, GROUP, hosts, publish, said, sdk, until } from './client.js';

/** Contract: "Set up staging environments in Azure App Service", route traffic. */
let azure: EmulatedAzure;
let production: string;
let staging: string;
beforeAll(async () => {
  azure = await startAzure({ throttle: false });
  await azure.createSite({ name: 'shop', resourceGroup: GROUP, slots: ['staging'] });
  const client = sdk(azure);
  const [one, other] = [await hosts(client, 'shop'), await hosts(client, 'shop', 'staging')];
  [production, staging] = [one.host, other.host];
  await publish(azure, one.scm, server('old'));
  await publish(azure, other.scm, server('new'));
});
afterAll(() => azure.stop());
afterEach(() => rules(null));

/** Null: no rule. */
async function rules(percent: number | null): Promise<void> {
  const rampUpRules =
    percent === null ? [] : [{ name: 'staging', actionHostName: staging, reroutePercentage: percent }];
  await sdk(azure).webApps.updateConfiguration(GROUP, 'shop', { experiments: { rampUpRules } });
}

test('clients are assigned by the percentage, and stay there for an hour', async () => {
  await rules(30);
  const answers = await Promise.all(Array.from({ length: 400 }, () => said(azure, production)));
  const moved = answers.filter(({ text }) => text === 'new');
  // 400 draws at 0.3: outside of 75 to 165 once in 10^6 runs (normal approximation, 5 standard deviations of 9.2).
  expect(moved.length).toBeGreaterThan(75);
  expect(moved.length).toBeLessThan(165);
  for (const { text, cookie } of answers) {
    expect(cookie).toContain(`x-ms-routing-name=${text === 'new' ? 'staging' : 'self'}; Max-Age=3600`);
  }
});

test('a cookie keeps its client on the slot, whatever the rules say later (azure-docs#58514)', async () => {
  const pinned = { headers: { cookie: 'a=b; x-ms-routing-name=staging' } };
  for (const percent of [10, 0, null]) {
    await rules(percent);
    expect(await said(azure, production, pinned)).toMatchObject({ text: 'new' });
  }
  await rules(100);
  expect(await said(azure, production, { headers: { cookie: 'x-ms-routing-name=self' } })).toMatchObject({
    text: 'old',
  });
});

test('the query parameter selects a slot with a rule, even at 0 %; without a rule it has no effect', async () => {
  const asking = { path: '/?x-ms-routing-name=staging' };
  expect(await said(azure, production, asking)).toMatchObject({ text: 'old' });
  await rules(0);
  expect(await said(azure, production, asking)).toMatchObject({ text: 'new' });
  expect(await said(azure, production)).toMatchObject({ text: 'old' });
  await rules(100);
  expect(await said(azure, production, { path: '/?x-ms-routing-name=self' })).toMatchObject({ text: 'old' });
});

test("a slot's own host reaches only the slot, and names it", async () => {
  await rules(0);
  expect(await said(azure, staging)).toMatchObject({ text: 'new', slot: 'staging', site: 'shop', cookie: '' });
  expect(await said(azure, production)).toMatchObject({ text: 'old', slot: 'Production' });
});

test('invalid rules are refused', async () => {
  await expect(rules(101)).rejects.toMatchObject({ statusCode: 400 });
  await expect(rules(-1)).rejects.toMatchObject({ statusCode: 400 });
});

test('requests are counted by release, and by slot and minute', async () => {
  const release = 'r-000000000001';
  await sdk(azure).webApps.updateApplicationSettingsSlot(GROUP, 'shop', 'staging', {
    properties: { SLUICE_RELEASE: release },
  });
  await Promise.all([said(azure, staging), said(azure, staging), said(azure, staging)]);
  expect(azure.traffic.byRelease()[release]).toEqual({ requests: 3, failed: 0 });
});

test('a crashed application is restarted by the next request; one that cannot start answers 503', async () => {
  const client = sdk(azure);
  await azure.createSite({ name: 'crashing', resourceGroup: GROUP });
  const { host, scm } = await hosts(client, 'crashing');
  await publish(
    azure,
    scm,
    server(
      'here',
      `answer = ({ url }) => { if (url === '/die') setTimeout(() => process.exit(1)); return [200, {}]; };`,
    ),
  );
  const first = await said(azure, host);
  await said(azure, host, { path: '/die' });
  await until(async () => {
    const next = await said(azure, host);
    return next.status === 200 && next.pid !== first.pid;
  });
  await publish(azure, scm, packageOf({ 'readme.txt': 'no server here' }));
  const answer = await ask(azure, `https://${host}/`);
  expect(answer.status).toBe(503);
  expect(answer.body.toString('utf8')).toContain('nothing to start');
});
