/** A loader hook: what a module that was asked for with `?fresh=N` imports of this tree is loaded anew too, all of it once for each N. */
import type { ResolveHook } from 'node:module';

/** The tree that this file stands in. */
const TREE = new URL('../../', import.meta.url).href;

export const resolve: ResolveHook = async (specifier, context, next) => {
  const found = await next(specifier, context);
  const run = /\?fresh=\d+$/.exec(context.parentURL ?? '')?.[0];
  return run !== undefined && found.url.startsWith(TREE) ? { ...found, url: `${found.url}${run}` } : found;
};
