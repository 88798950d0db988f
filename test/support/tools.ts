/** Where the set-up has put the servers that tests start. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A tool of the project's own virtual environment. */
export function tool(name: string): string {
  return path.join(ROOT, '.sluice', 'venv', 'bin', name);
}
