import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
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
import { pathToFileURL } from 'node:url';
import { transformFileSync } from '@swc/core';
import { listFolder, openListed, type PackedFile } from '../../src/artifact/files.js';
import { type Packed, packFolder, packZip } from '../../src/artifact/index.js';
import { packingOf } from '../../src/platforms/registry.js';

const LAMBDA = packingOf('lambda');
const MB = 1024 * 1024;
/** The environment of a process of its own. */
const CHILD = { ...process.env, NODE_OPTIONS: '' };

let home: string;

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'sluice-artifact-'));
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
    for (const file of readdirSync(from, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    )) {
      const { code } = transformFileSync(path.join(from, file), {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'es6' },
      });
      const to = path.join(home, from, file.replace(/ts$/, 'js'));
      mkdirSync(path.dirname(to), { recursive: true });
      writeFileSync(to, code);
    }
  }
  writeFileSync(path.join(home, 'package.json'), '{"type":"module"}');
  symlinkSync(path.resolve('node_modules'), path.join(home, 'node_modules'));
  const index = pathToFileURL(path.join(home, 'src/artifact/index.js'));
  return `
import { packFolder } from '${index}';
import { packingOf } from '${pathToFileURL(path.join(home, 'src/platforms/registry.js'))}';
process.stdout.write((await packFolder(process.argv[1], packingOf(process.argv[2] ?? 'lambda'))).artifact.sha256);`;
}

/** What a reader that is not ours finds: names, permission bits and text. */
function unzip({ zip }: Packed): Record<string, [string, string]> {
  const script = `
import json, sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
print(json.dumps([[i.filename, oct(i.external_attr >> 16), z.read(i).decode()] for i in z.infolist()]))`;
  const at = path.join(home, 'unzipped.zip');
  writeFileSync(at, zip);
  const found: [string, string, string][] = JSON.parse(
    execFileSync('python3', ['-c', script, at], { encoding: 'utf8' }),
  );
  return Object.fromEntries(found.map(([name, mode, text]) => [name, [mode, text]]));
}

describe('packing a folder', () => {
  test('gives a zip named by its digest that other programs can read', async () => {
    const dir = folder('code', { 'index.js': 'one', 'lib/deep/a.js': 'two', 'bin/run': 'three' });
    chmodSync(path.join(dir, 'bin/run'), 0o700);
    const packed = await packFolder(dir, LAMBDA);
    const sha256 = createHash('sha256').update(packed.zip).digest('hex');
    expect(packed.artifact).toEqual({ sha256, bytes: packed.zip.length });
    expect(unzip(packed)).toEqual({
      'bin/run': ['0o100755', 'three'],
      'index.js': ['0o100644', 'one'],
      'lib/deep/a.js': ['0o100644', 'two'],
    });
  });

  test('gives the same bytes whatever the times, permissions, order and location of the files', async () => {
    const one = folder('one', { 'a.js': 'a', 'b/c.js': 'c', 'b.js': 'b', 'Z.js': 'z' });
    const two = folder('elsewhere/two', { 'Z.js': 'z', 'b.js': 'b', 'b/c.js': 'c', 'a.js': 'a' });
    utimesSync(path.join(two, 'a.js'), 1, 1);
    chmodSync(path.join(two, 'b.js'), 0o600);
    const [first, second] = [await packFolder(one, LAMBDA), await packFolder(two, LAMBDA)];
    expect(Object.keys(unzip(first))).toEqual(['Z.js', 'a.js', 'b.js', 'b/c.js']);
    expect(second).toEqual(first);
    expect(await packFolder(one, LAMBDA)).toEqual(first);
  });

  test('gives the same bytes in every time zone', () => {
    const dir = folder('code', { 'a.js': 'a' });
    // A time zone holds for a whole process, so each gets one of its own.
    const script = compiled('src/artifact', 'src/model', 'src/platforms');
    const digests = ['UTC', 'Asia/Tokyo', 'America/Los_Angeles'].map((TZ) =>
      execFileSync(process.execPath, ['--input-type=module', '-e', script, dir], {
        encoding: 'utf8',
        env: { ...process.env, NODE_OPTIONS: '', TZ },
      }),
    );
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(digests).size).toBe(1);
  });

  test('does not hold the packed files in memory', () => {
    const dir = folder('code', { 'a.js': 'a' });
    truncateSync(path.join(dir, 'a.js'), 600 * MB);
    for (const name of ['b', 'c', 'd']) writeFileSync(path.join(dir, name), Buffer.alloc(3 * MB, name));
    const script = compiled('src/artifact', 'src/model', 'src/platforms');
    const most = `setInterval(() => gc(), 20).unref();\n${script}\nprocess.stdout.write(' ' + process.resourceUsage().maxRSS);`;
    // What is let go is cleaned up at once, so that the most is what is held.
    const run = ['--expose-gc', '--max-semi-space-size=1', '--input-type=module', '-e', most, dir, 'app-service'];
    const [digest, kilobytes] = execFileSync(process.execPath, run, { encoding: 'utf8', env: CHILD }).split(' ');
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    // Node itself takes some 100 MB, and on a busy machine some 300 before it cleans up; with the file in memory it is 700 at least.
    expect(Number(kilobytes) / 1024).toBeLessThan(600);
  });

  test.each([
    ['grows', (file: string) => appendFileSync(file, 'more')],
    ['disappears', (file: string) => rmSync(file)],
    [
      'becomes a link',
      (file: string) => {
        rmSync(file);
        symlinkSync('/etc/hostname', file);
      },
    ],
    [
      'becomes a pipe',
      (file: string) => {
        rmSync(file);
        execFileSync('mkfifo', [file]);
      },
    ],
  ])('refuses a file that %s between listing and reading, and names it', async (_, spoil) => {
    const dir = folder('code', { 'a.js': 'a' });
    const [listed] = await listFolder(dir, { rules: LAMBDA, apart: [] });
    spoil(path.join(dir, 'a.js'));
    await expect(openListed(dir, listed as PackedFile)).rejects.toMatchObject({
      code: 'SLUICE_ARTIFACT',
      message: expect.stringContaining('"a.js" was changed while it was packed'),
    });
  });

  test.each([
    ['a different text', { 'a.js': 'b' }],
    ['a different name', { 'b.js': 'a' }],
    ['one more file', { 'a.js': 'a', 'b.js': '' }],
  ])('gives different bytes for %s', async (_, files) => {
    const first = await packFolder(folder('one', { 'a.js': 'a' }), LAMBDA);
    expect((await packFolder(folder('two', files), LAMBDA)).artifact.sha256).not.toBe(first.artifact.sha256);
  });

  test('gives different bytes for an executable', async () => {
    const dir = folder('one', { run: 'a' });
    const first = await packFolder(dir, LAMBDA);
    chmodSync(path.join(dir, 'run'), 0o755);
    expect((await packFolder(dir, LAMBDA)).artifact.sha256).not.toBe(first.artifact.sha256);
  });

  test.each([
    [
      'more than Lambda can unzip',
      (dir: string) => {
        writeFileSync(path.join(dir, 'x'), '');
        truncateSync(path.join(dir, 'x'), 251 * 1024 * 1024);
      },
      'has more than 250.0 MB, the limit of Lambda',
    ],
  ])('refuses %s', async (_, spoil, said) => {
    const dir = folder('code', { 'a.js': 'a' });
    spoil(dir);
    await expect(packFolder(dir, LAMBDA)).rejects.toMatchObject({
      code: 'SLUICE_ARTIFACT',
      message: expect.stringContaining(said),
    });
  });

  test('refuses an empty folder and a missing one', async () => {
    await expect(packFolder(folder('empty', {}), LAMBDA)).rejects.toMatchObject({
      code: 'SLUICE_ARTIFACT',
      message: expect.stringContaining('contains no file'),
    });
    await expect(packFolder(path.join(home, 'none'), LAMBDA)).rejects.toMatchObject({
      code: 'SLUICE_NOT_FOUND',
    });
    await expect(packFolder(path.join(folder('x', { f: '' }), 'f'), LAMBDA)).rejects.toMatchObject({
      code: 'SLUICE_NOT_FOUND',
      message: expect.stringContaining('is not a folder'),
    });
  });
});

describe('packing a zip', () => {
  test('keeps the zip as it is', async () => {
    const packed = await packFolder(folder('code', { 'a.js': 'a' }), LAMBDA);
    const file = path.join(home, 'code.zip');
    writeFileSync(file, packed.zip);
    expect(await packZip(file, LAMBDA)).toEqual(packed);
  });

  test('refuses a file that is not a zip, is too large, or does not exist', async () => {
    const file = path.join(home, 'x.zip');
    await expect(packZip(file, LAMBDA)).rejects.toMatchObject({ code: 'SLUICE_NOT_FOUND' });
    writeFileSync(file, 'PK and more text than that');
    await expect(packZip(file, LAMBDA)).rejects.toMatchObject({
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
    await expect(packZip(path.join(home, 'none.zip'), LAMBDA)).rejects.toMatchObject(refusal('contains no file'));
    await expect(packZip(path.join(home, 'bomb.zip'), LAMBDA)).rejects.toMatchObject(refusal('unzips to 260.0 MB'));
    await expect(packZip(path.join(home, 'large.zip'), LAMBDA)).rejects.toMatchObject(refusal('takes 50.0 MB at most'));
  });
});

test('devices, pipes and oversized files are refused without being read', async () => {
  const special = { code: 'SLUICE_ARTIFACT', message: expect.stringContaining('not a regular file') };
  await expect(packZip('/dev/zero', LAMBDA)).rejects.toMatchObject(special);
  await expect(packZip(home, LAMBDA)).rejects.toMatchObject(special);
  execFileSync('mkfifo', [path.join(home, 'pipe')]);
  await expect(packZip(path.join(home, 'pipe'), LAMBDA)).rejects.toMatchObject(special);
  writeFileSync(path.join(home, 'large'), '');
  truncateSync(path.join(home, 'large'), 1024 ** 4);
  const large = { code: 'SLUICE_ARTIFACT', message: expect.stringContaining('takes 50.0 MB at most') };
  await expect(packZip(path.join(home, 'large'), LAMBDA)).rejects.toMatchObject(large);
});
