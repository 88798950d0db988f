/** Splits of traffic: made, compared, and in words. Pure. */
import type { BeforeState, Split } from '../port.js';

/** The target does not exist. */
export const NO_SPLIT: Split = { stable: null, candidate: null, weight: 0 };

/** What is before a rollout where the target does not exist. */
export const NO_TARGET: BeforeState = {
  split: NO_SPLIT,
  release: null,
  revision: null,
  description: '',
  mark: null,
  environments: null,
  capacity: 0,
};

/** All traffic to one release. */
export function whole(version: string | null): Split {
  return { stable: version, candidate: null, weight: 0 };
}

export function sameSplit(a: Split, b: Split): boolean {
  return normal(a) === normal(b);
}

/** For people: `all to 7`, `90 % to 7, 10 % to 8`. */
export function say(split: Split): string {
  if (split.stable === null) return 'nothing';
  if (split.candidate === null || split.weight === 0) return `all to ${split.stable}`;
  return `${percent((100 - split.weight) / 100)} % to ${split.stable}, ${split.weight} % to ${split.candidate}`;
}

function normal({ stable, candidate, weight }: Split): string {
  return candidate === null || weight === 0 ? `${stable}` : `${stable} ${candidate} ${share(weight)}`;
}

/** Of a share 0..1, rounded, because 0.07 * 100 is not 7. */
export function percent(part: number): number {
  return Math.round(part * 1e6) / 1e4;
}

/** Of percent. */
export function share(weight: number): number {
  return Math.round(weight * 1e4) / 1e6;
}
