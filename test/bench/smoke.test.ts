/** The bench itself, short: whether its bars hold is for a quiet machine, that it measures what it says is for this test. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import type { Bar, FalseAlarms, Row } from '../../bench/judge/report.js';
import { ROOT } from '../support/tools.js';
import { NEVER } from '../support/until.js';

interface Result {
  rows: Row[];
  falseRollbacks: FalseAlarms;
  bars: Bar[];
  ok: boolean;
}

/** Seconds that a candidate may keep its weight here. */
const CAP = '60';
const PROGRAM = path.join(ROOT, 'dist', 'bench', 'judge', 'main.js');

function bench(args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk) => {
        said[name] += String(chunk);
      });
    }
    const late = setTimeout(() => child.kill('SIGTERM'), NEVER * 2);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(late);
      resolve({ code, ...said });
    });
  });
}

test('a short run ends with its result, and a candidate that fails for everyone loses its weight', async () => {
  const short = ['--rates', '20', '--candidates', '100', '--arms', 'fast', '--repeats', '1', '--cap', CAP];
  const { code, stdout, stderr } = await bench([...short, '--rollouts', '200', '--output', 'json']);
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  expect({ stderr, last }).toMatchObject({ last: expect.stringMatching(/^\{"rows":/) });
  const result = JSON.parse(last) as Result;
  expect(result.rows).toEqual([expect.objectContaining({ candidate: '100', arm: 'fast', runs: 1, caught: 1 })]);
  expect(result.rows[0]?.failed).toBeGreaterThanOrEqual(1);
  expect(result.falseRollbacks).toMatchObject({ rollouts: 200, alpha: 0.01 });
  expect(result.falseRollbacks.p).toBeGreaterThan(1e-4);
  expect(result.bars.map(({ bar }) => bar)).toContainEqual(expect.stringContaining('100 % fail'));
  expect(result.ok).toBe(result.bars.every(({ ok }) => ok));
  expect(code).toBe(result.ok ? 0 : 1);
});

test('an invalid option is reported, and nothing starts', async () => {
  await expect(bench(['--arms', 'argo'])).resolves.toEqual({
    code: 2,
    stdout: '',
    stderr: '--arms takes fast, cloudwatch, alarm, flagger, not "argo"\n',
  });
});
