/** Where the symbolic links of a package point. */
import path from 'node:path';
import type { PackingRules } from '../platforms/registry.js';

/** Where a link of a package points, inside of the package; null when it leads out of it. Both are written with `/`. Pure. */
export function insidePackage(link: string, to: string): string | null {
  if (path.posix.isAbsolute(to)) return null;
  const at = path.posix.normalize(path.posix.join(path.posix.dirname(link), to));
  if (at === '.' || at === './') return '';
  return at === '..' || at.startsWith('../') ? null : at.replace(/\/$/, '');
}

/** Whether an absolute link leads to a place that the platform's machines have. Pure. */
export function inPlace(to: string, { places }: PackingRules): boolean {
  const at = path.posix.normalize(to);
  return places.some((place) => at === place || at.startsWith(`${place}/`));
}
