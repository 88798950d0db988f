/** A target that takes no new rollout until a person releases it: what `undo --hold` leaves with the companion. */
import { clean } from './text.js';

export interface Hold {
  /** Who has put it there; null when nobody is known. */
  by: string | null;
  /** ms since the epoch. */
  since: number;
  /** The run of the undo that did. */
  run: string;
  /** The release that it was to go back to. */
  version: string;
  message: string | null;
  /** A worker's, by which other workers believe it; null where they have no key. */
  seal: string | null;
}

/** The hold's name in the companion's memo, where it can be read without a worker. */
export const HOLD_MEMO = 'hold';

/** The hold in a companion's memo; null if there is none, or it is malformed. */
export function holdIn(memo: Record<string, unknown> | undefined): Hold | null {
  const found = memo?.[HOLD_MEMO];
  if (typeof found !== 'object' || found === null) return null;
  const { by = null, since, run, version, message = null, seal = null } = found as Partial<Hold>;
  const texts = [by, message, seal].every((each) => each === null || typeof each === 'string');
  if (!texts || typeof since !== 'number' || typeof run !== 'string' || typeof version !== 'string') return null;
  return { by, since, run, version, message, seal };
}

/** Why a start is refused, and what to do. A hold outlasts an abort of its undo, so it does not say that the undo succeeded. */
export function heldMessage(id: string, { by, since, version, message }: Hold): string {
  const why = message === null ? '' : `, because: ${clean(message, 200)}`;
  return `${id} is held since ${new Date(since).toISOString()} by ${clean(by ?? 'someone', 60)}'s undo to release ${clean(version, 60)}${why}. No rollout can start there until \`sluice unhold ${id}\``;
}
