/** A first deployment that was taken back is created after its rollout's end; the companion takes it away, by a worker's seal. */
import { randomBytes } from 'node:crypto';
import type { AskedWrite } from '../../emulators/aws/gateway.js';
import { functionWith } from '../emulators/aws/functions.js';
import { NEVER, until } from '../support/until.js';
import { startWorld, type World } from './target.js';

/** In ms. The companion looks after ten and sixty times as long. */
const CALL_LIFE = 1_000;
const APP = 'later';

let world: World;
/** What a write waits for before it takes effect. */
let before: (asked: AskedWrite) => Promise<void> = async () => undefined;

beforeAll(async () => {
  const env = { SLUICE_CALL_LIFE: String(CALL_LIFE), SLUICE_GRANT_KEY: randomBytes(32).toString('base64') };
  world = await startWorld('later', () => env, { beforeWrite: (asked) => before(asked) });
});

afterAll(() => world?.stop());

test('the companion deletes what appears after the end of the rollout, and `sluice releases` says so', async () => {
  await functionWith(world.lambda, APP, ['return 1']);
  let land = () => {};
  const landing = new Promise<void>((go) => {
    land = go;
  });
  let asked = false;
  before = async ({ operation, function: fn }) => {
    if (operation !== 'CreateAlias' || fn !== APP) return;
    asked = true;
    await landing;
  };
  // Nobody may delete this version, so that its alias can come late.
  await world.start(APP, 'ann', { strategy: { type: 'direct', bake: '1h' }, release: { version: 1 } });
  await until('the creation', async () => asked);
  await world.sluice.verb(world.at(APP), 'abort', { by: 'ann' });
  const { view } = await world.sluice.wait(world.at(APP), 'done', { signal: AbortSignal.timeout(NEVER) });
  expect(view).toMatchObject({ outcome: 'rolledBack' });

  land();
  const { takenBack } = await until('the look', async () => {
    const found = await world.ledger(APP);
    return found?.takenBack == null ? null : found;
  });
  expect(takenBack).toEqual({ version: '1', run: view?.run, at: expect.any(Number) });
  const writes = world.stack.aws.writes().filter((write) => write.function === APP && write.error === null);
  expect(writes.map(({ operation }) => operation).filter((name) => name.endsWith('Alias'))).toEqual([
    'CreateAlias',
    'DeleteAlias',
  ]);
  await expect(world.alias(APP)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  expect((await world.cli(['releases', APP])).out).toContain(`release 1 appeared after run ${view?.run}`);
});
