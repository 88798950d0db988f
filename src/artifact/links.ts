/** Where the symbolic links of a package point. */
import path from 'node:path';
import type { PackingRules } from '../platforms/registry.js';

/** The target of a link within the package; null if it points outside. Both are written with `/`. Pure. */
export function insidePackage(link: string, to: string): string | null {
  if (path.posix.isAbsolute(to)) return null;
  const at = path.posix.normalize(path.posix.join(path.posix.dirname(link), to));
  if (at === '.' || at === './') return '';
  return at === '..' || at.startsWith('../') ? null : at.replace(/\/$/, '');
}

/** Whether an absolute link points to a path that exists on the platform's machines. Pure. */
export function inPlace(to: string, { places }: PackingRules): boolean {
  const at = path.posix.normalize(to);
  return places.some((place) => at === place || at.startsWith(`${place}/`));
}
