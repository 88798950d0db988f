/** What the bench found: rows, bars, a table and one line of JSON. Pure. */
import stringWidth from 'string-width';
import { concurrentBound, feedFloor } from './bound.js';
import { badShare } from './candidates.js';
import type { Arm, Cell } from './options.js';
import type { Run, Strain } from './runs.js';

const NAMES: Record<Arm, string> = {
  fast: '(a) Sluice, probes and lambdaLogs',
  cloudwatch: '(b) Sluice, CloudWatch',
  alarm: "(c) CodeDeploy, SAM's example alarm",
  flagger: "(d) Flagger's default checks",
};

/** Runs of the same kind together; means over those runs. */
export interface Row extends Cell {
  arm: Arm;
  runs: number;
  /** Of the runs, those in which the candidate lost its weight. */
  caught: number;
  failed: number;
  /** Null when a run did not end by itself. */
  seconds: number | null;
  /** Failed requests that no judge could do without, and what the fast feed adds. */
  bound: number;
  floor: number;
}

export interface Bar {
  bar: string;
  /** `measured` must be this much at most, or at least, as the bar says. */
  needed: number;
  /** Null: it never came to that. */
  measured: number | null;
  ok: boolean;
}

/** What the rows are held against; shares and chances 0-1, `tick` and `delay` of the fast feed in seconds. */
export interface Setting {
  weight: number;
  alpha: number;
  tick: number;
  delay: number;
}

export interface FalseAlarms {
  rollouts: number;
  share: number;
  alpha: number;
  /** Chance of so many or more, if each rollout's were alpha. */
  p: number;
}

/** How the machine kept up, over all runs. */
interface Played extends Omit<Strain, 'lost'> {
  /** Runs that ended in an error. */
  unplayed: number;
}

const MOST_OF_BOUND = 2.5;
/** How many times fewer failed requests than the alarm, by the rate, at 20 %. */
const FEWER_THAN_ALARM: Record<number, number> = { 20: 5, 50: 10 };
const LEAST_P = 1e-4;
/** Ms: how late users may come, and how long stable may take; that of the slow candidate takes 150. */
const MOST_LAG = 250;
const MOST_LATENCY = 500;

export function rowsOf(runs: readonly Run[], setting: Setting): Row[] {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const id = `${run.rate} ${run.candidate} ${run.arm}`;
    groups.set(id, [...(groups.get(id) ?? []), run]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { candidate, rate, arm } = first;
    const seconds = group.flatMap((run) => (run.seconds === null ? [] : [run.seconds]));
    const split = { stable: 0, candidate: badShare(candidate), weight: setting.weight };
    return [
      {
        candidate,
        rate,
        arm,
        runs: group.length,
        caught: seconds.length,
        failed: mean(group.map(({ failed }) => failed)),
        seconds: seconds.length === group.length ? mean(seconds) : null,
        bound: concurrentBound({ ...split, alpha: setting.alpha }),
        floor: feedFloor({ ...split, rate, tick: setting.tick, delay: setting.delay }),
      },
    ];
  });
}

/** The bars of what was run. */
export function barsOf(rows: readonly Row[], falseAlarms: FalseAlarms, { lags, latencies, unplayed }: Played): Bar[] {
  return [
    ...rows.filter(({ arm }) => arm === 'fast').flatMap((row) => [boundBar(row), ...alarmBar(row, rows)]),
    {
      bar: 'false rollbacks: the exact test does not reject share <= alpha, p at least',
      needed: LEAST_P,
      measured: falseAlarms.p,
      ok: falseAlarms.p >= LEAST_P,
    },
    { bar: 'runs that could not be played, at most', needed: 0, measured: unplayed, ok: unplayed === 0 },
    machineBar('users come in time: 95th percentile of their delay, in ms, at most', MOST_LAG, lags),
    machineBar('stable answers in time: 95th percentile, in ms, at most', MOST_LATENCY, latencies),
  ];
}

function boundBar(row: Row): Bar {
  const needed = MOST_OF_BOUND * row.bound + row.floor;
  const caught = row.seconds !== null;
  return {
    bar: `${cellOf(row)}: failed requests at most ${MOST_OF_BOUND} times the bound and the feed's floor`,
    needed,
    measured: caught ? row.failed : null,
    ok: caught && row.failed <= needed,
  };
}

function alarmBar(row: Row, rows: readonly Row[]): Bar[] {
  const needed = row.candidate === '20' ? FEWER_THAN_ALARM[row.rate] : undefined;
  const alarm = rows.find((each) => each.arm === 'alarm' && each.candidate === row.candidate && each.rate === row.rate);
  if (needed === undefined || alarm === undefined) return [];
  const measured = row.seconds === null || row.failed === 0 ? null : alarm.failed / row.failed;
  const bar = `${cellOf(row)}: at least ${needed} times fewer failed requests than the alarm`;
  return [{ bar, needed, measured, ok: measured !== null && measured >= needed }];
}

/** Where the machine is the bottleneck, the other numbers are about the machine. */
function machineBar(bar: string, needed: number, values: readonly number[]): Bar {
  const measured = percentile(values, 0.95);
  return { bar, needed, measured, ok: measured <= needed };
}

/** `share` 0-1; 0 of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function cellOf({ candidate, rate }: Cell): string {
  const what = candidate === 'slow' ? 'twice as slow' : `${candidate} % fail`;
  return `${what}, ${rate} requests a second`;
}

const HEAD = ['candidate', 'judge', 'caught', 'failed requests', 'seconds', 'bound', 'bound and floor'];

/** In Markdown, so that it can be published as it is. */
export function table(rows: readonly Row[]): string[] {
  const sorted = [...rows].sort(
    (one, other) => one.rate - other.rate || badness(one) - badness(other) || order(one) - order(other),
  );
  const cells = sorted.map((row) => [
    cellOf(row),
    NAMES[row.arm],
    `${row.caught} of ${row.runs}`,
    short(row.failed),
    row.seconds === null ? '–' : short(row.seconds),
    short(row.bound),
    short(row.bound + row.floor),
  ]);
  const widths = HEAD.map((head, at) =>
    Math.max(...[head, ...cells.map((row) => row[at] ?? '')].map((text) => stringWidth(text))),
  );
  const line = (row: string[]) =>
    `| ${row.map((text, at) => text + ' '.repeat((widths[at] ?? 0) - stringWidth(text))).join(' | ')} |`;
  return [line(HEAD), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...cells.map(line)];
}

function badness({ candidate }: Cell): number {
  return candidate === 'slow' ? Number.POSITIVE_INFINITY : Number(candidate);
}

function order({ arm }: Row): number {
  return Object.keys(NAMES).indexOf(arm);
}

function short(value: number): string {
  return value.toFixed(1);
}
