/** What Temporal's UI shows of a rollout from the start and never changes: what was asked for, by whom and why. Pure. */
import { companionId, rolloutId } from '../ids.js';
import type { RolloutInput } from '../spec.js';
import { clean, code } from '../text.js';
import type { RolloutType } from '../words.js';

/** Longest part of a rollout.yaml that is repeated, in characters. */
const LONGEST = 300;

interface Begun {
  app: string;
  environment: string;
  type: RolloutType;
  input: RolloutInput;
  namespace: string;
}

/** The options of a start. The links are those of a UI that is served at the root of its host. */
export function staticTexts(of: Begun): { staticSummary: string; staticDetails: string } {
  const { app, environment, type, input, namespace } = of;
  const id = rolloutId(app, environment);
  const { startedBy, message, target, release, to } = input;
  const lines: [string, string | null][] = [
    ['Target', fields(target)],
    ['Release', type === 'undo' ? (typeof to === 'string' ? code(to, 60) : 'the one before') : fields(release)],
    ['Started by', typeof startedBy === 'string' ? `${code(startedBy, 60)}, unverified` : null],
    ['Message', typeof message === 'string' ? code(message, LONGEST) : null],
    ['Follow', code(`sluice get ${id} --watch`)],
  ];
  const page = `/namespaces/${encodeURIComponent(namespace)}/workflows`;
  const all = `${page}?query=${encodeURIComponent(`WorkflowId = "${id}"`)}`;
  const companion = `${page}/${encodeURIComponent(companionId(app, environment))}`;
  return {
    staticSummary: clean(`${type} of ${id}`),
    staticDetails: [
      `**${type}** of ${code(id)}`,
      '',
      ...lines.flatMap(([name, value]) => (value === null ? [] : [`- **${name}:** ${value}`])),
      '',
      `[All rollouts of this target](${all}) · [Its releases and queue](${companion})`,
    ].join('\n'),
  };
}

/** `function checkout, alias live`: what a part of a spec says in plain values. */
function fields(part: unknown): string | null {
  if (typeof part !== 'object' || part === null) return null;
  const plain = Object.entries(part).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  const named = plain.map(([name, value]) => `${name} ${value}`);
  const more = Object.entries(part).filter(([, value]) => typeof value === 'object' && value !== null);
  const all = [...named, ...more.map(([name]) => name)];
  return all.length === 0 ? null : code(all.join(', '), LONGEST);
}
