import type { Split } from '../platform.js';

/** What an alias routes by, as Lambda's API says it. */
export interface Routing {
  FunctionVersion: string;
  RoutingConfig: { AdditionalVersionWeights: Record<string, number> };
}

/** The target does not exist. */
export const NO_SPLIT: Split = { stable: null, candidate: null, weight: 0 };

/** All traffic to one release. */
export function whole(version: string | null): Split {
  return { stable: version, candidate: null, weight: 0 };
}

/** Percent as Lambda's share 0..1. Stable is the primary, so an empty map ends the split. */
export function routing(split: Split & { stable: string }): Routing {
  const weights = split.candidate === null ? {} : { [split.candidate]: share(split.weight) };
  return { FunctionVersion: split.stable, RoutingConfig: { AdditionalVersionWeights: weights } };
}

export function splitOf(alias: {
  FunctionVersion?: string | undefined;
  RoutingConfig?: { AdditionalVersionWeights?: Record<string, number> | undefined } | undefined;
}): Split {
  const stable = alias.FunctionVersion ?? null;
  // Lambda allows one entry; a weight of 0 is no split.
  const [entry] = Object.entries(alias.RoutingConfig?.AdditionalVersionWeights ?? {});
  if (entry === undefined || entry[1] === 0) return whole(stable);
  return { stable, candidate: entry[0], weight: percent(entry[1]) };
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

/** Rounded, because 0.07 * 100 is not 7. */
function percent(part: number): number {
  return Math.round(part * 1e6) / 1e4;
}

function share(weight: number): number {
  return Math.round(weight * 1e4) / 1e6;
}
