/** The releases of the bench: a stable one that never fails, and candidates that pass their smoke test and then fail some users, or are slow. */

export const CANDIDATES = ['1', '5', '20', '100', 'slow'] as const;
/** Percent of the users that it fails; or it fails nobody and takes twice as long. */
export type Candidate = (typeof CANDIDATES)[number];

/** Ms that the slow candidate's stable release takes; the others take none, so that the machine carries more users. */
const SLOW_BASE = 150;
/** Ms above which an answer is slow: halfway between the two, with what the emulated cloud takes by itself. */
export const SLOW_LIMIT = 280;

/** Share (0-1) of the candidate's answers that are bad. */
export function badShare(candidate: Candidate): number {
  return candidate === 'slow' ? 1 : Number(candidate) / 100;
}

/** Handlers of version 1, which is stable, and version 2. `begun`: a file that the candidate's first user leaves. */
export function handlersOf(candidate: Candidate, begun: string): [string, string] {
  if (candidate === 'slow') return [alike(0, SLOW_BASE), turning(begun, 0, 2 * SLOW_BASE)];
  return [alike(0, 0), turning(begun, badShare(candidate), 0)];
}

/**
 * A handler that is good until its first user has come, so that no smoke test sees what it is, and bad for all its instances from
 * then on, as a release is that fails with what its first user wrote. The file stands for that.
 */
function turning(begun: string, share: number, wait: number): string {
  return `
import { existsSync, writeFileSync } from 'node:fs';
const begun = ${JSON.stringify(begun)};
${ANSWER}
export async function handler({ user }) {
  if (user !== 'probe' && !existsSync(begun)) writeFileSync(begun, '');
  return existsSync(begun) ? answer(user, ${share}, ${wait}) : answer(user, 0, 0);
}
`;
}

/** A handler that is always the same. */
function alike(share: number, wait: number): string {
  return `
${ANSWER}
export const handler = ({ user }) => answer(user, ${share}, ${wait});
`;
}

/** Whom it fails is fixed by the user's id; of the probe's user that is so only where it fails everybody. */
const ANSWER = `
function place(user) {
  if (user === 'probe') return 0.999;
  let hash = 2166136261;
  for (const char of user) hash = Math.imul(hash ^ char.charCodeAt(0), 16777619);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 4294967296;
}
async function answer(user, share, wait) {
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  if (place(user) < share) throw new Error('bad release');
  return { statusCode: 200 };
}
`;
