/** Compares what the kernel answers with the `expected` of each case. */
import { type Answer, answer } from './cases.js';
import { BadField, Reader, shown } from './read.js';

export interface Report {
  cases: number;
  failed: number;
  /** Greatest deviation of a number over the scale its tolerance has: 1, or the expected value where that is greater. */
  maxRelativeDeviation: number;
}

const TOLERANCE = 1e-6;
/** For a value that should be 0 where the tolerance is relative. */
const NEAR_ZERO = 1e-12;
/** Kinds whose tolerance is relative, however small the value. */
const RELATIVE_KINDS = ['oneArmBounds', 'dkwBound'];

/**
 * Checks a file of vectors; each failure is said with its case and field.
 * Errors: BadField when the file has no cases.
 */
export function checkVectors(file: unknown, say: (line: string) => void): Report {
  const cases = Reader.of(file, 'the file').list('cases');
  if (cases.length === 0) throw new BadField('cases', 'expected at least one case');
  const report: Report = { cases: cases.length, failed: 0, maxRelativeDeviation: 0 };
  for (const [i, each] of cases.entries()) {
    const faults: string[] = [];
    try {
      const deviation = checkCase(Reader.of(each), (fault) => faults.push(fault));
      report.maxRelativeDeviation = Math.max(report.maxRelativeDeviation, deviation);
    } catch (error) {
      if (!(error instanceof BadField)) throw error;
      faults.push(error.message);
    }
    if (faults.length > 0) report.failed += 1;
    for (const fault of faults) say(`cases[${i}] ${nameOf(each)}: ${fault}`);
  }
  return report;
}

/** The greatest deviation. */
function checkCase(given: Reader, fail: (fault: string) => void): number {
  const got = answer(given);
  const expected = given.object('expected');
  if (expected.keys().length === 0) throw new BadField('expected', 'expected at least one value to compare with');
  const kind = given.text('kind');
  let greatest = 0;
  for (const name of expected.keys()) {
    const mine = Object.hasOwn(got, name) ? got[name] : undefined;
    const at = expected.path(name);
    if (mine === undefined) throw new BadField(at, `not a value of ${kind}, which has ${Object.keys(got).join(', ')}`);
    const scaleOf = RELATIVE_KINDS.includes(kind) ? relativeScale : name === 'pStar' ? () => 1 : plainScale;
    greatest = Math.max(greatest, compare(mine, expected.raw(name), at, scaleOf, fail));
  }
  return greatest;
}

function plainScale(expected: number): number {
  return Math.max(1, Math.abs(expected));
}

function relativeScale(expected: number): number {
  return expected === 0 ? NEAR_ZERO / TOLERANCE : Math.abs(expected);
}

/** The deviation over its scale, the greatest one of a list. What is no pair of numbers must be the same, and deviates by 0 then, else by 1. */
function compare(
  got: Answer,
  expected: unknown,
  at: string,
  scaleOf: (expected: number) => number,
  fail: (fault: string) => void,
): number {
  if (Array.isArray(got)) {
    if (!Array.isArray(expected)) throw new BadField(at, `expected a list, got ${shown(expected)}`);
    if (expected.length !== got.length) throw new BadField(at, `expected ${got.length} values, got ${expected.length}`);
    const each = got.map((one: Answer, i) => compare(one, expected[i], `${at}[${i}]`, scaleOf, fail));
    return Math.max(0, ...each);
  }
  if (typeof got === 'number' && typeof expected === 'number') {
    const deviation = Math.abs(got - expected) / scaleOf(expected);
    if (deviation <= TOLERANCE) return deviation;
    fail(`${at} is ${expected}, computed ${got}`);
    return Number.isFinite(deviation) ? deviation : 1;
  }
  if (expected !== null && typeof expected !== 'number' && typeof expected !== 'boolean') {
    throw new BadField(at, `expected a number, true, false or null, got ${shown(expected)}`);
  }
  if (got === expected) return 0;
  fail(`${at} is ${shown(expected)}, computed ${shown(got)}`);
  return 1;
}

function nameOf(given: unknown): string {
  const name = (given as { name?: unknown } | null)?.name;
  return typeof name === 'string' ? JSON.stringify(name) : 'without a name';
}
