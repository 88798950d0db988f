/**
 * `npm run bench:aborts`: how long until targets are at weight 0 that are aborted together, on a real Temporal server, real
 * workers and the emulated AWS; as they are, and after restarts by SIGKILL.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../../emulators/tools.js';
import { type AbortsResult, runAborts } from './run.js';

interface Row {
  aborts: number;
  workers: number;
  restarts: number;
}

const HELP = [
  'usage: npm run bench:aborts -- [--aborts 20] [--workers 1] [--restarts 5] [--output json]',
  'Prints a table, and with --output json one JSON line behind it.',
].join('\n');

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new Error(`--${name} ${text} is no whole number`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      aborts: { type: 'string', default: '20' },
      workers: { type: 'string', default: '1' },
      restarts: { type: 'string', default: '5' },
      output: { type: 'string', default: 'text' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return;
  }
  const [aborts, workers] = [whole('aborts', values.aborts), whole('workers', values.workers)];
  const restarts = whole('restarts', values.restarts);
  const rows: Row[] = [
    { aborts: 1, workers, restarts: 0 },
    { aborts: 1, workers, restarts },
    { aborts, workers, restarts: 0 },
    { aborts, workers, restarts },
  ];
  const results: (Row & { medianMs: number; slowestMs: number; busiestSecond: number })[] = [];
  process.stdout.write('aborts  workers  restarts   median    slowest   calls in the busiest second\n');
  for (const row of rows) {
    const result = await runAborts({ ...row, folder: path.join(projectRoot(), '.sluice', 'bench', 'aborts') });
    mustBeRight(result);
    const { toZero, busiest: busiestSecond } = result;
    const medianMs = Math.round(toZero[Math.floor((toZero.length - 1) / 2)] ?? Number.NaN);
    const slowestMs = Math.round(toZero.at(-1) ?? Number.NaN);
    results.push({ ...row, medianMs, slowestMs, busiestSecond });
    const cells = [row.aborts, row.workers, row.restarts, `${medianMs} ms`, `${slowestMs} ms`, busiestSecond];
    const widths = [6, 9, 10, 10, 10, 12];
    process.stdout.write(`${cells.map((cell, n) => String(cell).padStart(widths[n] ?? 0)).join('')}\n`);
  }
  if (values.output === 'json') process.stdout.write(`${JSON.stringify({ aborts: results })}\n`);
}

function mustBeRight({ outcomes, astray }: AbortsResult): void {
  if (astray.length > 0) throw new Error(`not at their stable release: ${astray.join(', ')}`);
  if (outcomes.join() !== 'rolledBack') throw new Error(`the rollouts have ended as ${outcomes.join(', ')}`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`bench:aborts: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
