/** `npm run bench:judge -- --output json`: how soon a bad candidate loses its users, and how often a good one does; docs/benchmarks/judge.md. */
import path from 'node:path';
import { startStack } from '../../src/demo/stack.js';
import type { JudgeRules } from '../../src/model/spec.js';
import { parseSpecValue } from '../../src/spec/index.js';
import { atLeast } from './binomial.js';
import { badShare } from './candidates.js';
import { falseAlarms } from './healthy.js';
import { DELAY, Minutes } from './minutes.js';
import { type Arm, type Cell, type Options, optionsFrom } from './options.js';
import { barsOf, type FalseAlarms, percentile, rowsOf, table } from './report.js';
import { FAST, loadOf, type Played, playModels, playRollout, type World } from './runs.js';
import { inParallel, type Job } from './schedule.js';
import { speedOf } from './speed.js';
import { Targets, WEIGHT } from './targets.js';

/** Of all answers, at most this share may be missing; more is a cloud that broke down. */
const MOST_LOST = 0.01;
/** A candidate with a smaller share of bad answers takes minutes to be found, so once has to do. */
const LONG = 0.05;
const say = (text: string) => process.stderr.write(`${text}\n`);

/** The rules of a rollout.yaml that says nothing of it, but without the second look at 100 %. */
function defaultRules(): JudgeRules {
  const target = { function: 'bench', region: 'us-east-1' };
  const spec = parseSpecValue({ app: 'bench', environment: 'bench', target, release: { version: 1 } });
  return { ...spec.health.judge, probeBack: false };
}

async function judgeHealthy({ rollouts, seed }: Options, rules: JudgeRules): Promise<FalseAlarms> {
  say(`${rollouts} healthy rollouts on a simulated clock, seeds ${seed} to ${seed + rollouts - 1} …`);
  const alarms = await falseAlarms(rollouts, seed, rules);
  say(`  ${alarms} of them taken back`);
  return { rollouts, share: alarms / rollouts, alpha: rules.alpha, p: atLeast(alarms, rollouts, rules.alpha) };
}

/** The long ones first, so that the short ones fill the gaps. */
function jobsOf({ cells, arms, repeats }: Options, world: World): Job<Played>[] {
  const models = (['alarm', 'flagger'] as const).filter((arm) => arms.includes(arm));
  const job = (kind: string, arm: Arm, cell: Cell, play: (name: string) => Promise<Played>): Job<Played> => ({
    load: loadOf(arm, cell.rate),
    run: () => orFailure(play(`bench-${kind}-${cell.candidate}-${cell.rate}`)),
  });
  const turns = Array.from({ length: repeats }, (_, turn) => turn + 1);
  const isLong = ({ candidate }: Cell) => badShare(candidate) < LONG;
  return [
    ...cells.flatMap((cell) =>
      models.length === 0 ? [] : [job('models', 'alarm', cell, (name) => playModels(world, name, cell, models))],
    ),
    ...cells.flatMap((cell) =>
      arms.includes('cloudwatch')
        ? [job('cloudwatch', 'cloudwatch', cell, (name) => playRollout(world, name, cell, 'cloudwatch'))]
        : [],
    ),
    ...turns.flatMap((turn) =>
      cells.flatMap((cell) =>
        arms.includes('fast') && (turn === 1 || !isLong(cell))
          ? [job(`fast${turn}`, 'fast', cell, (name) => playRollout(world, name, cell, 'fast'))]
          : [],
      ),
    ),
  ];
}

/** A run that could not be played is no reason to lose the others; a bar counts it. */
async function orFailure(play: Promise<Played>): Promise<Played> {
  try {
    return await play;
  } catch (error) {
    say(`  could not be played: ${error instanceof Error ? error.message : String(error)}`);
    return { runs: [], strain: { lags: [], latencies: [], lost: 0 } };
  }
}

async function playAll(options: Options): Promise<Played[]> {
  const folder = path.resolve('.sluice', 'bench', String(process.pid));
  const stack = await startStack(folder, { metricsDelayMs: DELAY, workerEnv: { SLUICE_CALLS_PER_SECOND: '100' } });
  const targets = new Targets(stack.aws.gatewayUrl);
  const minutes = new Minutes(stack.aws.gatewayUrl);
  const end = () => void stack.stop().finally(() => process.exit(130));
  process.once('SIGINT', end).once('SIGTERM', end);
  const played: Played[] = [];
  try {
    const world = { stack, targets, minutes, cap: options.cap };
    await inParallel(jobsOf(options, world), options.load, (one) => {
      played.push(one);
      for (const { arm, candidate, rate, failed, seconds } of one.runs) {
        const time = new Date().toISOString().slice(11, 19);
        const back = seconds === null ? 'kept its weight' : `${seconds.toFixed(1)} s after the first`;
        say(`  ${time} ${arm.padEnd(10)} ${candidate.padStart(4)} at ${rate}/s: ${failed} failed, ${back}`);
      }
    });
  } finally {
    targets.close();
    minutes.close();
    await stack.stop();
  }
  return played;
}

async function main(options: Options): Promise<number> {
  const rules = defaultRules();
  const speed = speedOf(rules);
  const falseRollbacks = await judgeHealthy(options, rules);
  say(`real traffic on the emulated cloud, at most ${options.load} requests a second at one time …`);
  const played = await playAll(options);
  const strains = played.map(({ strain }) => strain);
  const lags = strains.flatMap((strain) => strain.lags);
  const latencies = strains.flatMap((strain) => strain.latencies);
  const lost = strains.reduce((sum, strain) => sum + strain.lost, 0);
  if (lost > MOST_LOST * lags.length)
    throw new Error(`${lost} of ${lags.length} requests got no answer; see .sluice/bench`);
  const setting = { weight: WEIGHT / 100, alpha: rules.alpha, tick: FAST.window / 1_000, delay: FAST.delay / 1_000 };
  const runs = played.flatMap((one) => one.runs);
  const rows = rowsOf(runs, setting);
  const bars = barsOf(rows, falseRollbacks, {
    lags,
    latencies,
    unplayed: played.filter((one) => one.runs.length === 0).length,
  });
  const ok = bars.every((bar) => bar.ok);
  const machine = {
    requests: lags.length,
    lost,
    lag95: Math.round(percentile(lags, 0.95)),
    answer50: Math.round(percentile(latencies, 0.5)),
    answer95: Math.round(percentile(latencies, 0.95)),
  };
  const print = (line: string) => process.stdout.write(`${line}\n`);
  for (const line of table(rows)) print(line);
  print(
    `\nfalse rollbacks: ${(100 * falseRollbacks.share).toFixed(2)} % of ${falseRollbacks.rollouts} healthy rollouts, allowed are ${100 * rules.alpha} % (p ${falseRollbacks.p.toPrecision(2)})`,
  );
  print(
    `users: ${machine.requests} requests, ${lost} without an answer, sent ${machine.lag95} ms late at the 95th percentile; stable answered in ${machine.answer50} ms (median), ${machine.answer95} ms (95th)`,
  );
  print(
    `judge: ${perSecond(speed.kernel)} updates of the kernel a second, ${perSecond(speed.judgeOf)} ticks of a rollout's judge`,
  );
  for (const bar of bars) {
    print(
      `${bar.ok ? '✔' : '✖'} ${bar.bar}: ${bar.needed.toPrecision(3)}, measured ${bar.measured === null ? 'never' : bar.measured.toPrecision(3)}`,
    );
  }
  const kernelTicks = speed.kernel / speed.judgeOf;
  if (options.json) print(JSON.stringify({ rows, falseRollbacks, bars, machine, kernelPerTick: kernelTicks, ok }));
  return ok ? 0 : 1;
}

function perSecond(value: number): string {
  return Math.round(value).toLocaleString('en');
}

let options: Options | null = null;
try {
  options = optionsFrom(process.argv.slice(2));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
if (options !== null) {
  try {
    process.exitCode = await main(options);
  } catch (error) {
    say(`the bench could not run: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exitCode = 1;
  }
}
