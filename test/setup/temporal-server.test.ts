import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/tools.js';
import { script } from './clone.js';

type Find = (folder: string, env: Record<string, string>, options?: { build?: (place: string) => void }) => string;

let find: Find;
let folder: string;
const program = (file: string) => {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, 0o755);
  return file;
};
const own = () => path.join(folder, 'own');
const withGo = () => ({ PATH: path.dirname(program(path.join(folder, 'bin', 'go'))) });

beforeEach(async () => {
  find = (await script<{ findTemporalServer: Find }>('temporal-server.mjs')).findTemporalServer;
  mkdirSync(path.join(ROOT, '.sluice', 'tmp'), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, '.sluice', 'tmp', 'temporal-server-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the Temporal server of test:tls', () => {
  test('is the one in SLUICE_TEMPORAL_SERVER, which must run', () => {
    const mine = program(path.join(folder, 'mine'));
    expect(find(own(), { SLUICE_TEMPORAL_SERVER: mine, PATH: '' })).toBe(mine);
    expect(() => find(own(), { SLUICE_TEMPORAL_SERVER: '/no/such' })).toThrow('SLUICE_TEMPORAL_SERVER is /no/such');
  });

  test('is built once, with Go', () => {
    const built: string[] = [];
    const build = (place: string) => built.push(program(path.join(place, 'server')));
    const found = find(own(), withGo(), { build: (place) => void build(place) });
    expect(built).toEqual([found]);
    expect(find(own(), { PATH: '' })).toBe(found);
  });

  test('is reported with the reason if it is missing', () => {
    expect(() => find(own(), { PATH: '' })).toThrow(
      /not built because there is no go on PATH\. Install Go 1\.21 or newer/,
    );
    const build = () => {
      throw Object.assign(new Error('failed'), { stderr: 'no network\n' });
    };
    expect(() => find(own(), withGo(), { build })).toThrow('because go install failed: no network');
    expect(() => find(own(), withGo(), { build: () => undefined })).toThrow('because go left no program');
  });
});
