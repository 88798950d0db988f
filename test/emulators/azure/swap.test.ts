import { restorePoller } from '@azure/arm-appservice';
import { type EmulatedAzure, startAzure } from '../../../emulators/azure/index.js';
import { server } from './app.js';
import { ask, GROUP, hosts, publish, said, sdk, until } from './client.js';

/** Contract: "Set up staging environments in Azure App Service", what happens during a swap. */
let azure: EmulatedAzure;
beforeAll(async () => {
  azure = await startAzure({ warmUp: { everyMs: 20 }, throttle: false });
});
afterAll(() => azure.stop());

const PRODUCTION = { targetSlot: 'production', preserveVnet: true };
let made = 0;

/** A site whose production says old, and whose slot says new. */
async function site(code = '') {
  const name = `swap-${++made}`;
  await azure.createSite({ name, resourceGroup: GROUP, slots: ['staging'] });
  const client = sdk(azure);
  const [production, staging] = [await hosts(client, name), await hosts(client, name, 'staging')];
  const { webApps } = client;
  await webApps.updateSlotConfigurationNames(GROUP, name, { appSettingNames: ['STAYS'] });
  await webApps.updateApplicationSettings(GROUP, name, { properties: { STAYS: 'production', TRAVELS: 'old' } });
  await webApps.updateApplicationSettingsSlot(GROUP, name, 'staging', {
    properties: { STAYS: 'staging', TRAVELS: 'new' },
  });
  await publish(azure, production.scm, server('old'));
  await publish(azure, staging.scm, server('new', code));
  return { name, client, webApps, production, staging };
}

test('content and settings are exchanged, sticky settings stay, and no user request fails meanwhile', async () => {
  const { name, webApps, production, staging } = await site();
  let going = true;
  const answers: { status: number; text: string }[] = [];
  const users = (async () => {
    while (going) answers.push((await said(azure, production.host)) as never);
  })();
  await webApps.swapSlot(GROUP, name, 'staging', PRODUCTION).pollUntilDone();
  going = false;
  await users;
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(await said(azure, production.host)).toMatchObject({ text: 'new', stays: 'production', travels: 'new' });
  expect(await said(azure, staging.host)).toMatchObject({ text: 'old', stays: 'staging', travels: 'old' });
  const found = await webApps.get(GROUP, name);
  expect(found.slotSwapStatus).toMatchObject({ sourceSlotName: 'staging', destinationSlotName: 'production' });
  expect(found.inProgressOperationId).toBeUndefined();
});

test("while a swap runs, writes and another swap get 409 in App Service's own form", async () => {
  const { name, webApps, production } = await site();
  azure.faults.set([{ operations: ['Swap'], times: 1, effect: { hangs: true } }]);
  const poller = webApps.swapSlot(GROUP, name, 'staging', PRODUCTION);
  await poller.submitted();
  expect((await webApps.get(GROUP, name)).inProgressOperationId).toBeDefined();
  // azure-functions-host#11384; the SDK loses the code (azure-sdk-for-java#1827).
  let text = '';
  const again = webApps.swapSlot(
    GROUP,
    name,
    'staging',
    { ...PRODUCTION },
    {
      onResponse: ({ bodyAsText }) => {
        text = bodyAsText ?? '';
      },
    },
  );
  await expect(again.pollUntilDone()).rejects.toMatchObject({ statusCode: 409 });
  expect(JSON.parse(text)).toMatchObject({
    Code: 'Conflict',
    Message: expect.stringContaining('another operation is in progress'),
  });
  await expect(webApps.updateApplicationSettings(GROUP, name, { properties: {} })).rejects.toMatchObject({
    statusCode: 409,
  });
  expect(await said(azure, production.host)).toMatchObject({ text: 'old' });
  azure.faults.clear();
  await poller.pollUntilDone();
  expect(await said(azure, production.host)).toMatchObject({ text: 'new' });
});

test("another client can follow an operation from the poller's state, with one POST", async () => {
  const { name, webApps } = await site();
  azure.clearWrites();
  const poller = webApps.swapSlot(GROUP, name, 'staging', PRODUCTION);
  await poller.submitted();
  const state = await poller.serialize();
  const other = sdk(azure);
  await restorePoller(other, state, other.webApps.swapSlot).pollUntilDone();
  expect(azure.writes().map(({ operation }) => operation)).toEqual(['SwapSlot']);
});

test('a ping that never gets a listed status fails the swap, and production is untouched', async () => {
  const { name, webApps, production, staging } = await site('answer = () => [500, {}];');
  const properties = {
    ...(await webApps.listApplicationSettingsSlot(GROUP, name, 'staging')).properties,
    WEBSITE_SWAP_WARMUP_PING_PATH: '/ready',
    WEBSITE_SWAP_WARMUP_PING_STATUSES: '200,202',
  };
  await webApps.updateApplicationSettingsSlot(GROUP, name, 'staging', { properties });
  // azure-functions-host#8969; the failure is an answer 417 of the operation's address.
  const swap = webApps.swapSlot(GROUP, name, 'staging', PRODUCTION);
  await expect(swap.pollUntilDone()).rejects.toMatchObject({ statusCode: 417 });
  const results = Object.values(azure.state.operations).map((result) => JSON.stringify(result?.body));
  expect(results.at(-1)).toContain('did not respond to http ping');
  expect(await said(azure, production.host)).toMatchObject({ text: 'old' });
  expect(await said(azure, staging.host)).toMatchObject({ text: 'new', stays: 'staging', status: 500 });
});

test('without listed statuses a ping answered with 500 counts as warm, as on the platform', async () => {
  const { name, webApps, production } = await site('answer = () => [500, {}];');
  await webApps.swapSlot(GROUP, name, 'staging', PRODUCTION).pollUntilDone();
  expect(await said(azure, production.host)).toMatchObject({ text: 'new', status: 500 });
});

test("with preview the slot gets production's settings first, and then the swap is completed", async () => {
  const { name, webApps, production, staging } = await site();
  await webApps.applySlotConfigurationSlot(GROUP, name, 'staging', PRODUCTION);
  expect(await said(azure, staging.host)).toMatchObject({ text: 'new', stays: 'production', travels: 'new' });
  expect((await webApps.get(GROUP, name)).targetSwapSlot).toBe('staging');
  // azure-cli#27820
  await expect(webApps.updateApplicationSettings(GROUP, name, { properties: {} })).rejects.toMatchObject({
    statusCode: 409,
  });
  await webApps.swapSlot(GROUP, name, 'staging', PRODUCTION).pollUntilDone();
  expect(await said(azure, production.host)).toMatchObject({ text: 'new', stays: 'production' });
  expect(await said(azure, staging.host)).toMatchObject({ text: 'old', stays: 'staging' });
});

test('a reset ends a preview, and a preview is refused with site authentication', async () => {
  const { name, webApps, staging } = await site();
  await webApps.applySlotConfigurationSlot(GROUP, name, 'staging', PRODUCTION);
  await webApps.resetSlotConfigurationSlot(GROUP, name, 'staging');
  await until(async () => (await said(azure, staging.host)).stays === 'staging');
  expect((await webApps.get(GROUP, name)).targetSwapSlot).toBeUndefined();
  await webApps.updateAuthSettingsV2(GROUP, name, { platform: { enabled: true } });
  await expect(webApps.applySlotConfigurationSlot(GROUP, name, 'staging', PRODUCTION)).rejects.toMatchObject({
    statusCode: 400,
  });
});

test('a failed swap can leave the slots prepared until a reset', async () => {
  const { name, webApps, production } = await site();
  azure.faults.set([
    {
      operations: ['Swap'],
      times: 1,
      effect: { fails: 'The allocation of VM instances has changed during the swap. Please retry.' },
    },
  ]);
  await expect(webApps.swapSlot(GROUP, name, 'staging', PRODUCTION).pollUntilDone()).rejects.toThrow();
  expect((await webApps.get(GROUP, name)).targetSwapSlot).toBe('staging');
  await webApps.resetSlotConfigurationSlot(GROUP, name, 'staging');
  await webApps.swapSlot(GROUP, name, 'staging', PRODUCTION).pollUntilDone();
  expect(await said(azure, production.host)).toMatchObject({ text: 'new' });
});

test('both slots must be running', async () => {
  const { name, webApps, staging } = await site();
  await webApps.stopSlot(GROUP, name, 'staging');
  expect((await ask(azure, `https://${staging.host}/`)).status).toBe(403);
  await expect(webApps.swapSlot(GROUP, name, 'staging', PRODUCTION).pollUntilDone()).rejects.toMatchObject({
    statusCode: 400,
  });
});
