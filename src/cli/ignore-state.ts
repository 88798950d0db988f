/** Keeps Sluice's state out of a project's git repository. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { usageError } from './usage-error.js';

/** Lines of a .gitignore that ignore the folder already. */
const IGNORES = /^\/?(?:\*\*\/)?\.sluice\/?\s*$/m;

/** Adds `.sluice/` to the project's .gitignore. False if it is ignored already. Errors: SLUICE_USAGE if the file cannot be written. */
export function ignoreState(folder: string): boolean {
  const file = path.join(folder, '.gitignore');
  try {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (IGNORES.test(text)) return false;
    appendFileSync(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}.sluice/\n`);
    return true;
  } catch (error) {
    throw usageError(`cannot write .gitignore: ${error instanceof Error ? error.message : String(error)}`);
  }
}
