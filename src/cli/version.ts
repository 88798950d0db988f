/** The version, read from package.json: nothing else is loaded for it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json, from the sources and from dist/ alike. */
export function projectRoot(): string {
  for (let folder = path.dirname(fileURLToPath(import.meta.url)); ; folder = path.dirname(folder)) {
    const found = read(path.join(folder, 'package.json'));
    if (found?.name === 'sluice' || folder === path.dirname(folder)) return folder;
  }
}

export function packageVersion(): string {
  return read(path.join(projectRoot(), 'package.json'))?.version ?? 'unknown';
}

function read(file: string): { name?: string; version?: string } | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string };
  } catch {
    return null;
  }
}
