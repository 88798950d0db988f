/** What the bench is asked for. */
import { parseArgs } from 'node:util';
import { CANDIDATES, type Candidate } from './candidates.js';

export const ARMS = ['fast', 'cloudwatch', 'alarm', 'flagger'] as const;
/** Who judges: (a) Sluice with probes and lambdaLogs, (b) Sluice on CloudWatch's minutes, (c) the alarm, (d) the threshold checker. */
export type Arm = (typeof ARMS)[number];

export interface Cell {
  candidate: Candidate;
  /** Requests a second. */
  rate: number;
}

export interface Options {
  cells: Cell[];
  arms: Arm[];
  /** Longest time that a candidate keeps its weight, in ms. */
  cap: number;
  /** Runs of each cell that `fast` is averaged over where it is short, since one run is luck. */
  repeats: number;
  /** Most requests a second at one time, over all runs. */
  load: number;
  /** Simulated healthy rollouts, and the first of their seeds. */
  rollouts: number;
  seed: number;
  json: boolean;
}

/** The bars are about 20 % at two rates; at the higher one the others would cost twice the time and say the same. */
const DEFAULT_CELLS: Cell[] = [
  { candidate: '20', rate: 50 },
  ...CANDIDATES.map((candidate) => ({ candidate, rate: 20 })),
];

/** @throws Error that says which option is wrong and what it takes. */
export function optionsFrom(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      rates: { type: 'string' },
      candidates: { type: 'string' },
      arms: { type: 'string', default: ARMS.join(',') },
      cap: { type: 'string', default: '300' },
      repeats: { type: 'string', default: '3' },
      load: { type: 'string', default: '70' },
      rollouts: { type: 'string', default: '5000' },
      seed: { type: 'string', default: '1' },
      output: { type: 'string', default: 'text' },
    },
  });
  const rates = values.rates?.split(',').map((rate) => whole('rates', rate, 1));
  const candidates = values.candidates?.split(',').map((name) => among('candidates', name, CANDIDATES));
  const cells =
    rates === undefined && candidates === undefined
      ? DEFAULT_CELLS
      : (rates ?? [20]).flatMap((rate) => (candidates ?? CANDIDATES).map((candidate) => ({ candidate, rate })));
  return {
    cells,
    arms: values.arms.split(',').map((name) => among('arms', name, ARMS)),
    cap: whole('cap', values.cap, 1) * 1_000,
    repeats: whole('repeats', values.repeats, 1),
    load: whole('load', values.load, 1),
    rollouts: whole('rollouts', values.rollouts, 1),
    seed: whole('seed', values.seed, 0),
    json: among('output', values.output, ['text', 'json'] as const) === 'json',
  };
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new Error(`--${name} takes whole numbers from ${least} on, not "${text}"`);
}

function among<T extends string>(name: string, text: string, known: readonly T[]): T {
  const found = known.find((each) => each === text);
  if (found !== undefined) return found;
  throw new Error(`--${name} takes ${known.join(', ')}, not "${text}"`);
}
