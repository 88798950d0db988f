/** The first look at a target, before anything is written. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspectAndPlan } from '../../activities/prepare.js';
import { packFolder } from '../../src/artifact/index.js';
import type { BeforeState, PlatformDriver } from '../../src/platforms/port.js';
import { packingOf } from '../../src/platforms/registry.js';
import { openArtifacts } from '../../src/store/index.js';
import { OPEN } from '../support/access.js';
import { context } from '../support/context.js';
import { egressFor } from '../support/egress.js';
import { specFor } from '../support/specs.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'sluice-prepare-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test('preparing downloads the code once, even if the driver reads it, and does not keep it afterwards', async () => {
  writeFileSync(path.join(home, 'index.js'), 'export const one = 1;');
  const packed = await packFolder(home, packingOf('lambda'));
  const store = path.join(home, 'store');
  const artifacts = openArtifacts({ setting: store, namespace: 'default', env: {}, cwd: home });
  const { probes: _none, ...health } = specFor({ type: 'direct', bake: { min: 1, max: 1 } } as never).health;
  const spec = specFor({ type: 'direct', bake: { min: 1, max: 1 } } as never, {
    release: { artifact: packed.artifact },
    health: { ...health, probes: [] },
  });
  await artifacts.of(spec).put(packed);
  const before = { split: { stable: '1', candidate: null, weight: 0 } } as BeforeState;
  let seen = 0;
  const driver = {
    inspect: async () => {
      // What is read from here on comes from no store.
      rmSync(store, { recursive: true });
      seen = (await artifacts.of(spec).read(packed.artifact)).length;
      return { before, findings: [] };
    },
  } as unknown as PlatformDriver;
  const egress = egressFor();
  await inspectAndPlan(context(), driver, spec, { artifacts, egress, own: egress, access: OPEN });
  expect(seen).toBe(packed.zip.length);
  await expect(artifacts.of(spec).read(packed.artifact)).rejects.toMatchObject({ code: 'SLUICE_ARTIFACT' });
});
