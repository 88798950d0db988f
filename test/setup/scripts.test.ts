/** The pure parts of the scripts. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/tools.js';
import { script } from './clone.js';

interface Counted {
  passed: number;
  failed: number;
}

describe('the total in CI', () => {
  const jest = {
    numPassedTests: 5,
    numFailedTests: 0,
    numRuntimeErrorTestSuites: 0,
    numPendingTests: 0,
    numTodoTests: 0,
  };

  test.each<[string, number, unknown, Counted]>([
    ['passed tests', 0, jest, { passed: 5, failed: 0 }],
    ['a failed test', 1, { ...jest, numFailedTests: 2 }, { passed: 5, failed: 2 }],
    ['a suite that could not start', 1, { ...jest, numRuntimeErrorTestSuites: 1 }, { passed: 5, failed: 1 }],
    ['a skipped test as failed', 0, { ...jest, numPendingTests: 1 }, { passed: 5, failed: 1 }],
    ['a run that failed even though its tests passed', 1, jest, { passed: 5, failed: 1 }],
    ['a run without tests as failed', 0, { ...jest, numPassedTests: 0 }, { passed: 0, failed: 1 }],
    ['a run without a result as failed', 0, null, { passed: 0, failed: 1 }],
    ['each check', 1, [{ ok: true }, { ok: false }], { passed: 1, failed: 1 }],
  ])('counts %s', async (_name, status, result, expected) => {
    const { countOf } = await script<{ countOf(status: number, result: unknown): Counted }>('tally.mjs');
    expect(countOf(status, result)).toEqual(expected);
  });
});

describe('installed packages', () => {
  const lock = {
    packages: {
      '': {},
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b': { version: '2.0.0', optional: true },
    },
  };

  test.each<[string, unknown, boolean]>([
    ['match the lock file without the optional ones', { 'node_modules/a': { version: '1.0.0' } }, true],
    ['do not match if one is missing', { 'node_modules/b': { version: '2.0.0' } }, false],
    ['do not match if one has another version', { 'node_modules/a': { version: '1.0.1' } }, false],
  ])('%s', async (_name, packages, expected) => {
    const { covers } = await script<{ covers(lock: unknown, installed: unknown): boolean }>('setup/packages.mjs');
    expect(covers(lock, { packages })).toBe(expected);
  });
});

describe('Chromium', () => {
  type Find = (
    env: Record<string, string>,
    options?: { isRoot?: boolean; install?: (env: Record<string, string>) => void },
  ) => string;
  let find: Find;
  let folder: string;
  const program = (name: string) => {
    writeFileSync(path.join(folder, name), '#!/bin/sh\n');
    chmodSync(path.join(folder, name), 0o755);
    return path.join(folder, name);
  };

  beforeEach(async () => {
    find = (await script<{ findChromium: Find }>('chromium.mjs')).findChromium;
    mkdirSync(path.join(ROOT, '.sluice', 'tmp'), { recursive: true });
    folder = mkdtempSync(path.join(ROOT, '.sluice', 'tmp', 'path-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('is the one in SLUICE_CHROMIUM, which must run', () => {
    const own = program('mine');
    expect(find({ SLUICE_CHROMIUM: own, PATH: '' })).toBe(own);
    expect(() => find({ SLUICE_CHROMIUM: '/no/such', PATH: '' })).toThrow('SLUICE_CHROMIUM is /no/such');
  });

  test('is found on PATH', () => {
    const found = program('google-chrome');
    expect(find({ PATH: folder })).toBe(found);
  });

  test("is installed from Debian's packages by root", () => {
    program('apt-get');
    const install = () => void program('chromium');
    expect(find({ PATH: folder }, { isRoot: true, install })).toBe(path.join(folder, 'chromium'));
  });

  test('is reported with the reason if it could not be installed', () => {
    expect(() => find({ PATH: folder }, { isRoot: true })).toThrow(
      /^Chromium is missing: .* not installed because there is no apt-get\. Install it \(Debian: apt install chromium\)/,
    );
    program('apt-get');
    expect(() => find({ PATH: folder }, { isRoot: false })).toThrow('because only root may install packages');
    const install = () => {
      throw new Error('no network');
    };
    expect(() => find({ PATH: folder }, { isRoot: true, install })).toThrow('because apt-get failed: no network');
  });
});

describe('Prometheus', () => {
  type Find = (folder: string, env: Record<string, string>, options?: { unpack?: (folder: string) => void }) => string;
  let find: Find;
  let folder: string;
  const program = (...parts: string[]) => {
    const file = path.join(folder, ...parts);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, '#!/bin/sh\n');
    chmodSync(file, 0o755);
    return file;
  };
  const own = () => path.join(folder, 'own');
  const bin = () => path.join(folder, 'bin');

  beforeEach(async () => {
    find = (await script<{ findPrometheus: Find }>('prometheus.mjs')).findPrometheus;
    mkdirSync(path.join(ROOT, '.sluice', 'tmp'), { recursive: true });
    folder = mkdtempSync(path.join(ROOT, '.sluice', 'tmp', 'prometheus-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('is the one in SLUICE_PROMETHEUS, which must run', () => {
    const mine = program('mine');
    expect(find(own(), { SLUICE_PROMETHEUS: mine, PATH: '' })).toBe(mine);
    expect(() => find(own(), { SLUICE_PROMETHEUS: '/no/such', PATH: '' })).toThrow('SLUICE_PROMETHEUS is /no/such');
  });

  test('is found on PATH, or where it was unpacked before', () => {
    const unpacked = program('own', 'usr', 'bin', 'prometheus');
    expect(find(own(), { PATH: '' })).toBe(unpacked);
    const found = program('bin', 'prometheus');
    expect(find(own(), { PATH: bin() })).toBe(found);
  });

  test("is unpacked from Debian's package", () => {
    program('bin', 'apt-get');
    const unpack = () => void program('own', 'usr', 'bin', 'prometheus');
    expect(find(own(), { PATH: bin() }, { unpack })).toBe(path.join(own(), 'usr', 'bin', 'prometheus'));
  });

  test('is reported with the reason if it is missing', () => {
    expect(() => find(own(), { PATH: '' })).toThrow(
      /^Prometheus is missing: .* because there is no apt-get\. Install it \(Debian: apt install prometheus\)/,
    );
    program('bin', 'apt-get');
    const unpack = () => {
      throw new Error('no network');
    };
    expect(() => find(own(), { PATH: bin() }, { unpack })).toThrow('because apt-get failed: no network');
    expect(() => find(own(), { PATH: bin() }, { unpack: () => {} })).toThrow('because there is no prometheus in it');
  });
});
