/** Blue and green: production holds the one and the slot the other, and a swap exchanges them. Pure. */
import type { Environments } from '../../port.js';

export type Side = 'blue' | 'green';

/** What a slot says of itself. */
export interface Holding {
  release: string | null;
  side: Side | null;
}

export function otherSide(side: Side): Side {
  return side === 'blue' ? 'green' : 'blue';
}

/**
 * The environments by what production and the slot hold. One name is enough for both: content that was there before the
 * first blue-green rollout has none, and writing it would restart production. Null when neither has one.
 */
export function environmentsOf(production: Holding, slot: Holding | null): Environments | null {
  const named = production.side ?? (slot?.side == null ? null : otherSide(slot.side));
  if (slot === null || named === null) return null;
  const held = { blue: null, green: null, [named]: production.release, [otherSide(named)]: slot.release };
  return { ...held, live: production.release === null ? null : named };
}

/** The environment that a new release gets into the slot: the one that production is not; blue when nothing is live yet. */
export function idleSide(production: Holding, slot: Holding | null): Side {
  if (production.release === null) return 'blue';
  return otherSide(production.side ?? (slot?.side == null ? 'blue' : otherSide(slot.side)));
}
