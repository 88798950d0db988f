/** Rollouts as they are seen: counts in the size of a small shop, by a fixed rule and no chance. */
import type { SeriesPoint } from '../../src/model/series.js';
import type { RolloutView } from '../../src/model/view.js';
import { baking, NOW, source, stage } from './views.js';

const MINUTE = 60_000;
const LIMIT = Math.log(100);

interface Stretch {
  weight: number;
  /** Minutes before NOW at which it began, and how long it lasted. */
  ago: number;
  minutes: number;
  /** Requests a minute of both releases. */
  traffic: number;
  /** Shares that fail and that are slow. */
  stable: { failed: number; slow: number };
  candidate: { failed: number; slow: number };
  /** ln E at the begin and at the end. */
  logE: [number, number];
}

/** Two points a minute; a little tide in the traffic, so that the lines are not rulers. */
function seriesOf(...stretches: Stretch[]): SeriesPoint[] {
  return stretches.flatMap((stretch) => {
    const { weight, ago, minutes, traffic, logE } = stretch;
    let requests = 0;
    return Array.from({ length: minutes * 2 }, (_, i): SeriesPoint => {
      requests += (traffic / 2) * (1 + 0.2 * Math.sin(i / 3));
      const counts = (share: number, { failed, slow }: { failed: number; slow: number }) => ({
        requests: Math.round(requests * share),
        errors: Math.round(requests * share * failed),
        slow: Math.round(requests * share * slow),
      });
      const part = (i + 1) / (minutes * 2);
      return {
        at: NOW - ago * MINUTE + (i + 1) * (MINUTE / 2),
        weight,
        logE: logE[0] + (logE[1] - logE[0]) * part ** 2,
        limit: LIMIT,
        stable: counts((100 - weight) / 100, stretch.stable),
        candidate: counts(weight / 100, stretch.candidate),
      };
    });
  });
}

const WELL = { failed: 0.001, slow: 0.004 };

/** Bad from the second weight on: taken back at 10 %. */
export function rolledBack(over: Partial<RolloutView> = {}): RolloutView {
  const series = seriesOf(
    { weight: 1, ago: 26, minutes: 10, traffic: 3_000, stable: WELL, candidate: WELL, logE: [0, 0.2] },
    {
      weight: 10,
      ago: 15,
      minutes: 13,
      traffic: 3_000,
      stable: WELL,
      candidate: { failed: 0.009, slow: 0.021 },
      logE: [0, 4.9],
    },
  );
  const last = series.at(-1) as SeriesPoint;
  return baking({
    run: '0b0a4f6e-7d1c-4c0e-9f55-2f1f1c0f9a01',
    phase: 'done',
    outcome: 'rolledBack',
    reason: 'release 42 fails more often than release 41',
    waitingFor: null,
    weight: 0,
    stages: [
      stage('deploy', {
        state: 'passed',
        steps: 'deploy without traffic · probe smoke',
        startedAt: NOW - 28 * MINUTE,
        endedAt: NOW - 26.5 * MINUTE,
      }),
      stage('1%', {
        weight: 1,
        state: 'passed',
        steps: 'shift to 1 % · bake 10m',
        startedAt: NOW - 26.5 * MINUTE,
        endedAt: NOW - 15.5 * MINUTE,
      }),
      stage('10%', {
        weight: 10,
        state: 'failed',
        steps: 'shift to 10 % · bake 30m',
        startedAt: NOW - 15.5 * MINUTE,
        endedAt: NOW - 1.9 * MINUTE,
        note: 'unhealthy after 13m',
      }),
      stage('100%', { weight: 100, state: 'skipped', steps: 'promote to 100 % · bake 30m · finish' }),
    ],
    verdict: {
      state: 'unhealthy',
      why: 'errors of the candidate: the evidence is over its limit',
      counted: 'users',
      stable: last.stable,
      candidate: last.candidate,
      sources: [source('probe smoke', 'probes', [780, 0], [780, 0])],
      logE: last.logE,
      limit: LIMIT,
      needed: null,
      asked: [
        {
          source: 'CloudWatch Errors',
          query: 'AWS/Lambda Errors FunctionName=checkout Resource=checkout:live ExecutedVersion=42 Sum 60s',
          answer: '33 errors of 3,900 requests; version 41: 35 of 35,100',
        },
        { source: 'probe smoke', query: 'invoke checkout:42 with {"user":"user-1"}', answer: '780 answers, 0 failed' },
      ],
    },
    series,
    errors: [
      {
        what: 'TypeError: Cannot read properties of undefined (reading "total")',
        count: 29,
        requestId: '5e1c2a0b-93a4-4b41-8d8e-9a4f6b1c7d20',
      },
      { what: 'Error: card declined', count: 3, requestId: 'c0ffee00-1111-4222-8333-444455556666' },
      { what: 'Task timed out after 3.00 seconds', count: 1 },
    ],
    events: [
      { at: NOW - 28 * MINUTE, text: 'started', by: 'ann' },
      { at: NOW - 26.5 * MINUTE, text: 'release 42 is deployed, without traffic' },
      { at: NOW - 26 * MINUTE, text: '1 % of the traffic is on 42' },
      { at: NOW - 15 * MINUTE, text: '10 % of the traffic is on 42' },
      { at: NOW - 1.9 * MINUTE, text: 'unhealthy: going back' },
      { at: NOW - 1.8 * MINUTE, text: 'all traffic is back on 41' },
    ],
    eventsTotal: 6,
    refusals: [{ at: NOW - 9 * MINUTE, verb: 'approve', by: 'bob', why: 'no approval is open' }],
    refusalsTotal: 1,
    startedBy: 'ann',
    message: 'totals with tax',
    startedAt: NOW - 28 * MINUTE,
    phaseSince: NOW - 1.8 * MINUTE,
    endedAt: NOW - 1.8 * MINUTE,
    warnings: ['a trigger points at the bare function: its requests never meet the candidate'],
    ...over,
  });
}

export function succeeded(): RolloutView {
  const good = { traffic: 3_000, stable: WELL, candidate: WELL };
  const series = seriesOf(
    { ...good, weight: 10, ago: 30, minutes: 10, logE: [0, -1.2] },
    { ...good, weight: 50, ago: 19, minutes: 10, logE: [-0.3, -3.5] },
    { ...good, weight: 100, ago: 8, minutes: 8, logE: [0, 0.1] },
  );
  const last = series[39] as SeriesPoint;
  return rolledBack({
    outcome: 'succeeded',
    reason: 'release 42 is live',
    weight: 100,
    stages: [
      stage('10%', { weight: 10, state: 'passed', startedAt: NOW - 30 * MINUTE, endedAt: NOW - 20 * MINUTE }),
      stage('50%', { weight: 50, state: 'passed', startedAt: NOW - 19.5 * MINUTE, endedAt: NOW - 9 * MINUTE }),
      stage('100%', { weight: 100, state: 'passed', startedAt: NOW - 8.5 * MINUTE, endedAt: NOW }),
    ],
    verdict: {
      state: 'healthy',
      why: 'shown to be no worse',
      counted: 'users',
      stable: last.stable,
      candidate: last.candidate,
      sources: [],
      logE: last.logE,
      limit: LIMIT,
      needed: 0,
      asked: [],
    },
    series,
    errors: [],
    refusals: [],
    refusalsTotal: 0,
    warnings: [],
    startedAt: NOW - 31 * MINUTE,
    endedAt: NOW,
  });
}

/** In the middle of its bake at 10 %; 2,400 requests are missing. */
export function running(): RolloutView {
  const series = seriesOf({
    weight: 10,
    ago: 6,
    minutes: 6,
    traffic: 3_000,
    stable: WELL,
    candidate: { failed: 0.002, slow: 0.004 },
    logE: [0, 1.1],
  });
  const last = series.at(-1) as SeriesPoint;
  return baking({
    series,
    verdict: {
      state: 'undecided',
      why: 'too few requests to tell',
      counted: 'users',
      stable: last.stable,
      candidate: last.candidate,
      sources: [],
      logE: last.logE,
      limit: LIMIT,
      needed: 2_400,
      asked: rolledBack().verdict?.asked ?? [],
    },
    stages: [
      stage('deploy', {
        state: 'passed',
        steps: 'deploy without traffic · probe smoke',
        startedAt: NOW - 9 * MINUTE,
        endedAt: NOW - 7 * MINUTE,
      }),
      stage('10%', {
        weight: 10,
        state: 'running',
        steps: 'shift to 10 % · bake 10m',
        current: 'bake 10m',
        startedAt: NOW - 6.5 * MINUTE,
        until: NOW + 4 * MINUTE,
      }),
      stage('100%', { weight: 100, steps: 'promote to 100 % · bake 10m · finish' }),
    ],
    startedAt: NOW - 9 * MINUTE,
  });
}

/** Refused before anything was touched. */
export function refused(): RolloutView {
  return baking({
    phase: 'done',
    outcome: 'failed',
    reason: 'rollout.yaml: release.version 42 does not exist',
    code: 'SLUICE_NOT_FOUND',
    waitingFor: null,
    candidate: null,
    weight: 0,
    stages: [],
    verdict: null,
    series: [],
    endedAt: NOW,
  });
}
