import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { folderStore } from '../../src/store/folder.js';
import { storeSuite } from './conformance.js';

let home: string;
let folder: string;
beforeAll(() => {
  home = mkdtempSync(path.join(tmpdir(), 'sluice-store-'));
  folder = path.join(home, 'store');
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

storeSuite('a folder', () => folderStore({ folder, group: false }));

const modeOf = (at: string) => (statSync(at).mode & 0o7777).toString(8);

test.each([
  ['its user only', false, '700', '400'],
  ['its whole group', true, '2770', '440'],
])('a store is accessible to %s, whatever the umask', async (_, group, dir, file) => {
  const root = path.join(home, `modes-${group}`);
  const umask = process.umask(0o077);
  try {
    await folderStore({ folder: root, group }).create('default/shop/x.zip', Buffer.from('x'));
  } finally {
    process.umask(umask);
  }
  for (const at of ['', 'default', 'default/shop']) expect(modeOf(path.join(root, at))).toBe(dir);
  expect(modeOf(path.join(root, 'default/shop/x.zip'))).toBe(file);
});

test('an interrupted write leaves no named file', async () => {
  const root = path.join(home, 'broken');
  mkdirSync(path.join(root, 'default'), { recursive: true });
  writeFileSync(path.join(root, 'default', 'x.zip.0123.unfinished'), 'half');
  const store = folderStore({ folder: root, group: false });
  expect(await store.read('default/x.zip', 100)).toBeNull();
  const found = [];
  for await (const each of store.list('')) found.push(each);
  expect(found).toEqual([]);
  await store.create('default/x.zip', Buffer.from('whole'));
  expect(readdirSync(path.join(root, 'default')).sort()).toEqual(['x.zip', 'x.zip.0123.unfinished']);
});

test('reads no file outside the store, whatever links lead there, and nothing endless', async () => {
  const root = path.join(home, 'links');
  mkdirSync(root, { recursive: true });
  writeFileSync(path.join(home, 'secret'), 'k');
  symlinkSync(path.join(home, 'secret'), path.join(root, 'link.zip'));
  execFileSync('mkfifo', [path.join(root, 'pipe.zip')]);
  writeFileSync(path.join(root, 'large.zip'), '');
  truncateSync(path.join(root, 'large.zip'), 1024 ** 4);
  const store = folderStore({ folder: root, group: false });
  for (const key of ['link.zip', 'pipe.zip', 'large.zip']) {
    expect(await store.read(key, 100)).toMatchObject({ bytes: null });
  }
});

test('a store that is not a folder says which path it is', async () => {
  const file = path.join(home, 'a-file');
  writeFileSync(file, '');
  chmodSync(file, 0o600);
  await expect(folderStore({ folder: file, group: false }).create('a/b', Buffer.alloc(0))).rejects.toMatchObject({
    code: 'SLUICE_PROVIDER',
    message: expect.stringContaining(`the artifact store ${file} cannot be used (ENOTDIR)`),
  });
});
