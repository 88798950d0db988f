/** What a worker's identity contains; Temporal's UI shows it, and lists of workers have it. Anyone can claim any identity. */

/** Characters of a policy's digest that an identity holds. */
const DIGEST = 12;
const OPEN = 'open';

/** `nonce` tells apart processes with one id on hosts of one name, as containers are. */
export function identityOf(of: { pid: number; host: string; nonce: string; policy: string | null }): string {
  return `${of.pid}@${of.host}:${of.nonce}:${of.policy === null ? OPEN : `policy-${shortPolicy(of.policy)}`}`;
}

/** A policy's digest as people compare it. */
export function shortPolicy(digest: string): string {
  return digest.slice(0, DIGEST);
}

/** The start of the digest of the worker's policy; null: it is open. Undefined if the identity does not say. */
export function policyIn(identity: string): string | null | undefined {
  const [, said] = /:(open|policy-[0-9a-f]{12})$/.exec(identity) ?? [];
  if (said === undefined) return undefined;
  return said === OPEN ? null : said.slice('policy-'.length);
}

/** The workers that do not use `policy`, by the policy they use; each with the identity of one, so that a person can find it. */
export function otherPolicies(
  identities: Iterable<string>,
  policy: string | null,
): { policy: string; worker: string }[] {
  const own = policy === null ? null : shortPolicy(policy);
  const others = new Map<string, string>();
  for (const identity of [...identities].sort()) {
    const said = policyIn(identity);
    if (said === undefined || said === own) continue;
    const name = said ?? OPEN;
    if (!others.has(name)) others.set(name, identity);
  }
  return [...others].map(([name, worker]) => ({ policy: name, worker }));
}
