/** Several metrics, one evidence. */
import { logSum, settled } from './logs.js';

/** One metric's share (0-1) of the evidence and its ln E; null when it was never measured, which counts as E = 1. */
export interface Part<Name extends string = string> {
  name: Name;
  weight: number;
  logE: number | null;
}

/**
 * ln of the weighted mean of the e-values; the weights sum to 1. A mean of e-values is one, whatever ties them together, so one
 * alpha holds for all metrics.
 *
 * Source: Vovk and Wang, "E-values: calibration, combination and applications", 2021.
 */
export function combined(parts: readonly Part[]): number {
  return settled(logSum(parts.map(share)));
}

/** The metric that carries most of the evidence, of those that were measured. */
export function carrier<Name extends string>(parts: readonly [Part<Name>, ...Part<Name>[]]): Name {
  const weightOf = (part: Part) => (part.logE === null ? Number.NEGATIVE_INFINITY : share(part));
  return parts.reduce((most, part) => (weightOf(part) > weightOf(most) ? part : most)).name;
}

function share({ weight, logE }: Part): number {
  return Math.log(weight) + (logE ?? 0);
}

/** Anytime p-value: min(1, 1 / the greatest E so far). */
export function pValue(greatestLogE: number): number {
  return Math.min(1, Math.exp(-greatestLogE));
}
