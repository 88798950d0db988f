import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from '../support/tools.js';
import { checkVectors } from '../vectors/check.js';

interface Case {
  kind: string;
  name: string;
  expected: Record<string, unknown>;
  [field: string]: unknown;
}

const FILE = path.join(ROOT, 'test', 'judge', 'vectors.json');
const { cases } = JSON.parse(readFileSync(FILE, 'utf8')) as { cases: Case[] };
const KINDS = [...new Set(cases.map(({ kind }) => kind))];

/** A case of that kind whose numbers may be changed. */
function one(kind: string): Case {
  const found = cases.find((each) => each.kind === kind && typeof deepFirst(each.expected) === 'number');
  if (found === undefined) throw new Error(`no case of kind ${kind}`);
  return structuredClone(found);
}

function deepFirst(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? deepFirst(Object.values(value)[0]) : value;
}

function off(value: unknown): unknown {
  if (typeof value === 'number') return value + 3e-6 * Math.max(1, Math.abs(value));
  if (typeof value === 'boolean') return !value;
  if (value === null) return 0;
  return (value as unknown[]).map((each, i) => (i === 0 ? off(each) : each));
}

function check(...given: unknown[]) {
  const said: string[] = [];
  return { ...checkVectors({ cases: given }, (line) => said.push(line)), said };
}

test('all expected values match', () => {
  const { failed, cases: checked, maxRelativeDeviation, said } = check(...cases);
  expect(said).toEqual([]);
  expect({ failed, checked }).toEqual({ failed: 0, checked: 51 });
  expect(maxRelativeDeviation).toBeLessThan(1e-9);
});

describe.each(KINDS)('a wrong value of kind %s', (kind) => {
  test.each(Object.keys(one(kind).expected))('%s is found and named', (field) => {
    const given = one(kind);
    given.expected = { ...given.expected, [field]: off(given.expected[field]) };
    const { failed, said } = check(given);
    expect(failed).toBe(1);
    expect(said.join('\n')).toContain(`cases[0] "${given.name}": expected.${field}`);
  });
});

describe('a vector that cannot be read is named by case and field', () => {
  const ticks = [{ nc: 5, ec: 1, nb: 5, eb: 0, stepUp: false }];
  test.each([
    ['relative', { ticks: [{ ...ticks[0], ec: 6 }] }, 'ticks[0].ec: expected a number of 0 or more up to 5, got 6'],
    [
      'relative',
      { ticks: [{ ...ticks[0], nb: undefined }] },
      'ticks[0].nb: expected a number of 0 or more, got nothing',
    ],
    ['relative', { ticks: [...ticks, 3] }, 'ticks[1]: expected an object, got 3'],
    ['relative', { ticks: 'none' }, 'ticks: expected a list, got "none"'],
    ['relative', { ticks: [{ ...ticks[0], stepUp: 'no' }] }, 'ticks[0].stepUp: expected true or false, got "no"'],
    ['relative', { params: undefined }, 'params: expected an object, got nothing'],
    ['relative', { nullOdds: '1' }, 'nullOdds: expected a number above 0, got "1"'],
    [
      'relative',
      { params: { ratios: [2], weights: [0.5, 0.5] } },
      'params.weights: expected one for each of the 1 ratios',
    ],
    ['relative', { expected: { logE: [] } }, 'expected.logE: expected 3 values, got 0'],
    ['relative', { expected: {} }, 'expected: expected at least one value to compare with'],
    ['relative', { expected: { loge: [0] } }, 'expected.loge: not a value of relative, which has logE, logCash, logV'],
    ['absolute', { p0: 2 }, 'p0: expected a number of 0 or more up to 1, got 2'],
    ['combined', { metricWeights: { relative: 0.5, absolute: 0.5 } }, 'metricWeights.idle: expected a number'],
    ['noninferiority', { priors: { ac: 0 } }, 'priors.ac: expected a number above 0, got 0'],
    ['noninferiorityMix', { candidatePriors: [[1, 0.5]] }, 'candidatePriors[0]: expected [weight, a, b]'],
    ['latencyExceedance', { thresholdsMs: [123] }, 'thresholdsMs[0]: 123 is no bound of a bucket'],
    ['dkwBound', { t: 0 }, 't: expected a number of 1 or more, got 0'],
    ['dkwBound', { kind: 'median' }, 'kind: "median" is not known; known are relative, absolute, combined'],
  ])('%s %j', (kind, change, message) => {
    const { failed, said } = check({ ...one(kind), ...change });
    expect(failed).toBe(1);
    expect(said.join('\n')).toContain(message);
  });

  test('and the other cases are still checked', () => {
    expect(check(3, ...cases.slice(0, 2))).toMatchObject({
      cases: 3,
      failed: 1,
      said: ['cases[0] without a name: the case: expected an object, got 3'],
    });
  });

  test('a file without cases is refused', () => {
    expect(() => checkVectors({}, () => undefined)).toThrow('the file.cases: expected a list, got nothing');
    expect(() => checkVectors({ cases: [] }, () => undefined)).toThrow('at least one case');
  });
});

describe('the command', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-vectors-'));

  function play(content: string): Promise<{ code: number; out: string; err: string }> {
    const file = path.join(folder, 'vectors.json');
    writeFileSync(file, content);
    const program = path.join(ROOT, 'dist', 'test', 'vectors', 'main.js');
    return new Promise((resolve) => {
      execFile(process.execPath, [program, file], (error, out, err) => {
        resolve({ code: Number(error?.code ?? 0), out, err });
      });
    });
  }

  test('prints the counts, and exits with 1 if a case fails', async () => {
    const wrong = { ...one('dkwBound'), expected: { bound: 1 } };
    const { code, out, err } = await play(JSON.stringify({ cases: [one('relative'), wrong] }));
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ cases: 2, failed: 1 });
    expect(err).toContain(`cases[1] "${wrong.name}": expected.bound is 1, computed 0.08`);
    expect((await play(JSON.stringify({ cases: [one('relative')] }))).code).toBe(0);
  });

  test('exits with 2 for a file that has no vectors', async () => {
    expect(await play('{')).toMatchObject({ code: 2, out: '', err: expect.stringContaining('vectors.json: ') });
  });
});
