/** Files that are there after a power cut, and zips. */
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js';
import { zipSync } from 'fflate';

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

/**
 * Unpacks into a folder. A link becomes a text file that says where it pointed, as Kudu has it. Throws for what is no zip, and for a
 * name that leads out of the folder.
 */
export async function unpack(zip: Uint8Array, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const reader = new ZipReader(new Uint8ArrayReader(zip), { useWebWorkers: false });
  for await (const entry of reader.getEntriesGenerator()) {
    const file = path.resolve(folder, entry.filename);
    if (entry.directory) mkdirSync(file, { recursive: true });
    else writeDurably(file, await entry.getData(new Uint8ArrayWriter()));
  }
}

/** All files and empty folders of a folder as a zip. */
export function pack(folder: string): Buffer {
  const files: Record<string, Uint8Array> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const at = path.join(entry.parentPath, entry.name);
    const name = path.relative(folder, at).split(path.sep).join('/');
    if (entry.isFile()) files[name] = readFileSync(at);
    else if (entry.isDirectory() && readdirSync(at).length === 0) files[`${name}/`] = new Uint8Array();
  }
  return Buffer.from(zipSync(files));
}
