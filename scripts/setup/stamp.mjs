/** What a step was done for, by content: a stamp is the digest of a step's inputs when it succeeded. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Digest of files and of all below folders, names included. A place that does not exist counts as empty. */
export function digestOf(root, inputs) {
  const digest = createHash('sha256');
  const add = (place) => {
    const full = path.join(root, place);
    if (!existsSync(full)) return;
    if (statSync(full).isDirectory()) {
      for (const name of readdirSync(full).sort()) add(path.join(place, name));
      return;
    }
    const bytes = readFileSync(full);
    digest.update(`${place}\0${bytes.length}\0`);
    digest.update(bytes);
  };
  inputs.forEach(add);
  return digest.digest('hex');
}

/** Whether the step succeeded last time for this digest. */
export function isStamped(at, name, digest) {
  const file = path.join(at.stamps, name);
  return existsSync(file) && readFileSync(file, 'utf8') === digest;
}

export function putStamp(at, name, digest) {
  mkdirSync(at.stamps, { recursive: true });
  writeFileSync(path.join(at.stamps, name), digest);
}

/** Before a step starts, so that one that is cut short is done again. */
export function dropStamp(at, name) {
  rmSync(path.join(at.stamps, name), { force: true });
}
