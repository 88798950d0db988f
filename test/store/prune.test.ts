/** What the sweeper may delete: nothing that was used in the last 30 days, and nothing that is held. */
import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { folderStore } from '../../src/store/folder.js';
import { KEPT_UNUSED, removeUnused, unusedIn } from '../../src/store/prune.js';

const DAY = 86_400_000;
const [OLD, HELD, USED, FRESH, WRONG] = ['a', 'b', 'c', 'd', 'e'].map(
  (digit) => `default/shop/${digit.repeat(64)}.zip`,
) as [string, string, string, string, string];
let folder: string;
let now: number;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-prune-'));
  now = Date.now();
  for (const [key, days] of [
    [OLD, 40],
    [`${OLD}.used/2026-10-01`, 32],
    [HELD, 40],
    [USED, 40],
    [`${USED}.used/2026-11-01`, 29],
    [FRESH, 1],
    [`${WRONG}.wrong/1`, 40],
    [`another/shop/${'f'.repeat(64)}.zip`, 40],
    ['default/shop/notes.txt', 40],
  ] as const) {
    await store().create(key, Buffer.from('x'));
    const at = new Date(now - days * DAY);
    utimesSync(path.join(folder, key), at, at);
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const store = () => folderStore({ folder, group: false });
const found = () =>
  unusedIn(store(), { prefix: 'default/', before: now - KEPT_UNUSED, held: new Set(['b'.repeat(64)]) });
const left = () =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => path.relative(folder, path.join(each.parentPath, each.name)));

test('prune finds what nothing has stored, used or held for 30 days in this namespace', async () => {
  const unused = await found();
  expect(unused.map(({ name }) => name).sort()).toEqual([OLD, WRONG]);
  for (const one of unused) expect(await removeUnused(store(), one)).toBe(true);
  expect(left().sort()).toEqual(
    [
      `another/shop/${'f'.repeat(64)}.zip`,
      HELD,
      USED,
      `${USED}.used/2026-11-01`,
      FRESH,
      'default/shop/notes.txt',
    ].sort(),
  );
});

test('what is stored or used between finding and deleting stays', async () => {
  const unused = await found();
  await store().create(`${OLD}.used/2026-11-30`, Buffer.alloc(0));
  expect(await Promise.all(unused.map((one) => removeUnused(store(), one)))).toEqual(
    unused.map(({ name }) => name !== OLD),
  );
  expect(left()).toContain(OLD);
});
