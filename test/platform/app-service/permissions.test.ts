import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { AzureMonitorMetric } from '../../../src/model/spec.js';
import { ACTIONS } from '../../../src/platforms/app-service/driver/permissions.js';
import { ROOT } from '../../support/tools.js';
import { context, failure, Stack } from './stack.js';

const METRIC: AzureMonitorMetric = { name: 'requests', kind: 'azureMonitor', every: 1_000, delay: 0, dryRun: false };

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(() => stack.stop());

test('the role on docs/platforms.md is the one that the driver needs', () => {
  const page = readFileSync(path.join(ROOT, 'docs/platforms.md'), 'utf8');
  const [, role = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  expect((JSON.parse(role) as { Actions: string[] }).Actions).toEqual([...ACTIONS]);
});

test('the role allows what the driver calls, and nothing else', async () => {
  const driver = stack.driver();
  const canary = await stack.rollout();
  canary.site.functions({ api: 'httpTrigger' });
  await driver.inspect(context(), canary.spec);
  await canary.shift(10);
  const from = Date.now();
  const of = { spec: canary.spec, stable: canary.stable, candidate: canary.release.version, from };
  const source = driver.source(METRIC, { ...of, isProbe: () => false, now: () => from + 60_000 });
  await source?.read(context(), from - 60_000);
  await canary.restore('shift');
  const replaced = await stack.rollout({ configuration: { idle: 'stop' } });
  replaced.site.production.instances = 2;
  await replaced.promote();
  await driver.retire(context(), { spec: replaced.spec, keep: [] });
  const next = { ...replaced.spec, release: { artifact: await stack.pack('next') } };
  const { before } = await driver.inspect(context(), next);
  await driver.deploy(context(), { spec: next, before, mark: 'sluice:a/b:run2:deploy' });
  const bad = await stack.rollout();
  bad.site.breakSlot();
  await failure(bad.promote());
  const direct = await stack.site();
  const spec = stack.spec(direct, { strategy: { type: 'direct', bake: 0 }, release: next.release }, {});
  const seen = await driver.inspect(context(), spec);
  const { release } = await driver.deploy(context(), { spec, before: seen.before, mark: 'sluice:a/b:run3:deploy' });
  const fence = { revision: seen.before.revision, mark: 'sluice:a/b:run3:promote' };
  await driver.promote(context(), { spec, candidate: release.version, fence });
  expect(stack.azure.actions()).toEqual(ACTIONS.map((action) => action.toLowerCase()).sort());
});
