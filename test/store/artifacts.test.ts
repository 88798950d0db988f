/** Artifacts by their digest: what a client puts there is what a worker reads, or nothing is. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packFolder } from '../../src/artifact/index.js';
import { packingOf } from '../../src/platforms/registry.js';
import { openArtifacts } from '../../src/store/index.js';
import { storeSetting } from '../../src/store/setting.js';

const PLACE = { account: 'prod', region: 'eu-west-1' };
let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'sluice-artifacts-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const shelf = (setting = path.join(home, 'store'), app = 'shop', namespace = 'default') =>
  openArtifacts({ setting, namespace, env: {}, cwd: home }).of({ app, target: PLACE });
const code = (text: string) => {
  const folder = mkdtempSync(path.join(home, 'code-'));
  writeFileSync(path.join(folder, 'index.js'), text);
  return packFolder(folder, packingOf('lambda'));
};
const names = (at: string) =>
  readdirSync(path.join(home, at), { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => path.relative(path.join(home, at), path.join(each.parentPath, each.name)))
    .sort();

test('are stored under namespace, app and digest, and a use is recorded once a day', async () => {
  const packed = await code('one');
  const { sha256 } = packed.artifact;
  expect(await shelf().put(packed)).toEqual(packed.artifact);
  await shelf().put(packed);
  expect((await shelf().read(packed.artifact)).equals(packed.zip)).toBe(true);
  const today = new Date().toISOString().slice(0, 10);
  expect(names('store')).toEqual([`default/shop/${sha256}.zip`, `default/shop/${sha256}.zip.used/${today}`]);
});

test('belong to one app in one namespace', async () => {
  const packed = await code('one');
  await shelf().put(packed);
  for (const other of [shelf(undefined, 'another'), shelf(undefined, 'shop', 'another')]) {
    await expect(other.read(packed.artifact)).rejects.toMatchObject({
      code: 'SLUICE_ARTIFACT',
      message: expect.stringContaining(
        `is not in this worker's artifact store ${path.join(home, 'store')}. Start again with SLUICE_STORE set to that store`,
      ),
    });
  }
});

test('cannot escape the store through the name of a namespace or an app', async () => {
  await shelf(undefined, '..', '../..').put(await code('one'));
  expect(names('store')).toHaveLength(2);
});

test('with wrong bytes are moved aside and stored again; the size that a start claims moves nothing aside', async () => {
  const packed = await code('one');
  await shelf().put(packed);
  const claimed = { ...packed.artifact, bytes: 3 };
  await expect(shelf().read(claimed)).rejects.toMatchObject({
    message: expect.stringContaining('has 3 bytes, and it has'),
  });
  await expect(shelf().read(packed.artifact)).resolves.toHaveLength(packed.zip.length);

  const file = path.join(home, 'store', 'default', 'shop', `${packed.artifact.sha256}.zip`);
  chmodSync(file, 0o600);
  for (const wrong of ['other', 'x'.repeat(100_000)]) {
    rmSync(file);
    writeFileSync(file, wrong);
    // Whoever may only create finds it there, and cannot mend it.
    await shelf().put(packed);
    await expect(shelf().read(packed.artifact)).rejects.toMatchObject({
      code: 'SLUICE_ARTIFACT',
      message: expect.stringMatching(/does not match its SHA-256, and was moved aside\. Start again/),
    });
    await shelf().put(packed);
    await expect(shelf().read(packed.artifact)).resolves.toHaveLength(packed.zip.length);
  }
  const aside = names('store').filter((name) => name.includes('.zip.wrong/'));
  expect(aside.map((name) => readFileSync(path.join(home, 'store', name), 'utf8').length)).toEqual([5, 100_000]);
});

test('include small documents, kept by their digest', async () => {
  const digest = await shelf().putDocument('{"app":"shop"}');
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(await shelf().putDocument('{"app":"shop"}')).toBe(digest);
  expect(await shelf().getDocument(digest)).toBe('{"app":"shop"}');
  await expect(shelf().getDocument('0'.repeat(64))).rejects.toMatchObject({ code: 'SLUICE_ARTIFACT' });
  await expect(shelf().putDocument('x'.repeat(2 ** 21))).rejects.toMatchObject({ code: 'SLUICE_ARTIFACT' });
});

describe('SLUICE_STORE', () => {
  const read = (text: string) => storeSetting(text, PLACE, '/work-here');

  test.each([
    ['artifacts', { kind: 'folder', folder: '/work-here/artifacts', group: false }],
    ['/srv/artifacts', { kind: 'folder', folder: '/srv/artifacts', group: false }],
    ['file:///srv/a%20b', { kind: 'folder', folder: '/srv/a b', group: false }],
    ['file:///srv/artifacts?mode=group', { kind: 'folder', folder: '/srv/artifacts', group: true }],
    ['s3://shop-artifacts', { kind: 's3', bucket: 'shop-artifacts', prefix: '' }],
    ['s3://shop-artifacts/a/b/', { kind: 's3', bucket: 'shop-artifacts', prefix: 'a/b/' }],
    [
      's3://a-{account}-{region}/x?region={region}',
      { kind: 's3', bucket: 'a-prod-eu-west-1', prefix: 'x/', region: 'eu-west-1' },
    ],
    [
      'https://shop.blob.core.windows.net/code/x',
      { kind: 'azure', container: 'https://shop.blob.core.windows.net/code', prefix: 'x/' },
    ],
    [
      'http://127.0.0.1:10000/devstoreaccount1/code',
      { kind: 'azure', container: 'http://127.0.0.1:10000/devstoreaccount1/code', prefix: '' },
    ],
  ])('accepts %s', (text, found) => {
    expect(read(text)).toEqual(found);
  });

  test.each([
    ['', 'it is empty'],
    ['s3://a-{stage}', '{stage} is unknown'],
    ['s3://shop-artifacts?regin=x', '"regin" is not a supported option'],
    ['s3://UPPER_case', 'is not a valid bucket name'],
    ['file:///srv?mode=world', 'mode is "world"; it takes group or private'],
    ['http://shop.blob.core.windows.net/code', 'http is accepted only on this machine'],
    ['https://shop.blob.core.windows.net', 'it names no container'],
    ['https://me:secret@shop.blob.core.windows.net/code', 'it must not contain credentials'],
    ['gs://bucket', 'gs: is not a supported store'],
  ])('refuses %s', (text, said) => {
    expect(() => read(text)).toThrow(said);
  });

  test('does not reveal a token in it', () => {
    expect(() => read('https://shop.blob.core.windows.net/code?sig=c2VjcmV0')).toThrow(
      /SLUICE_STORE is "https:\/\/shop.blob.core.windows.net\/code\?…"/,
    );
  });
});
