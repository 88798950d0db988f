import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { accountActivities } from '../../activities/account.js';
import type { CallContext, PlatformDriver } from '../../activities/platform/platform.js';
import { OPEN } from '../support/access.js';
import { outsideFor } from '../support/outside.js';
import { specFor } from '../support/specs.js';

/** Plays a promotion whose driver does `work`, after an attempt that left `details`. Returns what the server was told. */
async function promoted(details: unknown, work: (ctx: CallContext) => void): Promise<unknown[]> {
  const told: unknown[] = [];
  const env = new MockActivityEnvironment({ heartbeatDetails: details });
  env.on('heartbeat', (said: unknown) => told.push(said));
  const split = { stable: '2', candidate: null, weight: 0 };
  const promote: PlatformDriver['promote'] = async (ctx) => {
    work(ctx);
    return { revision: 'r', split };
  };
  const activities = accountActivities({
    driverFor: () => ({ promote }) as unknown as PlatformDriver,
    outsideOf: () => outsideFor(),
    store: '',
    releaseDirs: null,
    access: OPEN,
    sweep: async () => [],
  });
  const spec = specFor({ type: 'direct', bake: 0 });
  const args = {
    spec,
    candidate: '2',
    fence: { revision: null, mark: 'm' },
    grant: null,
    receipts: [],
    deployed: null,
  };
  expect(await env.run(activities.promote, args)).toEqual({ revision: 'r', split });
  return told;
}

test('a driver sees what the attempt before it left, and a sign of life keeps it', async () => {
  const told = await promoted({ swap: 'accepted' }, (ctx) => {
    expect(ctx.lastHeartbeat()).toEqual({ swap: 'accepted' });
    ctx.heartbeat();
  });
  expect(told).toEqual([{ swap: 'accepted' }]);
});

test('the last details of a driver stand until it gives others', async () => {
  const told = await promoted(undefined, (ctx) => {
    expect(ctx.lastHeartbeat()).toBeUndefined();
    ctx.heartbeat({ swap: 'asked' });
    ctx.heartbeat();
    ctx.heartbeat({ swap: 'accepted' });
    ctx.heartbeat();
    expect(ctx.lastHeartbeat()).toBeUndefined();
  });
  expect(told.map((said) => (said as { swap: string }).swap)).toEqual(['asked', 'asked', 'accepted', 'accepted']);
});

test('code from outside of the folders of releases is not packed, and not planned', async () => {
  const store = mkdtempSync(path.join(tmpdir(), 'sluice-account-'));
  const outside = mkdtempSync(path.join(tmpdir(), 'sluice-secrets-'));
  writeFileSync(path.join(outside, 'grant.key'), 'k');
  const activities = accountActivities({
    driverFor: () => ({ inspect: () => Promise.reject(new Error('it came this far')) }) as unknown as PlatformDriver,
    outsideOf: () => outsideFor(),
    ...{ store, releaseDirs: [path.resolve('examples')] },
    access: OPEN,
    sweep: async () => [],
  });
  try {
    for (const release of [{ folder: outside }, { zip: path.join(outside, 'grant.key') }]) {
      const spec = specFor({ type: 'direct', bake: 0 }, { release });
      const env = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
      const refused = { type: 'SLUICE_ARTIFACT', message: expect.stringContaining('SLUICE_RELEASE_DIRS') };
      await expect(env.run(activities.inspect, { spec, grant: null })).rejects.toMatchObject(refused);
      await expect(env.run(activities.prepare, { spec, run: 'run1', grant: null })).rejects.toMatchObject(refused);
    }
    expect(readdirSync(store)).toEqual([]);
  } finally {
    for (const folder of [store, outside]) rmSync(folder, { recursive: true });
  }
});
