/** What the chaos rounds came to: a table by what happened, and one line of JSON. Pure. */
import type { Finished } from './rounds.js';

const HEAD = [
  'what happened',
  'rounds',
  'kills',
  'freezes',
  'faults',
  'succeeded',
  'rolled back',
  'median s',
  'violations',
];

export function table(finished: Finished[]): string[] {
  const kinds = [...new Set(finished.map(({ round }) => round.kind))].sort();
  const rows = kinds.map((kind) =>
    row(
      kind,
      finished.filter(({ round }) => round.kind === kind),
    ),
  );
  const all = [HEAD, ...rows, row('all', finished)];
  const widths = HEAD.map((_, column) => Math.max(...all.map((cells) => (cells[column] ?? '').length)));
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return all.map(line);
}

function row(name: string, of: Finished[]): string[] {
  const ended = (outcome: string) => of.filter((each) => each.outcome === outcome).length;
  const seconds = of.map((each) => each.seconds).sort((one, other) => one - other);
  return [
    name,
    ...[
      of.length,
      sum(of, 'kills'),
      sum(of, 'freezes'),
      sum(of, 'faults'),
      ended('succeeded'),
      ended('rolledBack'),
    ].map(String),
    (seconds[Math.floor(seconds.length / 2)] ?? 0).toFixed(1),
    String(violationsOf(of)),
  ];
}

export function sum(of: Finished[], what: 'kills' | 'freezes' | 'faults'): number {
  return of.reduce((total, each) => total + each[what], 0);
}

export function violationsOf(of: Finished[]): number {
  return of.reduce((total, each) => total + each.violations.length, 0);
}
