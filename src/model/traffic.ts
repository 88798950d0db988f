/** How traffic is divided between two releases, as a share and in words. */
import type { RolloutView, SplitView } from './view.js';

/** Percent of traffic that a release has in a split. Pure. */
export function shareOf({ stable, candidate, weight }: SplitView, release: string | null): number {
  if (release === null) return 0;
  const given = candidate === null ? 0 : weight;
  return (stable === release ? 100 - given : 0) + (candidate === release ? given : 0);
}

/** Whether it sends a part of the traffic, and not all, to this release. Pure. */
export function isPart(split: SplitView, release: string | null): boolean {
  const share = shareOf(split, release);
  return share > 0 && share < 100;
}

/** For people: `all to 7`, `90 % to 7, 10 % to 8`, `nothing`. Pure. */
export function saySplit({ stable, candidate, weight }: SplitView): string {
  if (candidate === null || weight === 0) return stable === null ? 'nothing' : `all to ${stable}`;
  // 100 - 0.1 is not 99.9.
  return `${Math.round((100 - weight) * 1e4) / 1e4} % to ${stable ?? 'nothing'}, ${weight} % to ${candidate}`;
}

/** What was read where it is not the rollout's own doing: another release has traffic, or the two have changed places. Null otherwise. Pure. */
export function strange({ split, stable, candidate }: RolloutView): string | null {
  if (split === null) return null;
  const whole = split.candidate === null || split.weight === 0;
  const promoted = candidate !== null && split.stable === candidate;
  const ours = whole ? split.stable === stable || promoted : split.stable === stable && split.candidate === candidate;
  return ours ? null : saySplit(split);
}
