/**
 * Releases are kept as packages on the volume of the slot they were deployed to, which moves with the content in a swap:
 * `data/sluice/<release>.zip`, and beside it what the release is. So every way back has bytes to publish.
 */
import type { Session } from './client.js';
import { deleteFile, listFiles, readFile, writeFile } from './kudu.js';
import { unquoted } from './settings.js';
import type { Place } from './site.js';

const FOLDER = 'data/sluice';
const RUNNING = `${FOLDER}/running.json`;

/** What a release is, beside its files. It stays on the application's own volume: settings hold what only it may read. */
export interface ReleaseRecord {
  release: string;
  /** Hex SHA-256 of the zip. */
  digest: string;
  /** App settings that travel with it. */
  settings: Record<string, string>;
}

/** Which deployment put which release there; a later deployment is someone else's. `release` null: emptied. */
interface Running {
  release: string | null;
  deployment: string;
}

export interface Kept extends ReleaseRecord {
  place: Place;
}

/** Keeps a release; the record comes last, so that what has one is whole. */
export async function keep(session: Session, place: Place, record: ReleaseRecord, zip: Uint8Array): Promise<void> {
  await writeFile(session, place, `${FOLDER}/${record.release}.zip`, zip);
  await unquoted(record.settings, () =>
    writeFile(session, place, `${FOLDER}/${record.release}.json`, JSON.stringify(record)),
  );
}

/** The first of the places that keeps the release; null when none does. */
export async function findKept(session: Session, places: Place[], release: string): Promise<Kept | null> {
  for (const place of places) {
    const record = await readJson<ReleaseRecord>(session, place, `${FOLDER}/${release}.json`);
    if (record !== null) return { ...record, place };
  }
  return null;
}

/** The package's bytes; null when they are gone. */
export function readPackage(session: Session, { place, release }: Kept): Promise<Buffer | null> {
  return readFile(session, place, `${FOLDER}/${release}.zip`);
}

/** Releases kept at a place, with when each was kept. */
export async function listKept(session: Session, place: Place): Promise<{ release: string; at: string }[]> {
  return (await listFiles(session, place, FOLDER))
    .filter(({ name }) => /^[rf]-[0-9a-f]+\.json$/.test(name))
    .map(({ name, mtime }) => ({ release: name.replace(/\.json$/, ''), at: mtime }));
}

export async function forget(session: Session, place: Place, release: string): Promise<void> {
  // The record first: half a release is none.
  await deleteFile(session, place, `${FOLDER}/${release}.json`);
  await deleteFile(session, place, `${FOLDER}/${release}.zip`);
}

export function readRunning(session: Session, place: Place): Promise<Running | null> {
  return readJson<Running>(session, place, RUNNING);
}

export function writeRunning(session: Session, place: Place, running: Running): Promise<void> {
  return writeFile(session, place, RUNNING, JSON.stringify(running));
}

async function readJson<T>(session: Session, place: Place, path: string): Promise<T | null> {
  const bytes = await readFile(session, place, path);
  return bytes === null ? null : (JSON.parse(bytes.toString('utf8')) as T);
}
