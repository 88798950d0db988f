/** Files that are there after a power cut, and zips. */
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { unzipSync, zipSync } from 'fflate';

/** Writes a file whole or not at all: a new one beside it is flushed, and takes its name. */
export function writeDurably(file: string, body: string | Uint8Array): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const fresh = `${file}.new`;
  const handle = openSync(fresh, 'w');
  try {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(fresh, file);
  const folder = openSync(path.dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Unpacks into a folder. Throws for what is no zip, and for a name that leads out of the folder. */
export function unpack(zip: Uint8Array, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(unzipSync(zip))) {
    const file = path.resolve(folder, name);
    if (file !== folder && !file.startsWith(`${folder}${path.sep}`)) throw new Error(`${name} leads out of the folder`);
    if (name.endsWith('/')) mkdirSync(file, { recursive: true });
    else writeDurably(file, bytes);
  }
}

/** All files of a folder as a zip. */
export function pack(folder: string): Buffer {
  const files: Record<string, Uint8Array> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    files[path.relative(folder, file).split(path.sep).join('/')] = readFileSync(file);
  }
  return Buffer.from(zipSync(files));
}
