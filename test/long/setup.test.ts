/** The set-up on a small clone: what it does, that it does it once, and what it says when something is missing. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Clone, done, script } from '../setup/clone.js';
import { ROOT } from '../support/tools.js';
import { until } from '../support/until.js';

const REAL_PYTHON = execFileSync('sh', ['-c', 'command -v python3'], { encoding: 'utf8' }).trim();

/** Debian without python3-venv; also the quicker way. */
const NO_ENSUREPIP = 'case "$*" in *--without-pip*) ;; "-m venv"*) echo no ensurepip >&2; exit 1;; esac';

function pythonThat(refuses: string): string {
  return clone.program('python3', `${refuses}\nexec ${REAL_PYTHON} "$@"`);
}

let clone: Clone;
afterEach(() => clone.remove());

describe('the set-up', () => {
  test('creates everything in the clone, and has nothing to do the second time', async () => {
    clone = await Clone.make();
    const env = { TEMPORAL_CLI: clone.program('temporal', 'echo temporal version 1.9.1') };
    expect(done(await clone.setUp('demo', env))).toEqual(['tools', 'build']);
    expect(says(clone.at('.sluice/venv/bin/ministack'))).toBe('stand-in ministack');
    expect(clone.has('dist/src/one.js') && clone.has('dist/workflow-bundle.js')).toBe(true);
    expect(await clone.setUp('demo', env)).toEqual({ code: 0, said: [] });
  });

  test('builds again if a source changed or disappeared, or the build was deleted', async () => {
    clone = await Clone.make();
    await clone.setUp('build');
    clone.write('src/two.ts', 'export const two = 2;\n');
    expect(done(await clone.setUp('build'))).toEqual(['build']);
    rmSync(clone.at('src/one.ts'));
    expect(done(await clone.setUp('build'))).toEqual(['build']);
    expect([clone.has('dist/src/one.js'), clone.has('dist/src/two.js')]).toEqual([false, true]);
    rmSync(clone.at('dist'), { recursive: true });
    expect(done(await clone.setUp('build'))).toEqual(['build']);
    expect(clone.has('dist/src/two.js')).toBe(true);
    expect(await clone.setUp('build')).toEqual({ code: 0, said: [] });
  });

  test('reports what does not compile, and tries again the next time', async () => {
    clone = await Clone.make();
    clone.write('src/one.ts', "export const one: number = 'one';\n");
    for (const _ of [1, 2]) {
      const { code, said } = await clone.setUp('build');
      expect(code).toBe(1);
      expect(said.join('\n')).toMatch(/set-up failed: .*tsc.*[\s\S]*src\/one\.ts\(1,14\): error TS2322/);
    }
  });

  test('runs npm ci only if the packages differ from the lock file', async () => {
    clone = await Clone.make();
    clone.program('npm', `echo "$@" >> ${clone.at('npm.log')}; cp package-lock.json node_modules/.package-lock.json`);
    const env = { PATH: `${clone.at('path')}:${process.env.PATH}` };
    await clone.setUp('check', env);
    expect(clone.has('npm.log')).toBe(false);
    clone.write('package-lock.json', '{ "packages": { "": {}, "node_modules/leaf": { "version": "2.0.0" } } }\n');
    expect(done(await clone.setUp('check', env))).toEqual(['packages']);
    expect(readFileSync(clone.at('npm.log'), 'utf8')).toMatch(/^ci --ignore-scripts/);
    expect(await clone.setUp('check', env)).toEqual({ code: 0, said: [] });
  });

  test('does the work once if two run at the same time', async () => {
    clone = await Clone.make();
    const both = await Promise.all([clone.setUp('build'), clone.setUp('build')]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(both.flatMap(done)).toEqual(['build']);
    expect(clone.has('.sluice/setup.lock')).toBe(false);
  });

  test('takes over the lock of a killed one', async () => {
    clone = await Clone.make();
    const gone = execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }).trim();
    clone.write('.sluice/setup.lock', gone);
    expect(done(await clone.setUp('build'))).toEqual(['build']);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('stops everything it started on %s', async (signal) => {
    clone = await Clone.make();
    clone.write('package-lock.json', '{ "packages": { "node_modules/leaf": { "version": "2.0.0" } } }\n');
    clone.program('npm', `sleep 600 & echo $! > ${clone.at('sleeper')}; wait`);
    const { child, end } = clone.start('check', { PATH: `${clone.at('path')}:${process.env.PATH}` });
    const sleeper = await until('npm', () => clone.has('sleeper') && Number(readFileSync(clone.at('sleeper'), 'utf8')));
    child.kill(signal);
    const { code, said } = await end;
    expect(code).toBe(signal === 'SIGINT' ? 130 : 143);
    expect(said.join('\n')).not.toContain('failed');
    await until('the end of what npm started', () => !lives(sleeper));
    expect(clone.has('.sluice/setup.lock')).toBe(false);
  });
});

describe('npm run demo', () => {
  test("passes arguments on, and has the demo's signals and exit code", async () => {
    clone = await Clone.make();
    const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
    clone.write('package.json', JSON.stringify({ type: 'module', scripts }));
    clone.write(
      'src/demo/main.ts',
      "import { writeFileSync } from 'node:fs';\nprocess.once('SIGTERM', () => process.exit(7));\nsetInterval(() => undefined, 1_000);\nwriteFileSync('up', process.argv.slice(2).join(' '));\n",
    );
    const child = spawn('npm', ['run', 'demo', '--', '--keep', '--output', 'json'], {
      cwd: clone.folder,
      env: {
        ...clone.env(),
        PYTHON: pythonThat(NO_ENSUREPIP),
        TEMPORAL_CLI: clone.program('temporal', 'echo temporal version 1.9.1'),
      },
      stdio: 'ignore',
    });
    const ended = once(child, 'close');
    await until('the demo', () => clone.has('up'));
    expect(readFileSync(clone.at('up'), 'utf8')).toBe('--keep --output json');
    child.kill('SIGTERM');
    expect(await ended).toEqual([7, null]);
  });
});

describe('without a usable Python the set-up', () => {
  test('says that it is missing before it does anything', async () => {
    clone = await Clone.make();
    const { code, said } = await clone.setUp('test', { PATH: clone.at('path'), PYTHON: '' });
    expect(code).toBe(1);
    expect(said).toEqual([
      expect.stringMatching(
        /^set-up failed: Sluice's set-up needs Python 3\.10 or newer with pip.*none of python3, .* is on PATH\. Install it \(Debian: apt install .*\), or set PYTHON to its path\.$/,
      ),
    ]);
    expect([clone.has('dist'), clone.has('.sluice/venv')]).toEqual([false, false]);
  });

  test('names one that is too old, with its version', async () => {
    clone = await Clone.make();
    clone.program('python3', 'echo 3.9');
    const { said } = await clone.setUp('test', { PATH: clone.at('path'), PYTHON: '' });
    expect(said.join()).toContain('found python3: 3.9.');
  });

  test.each([
    ['no ensurepip', NO_ENSUREPIP],
    ['no venv at all', 'case "$*" in "-m venv"*|"-m virtualenv"*) echo no venv >&2; exit 1;; esac'],
  ])('with %s finds another way', async (_name, refusal) => {
    clone = await Clone.make();
    const env = {
      PYTHON: pythonThat(refusal),
      TEMPORAL_CLI: clone.program('temporal', 'echo temporal version 1.9.1'),
    };
    expect(done(await clone.setUp('demo', env))).toEqual(['tools', 'build']);
    expect(says(clone.at('.sluice/venv/bin/microburst'))).toBe('stand-in microburst');
    expect(says(clone.at('.sluice/venv/bin/python'), '-c', 'import stand_ins; print(stand_ins.__name__)')).toBe(
      'stand_ins',
    );
    expect(await clone.setUp('demo', env)).toEqual({ code: 0, said: [] });
  });

  test('names every way with its reason if none works', async () => {
    clone = await Clone.make();
    const PYTHON = clone.program('python3', 'case "$1" in -c) echo 3.12;; *) echo broken >&2; exit 1;; esac');
    const { code, said } = await clone.setUp('demo', { PYTHON });
    expect(code).toBe(1);
    const text = said.join('\n');
    expect(text).toContain('No Python environment could be made. Tried:');
    for (const way of ['-m venv:', '--without-pip', '-m virtualenv:', '--target:']) expect(text).toContain(way);
    expect(text.match(/ {2}broken/g)).toHaveLength(4);
  });
});

describe('the Temporal CLI', () => {
  const download =
    'writeFileSync(`$' + "{downloadDir}/temporal-cli`, '#!/bin/sh\\necho downloaded\\n', { mode: 0o755 });";

  test("comes from the SDK's own download if there is no wheel and no recent one is installed", async () => {
    clone = await Clone.make(download);
    clone.write('requirements.txt', './stand_ins-1.0-py3-none-any.whl\ntemporal-bin==1.9.1\n');
    const TEMPORAL_CLI = clone.program('temporal', 'echo temporal version 1.4.9');
    expect(done(await clone.setUp('demo', { TEMPORAL_CLI, PYTHON: pythonThat(NO_ENSUREPIP) }))).toEqual([
      'tools',
      'temporal',
      'build',
    ]);
    expect(says(clone.at('.sluice/venv/bin/temporal'))).toBe('downloaded');
  });

  test('that is unavailable is one message that says what was tried and what to do', async () => {
    clone = await Clone.make();
    const TEMPORAL_CLI = clone.program('temporal', 'echo temporal version 1.4.9');
    const { code, said } = await clone.setUp('demo', { TEMPORAL_CLI, PYTHON: pythonThat(NO_ENSUREPIP) });
    expect(code).toBe(1);
    const text = said.join('\n');
    expect(text).toContain('There is no temporal. Tried:');
    expect(text).toContain(`- TEMPORAL_CLI: ${TEMPORAL_CLI} is too old (1.4.9)`);
    expect(text).toMatch(/- PATH: /);
    expect(text).toContain('- the wheel of requirements.txt');
    expect(text).toMatch(/- the SDK's own download: [\s\S]*no internet here/);
    expect(text).toContain('What to do: set TEMPORAL_CLI to a Temporal CLI 1.5 or newer, or put one on PATH');
  });
});

describe('a package that pip cannot install', () => {
  test('is named, and pip tries again the next time', async () => {
    clone = await Clone.make();
    clone.write('requirements.txt', './stand_ins-1.0-py3-none-any.whl\nno-such-cloud==1.0\n');
    for (const _ of [1, 2]) {
      const { code, said } = await clone.setUp('demo', { PYTHON: pythonThat(NO_ENSUREPIP) });
      expect(code).toBe(1);
      expect(said.join('\n')).toContain('pip could not install no-such-cloud==1.0.');
    }
  });
});

describe('versions', () => {
  test('are compared number by number', async () => {
    clone = await Clone.make();
    const { atLeast } = await script<{ atLeast(text: string, least: number[]): boolean }>('setup/versions.mjs');
    const { checkNode } = await script<{ checkNode(version: string): void }>('setup.mjs');
    expect(['3.9', '3.10', '4.0', 'temporal version 3.11.2', 'none'].map((said) => atLeast(said, [3, 10]))).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
    expect(() => checkNode('20.18.1')).toThrow('Sluice needs Node 20.19 or newer, and this is 20.18.1.');
    expect(() => checkNode('20.19.0')).not.toThrow();
  });
});

function says(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8' }).trim();
}

/** Whether it runs; one that has ended and waits to be reaped, by whoever inherited it, does not. */
function lives(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}
