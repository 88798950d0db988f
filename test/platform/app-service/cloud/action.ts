import type { Request } from './cloud.js';

const VERBS: Record<string, string> = { GET: 'read', PUT: 'write', PATCH: 'write', DELETE: 'delete' };

/**
 * The action that a request needs, in lower case, by Resource Manager's rule: the types in its path and what is done to the
 * last one ("Azure resource provider operations"). Null: a host of the site, which needs none.
 */
export function actionOf({ method, url }: Pick<Request, 'method' | 'url'>): string | null {
  const path = url.pathname.toLowerCase();
  if (path.endsWith('/metrics:getbatch')) return 'microsoft.insights/metrics/read';
  if (url.hostname.endsWith('.scm.test')) {
    return `microsoft.web/sites/${url.hostname.includes('-staging-') ? 'slots/' : ''}publish/action`;
  }
  const provider = path.split('/providers/').at(-1);
  if (provider === undefined || provider === path) return null;
  const [namespace, ...parts] = provider.split('/');
  const done = VERBS[method];
  const types = parts.filter((_, at) => at % 2 === 0);
  if (done !== undefined) return [namespace, ...types, done].join('/');
  const named = parts.length % 2 === 0 ? [...types, parts.at(-1)] : types;
  return [namespace, ...named, 'action'].join('/');
}
