/** What a target's ledger says. Pure. */
import type { CompanionView } from './view.js';

/**
 * Releases that `undo --to` can roll back to: those of the ledger that are not live and that Sluice has not deleted, newest
 * first.
 */
export function goesBackTo({ releases }: CompanionView): string[] {
  const live = releases.find(({ until }) => until === null)?.version;
  const deleted = new Set(releases.filter(({ retired }) => retired !== null).map(({ version }) => version));
  const there = releases.map(({ version }) => version).filter((version) => version !== live && !deleted.has(version));
  return [...new Set(there)];
}
