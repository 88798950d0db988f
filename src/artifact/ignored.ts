/** What of a folder stays out of its package. */
import path from 'node:path';
import ignore from 'ignore';

/** Names what stays out, in the syntax of a .gitignore; it stays out itself. */
export const IGNORE_FILE = '.sluiceignore';

/** Never packed, at any depth: Sluice's own files (the store of packages among them), and the history of the source. */
const NEVER = new Set(['.sluice', '.git']);

/** Whether a path of the folder, written with `/`, stays out; with a path everything below it does. */
export type LeftOut = (name: string, kind: 'folder' | 'file') => boolean;

/** By the text of the folder's .sluiceignore. As in git on Linux, case matters. Pure. */
export function leftOutBy(text: string): LeftOut {
  const rules = ignore({ ignorecase: false, allowRelativePaths: true }).add(text);
  return (name, kind) =>
    name === IGNORE_FILE ||
    name.split('/').some((part) => NEVER.has(part)) ||
    rules.ignores(kind === 'folder' ? `${name}/` : name);
}

/** Whether a path equals another one or is below it. */
export function isWithin(folder: string, at: string): boolean {
  const below = path.relative(folder, at);
  return below.split(path.sep)[0] !== '..' && !path.isAbsolute(below);
}
