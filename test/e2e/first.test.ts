/** A first deployment that is taken back stays taken back, also where its creation lands late. */
import type { AskedWrite } from '../../emulators/aws/gateway.js';
import { functionWith } from '../emulators/aws/functions.js';
import { NEVER, until } from '../support/until.js';
import { startWorld, type World } from './target.js';

/** Of a call, in ms: instead of the minute that it may take. */
const LIFE = 15_000;
const BAKING = { strategy: { type: 'direct', bake: '1h' } };

let world: World;
/** What a write waits for before it takes effect. */
let before: (asked: AskedWrite) => Promise<void> = async () => undefined;

beforeAll(async () => {
  const env = { SLUICE_CALL_LIFE: String(LIFE) };
  world = await startWorld('first', () => env, { beforeWrite: (asked) => before(asked) });
});

afterAll(() => world?.stop());

/** The writes of aliases that took effect. */
const aliasWrites = (app: string) =>
  world.stack.aws
    .writes()
    .filter((write) => write.function === app && write.operation.endsWith('Alias') && write.error === null)
    .map(({ operation }) => operation);

/** Starts a first deployment, whose creation of the alias waits, and aborts it. Returns what lets it land. */
async function abortedWhileCreating(app: string, fields: object): Promise<() => void> {
  let land = () => {};
  const landing = new Promise<void>((go) => {
    land = go;
  });
  let asked = false;
  before = async ({ operation, function: fn }) => {
    if (operation !== 'CreateAlias' || fn !== app) return;
    asked = true;
    await landing;
  };
  await world.start(app, 'ann', { ...BAKING, ...fields });
  await until('the creation', async () => asked);
  await world.sluice.verb(world.at(app), 'abort', { by: 'ann' });
  await until('the look for late calls', async () => {
    const { view } = await world.sluice.status(world.at(app));
    return view?.phase === 'restoring' && view.reason?.startsWith('watching for 15s');
  });
  return land;
}

test('an alias that a late call created after all is deleted, and the target stays locked meanwhile', async () => {
  const app = 'late';
  await functionWith(world.lambda, app, ['return 1']);
  // Nobody may delete this version, so that its alias can come late.
  const land = await abortedWhileCreating(app, { release: { version: 1 } });
  land();
  await until('the creation that comes late', async () => aliasWrites(app).includes('CreateAlias'));
  await expect(world.start(app, 'ben', BAKING)).rejects.toMatchObject({ code: 'SLUICE_ALREADY_RUNNING' });
  const { view } = await world.sluice.wait(world.at(app), 'done', { signal: AbortSignal.timeout(NEVER) });
  expect(view).toMatchObject({ outcome: 'rolledBack', reason: 'aborted by ann' });
  expect(aliasWrites(app).at(-1)).toBe('DeleteAlias');
  await expect(world.alias(app)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('a late call creates nothing if the rollout has published the version', async () => {
  const app = 'published';
  const land = await abortedWhileCreating(app, {});
  land();
  const { view } = await world.sluice.wait(world.at(app), 'done', { signal: AbortSignal.timeout(NEVER) });
  expect(view).toMatchObject({ outcome: 'rolledBack' });
  expect(aliasWrites(app)).toEqual([]);
  await expect(world.alias(app)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});
