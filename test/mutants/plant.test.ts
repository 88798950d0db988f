/** Each kind of fault is planted once, sleeps until it is called, and is what it says. */
import { transformSync } from '@swc/core';
import { type Mutant, plant } from './plant.js';

/** The planted text as functions, and what wakes a mutant. */
function awaken<T>(text: string): { mutants: Mutant[]; wake(id: number): T } {
  const { text: planted, mutants } = plant('src/x.ts', text);
  const { code } = transformSync(planted, { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } });
  const made = new Function('globalThis', `${code}\nreturn subject;`) as (world: object) => T;
  return { mutants, wake: (id) => made({ sluiceMutant: (each: number) => each === id }) };
}

/** What becomes of the call when each fault is awake, by its kind. */
function answers(text: string, ...given: unknown[]): Record<string, unknown> {
  const { mutants, wake } = awaken<(...given: unknown[]) => unknown>(text);
  const found = mutants.map(({ id, kind }) => [`${kind} ${id}`, wake(id)(...given)]);
  return { asleep: wake(0)(...given), ...Object.fromEntries(found) };
}

test('a mutant removes a check: the condition of an if, or a side of an and', () => {
  const text =
    'function subject(a: number, b: string): string { if (a === 1 && b === "x") return "no"; return "yes"; }';
  const { mutants } = awaken(text);
  expect(mutants.map(({ kind, from, to }) => `${kind}: ${from} → ${to}`)).toEqual([
    'no if: a === 1 && b === "x" → false',
    'operand gone: a === 1 && b === "x" → b === "x"',
    'operand gone: a === 1 && b === "x" → a === 1',
    'number: 1 → 2',
  ]);
  expect(answers(text, 1, 'x')).toEqual({
    asleep: 'no',
    'no if 1': 'yes',
    'operand gone 2': 'no',
    'operand gone 3': 'no',
    'number 4': 'yes',
  });
  expect(answers(text, 2, 'x')).toMatchObject({ asleep: 'yes', 'operand gone 2': 'no' });
});

test('a mutant shifts a boundary by one, or makes an answer constant', () => {
  expect(answers('const subject = (n: number): boolean => n < 3;', 3)).toEqual({
    asleep: false,
    'boundary 1': true,
    'answer 2': true,
    'answer 3': false,
    'number 4': true,
  });
});

test('a mutant removes an argument of Math.max, a member of a list, a property that is passed on, or a call', () => {
  const text = `function subject(list: string[]) {
    const keep = (of: { all: string[] }) => of.all ?? [];
    list.push('more');
    return [Math.max(list.length, 7), ...keep({ all: ['a', 'b'] })];
  }`;
  const { mutants, wake } = awaken<(list: string[]) => unknown>(text);
  expect(mutants.map(({ id, kind }) => [kind, wake(id)([])])).toEqual([
    ['call gone', [7, 'a', 'b']],
    ['argument gone', [7, 'a', 'b']],
    ['argument gone', [1, 'a', 'b']],
    ['number', [8, 'a', 'b']],
    ['without all: ["a", "b"]'.replaceAll('"', "'"), [7]],
    ["without 'a'", [7, 'b']],
    ["without 'b'", [7, 'a']],
  ]);
});

test('a mutant removes a filter, turns some into every, or drops one end of a pattern', () => {
  const text =
    'const subject = (list: string[]) => list.filter((each) => /^a$/.test(each)).some((each) => each !== "");';
  expect(awaken(text).mutants.map(({ kind, to }) => `${kind}: ${to}`)).toEqual([
    'every: list.filter((each) => /^a$/.test(each)).every((each) => each !== "")',
    'answer: true',
    'answer: false',
    'no filter: list',
    'answer: true',
    'answer: false',
    'anchor gone: /a$/',
    'anchor gone: /^a/',
    'answer: true',
    'answer: false',
  ]);
  expect(answers(text, ['ba'])).toMatchObject({ asleep: false, 'anchor gone 7': true, 'anchor gone 8': false });
});

test('places are those in the file, and code that does not run has no mutants', () => {
  const text =
    "import { type A } from './a.js';\n\ninterface B { n: 1 | 2 }\nconst subject = (a: 3 | 4): boolean =>\n  !a;\n";
  const { mutants } = plant('src/x.ts', text, 50);
  expect(mutants.map(({ id, line, column, kind }) => ({ id, line, column, kind }))).toEqual([
    { id: 50, line: 5, column: 3, kind: 'no !' },
    { id: 51, line: 5, column: 3, kind: 'answer' },
    { id: 52, line: 5, column: 3, kind: 'answer' },
  ]);
});
