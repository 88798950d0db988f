import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transformFileSync } from '@swc/core';
import { packFolder, packZip, readArtifact } from '../../src/artifact/index.js';
import { packingOf } from '../../src/platforms/index.js';

const LAMBDA = packingOf('lambda');

let home: string;
let store: string;

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'sluice-artifact-'));
  store = path.join(home, 'store');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A folder with these files, made in the order given. */
function folder(name: string, files: Record<string, string>): string {
  const dir = path.join(home, name);
  mkdirSync(dir, { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    writeFileSync(path.join(dir, file), text);
  }
  return dir;
}

/** A script that packs the folder of its first argument, by a copy of these folders that plain Node runs. */
function compiled(...folders: string[]): string {
  for (const from of folders) {
    mkdirSync(path.join(home, from), { recursive: true });
    for (const file of readdirSync(from).filter((name) => name.endsWith('.ts'))) {
      const { code } = transformFileSync(path.join(from, file), {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'es6' },
      });
      writeFileSync(path.join(home, from, file.replace(/ts$/, 'js')), code);
    }
  }
  writeFileSync(path.join(home, 'package.json'), '{"type":"module"}');
  symlinkSync(path.resolve('node_modules'), path.join(home, 'node_modules'));
  const index = pathToFileURL(path.join(home, 'src/artifact/index.js'));
  return `
import { packFolder } from '${index}';
import { packingOf } from '${pathToFileURL(path.join(home, 'src/platforms/index.js'))}';
process.stdout.write((await packFolder(process.argv[1], packingOf('lambda'), { store: process.argv[2] })).sha256);`;
}

/** What a reader that is not ours finds: names, permission bits and text. */
function unzip(uri: string): Record<string, [string, string]> {
  const script = `
import json, sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
print(json.dumps([[i.filename, oct(i.external_attr >> 16), z.read(i).decode()] for i in z.infolist()]))`;
  const found: [string, string, string][] = JSON.parse(
    execFileSync('python3', ['-c', script, fileURLToPath(uri)], { encoding: 'utf8' }),
  );
  return Object.fromEntries(found.map(([name, mode, text]) => [name, [mode, text]]));
}

describe('packing a folder', () => {
  test('gives a zip in the store, named by its digest, that others can read', async () => {
    const dir = folder('code', { 'index.js': 'one', 'lib/deep/a.js': 'two', 'bin/run': 'three' });
    chmodSync(path.join(dir, 'bin/run'), 0o700);
    const artifact = await packFolder(dir, LAMBDA, { store });
    expect(readdirSync(store)).toEqual([`${artifact.sha256}.zip`]);
    expect(artifact.bytes).toBe((await readArtifact(artifact, store)).length);
    expect(unzip(artifact.uri)).toEqual({
      'bin/run': ['0o100755', 'three'],
      'index.js': ['0o100644', 'one'],
      'lib/deep/a.js': ['0o100644', 'two'],
    });
  });

  test('gives the same bytes whatever the times, permissions, order and place of the files', async () => {
    const one = folder('one', { 'a.js': 'a', 'b/c.js': 'c', 'b.js': 'b', 'Z.js': 'z' });
    const two = folder('elsewhere/two', { 'Z.js': 'z', 'b.js': 'b', 'b/c.js': 'c', 'a.js': 'a' });
    utimesSync(path.join(two, 'a.js'), 1, 1);
    chmodSync(path.join(two, 'b.js'), 0o600);
    const [first, second] = [await packFolder(one, LAMBDA, { store }), await packFolder(two, LAMBDA, { store })];
    expect(Object.keys(unzip(first.uri))).toEqual(['Z.js', 'a.js', 'b.js', 'b/c.js']);
    expect(second).toEqual(first);
    expect(await packFolder(one, LAMBDA, { store })).toEqual(first);
  });

  test('gives the same bytes in every time zone', () => {
    const dir = folder('code', { 'a.js': 'a' });
    // A time zone holds for a whole process, so each gets one of its own.
    const script = compiled('src/artifact', 'src/model', 'src/platforms');
    const digests = ['UTC', 'Asia/Tokyo', 'America/Los_Angeles'].map((TZ) =>
      execFileSync(process.execPath, ['--input-type=module', '-e', script, dir, store], {
        encoding: 'utf8',
        env: { ...process.env, NODE_OPTIONS: '', TZ },
      }),
    );
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(digests).size).toBe(1);
  });

  test.each([
    ['another text', { 'a.js': 'b' }],
    ['another name', { 'b.js': 'a' }],
    ['one more file', { 'a.js': 'a', 'b.js': '' }],
  ])('gives other bytes for %s', async (_, files) => {
    const first = await packFolder(folder('one', { 'a.js': 'a' }), LAMBDA, { store });
    expect((await packFolder(folder('two', files), LAMBDA, { store })).sha256).not.toBe(first.sha256);
  });

  test('gives other bytes for an executable', async () => {
    const dir = folder('one', { run: 'a' });
    const first = await packFolder(dir, LAMBDA, { store });
    chmodSync(path.join(dir, 'run'), 0o755);
    expect((await packFolder(dir, LAMBDA, { store })).sha256).not.toBe(first.sha256);
  });

  test.each([
    [
      'more than Lambda unzips',
      (dir: string) => {
        writeFileSync(path.join(dir, 'x'), '');
        truncateSync(path.join(dir, 'x'), 251 * 1024 * 1024);
      },
      'has more than 250.0 MB, the limit of Lambda',
    ],
  ])('refuses %s', async (_, spoil, said) => {
    const dir = folder('code', { 'a.js': 'a' });
    spoil(dir);
    await expect(packFolder(dir, LAMBDA, { store })).rejects.toMatchObject({
      code: 'SLUICE_ARTIFACT',
      message: expect.stringContaining(said),
    });
  });

  test('refuses an empty folder, and one that is not there', async () => {
    await expect(packFolder(folder('empty', {}), LAMBDA, { store })).rejects.toMatchObject({
      code: 'SLUICE_ARTIFACT',
      message: expect.stringContaining('holds no file'),
    });
    await expect(packFolder(path.join(home, 'none'), LAMBDA, { store })).rejects.toMatchObject({
      code: 'SLUICE_NOT_FOUND',
    });
    await expect(packFolder(path.join(folder('x', { f: '' }), 'f'), LAMBDA, { store })).rejects.toMatchObject({
      code: 'SLUICE_NOT_FOUND',
      message: expect.stringContaining('is no folder'),
    });
  });

  test('many times at once leaves one whole file and nothing beside it', async () => {
    const dir = folder('code', { 'a.js': 'a'.repeat(100_000) });
    const all = await Promise.all(Array.from({ length: 8 }, () => packFolder(dir, LAMBDA, { store })));
    expect(new Set(all.map(({ sha256 }) => sha256)).size).toBe(1);
    expect(readdirSync(store)).toHaveLength(1);
  });
});

describe('packing a zip', () => {
  test('keeps it as it is', async () => {
    const packed = await packFolder(folder('code', { 'a.js': 'a' }), LAMBDA, { store });
    const again = await packZip(fileURLToPath(packed.uri), LAMBDA, { store: path.join(home, 'other') });
    expect(again).toMatchObject({ sha256: packed.sha256, bytes: packed.bytes });
  });

  test('refuses what is no zip, is too large, or is not there', async () => {
    const file = path.join(home, 'x.zip');
    await expect(packZip(file, LAMBDA, { store })).rejects.toMatchObject({ code: 'SLUICE_NOT_FOUND' });
    writeFileSync(file, 'PK and more text than that');
    await expect(packZip(file, LAMBDA, { store })).rejects.toMatchObject({
      code: 'SLUICE_ARTIFACT',
      message: expect.stringContaining('not a zip'),
    });
    const script = `
import sys, zipfile
zipfile.ZipFile(sys.argv[1] + '/none.zip', 'w').close()
with zipfile.ZipFile(sys.argv[1] + '/bomb.zip', 'w', zipfile.ZIP_DEFLATED) as z:
  for i in range(26): z.writestr(str(i), bytes(10 * 1024 * 1024))
with zipfile.ZipFile(sys.argv[1] + '/large.zip', 'w') as z: z.writestr('a', bytes(51 * 1024 * 1024))`;
    execFileSync('python3', ['-c', script, home]);
    const refusal = (said: string) => ({ code: 'SLUICE_ARTIFACT', message: expect.stringContaining(said) });
    await expect(packZip(path.join(home, 'none.zip'), LAMBDA, { store })).rejects.toMatchObject(
      refusal('holds no file'),
    );
    await expect(packZip(path.join(home, 'bomb.zip'), LAMBDA, { store })).rejects.toMatchObject(
      refusal('unzips to 260.0 MB'),
    );
    await expect(packZip(path.join(home, 'large.zip'), LAMBDA, { store })).rejects.toMatchObject(
      refusal('takes 50.0 MB at most'),
    );
  });
});

describe('reading an artifact', () => {
  test('refuses bytes that were changed, and packing anew heals the store', async () => {
    const dir = folder('code', { 'a.js': 'a' });
    const artifact = await packFolder(dir, LAMBDA, { store });
    writeFileSync(fileURLToPath(artifact.uri), 'other');
    await expect(readArtifact(artifact, store)).rejects.toMatchObject({
      code: 'SLUICE_ARTIFACT',
      message: expect.stringContaining('was changed after it was packed'),
    });
    expect(await packFolder(dir, LAMBDA, { store })).toEqual(artifact);
    await expect(readArtifact(artifact, store)).resolves.toHaveLength(artifact.bytes);
  });

  test.each(['file:///nowhere/x.zip', 'https://example.com/x.zip'])('refuses %s, which is not there', async (uri) => {
    await expect(readArtifact({ uri, sha256: '0'.repeat(64), bytes: 1 }, store)).rejects.toMatchObject({
      code: 'SLUICE_ARTIFACT',
      message: expect.stringContaining('cannot be read'),
    });
  });
});

describe('what a spec may name of the machine', () => {
  const FOLDER = {
    code: 'SLUICE_ARTIFACT',
    message: expect.stringMatching(/^release\.folder: .*SLUICE_RELEASE_DIRS$/),
  };
  const ZIP = { code: 'SLUICE_ARTIFACT', message: expect.stringMatching(/^release\.zip: .*SLUICE_RELEASE_DIRS$/) };

  test('is a folder or a zip in the folders of releases, also where they are links', async () => {
    const [dir, releases] = [folder('releases/code', { 'a.js': 'a' }), path.join(home, 'releases')];
    const packed = await packFolder(dir, LAMBDA, { store, within: [path.join(home, 'none'), releases] });
    expect(await packFolder(releases, LAMBDA, { store, within: [releases] })).toMatchObject({
      bytes: expect.any(Number),
    });
    symlinkSync(releases, path.join(home, 'link'));
    expect(await packFolder(dir, LAMBDA, { store, within: [path.join(home, 'link')] })).toEqual(packed);
    expect(await packZip(fileURLToPath(packed.uri), LAMBDA, { store, within: [store] })).toMatchObject({
      sha256: packed.sha256,
    });
  });

  test.each([
    ['beside them', () => path.join(home, 'secrets')],
    ['beside them, with a name that begins alike', () => folder('releases-of-others', { 'a.js': 'a' })],
    ['above them', () => path.join(home, 'releases', '..')],
    ['behind a link that leads out of them', () => path.join(home, 'releases', 'link')],
    ['that is not there, wherever', () => path.join(home, 'none')],
  ])('is no folder and no zip %s', async (_, at) => {
    const allowed = folder('releases', { 'a.js': 'a' });
    const { uri } = await packFolder(folder('secrets', { key: 'k' }), LAMBDA, { store: path.join(home, 'secrets') });
    symlinkSync(path.join(home, 'secrets'), path.join(allowed, 'link'));
    await expect(packFolder(at(), LAMBDA, { store, within: [allowed] })).rejects.toMatchObject(FOLDER);
    await expect(
      packZip(path.join(at(), path.basename(uri)), LAMBDA, { store, within: [allowed] }),
    ).rejects.toMatchObject(ZIP);
  });

  test('is nothing at all where no folder is named', async () => {
    const said = { code: 'SLUICE_ARTIFACT', message: expect.stringContaining('set SLUICE_RELEASE_DIRS where it runs') };
    await expect(packFolder(folder('code', { a: '' }), LAMBDA, { store, within: [] })).rejects.toMatchObject(said);
    await expect(packZip(path.join(home, 'x.zip'), LAMBDA, { store, within: [] })).rejects.toMatchObject(said);
  });

  test('has an end: a device, a pipe and a file of the size of a disk are refused unread', async () => {
    const special = { code: 'SLUICE_ARTIFACT', message: expect.stringContaining('no regular file') };
    await expect(packZip('/dev/zero', LAMBDA, { store })).rejects.toMatchObject(special);
    await expect(packZip(home, LAMBDA, { store })).rejects.toMatchObject(special);
    execFileSync('mkfifo', [path.join(home, 'pipe')]);
    await expect(packZip(path.join(home, 'pipe'), LAMBDA, { store })).rejects.toMatchObject(special);
    writeFileSync(path.join(home, 'large'), '');
    truncateSync(path.join(home, 'large'), 1024 ** 4);
    const large = { code: 'SLUICE_ARTIFACT', message: expect.stringContaining('takes 50.0 MB at most') };
    await expect(packZip(path.join(home, 'large'), LAMBDA, { store })).rejects.toMatchObject(large);
    const of = (name: string) => ({ uri: pathToFileURL(path.join(home, name)).href, sha256: '0'.repeat(64), bytes: 1 });
    await expect(readArtifact(of('pipe'), home)).rejects.toMatchObject(special);
    const grown = { code: 'SLUICE_ARTIFACT', message: expect.stringContaining('more bytes than were packed') };
    await expect(readArtifact(of('large'), home)).rejects.toMatchObject(grown);
  });

  test('is no artifact outside of the store, there or not, and its digest is not told', async () => {
    const { sha256, bytes } = await packFolder(folder('code', { 'a.js': 'a' }), LAMBDA, { store });
    const secret = path.join(folder('secrets', { key: 'k' }), 'key');
    symlinkSync(secret, path.join(store, 'link.zip'));
    const found = createHash('sha256').update('k').digest('hex');
    for (const file of [secret, path.join(store, 'link.zip'), path.join(store, '..', 'none')]) {
      const artifact = { uri: pathToFileURL(file).href, sha256: found, bytes };
      await expect(readArtifact(artifact, store)).rejects.toMatchObject({
        code: 'SLUICE_ARTIFACT',
        message: expect.stringContaining("it is not in this worker's artifact store"),
      });
    }
    const uri = pathToFileURL(path.join(store, `${sha256}.zip`)).href;
    const said = await readArtifact({ uri, sha256: found, bytes }, store).catch((error: Error) => error.message);
    expect(String(said).replace(uri, '')).toMatch(/was changed after it was packed/);
    expect(String(said).replace(uri, '')).not.toContain(sha256);
  });
});
