/** Requests of one release, and those of them that went wrong. */
export interface Counts {
  requests: number;
  errors: number;
  /** Answers slower than their limit, failed ones too; absent where nobody measures it. */
  slow?: number;
}

/** Whose requests were counted: those of users, or our own probes' calls. Different evidence, never added up. */
export type Whose = 'users' | 'probes';

/** Both releases' counts. */
export interface Pair {
  stable: Counts;
  candidate: Counts;
}

/** What one source has counted at the present weight. */
export interface SourceCounts {
  /** `metric requests`, `probe smoke`. */
  source: string;
  of: Whose;
  stable: Counts;
  candidate: Counts;
}

/** All counts together. */
export function summed(all: readonly Counts[]): Counts {
  const slow = all.some((each) => each.slow !== undefined);
  return all.reduce<Counts>(
    (sum, { requests, errors, slow: late = 0 }) => ({
      requests: sum.requests + requests,
      errors: sum.errors + errors,
      ...(slow ? { slow: (sum.slow ?? 0) + late } : {}),
    }),
    { requests: 0, errors: 0 },
  );
}

/** Our own calls, beside the requests of users; null where no probe was called. */
export function probeCalls(said: { counted?: Whose; sources?: readonly SourceCounts[] }): Pair | null {
  const probes = (said.sources ?? []).filter(({ of }) => of === 'probes');
  if (said.counted === 'probes' || probes.length === 0) return null;
  return {
    stable: summed(probes.map(({ stable }) => stable)),
    candidate: summed(probes.map(({ candidate }) => candidate)),
  };
}
