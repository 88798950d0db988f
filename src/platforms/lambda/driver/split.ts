/** An alias as a split of traffic, and back. */
import type { Split } from '../../port.js';
import { percent, share, whole } from '../../shared/splits.js';

/** What an alias routes by, as Lambda's API says it. */
export interface Routing {
  FunctionVersion: string;
  RoutingConfig: { AdditionalVersionWeights: Record<string, number> };
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
