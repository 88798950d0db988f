/** What a request needs a permission for, and whether a role has it. */
import type { Call } from '../http.js';

/** A role definition, as far as it is looked at ("Azure role definitions"). */
export interface Role {
  actions: string[];
  notActions?: string[];
}

const VERBS: Record<string, string> = { GET: 'read', PUT: 'write', PATCH: 'write', DELETE: 'delete' };

/**
 * The action in lower case, by Resource Manager's rule: the types in the path and what is done to the last one ("Azure
 * resource provider operations"). Null: none is needed.
 */
export function actionOf({ method, path }: Pick<Call, 'method' | 'path'>): string | null {
  const at = path.split('?')[0]?.toLowerCase() ?? '';
  if (at.endsWith('/metrics:getbatch')) return 'microsoft.insights/metrics/read';
  const provider = at.split('/providers/').at(-1);
  if (provider === undefined || provider === at) return null;
  const [namespace, ...parts] = provider.split('/');
  const done = VERBS[method];
  const types = parts.filter((_, i) => i % 2 === 0);
  if (done !== undefined) return [namespace, ...types, done].join('/');
  const named = parts.length % 2 === 0 ? [...types, parts.at(-1)] : types;
  return [namespace, ...named, 'action'].join('/');
}

/** Kudu takes a token of whoever may publish. */
export function publishAction(slot: string | null): string {
  return `microsoft.web/sites/${slot === null ? '' : 'slots/'}publish/action`;
}

export function allows({ actions, notActions = [] }: Role, action: string): boolean {
  return actions.some((one) => covers(one, action)) && !notActions.some((one) => covers(one, action));
}

function covers(pattern: string, action: string): boolean {
  const parts = pattern
    .toLowerCase()
    .split('*')
    .map((part) => part.replace(/[.\\+?^${}()|[\]]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(action);
}
