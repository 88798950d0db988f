/** Nothing that a queue, a running rollout or a ledger needs is deleted, however old; and nothing at all while one does not answer. */
import { mkdtempSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DIRECT, SLOW, startWorld, type World } from './target.js';

const OLD = new Date(Date.now() - 40 * 86_400_000);
const PLACE = { account: 'default', region: 'us-east-1' };
let world: World;
beforeAll(async () => {
  world = await startWorld('prune');
});
afterAll(() => world?.stop());

function files(): string[] {
  return readdirSync(world.stack.store, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => path.join(each.parentPath, each.name));
}

test('prune keeps what waits or runs, deletes what nothing refers to, and keeps everything if a companion cannot be read', async () => {
  const app = 'kept';
  const code = mkdtempSync(path.join(world.folder, 'code-'));
  const fields = (answer: string, strategy: object) => {
    const body = `export const handler = async () => ({ statusCode: 200, body: '${answer}' });\n`;
    writeFileSync(path.join(code, 'index.mjs'), body);
    return { ...strategy, release: { folder: code } };
  };
  await world.end(app, await world.start(app, 'ann', fields('forgotten', DIRECT)));
  await world.start(app, 'ann', fields('running', SLOW));
  await world.phase(app, 'baking');
  await world.start(app, 'ann', fields('queued', DIRECT), 'queue');
  for (const file of files()) utimesSync(file, OLD, OLD);
  const all = files().length;

  const found = await world.sluice.prune({ ...PLACE, remove: false });
  expect(found.map(({ removed }) => removed)).toEqual([false]);
  expect(files()).toHaveLength(all);

  await world.stack.worker.stop();
  await expect(world.sluice.prune({ ...PLACE, remove: true })).rejects.toMatchObject({
    code: 'SLUICE_NO_WORKER',
    message: expect.stringContaining('nothing was deleted'),
  });
  expect(files()).toHaveLength(all);
});
