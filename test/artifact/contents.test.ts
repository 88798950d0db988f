/** What a package holds, read by programs that are not ours. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Packed, packFolder, packZip } from '../../src/artifact/index.js';
import { packingOf } from '../../src/platforms/registry.js';

const LAMBDA = packingOf('lambda');
const SITE = packingOf('app-service');

let home: string;
let app: string;
let store: string;

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'sluice-contents-'));
  app = path.join(home, 'app');
  store = path.join(home, 'store');
  write('index.js', 'code');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(app, file)), { recursive: true });
  writeFileSync(path.join(app, file), text);
}

function link(name: string, to: string): void {
  mkdirSync(path.dirname(path.join(app, name)), { recursive: true });
  symlinkSync(to, path.join(app, name));
}

/** The names in a zip: a folder's end with `/`, a link says where it points. */
function contents({ zip }: Packed): string[] {
  const at = path.join(home, 'contents.zip');
  writeFileSync(at, zip);
  const script = `
import json, stat, sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
print(json.dumps([i.filename + (' -> ' + z.read(i).decode() if stat.S_ISLNK(i.external_attr >> 16) else '') for i in z.infolist()]))`;
  return JSON.parse(execFileSync('python3', ['-c', script, at], { encoding: 'utf8' }));
}

const packed = async (rules = LAMBDA) => contents(await packFolder(app, rules, [store]));
const refused = (said: string | RegExp) => ({
  code: 'SLUICE_ARTIFACT',
  message: typeof said === 'string' ? expect.stringContaining(said) : expect.stringMatching(said),
});

describe("a package of a developer's project", () => {
  test('is the same release every time: neither Sluice nor git adds to it', async () => {
    store = path.join(app, '.sluice', 'up', 'artifacts');
    write('.sluice/up/worker.log', 'log');
    write('.git/HEAD', 'ref');
    write('vendor/module/.git', 'gitdir: ../../.git/modules/module');
    write('vendor/module/a.js', '');
    const first = await packFolder(app, LAMBDA, [store]);
    write('.sluice/up/worker.log', 'more log');
    write('.git/HEAD', 'another ref');
    const second = await packFolder(app, LAMBDA, [store]);
    expect(second).toEqual(first);
    expect(contents(first)).toEqual(['index.js', 'vendor/module/a.js']);
  });

  test('never contains the package store, wherever it is and however it is linked', async () => {
    store = path.join(app, 'packages');
    mkdirSync(store);
    link('also', 'packages');
    const first = await packFolder(app, LAMBDA, [store]);
    expect(await packFolder(app, LAMBDA, [store])).toEqual(first);
    expect(contents(first)).toEqual(['index.js']);
    expect(await packed(SITE)).toEqual(['index.js']);
  });

  test('leaves out what .sluiceignore names, and .sluiceignore itself', async () => {
    write('.sluiceignore', '# tests\n*.test.js\n/local\nbuild/\n!build.js\nassets/*\n!assets/keep.css\n');
    for (const file of ['a.test.js', 'lib/b.test.js', 'local/x', 'lib/local/y', 'lib/build/z', 'build.js'])
      write(file, '');
    for (const file of ['assets/drop.css', 'assets/keep.css', 'A.TEST.JS']) write(file, '');
    expect(await packed()).toEqual(['A.TEST.JS', 'assets/keep.css', 'build.js', 'index.js', 'lib/local/y']);
  });

  test('never contains .git or .sluice, whatever .sluiceignore says', async () => {
    write('.sluiceignore', '!.git\n!.sluice\n');
    write('.git/HEAD', 'ref');
    link('history', '.git');
    expect(await packed()).toEqual(['index.js']);
    expect(await packed(SITE)).toEqual(['index.js']);
  });

  test('refuses a .sluiceignore that is not a file', async () => {
    execFileSync('mkfifo', [path.join(app, '.sluiceignore')]);
    await expect(packed()).rejects.toMatchObject(refused('.sluiceignore is not a regular file'));
  });
});

test('keeps an empty folder, even if everything in it was left out', async () => {
  mkdirSync(path.join(app, 'uploads/today'), { recursive: true });
  write('cache/.git/x', '');
  expect(await packed(SITE)).toEqual(['cache/', 'index.js', 'uploads/today/']);
  expect(await packed()).toEqual(['cache/', 'index.js', 'uploads/today/']);
});

describe('links on Lambda', () => {
  test('stay links if they point inside the folder', async () => {
    write('node_modules/.pnpm/odd@1/node_modules/odd/index.js', '');
    link('node_modules/odd', '.pnpm/odd@1/node_modules/odd');
    write('node_modules/tool/cli.js', '');
    link('node_modules/.bin/tool', '../tool/cli.js');
    expect(await packed()).toEqual([
      'index.js',
      'node_modules/.bin/tool -> ../tool/cli.js',
      'node_modules/.pnpm/odd@1/node_modules/odd/index.js',
      'node_modules/odd -> .pnpm/odd@1/node_modules/odd',
      'node_modules/tool/cli.js',
    ]);
  });

  test('resolve there once unpacked', async () => {
    write('node_modules/.pnpm/odd@1/node_modules/odd/index.js', 'module.exports = require("number");');
    write('node_modules/.pnpm/number@1/node_modules/number/index.js', 'module.exports = 42;');
    link('node_modules/.pnpm/odd@1/node_modules/number', '../../number@1/node_modules/number');
    link('node_modules/odd', '.pnpm/odd@1/node_modules/odd');
    const { zip } = await packFolder(app, LAMBDA, [store]);
    const task = path.join(home, 'task');
    writeFileSync(path.join(home, 'task.zip'), zip);
    execFileSync('unzip', ['-q', path.join(home, 'task.zip'), '-d', task]);
    const run = ['-e', `console.log(require(${JSON.stringify(path.join(task, 'node_modules/odd'))}))`];
    expect(execFileSync(process.execPath, run, { encoding: 'utf8' })).toBe('42\n');
  });

  test('with a path of this machine are rewritten, the same wherever the folder is', async () => {
    const build = async (name: string) => {
      app = path.join(home, name, 'app');
      write('lib/a.js', 'a');
      link('deep/absolute', path.join(app, 'lib/a.js'));
      link('roundabout', '../app/lib');
      return packFolder(app, LAMBDA, [store]);
    };
    const first = await build('one');
    expect(contents(first)).toEqual(['deep/absolute -> ../lib/a.js', 'lib/a.js', 'roundabout -> lib']);
    expect(await build('two')).toEqual(first);
  });

  test("may point to paths that exist on Lambda's machines", async () => {
    link('node_modules', '/opt/nodejs/node_modules');
    link('data', '/mnt/efs');
    link('cache', '/tmp/../tmp/cache');
    expect(await packed()).toEqual([
      'cache -> /tmp/cache',
      'data -> /mnt/efs',
      'index.js',
      'node_modules -> /opt/nodejs/node_modules',
    ]);
  });

  test('are left out together with what they point to', async () => {
    write('.sluiceignore', 'node_modules/typescript\n');
    write('node_modules/typescript/bin/tsc', '');
    link('node_modules/.bin/tsc', '../typescript/bin/tsc');
    expect(await packed()).toEqual(['index.js', 'node_modules/.bin/']);
  });

  test.each([
    ['leads out of the folder', () => link('x', '../outside')],
    ['leads out by an absolute path', () => link('x', '/etc/hostname')],
    ['only looks like a place of Lambda', () => link('x', '/opt/../etc/hostname')],
    ['only begins like one', () => link('x', '/optional')],
    ['leads nowhere', () => link('x', 'nowhere')],
    [
      'leads out by another link',
      () => {
        link('y', '..');
        link('x', 'y/outside');
      },
    ],
  ])('are refused by name if one %s', async (_, spoil) => {
    mkdirSync(path.join(home, 'outside'));
    spoil();
    await expect(packed()).rejects.toMatchObject(
      refused(/link "[xy]" points outside it or to nothing, and not to \/opt/),
    );
  });
});

describe('links on App Service', () => {
  test('are replaced by what they point to', async () => {
    write('lib/deep/a.js', 'a');
    mkdirSync(path.join(app, 'lib/none'));
    link('copy', 'lib');
    link('one.js', path.join(app, 'lib/deep/a.js'));
    chmodSync(path.join(app, 'lib/deep/a.js'), 0o755);
    expect(await packed(SITE)).toEqual([
      'copy/deep/a.js',
      'copy/none/',
      'index.js',
      'lib/deep/a.js',
      'lib/none/',
      'one.js',
    ]);
  });

  test.each([
    ['leads out of the folder', () => link('x', '/opt/nodejs'), 'link "x" points outside it or to nothing;'],
    ['leads to its own folder', () => link('x', '.'), 'link "x" points back to a folder that it is in'],
    ['leads back', () => link('d/x', '../d'), 'link "d/x" points back to a folder that it is in'],
  ])('are refused by name if one %s', async (_, spoil, said) => {
    spoil();
    await expect(packed(SITE)).rejects.toMatchObject(refused(said));
  });
});

describe('a zip from another program', () => {
  /** Zips the folder with these options, in the folder itself. */
  function zip(...options: string[]): string {
    const file = path.join(home, 'made.zip');
    execFileSync('zip', ['-q', '-r', ...options, file, '.'], { cwd: app });
    return file;
  }

  test('is accepted with a zip64 end', async () => {
    expect(contents(await packZip(zip('-fz'), LAMBDA))).toEqual(['index.js']);
  });

  test.each([[[]], [['-fz']]])('is accepted with a prefix (%j), whether or not its offsets count it', async (more) => {
    const made = zip(...more);
    const archive = path.join(home, 'self-extracting');
    execFileSync('sh', ['-c', `printf '#!/bin/sh\\nexit\\n' | cat - ${made} > ${archive}`]);
    expect(contents(await packZip(archive, LAMBDA))).toEqual(['index.js']);
  });

  test('is accepted as a zipapp', async () => {
    write('__main__.py', 'print(1)');
    const archive = path.join(home, 'app.pyz');
    execFileSync('python3', ['-m', 'zipapp', app, '-p', '/usr/bin/env python3', '-o', archive]);
    expect(contents(await packZip(archive, LAMBDA))).toContain('__main__.py');
  });

  test('keeps its links on Lambda, and is refused with them on App Service', async () => {
    link('lib', 'index.js');
    link('node_modules', '/opt/nodejs/node_modules');
    const made = zip('--symlinks');
    expect(contents(await packZip(made, LAMBDA))).toContain('lib -> index.js');
    await expect(packZip(made, SITE)).rejects.toMatchObject(refused('App Service would make a text file'));
  });

  test('is refused with a link that leads outside', async () => {
    link('secret', '../../etc/passwd');
    await expect(packZip(zip('--symlinks'), LAMBDA)).rejects.toMatchObject(
      refused('link "secret" points outside it, and not to /opt, /tmp, /mnt of Lambda'),
    );
  });

  test('is refused with a file that would be written through a link', async () => {
    const file = path.join(home, 'through.zip');
    const script = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as z:
  link = zipfile.ZipInfo('d')
  link.external_attr = 0o120777 << 16
  z.writestr(link, '/tmp')
  z.writestr('d/evil.js', 'x')`;
    execFileSync('python3', ['-c', script, file]);
    await expect(packZip(file, LAMBDA)).rejects.toMatchObject(refused('"d/evil.js" is below a link'));
  });

  test('is refused if it is encrypted', async () => {
    await expect(packZip(zip('-P', 'secret'), LAMBDA)).rejects.toMatchObject(refused('"index.js" is encrypted'));
  });

  test.each(['../evil.js', '/evil.js', 'a/../../evil.js', '..\\\\evil.js'])(
    'is refused with a name like %s',
    async (name) => {
      const file = path.join(home, 'evil.zip');
      const script = `import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as z: z.writestr('${name}', 'x')`;
      execFileSync('python3', ['-c', script, file]);
      await expect(packZip(file, LAMBDA)).rejects.toMatchObject(refused('would be unpacked outside the folder'));
    },
  );

  test('is refused if it is truncated or its table of contents is damaged', async () => {
    const made = zip();
    truncateSync(made, statSync(made).size - 30);
    await expect(packZip(made, LAMBDA)).rejects.toMatchObject(refused('not a zip, or is cut off'));
    appendFileSync(made, 'x'.repeat(100_000));
    await expect(packZip(made, LAMBDA)).rejects.toMatchObject(refused('cannot be used'));
  });
});

test('App Service accepts a larger package than Lambda', async () => {
  const file = path.join(home, 'large.zip');
  const script = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as z: z.writestr('a', bytes(51 * 1024 * 1024))`;
  execFileSync('python3', ['-c', script, file]);
  await expect(packZip(file, SITE)).resolves.toMatchObject({ artifact: { bytes: expect.any(Number) } });
  await expect(packZip(file, LAMBDA)).rejects.toMatchObject(refused('Lambda takes 50.0 MB at most'));
});
