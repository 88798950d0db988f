import { type EmulatedAzure, startAzure } from '../../../emulators/azure/index.js';
import { mark } from '../../../src/model/ids.js';
import { findSplits } from '../../../src/platforms/app-service/driver/sweep.js';
import { ALONE, createBudget } from '../../../src/platforms/drivers.js';
import { packageOf } from '../../emulators/azure/app.js';
import { clientsOf, seed } from '../../support/azure.js';
import { context } from '../../support/context.js';

let azure: EmulatedAzure;
beforeAll(async () => {
  azure = await startAzure();
});
afterAll(() => azure.stop());

test('sweep finds the sites with our mark and split traffic in all resource groups, and says what to do', async () => {
  const made = async (name: string, tags: Record<string, string>, reroutePercentage: number) => {
    const site = await azure.createSite({ name, resourceGroup: `group-of-${name}`, slots: ['staging'], tags });
    await seed(azure, site.production, 'r-aaaaaaaaaaaa', packageOf({ 'server.js': '' }), new Date());
    site.production.configuration.experiments = { rampUpRules: [{ name: 'staging', reroutePercentage }] };
  };
  const sluice = mark('shop', 'production', 'run-1', 'shift-10');
  await made('left', { sluice }, 10);
  await made('whole', { sluice }, 0);
  await made('foreign', {}, 10);
  const { subscription } = azure;
  const target = {
    platform: 'app-service',
    account: subscription,
    region: 'westeurope',
    resourceGroup: '(all)',
    site: '(all)',
  } as const;
  const found = await findSplits({
    ctx: context(),
    target,
    clients: clientsOf(azure),
    budget: createBudget({ perSecond: 100, share: () => ALONE }),
    waits: { serving: 1_000, operation: 1_000 },
  });
  expect(found).toEqual([
    {
      target: 'left',
      app: 'shop',
      environment: 'production',
      run: 'run-1',
      split: expect.stringContaining('10 %'),
      cure: 'az webapp traffic-routing clear --name left --resource-group group-of-left',
    },
  ]);
});
