import type { Bake, JudgeRules, Spec } from '../../src/model/spec.js';

/** A complete spec for tests of the workflow; times are generous, time is skipped. */
export function specFor(strategy: Spec['strategy'], overrides: Partial<Spec> = {}): Spec {
  const policy: JudgeRules = {
    alpha: 0.01,
    ceiling: 0.05,
    minRequests: 20,
    minErrors: 2,
    dispersion: null,
    margin: null,
    beta: 0.05,
    probeBack: true,
    onUnhealthy: 'rollback',
    onUndecided: 'hold',
    onNoData: 'hold',
    maxHold: 86_400_000,
    remindEvery: 3_600_000,
  };
  return {
    app: 'checkout',
    environment: 'production',
    target: { platform: 'lambda', function: 'checkout', alias: 'live', region: 'us-east-1', account: 'default' },
    release: { version: 2 },
    configuration: {},
    strategy,
    health: {
      invocation: 'sync',
      probes: [
        {
          name: 'smoke',
          kind: 'invoke',
          payload: {},
          expect: {},
          latency: 3_000,
          every: 1_000,
          safe: false,
          smoke: 3,
        },
      ],
      metrics: [],
      alarms: [],
      judge: policy,
    },
    onNewRelease: 'reject',
    rollbackWindow: 86_400_000,
    retain: 5,
    notify: [],
    deadlines: {
      worker: 120_000,
      deploy: 600_000,
      warm: 900_000,
      shift: 120_000,
      probe: 120_000,
      pause: 86_400_000,
      stuckAfter: 60_000,
    },
    allowUnjudged: false,
    allowBypass: [],
    ...overrides,
  };
}

const MINUTE = 60_000;

/** What an approval asks for unless a test says otherwise. */
export const ONE_PERSON = { people: 1, notStarter: false, comment: false, remindEvery: 60 * MINUTE } as const;

/** A canary of 10, 50 and 100 % with these bakes (ms, a minute where absent), and an approval at one of the weights. */
export function canary(bakes: Bake[], approvalAt?: number, extra: Partial<Spec> = {}): Spec {
  const weights = [10, 50, 100];
  return specFor(
    {
      type: 'canary',
      stages: weights.map((weight, at) => ({
        name: `${weight}%`,
        weight,
        bake: bakes[at] ?? MINUTE,
        probes: [],
        ...(approvalAt === weight
          ? { approval: { ...ONE_PERSON, within: 1_440 * MINUTE, onTimeout: 'rollback' as const } }
          : {}),
      })),
    },
    extra,
  );
}
