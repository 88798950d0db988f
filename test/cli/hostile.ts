/** A rollout in which every text is an attack. */
import type { RolloutView } from '../../src/model/view.js';
import { rolledBack } from './report-views.js';

export const ATTACK = `</script><img src=x onerror="window.pwned=1">'"&\`<!--\${1}`;

/** Words of fixed choice, and keys that the page decides by. */
const KEPT = new Set(['phase', 'outcome', 'state', 'code', 'strategy', 'live']);

export function hostile(): RolloutView {
  return attacked(rolledBack({ live: null }), '') as RolloutView;
}

function attacked(value: unknown, key: string): unknown {
  if (typeof value === 'string') return KEPT.has(key) ? value : ATTACK;
  if (Array.isArray(value)) return value.map((each) => attacked(each, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, attacked(each, name)]));
}
