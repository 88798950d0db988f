/**
 * `npm run mutants -- [FILE…]`: plants small faults into the files, one at a time, and says which of them no test notices. All
 * happens in a copy under .sluice/tmp. Exit 1 when a suite fails without any fault, 2 on a file that is none.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Mutant, plant } from './plant.js';
import type { Ask, Ran } from './runner.js';
import { compiled, makeTree, Needs } from './tree.js';

/** The guards: what is planted unless files are named. Folders are taken with their files. */
const GUARDS = ['src/access', 'src/authority', 'src/judge', 'src/model/rollout'];
/** Suites that take seconds and need no server of Temporal. */
const UNITS = ['access', 'authority', 'judge', 'model', 'secrets', 'spec', 'strategies'];

const ROOT = process.cwd();
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    suites: { type: 'string', default: UNITS.join(',') },
    parallel: { type: 'string', default: '2' },
    /** Minutes; what is left then is not tried. */
    within: { type: 'string', default: '60' },
    /** Seconds; a test that takes longer runs only for a fault that no quicker one reaches. */
    longest: { type: 'string', default: 'Infinity' },
  },
});

const files = (positionals.length === 0 ? GUARDS : positionals).flatMap(sourcesIn);
const suites = values.suites.split(',').flatMap((name) => suitesIn(path.posix.join('test', name)));
const lanes = Number(values.parallel);
const until = Date.now() + Number(values.within) * 60_000;
const longest = Number(values.longest) * 1_000;
if (files.length === 0 || suites.length === 0 || !(lanes > 0) || !(until > 0) || !(longest > 0)) {
  process.stderr.write(
    'usage: npm run mutants -- [FILE…] [--suites access,judge/kernel.test.ts] [--parallel LANES] [--within MINUTES] [--longest SECONDS]\n',
  );
  process.exit(2);
}

type Verdict = 'killed' | 'timeout' | 'survived' | 'left';

/** What a suite does without any fault. */
interface Known {
  suite: string;
  needs: string[];
  tests: Ran['tests'];
  around: Set<number>;
}

const texts = new Map<string, string>();
const mutants: Mutant[] = [];
for (const file of files) {
  const planted = plant(file, readFileSync(path.join(ROOT, file), 'utf8'), mutants.length + 1);
  texts.set(file, planted.text);
  mutants.push(...planted.mutants);
}
const tree = makeTree(ROOT, texts);
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) endWhole(child);
  tree.remove();
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

function endWhole({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** How often a process loads the modules anew. */
const MOST_LOADS = 150;

/** A child that runs suites. */
class Runner {
  private child: ChildProcess;
  private loads = 0;

  constructor() {
    this.child = this.spawn();
  }

  private spawn(): ChildProcess {
    const child = fork(path.join(tree.folder, 'test', 'mutants', 'runner.js'), [], {
      cwd: tree.folder,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { ...process.env, NODE_ENV: 'test' },
      // A group of its own, so that the servers which its suites start end with it.
      detached: true,
    });
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  }

  /** Null: it took longer than `within` ms, or the process ended; the next one is asked of a new process. */
  ask(ask: Ask, within: number): Promise<Ran | null> {
    // What was loaded is never let go.
    if (ask.fresh && ++this.loads % MOST_LOADS === 0) this.renew();
    const { child } = this;
    return new Promise((resolve) => {
      const end = (ran: Ran | null) => {
        clearTimeout(timer);
        child.removeAllListeners('message').removeAllListeners('exit');
        child.once('exit', () => children.delete(child));
        if (ran === null) this.renew();
        resolve(ran);
      };
      const timer = setTimeout(() => end(null), within);
      child.once('message', (ran) => end(ran as Ran));
      child.once('exit', () => end(null));
      child.send(ask);
    });
  }

  renew(): void {
    this.end();
    this.child = this.spawn();
  }

  end(): void {
    endWhole(this.child);
  }
}

const needs = new Needs(ROOT);
const planted = new Set(files);
const related = suites
  .map((suite) => ({ suite, needs: needs.of(suite).filter((each) => each !== suite) }))
  .filter((each) => each.needs.some((file) => planted.has(file)));

/** Reached while modules load, so that they have to load anew with the mutant awake. */
const early = new Set<number>();

/** The suite without any fault, twice: what a second run in the same process cannot do would look like a kill. */
async function look(runner: Runner, each: { suite: string; needs: string[] }): Promise<Known> {
  const of = { suite: compiled(each.suite), needs: each.needs.map(compiled), mutant: 0, fresh: false, only: null };
  const first = await runner.ask(of, 600_000);
  const second = await runner.ask(of, 600_000);
  const failed = first === null || second === null ? 'it did not end' : (first.failed ?? second.failed);
  if (first === null || second === null || failed !== null) {
    throw new Error(`${each.suite} fails without any mutant: ${failed}`);
  }
  for (const id of first.loading) early.add(id);
  return { suite: of.suite, needs: of.needs, tests: second.tests, around: new Set(second.around) };
}

/** Does all of it, in as many lanes as there are runners. */
async function inLanes<T>(work: T[], one: (each: T, runner: Runner) => Promise<void>): Promise<void> {
  const waiting = [...work];
  const lane = async () => {
    const runner = new Runner();
    for (let each = waiting.shift(); each !== undefined; each = waiting.shift()) await one(each, runner);
    runner.end();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

const known: Known[] = [];
const began = Date.now();
try {
  await inLanes(related, async (each, runner) => void known.push(await look(runner, each)));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
}
process.stderr.write(
  `${mutants.length} mutants in ${files.length} files, ${known.length} suites, ${early.size} reached while they load; ${((Date.now() - began) / 1000).toFixed(0)} s without any\n`,
);

/** Tests of this many ms or more are asked for one by one, so that the quick ones of a suite need not wait for them. */
const SLOW = 250;

/** What has to run for a mutant, the quickest first, and how many tests are left out because they take too long. */
function asksFor(mutant: Mutant): { asks: { ask: Ask; time: number }[]; leftOut: number } {
  const atStart = early.has(mutant.id);
  const reaching = known.map(({ suite, needs, tests, around }) => {
    const all = atStart ? needs.includes(compiled(mutant.file)) : around.has(mutant.id);
    return { suite, needs, meant: all ? tests : tests.filter(({ reached }) => reached.includes(mutant.id)) };
  });
  const short = reaching.map((each) => ({ ...each, meant: each.meant.filter(({ took }) => took <= longest) }));
  const used = short.some(({ meant }) => meant.length > 0) ? short : reaching;
  const asks = used.flatMap(({ suite, needs, meant }) => {
    const quick = meant.filter(({ took }) => took < SLOW);
    const slow = meant.filter(({ took }) => took >= SLOW).map((test) => [test]);
    return [quick, ...slow]
      .filter((tests) => tests.length > 0)
      .map((tests) => {
        const only = tests.map(({ at }) => at);
        const time = tests.reduce((sum, { took }) => sum + took, 0);
        return { ask: { suite, needs, mutant: mutant.id, fresh: atStart, only }, time };
      });
  });
  const sizeOf = (all: typeof reaching) => all.reduce((sum, { meant }) => sum + meant.length, 0);
  return { asks: asks.sort((a, b) => a.time - b.time), leftOut: sizeOf(reaching) - sizeOf(used) };
}

async function judge(mutant: Mutant, runner: Runner): Promise<Verdict> {
  for (const { ask, time } of asksFor(mutant).asks) {
    if (Date.now() > until) return 'left';
    const within = 15_000 + time * 10;
    const ran = await runner.ask(ask, within);
    if (ran === null) return 'timeout';
    if (ran.failed === null) continue;
    // The same without it. What an earlier mutant has left behind may have failed it, and a new process has nothing of that.
    if ((await runner.ask({ ...ask, mutant: 0, only: onlyOf(ran, ask) }, within))?.failed === null) return 'killed';
    runner.renew();
    if ((await runner.ask(ask, within))?.failed !== null) return 'killed';
  }
  return 'survived';
}

/** The test that failed, where it was one. */
function onlyOf({ failedAt }: Ran, { only }: Ask): number[] | null {
  return failedAt === null ? only : [failedAt];
}

function described(mutant: Mutant): string {
  const { file, line, column, kind, from, to } = mutant;
  const { asks, leftOut } = asksFor(mutant);
  const note = asks.length === 0 ? ' (no test comes here)' : leftOut > 0 ? ` (${leftOut} longer tests not run)` : '';
  return `${file}:${line}:${column}  ${kind}${note}\n    ${from}\n  → ${to}\n`;
}

const verdicts = new Map<number, Verdict>();
await inLanes(mutants, async (mutant, runner) => {
  const verdict = Date.now() > until ? 'left' : await judge(mutant, runner);
  verdicts.set(mutant.id, verdict);
  if (verdict === 'survived') process.stdout.write(described(mutant));
  if (verdicts.size % 100 === 0) process.stderr.write(`${verdicts.size} of ${mutants.length}\n`);
});

const count = (of: Mutant[], verdict: Verdict) => of.filter(({ id }) => verdicts.get(id) === verdict).length;
const sums = (of: Mutant[]) => ({
  planted: of.length,
  killed: count(of, 'killed'),
  timeouts: count(of, 'timeout'),
  survived: count(of, 'survived'),
  left: count(of, 'left'),
});

const out: string[] = [];
const columns = ['planted', 'killed', 'timeouts', 'survived', 'left'] as const;
const wide = Math.max(...files.map((file) => file.length));
const row = (name: string, cells: (string | number)[]) =>
  `${name.padEnd(wide)}${cells.map((cell) => String(cell).padStart(10)).join('')}`;
out.push('', row('file', [...columns]));
for (const file of files) {
  const of = sums(mutants.filter((each) => each.file === file));
  out.push(
    row(
      file,
      columns.map((column) => of[column]),
    ),
  );
}
const seconds = Math.round((Date.now() - began) / 1000);
process.stdout.write(`${out.join('\n')}\n${JSON.stringify({ ...sums(mutants), seconds })}\n`);
process.exit(0);

/** The sources that a file or a folder stands for. */
function sourcesIn(name: string): string[] {
  const whole = path.posix.normalize(name);
  const found = statSync(path.join(ROOT, whole), { throwIfNoEntry: false });
  if (found?.isDirectory() === true) {
    return readdirSync(path.join(ROOT, whole))
      .sort()
      .flatMap((each) => sourcesIn(path.posix.join(whole, each)));
  }
  return found !== undefined && whole.endsWith('.ts') && !whole.endsWith('.d.ts') ? [whole] : [];
}

/** The suites that a file or a folder of test/ holds. */
function suitesIn(name: string): string[] {
  return sourcesIn(name).filter((file) => file.endsWith('.test.ts'));
}
