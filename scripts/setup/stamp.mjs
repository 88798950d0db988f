/** What a step was done for, by content: a stamp is the digest of a step's inputs when it succeeded. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
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

/** A new file each time: in a copy of the clone made of hard links, the stamp of the other one would change too. */
export function putStamp(at, name, digest) {
  mkdirSync(at.stamps, { recursive: true });
  const part = path.join(at.stamps, `${name}.${process.pid}`);
  writeFileSync(part, digest);
  renameSync(part, path.join(at.stamps, name));
}

/** Before a step starts, so that one that is cut short is done again. */
export function dropStamp(at, name) {
  rmSync(path.join(at.stamps, name), { force: true });
}
