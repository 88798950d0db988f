import type { SourceCounts, Whose } from '../../src/model/counts.js';
import type { SeriesPoint } from '../../src/model/series.js';
import type { RolloutView, StageView } from '../../src/model/view.js';

/** 2026-03-01T10:00:00Z. */
export const NOW = Date.UTC(2026, 2, 1, 10, 0, 0);

export function stage(name: string, over: Partial<StageView> = {}): StageView {
  return {
    name,
    weight: null,
    state: 'waiting',
    steps: `shift to ${name} · bake 5m`,
    current: null,
    startedAt: null,
    endedAt: null,
    until: null,
    note: null,
    ...over,
  };
}

/** What a source has counted: requests and errors of both releases. */
export function source(
  name: string,
  of: Whose,
  stable: [requests: number, errors: number],
  candidate: [requests: number, errors: number],
): SourceCounts {
  const counts = ([requests, errors]: [number, number]) => ({ requests, errors });
  return { source: name, of, stable: counts(stable), candidate: counts(candidate) };
}

/** One moment of the evidence. */
export function point(
  at: number,
  weight: number,
  counts: Pick<SeriesPoint, 'stable' | 'candidate'>,
  logE = -0.4,
): SeriesPoint {
  return { at, weight, logE, limit: Math.log(100), ...counts };
}

/** A canary in the middle of its first bake, three minutes before the end of it. */
export function baking(over: Partial<RolloutView> = {}): RolloutView {
  return {
    schema: 1,
    app: 'checkout',
    environment: 'production',
    run: 'run-1',
    strategy: 'canary',
    phase: 'baking',
    outcome: null,
    reason: null,
    code: null,
    waitingFor: {
      what: 'the end of the bake at 10 %',
      until: NOW + 180_000,
      otherwise: 'the counts decide',
      verbs: ['pause', 'promote', 'skip', 'abort'],
      stage: null,
      gate: null,
    },
    target: 'checkout:live',
    platform: 'lambda',
    stable: '41',
    candidate: '42',
    weight: 10,
    split: null,
    kept: null,
    live: null,
    bypass: [],
    stages: [
      stage('deploy', { state: 'passed', steps: 'deploy without traffic · probe smoke' }),
      stage('10%', { weight: 10, state: 'running', current: 'bake 5m', until: NOW + 180_000 }),
      stage('50%', { weight: 50 }),
      stage('100%', { weight: 100, steps: 'promote to 100 % · bake 10m · finish' }),
    ],
    verdict: {
      state: 'healthy',
      why: '0 % of 60 against 0.6 % of 540: within the limit of 5 %',
      counted: 'users',
      stable: { requests: 540, errors: 3 },
      candidate: { requests: 60, errors: 0 },
      sources: [
        source('metric requests', 'users', [540, 3], [60, 0]),
        source('probe smoke', 'probes', [60, 0], [60, 0]),
      ],
      logE: -0.4,
      limit: Math.log(100),
      needed: 240,
      asked: [{ source: 'probe smoke', query: 'invoke checkout:42', answer: '60 answers, 0 failed' }],
    },
    series: [
      point(NOW - 60_000, 10, { stable: { requests: 270, errors: 2 }, candidate: { requests: 30, errors: 0 } }),
      point(NOW, 10, { stable: { requests: 540, errors: 3 }, candidate: { requests: 60, errors: 0 } }),
    ],
    errors: [],
    events: [],
    eventsTotal: 0,
    refusals: [],
    refusalsTotal: 0,
    startedBy: 'ann',
    message: 'new totals',
    startedAt: NOW - 240_000,
    phaseSince: NOW - 120_000,
    endedAt: null,
    warnings: [],
    access: null,
    ...over,
  };
}

export function awaiting(over: Partial<RolloutView> = {}): RolloutView {
  return baking({
    phase: 'awaitingApproval',
    waitingFor: {
      what: 'approval of stage 10%',
      until: NOW + 3_600_000,
      otherwise: 'it rolls back',
      verbs: ['approve', 'reject', 'pause', 'abort'],
      stage: '10%',
      gate: null,
    },
    ...over,
  });
}

export function ended(outcome: NonNullable<RolloutView['outcome']>, over: Partial<RolloutView> = {}): RolloutView {
  return baking({
    phase: 'done',
    outcome,
    reason: `it ended as ${outcome}`,
    waitingFor: null,
    weight: outcome === 'succeeded' ? 100 : 0,
    endedAt: NOW,
    ...over,
  });
}
