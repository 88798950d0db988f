import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { accountActivities } from '../../activities/account.js';
import type { Artifact } from '../../src/model/spec.js';
import type { CallContext, PlatformDriver } from '../../src/platforms/port.js';
import { OPEN } from '../support/access.js';
import { artifactsIn, NO_ARTIFACTS } from '../support/artifacts.js';
import { egressFor } from '../support/egress.js';
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
    egressOf: () => egressFor(),
    artifacts: NO_ARTIFACTS,
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

test('a driver sees what the previous attempt left, and a heartbeat keeps it', async () => {
  const told = await promoted({ swap: 'accepted' }, (ctx) => {
    expect(ctx.lastHeartbeat()).toEqual({ swap: 'accepted' });
    ctx.heartbeat();
  });
  expect(told).toEqual([{ swap: 'accepted' }]);
});

test('the last details of a driver stay until it gives others', async () => {
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

test('code that is not in the store, or does not match its digest, is not planned', async () => {
  const store = mkdtempSync(path.join(tmpdir(), 'sluice-account-'));
  const artifacts = artifactsIn(store);
  const activities = accountActivities({
    driverFor: () => ({ inspect: () => Promise.reject(new Error('it came this far')) }) as unknown as PlatformDriver,
    egressOf: () => egressFor(),
    artifacts,
    access: OPEN,
    sweep: async () => [],
  });
  const env = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  const planned = (artifact: Artifact) => {
    const spec = specFor({ type: 'direct', bake: 0 }, { release: { artifact } });
    return [
      () => env.run(activities.inspect, { spec, grant: null }),
      () => env.run(activities.prepare, { spec, run: 'run1', grant: null }),
    ];
  };
  const refused = (said: string) => ({ type: 'SLUICE_ARTIFACT', message: expect.stringContaining(said) });
  try {
    const kept = await artifacts.pack('examples/checkout/v1', 'lambda');
    for (const call of planned(kept)) await expect(call()).rejects.toThrow('it came this far');
    for (const call of planned({ ...kept, sha256: '0'.repeat(64) })) {
      await expect(call()).rejects.toMatchObject(refused("is not in this worker's artifact store"));
    }
    for (const call of planned({ ...kept, bytes: 1 })) {
      await expect(call()).rejects.toMatchObject(refused('use the argument that `sluice pack` prints'));
    }
    for (const call of planned(kept)) await expect(call()).rejects.toThrow('it came this far');
  } finally {
    rmSync(store, { recursive: true });
  }
});
