/** Words for the two environments of a blue-green target. */
import type { RolloutView } from './view.js';

/** Which of blue-green's two environments is live, and where the candidate waits for its traffic, in brackets; nothing for other targets. */
export function environmentsNote(view: RolloutView): string {
  const { live, strategy, outcome, candidate, weight } = view;
  if (live === null) return '';
  const waits = strategy === 'blueGreen' && outcome === null && candidate !== null && weight === 0;
  return waits ? ` (${live} is live, the candidate is in ${live === 'blue' ? 'green' : 'blue'})` : ` (${live} is live)`;
}

/** The environment that holds this version; null when neither does. */
export function sideOf(
  { blue, green }: { blue: string | null; green: string | null },
  version: string,
): 'blue' | 'green' | null {
  if (blue === version) return 'blue';
  return green === version ? 'green' : null;
}
