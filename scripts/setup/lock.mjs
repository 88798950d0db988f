/** One set-up of a clone at a time. */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, utimesSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SetupError } from './error.mjs';

/** How often the holder says that it lives, in ms. */
const BEAT = 2_000;
/** A lock without a beat for so long, in ms, belongs to nobody: its pid may be somebody else's by now. */
const STALE = 30_000;
/** Longest wait for another set-up, in ms. */
const WAIT = 15 * 60_000;

/**
 * Takes the lock, waiting for whoever holds it. Answers how to give it back.
 * @throws SetupError when the other does not end.
 */
export async function takeLock(at, say = () => undefined, wait = WAIT) {
  mkdirSync(at.home, { recursive: true });
  const file = path.join(at.home, 'setup.lock');
  const end = Date.now() + wait;
  let told = false;
  while (!create(file)) {
    const holder = holderOf(file);
    if (holder !== null && isGone(holder)) {
      takeAway(file, holder);
      continue;
    }
    if (Date.now() > end) {
      throw new SetupError(
        `Another set-up (process ${holder?.pid ?? 'unknown'}) holds ${file}. Wait for it; if there is none, delete the file.`,
      );
    }
    if (!told) say(`waits for another set-up of this clone (process ${holder?.pid ?? 'unknown'})`);
    told = true;
    await pause(100);
  }
  const beat = setInterval(() => touch(file), BEAT).unref();
  const release = () => {
    clearInterval(beat);
    rmSync(file, { force: true });
  };
  process.once('exit', release);
  return () => {
    process.removeListener('exit', release);
    release();
  };
}

function create(file) {
  try {
    const handle = openSync(file, 'wx');
    writeSync(handle, String(process.pid));
    closeSync(handle);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function holderOf(file) {
  try {
    return { pid: Number(readFileSync(file, 'utf8')), at: statSync(file).mtimeMs };
  } catch {
    return null;
  }
}

function isGone({ pid, at }) {
  if (Date.now() - at > STALE) return true;
  // Just created, the pid not yet written.
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Two may find the same dead holder; only one may take its lock away, or the second would take the first one's new lock. */
function takeAway(file, holder) {
  const claim = `${file}.${holder.pid}`;
  if (!create(claim)) {
    const other = holderOf(claim);
    if (other !== null && isGone(other)) rmSync(claim, { force: true });
    return;
  }
  const now = holderOf(file);
  if (now !== null && now.pid === holder.pid && now.at === holder.at) rmSync(file, { force: true });
  rmSync(claim, { force: true });
}

function touch(file) {
  try {
    utimesSync(file, new Date(), new Date());
  } catch {
    // Given back meanwhile.
  }
}
