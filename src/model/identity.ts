/** What a worker's identity says of it: Temporal's UI shows it, and lists of workers hold it. Anybody can call himself like that. */

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

/** The beginning of the digest of the policy that a worker goes by; null: it is open. Undefined for one that says nothing of it. */
export function policyIn(identity: string): string | null | undefined {
  const [, said] = /:(open|policy-[0-9a-f]{12})$/.exec(identity) ?? [];
  if (said === undefined) return undefined;
  return said === OPEN ? null : said.slice('policy-'.length);
}

/** Of these workers those that do not go by `policy`, by what they go by; each with the identity of one, for a person to find it. */
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
