import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { DEFAULTS } from '../../src/spec/defaults.js';
import { ROOT } from '../support/tools.js';
import { until } from '../support/until.js';
import { play, type Scene } from './fake.js';

interface Answer {
  run: string;
  verdict: string;
  why: string;
  logE: { combined: number; relative: number; ceiling: number; latency: number | null };
  needed: number | null;
}

const folder = mkdtempSync(path.join(tmpdir(), 'sluice-judge-'));
const GOOD = { nc: 25, ec: 0, nb: 225, eb: 1 };
const BAD = { nc: 25, ec: 2, nb: 225, eb: 0 };

function line(tick: Record<string, unknown>): string {
  return `${JSON.stringify({ run: 'a', ...tick })}\n`;
}

function stdin(...chunks: (string | Uint8Array)[]): Scene {
  return { stdin: Readable.from(chunks.map((chunk) => Buffer.from(chunk))), cwd: folder };
}

async function judged(input: string, ...options: string[]): Promise<Answer[]> {
  const { code, err, json } = await play(['judge', ...options], stdin(input));
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return json() as Answer[];
}

test('each line of counts gets a line with the verdict', async () => {
  const answers = await judged(line(BAD) + line({ ...BAD, stepUp: true, slowC: 3, slowB: 9 }));
  expect(answers.map(({ run, verdict }) => [run, verdict])).toEqual([
    ['a', 'undecided'],
    ['a', 'unhealthy'],
  ]);
  expect(answers[0]).toEqual({
    run: 'a',
    verdict: 'undecided',
    why: expect.stringMatching(/^8 % of 25 against 0 % of 225: 2 errors against none, evidence 1 : \d+; /),
    logE: { combined: expect.any(Number), relative: expect.any(Number), ceiling: expect.any(Number), latency: null },
    needed: null,
    pValue: expect.any(Number),
    metric: 'relative',
    oddsRatio: expect.any(Number),
  });
  expect(answers[1]?.logE.latency).toEqual(expect.any(Number));
});

test('interleaved runs do not affect each other', async () => {
  const alone = await judged(line(BAD) + line(BAD));
  const mixed = await judged(
    line(BAD) +
      line({ run: 'b', ...GOOD }) +
      line(BAD) +
      line({ run: 'b', ...GOOD, id: 7 }) +
      line({ run: 'b', ...GOOD, id: 7 }),
  );
  expect(mixed.filter(({ run }) => run === 'a')).toEqual(alone);
  const b = mixed.filter(({ run }) => run === 'b');
  expect(b.map(({ verdict }) => verdict)).toEqual(['undecided', 'undecided', 'undecided']);
  expect(b[2]).toEqual(b[1]);
});

test('lines may arrive in any chunks, even cut inside a character, and the last may lack its newline', async () => {
  const text = Buffer.from(line({ run: 'é', ...BAD }) + line({ run: 'é', ...BAD }).trimEnd());
  const pieces = [...text].map((byte) => Uint8Array.of(byte));
  const { code, json } = await play(['judge'], stdin(...pieces));
  expect(code).toBe(0);
  expect(json()).toEqual(await judged(text.toString()));
});

describe('bad input', () => {
  const wrong: [string, string][] = [
    ['{', 'expected one JSON object per line, got {'],
    ['[1]', 'expected an object, got [1]'],
    [JSON.stringify(GOOD), 'run: expected a name; got nothing'],
    [line({ ...GOOD, ec: 26 }), 'ec: expected a number, from 0 to nc (25); got 26'],
    [line({ ...GOOD, nb: -1 }), 'nb: expected a number, 0 or more; got -1'],
    [line({ ...GOOD, eb: '1' }), 'eb: expected a number, from 0 to nb (225); got "1"'],
    [line({ ...GOOD, stepUp: 1 }), 'stepUp: expected true or false; got 1'],
    [line({ ...GOOD, slowC: 3 }), 'slowB: expected a number, from 0 to nb (225); got nothing'],
    [line({ blind: 3 }), 'blind: expected the reason why nothing could be read; got 3'],
  ];

  test.each(wrong)('%j is reported with its line number, and the rest is judged', async (bad, message) => {
    const { code, out, err } = await play(['judge'], stdin(`${line(BAD)}\n${bad.trimEnd()}\n${line(BAD)}`));
    expect(err).toBe(`error SLUICE_USAGE: line 3: ${message}\n`);
    expect(out).toBe((await play(['judge'], stdin(line(BAD) + line(BAD)))).out);
    expect(code).toBe(2);
  });

  test('is reported in its place among the answers with -o json', async () => {
    const { code, err, json } = await play(['judge', '-o', 'json'], stdin(`${line(BAD)}{\n${line(BAD)}`));
    expect({ code, err }).toEqual({ code: 2, err: '' });
    expect(json()).toEqual([
      expect.objectContaining({ run: 'a' }),
      { error: { code: 'SLUICE_USAGE', message: 'line 2: expected one JSON object per line, got {' } },
      expect.objectContaining({ run: 'a', verdict: 'unhealthy' }),
    ]);
  });

  test('of one endless line is refused before it fills the memory', async () => {
    const { code, err } = await play(
      ['judge'],
      stdin(line(BAD), ...Array.from({ length: 12 }, () => 'x'.repeat(100_000))),
    );
    expect(code).toBe(2);
    expect(err).toBe('error SLUICE_USAGE: line 2: longer than 1000000 characters; write one JSON object per line\n');
  });
});

describe('the policy', () => {
  async function lastOf(input: string, ...options: string[]): Promise<Answer | undefined> {
    return (await judged(input, ...options)).at(-1);
  }

  test('is set by the options', async () => {
    const errors = line(BAD) + line(BAD);
    expect((await lastOf(errors))?.verdict).toBe('unhealthy');
    expect((await lastOf(errors, '--alpha', '1e-9'))?.verdict).toBe('undecided');
    expect((await lastOf(errors, '--dispersion', '4'))?.verdict).toBe('undecided');
    expect((await lastOf(errors, '--min-errors', '5'))?.verdict).toBe('undecided');
    expect((await lastOf(errors, '--min-effect', '9%'))?.verdict).toBe('undecided');
    expect((await lastOf(errors, '--null-odds', '30', '--ceiling', '0.5'))?.verdict).toBe('undecided');
    const alone = line({ nc: 200, ec: 13, nb: 0, eb: 0 });
    expect((await lastOf(alone))?.verdict).toBe('undecided');
    expect((await lastOf(alone, '--ceiling', '1%'))?.verdict).toBe('unhealthy');
    expect((await lastOf(alone, '--history', '40/40000'))?.why).toContain('the ceiling is 1 %');
    const good = line({ nc: 800, ec: 0, nb: 7_200, eb: 3 });
    expect((await lastOf(good))?.verdict).toBe('healthy');
    expect((await lastOf(good, '--margin', '0.1%'))?.verdict).toBe('undecided');
    expect((await lastOf(good, '--beta', '1e-9'))?.verdict).toBe('undecided');
    expect(await lastOf(good, '--min-requests', '1000')).toMatchObject({ verdict: 'undecided', needed: 200 });
  });

  test('is read from a file, and an option overrides it', async () => {
    writeFileSync(path.join(folder, 'policy.json'), JSON.stringify({ minRequests: 900, margin: '2%', dispersion: 2 }));
    const good = line({ nc: 800, ec: 0, nb: 7_200, eb: 3 });
    expect(await lastOf(good, '--rules', 'policy.json')).toMatchObject({ verdict: 'undecided', needed: 100 });
    expect(await lastOf(good, '--rules', 'policy.json', '--min-requests', '0')).toMatchObject({
      verdict: 'healthy',
      why: expect.stringContaining('a regression of 2 percentage points or more is ruled out'),
    });
  });

  test('of a rollout.yaml is its health policy', async () => {
    const spec = 'app: a\nenvironment: b\ntarget: { function: f, region: eu-west-1 }\nrelease: { version: 2 }\n';
    writeFileSync(path.join(folder, 'rollout.yaml'), `${spec}health: { judge: { minRequests: 70 } }\n`);
    const few = line({ nc: 10, ec: 0, nb: 0, eb: 0 });
    const [, inFile] = [await lastOf(few), await lastOf(few, '--rules', 'rollout.yaml')];
    expect(inFile).toEqual(
      await lastOf(
        few,
        ...['--min-requests', '70', '--min-errors', String(DEFAULTS.judge.minErrors)],
        ...['--alpha', DEFAULTS.judge.alpha, '--beta', DEFAULTS.judge.beta],
      ),
    );
  });

  test.each([
    [['--alpha', '2'], '--alpha: expected a chance above 0 and below 1, such as 0.01 or 1%'],
    [['--min-requests', 'many'], '--min-requests: expected a whole number, 0 or more'],
    [['--dispersion', '0.5'], '--dispersion: expected a number, 1 or more'],
    [['--history', '40'], '--history: expected errors and requests, such as 40/40000'],
    [['--history', '40/4'], '--history: expected errors and requests, such as 40/40000'],
    [['--rules', 'nowhere.json'], 'nowhere.json: '],
    [['--rules', 'typo.json'], 'typo.json: alhpa: unknown; expected one of alpha, beta, margin'],
    [['--rules', 'weights.json'], 'weights.json: weights: expected three shares that add up to 1'],
  ])('%j is refused', async (options, message) => {
    writeFileSync(path.join(folder, 'typo.json'), '{"alhpa":0.1}');
    writeFileSync(path.join(folder, 'weights.json'), '{"weights":{"relative":1,"ceiling":1,"latency":0}}');
    const { code, out, err } = await play(['judge', ...options], stdin(line(GOOD)));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(`error SLUICE_USAGE: ${message}`);
  });
});

describe('as a stream', () => {
  test('a verdict is written as soon as its line is read, before the input ends', async () => {
    const child = spawn(process.execPath, [path.join(ROOT, 'bin', 'sluice.mjs'), 'judge'], { stdio: 'pipe' });
    let out = '';
    child.stdout.on('data', (text) => {
      out += String(text);
    });
    const lines = () => out.split('\n').length - 1;
    const code = new Promise((resolve) => child.once('close', resolve));
    for (let i = 1; i <= 3; i += 1) {
      child.stdin.write(line(GOOD));
      await until(`verdict ${i}`, () => lines() === i);
    }
    child.stdin.end();
    expect(await code).toBe(0);
  });

  test('reading pauses while the reader of the verdicts does not keep up', async () => {
    let taken = 0;
    async function* endless() {
      for (; taken < 1_000; taken += 1) yield Buffer.from(line(GOOD));
    }
    let drain: () => void = () => undefined;
    const written: string[] = [];
    const { run } = await import('../../src/cli/main.js');
    const work = run(['judge'], {
      stdout: {
        write: (text) => {
          written.push(text);
          return written.length !== 5;
        },
        once: (_, heard) => {
          drain = heard;
        },
      },
      stderr: { write: () => true },
      stdin: endless,
      env: {},
      cwd: folder,
      signal: new AbortController().signal,
      now: () => 0,
      connect: () => Promise.reject(new Error('not asked for')),
      diagnose: () => Promise.reject(new Error('not asked for')),
      hasScreen: () => false,
      openPage: () => Promise.reject(new Error('not asked for')),
    });
    await until('five verdicts', () => written.length === 5);
    // What would go on does so in these turns of the loop.
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect({ taken, written: written.length }).toEqual({ taken: 4, written: 5 });
    drain();
    expect(await work).toBe(0);
    expect(written.length).toBe(1_000);
  });
});
