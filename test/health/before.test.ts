import { healthBefore } from '../../src/health/before.js';
import type { AlarmState } from '../../src/health/sources/source.js';
import type { MetricSpec, Spec } from '../../src/model/spec.js';
import { egressFor } from '../support/egress.js';
import { calm, FunctionDouble, probeSpec, specWith } from './double.js';

const MINUTE = 60_000;
const metric: MetricSpec = {
  name: 'requests',
  kind: 'cloudwatch',
  every: 5_000,
  namespace: 'AWS/Lambda',
  delay: MINUTE,
  dryRun: false,
};

function withAlarms(...names: string[]): Spec {
  const spec = specWith([], [metric]);
  const alarms = names.map((name) => ({ name, kind: 'cloudwatch' as const, alarm: `prod-${name}` }));
  return { ...spec, health: { ...spec.health, alarms } };
}

function is(state: AlarmState['state']): AlarmState {
  return { state, since: 0, why: '' };
}

describe('the history of the stable release', () => {
  test('is read completely, with the number of errors and how they cluster', async () => {
    const driver = new FunctionDouble();
    const began = Date.now();
    const asked: number[] = [];
    driver.counted = (since) => {
      asked.push(since);
      // Sixty-four minutes in answers of 32; three errors in every fourth minute.
      const ends = asked.length > 2 ? [] : Array.from({ length: 32 }, (_, i) => since + (i + 1) * MINUTE);
      const ticks = ends.map((id, i) => ({
        id,
        stable: null,
        candidate: { requests: 100, errors: i % 4 === 0 ? 3 : 0 },
      }));
      return { ticks, asked: [] };
    };
    const { health, findings } = await healthBefore(calm(), driver, egressFor(), specWith([], [metric]), '6');
    expect(findings).toEqual([]);
    expect(asked[0]).toBeLessThanOrEqual(began - 60 * MINUTE);
    expect(health.baselines['metric requests']?.counts).toEqual({ requests: 6_400, errors: 48 });
    expect(health.baselines['metric requests']?.dispersion).toBeCloseTo(2.29, 1);
  });

  test('is empty if nothing was live, and for a metric that is only shown', async () => {
    const driver = new FunctionDouble();
    const first = await healthBefore(calm(), driver, egressFor(), specWith([], [metric]), null);
    const trial = await healthBefore(calm(), driver, egressFor(), specWith([], [{ ...metric, dryRun: true }]), '6');
    expect([first.health, trial.health]).toEqual([
      { baselines: {}, firing: [] },
      { baselines: {}, firing: [] },
    ]);
    expect(driver.reads).toBe(0);
  });

  test('gives a warning with its consequences if it cannot be read', async () => {
    const driver = new FunctionDouble();
    driver.counted = () => Promise.reject(new Error('access denied'));
    const { health, findings } = await healthBefore(calm(), driver, egressFor(), specWith([], [metric]), '6');
    expect(health.baselines).toEqual({});
    expect(findings).toEqual([
      {
        level: 'warn',
        code: 'HEALTH',
        message:
          'metric requests could not be read before the rollout: access denied. Until it can, the judge is blind and nothing passes',
      },
    ]);
  });
});

describe('a first release', () => {
  const told = async (spec: Spec, stable: string | null) =>
    (await healthBefore(calm(), new FunctionDouble(), egressFor(), spec, stable)).findings;
  const withRules = (rules: Partial<Spec['health']['judge']>): Spec => {
    const spec = specWith([], [metric]);
    return { ...spec, health: { ...spec.health, judge: { ...spec.health.judge, ...rules } } };
  };

  test('is warned what happens if its metrics may have no users to count, with the command', async () => {
    const held = await told(withRules({}), null);
    expect(held).toMatchObject([{ level: 'warn', message: expect.stringMatching(/^nothing is live yet/) }]);
    expect(held[0]?.message).toContain('it is held until `sluice promote checkout/production` (metric requests;');
    expect((await told(withRules({ onNoData: 'rollback' }), null))[0]?.message).toContain('it is rolled back');
  });

  test('is judged by its probes if it has some, and says so', async () => {
    expect(await told(specWith([probeSpec()], [metric]), null)).toMatchObject([
      {
        level: 'warn',
        message: expect.stringContaining('only the probes can show that this first release is healthy'),
      },
    ]);
  });

  test.each<[string, Spec, string | null]>([
    ['something is live', withRules({}), '6'],
    ['it may go on without data', withRules({ onNoData: 'promote' }), null],
    ['the probes alone judge it', specWith([], []), null],
    ['its metric is only shown', specWith([], [{ ...metric, dryRun: true }]), null],
  ])('gets no warning if %s', async (_, spec, stable) => {
    expect(await told(spec, stable)).toEqual([]);
  });
});

test.each([
  ['async', [], true],
  ['stream', [], true],
  ['async', ['dropped'], false],
  ['sync', [], false],
] as const)('of a function called %s with alarms %j', async (invocation, names, warned) => {
  const driver = new FunctionDouble();
  driver.alarm = () => is('OK');
  const spec = withAlarms(...names);
  const { findings } = await healthBefore(
    calm(),
    driver,
    egressFor(),
    { ...spec, health: { ...spec.health, invocation } },
    null,
  );
  expect(findings.some(({ message }) => message.startsWith('nothing watches for events that are lost'))).toBe(warned);
});

describe('an alarm', () => {
  test('that already fires is recorded, and does not block the rollout', async () => {
    const driver = new FunctionDouble();
    driver.alarm = (name) => is(name === 'prod-errors' ? 'ALARM' : 'INSUFFICIENT_DATA');
    const { health, findings } = await healthBefore(calm(), driver, egressFor(), withAlarms('errors', 'latency'), '6');
    expect(health.firing).toEqual(['errors']);
    expect(findings).toMatchObject([
      { level: 'warn', message: expect.stringMatching(/^alarm errors is already firing;/) },
    ]);
  });

  test('that does not exist is refused by name', async () => {
    const { findings } = await healthBefore(calm(), new FunctionDouble(), egressFor(), withAlarms('errors'), '6');
    expect(findings).toMatchObject([
      { level: 'refuse', message: expect.stringContaining('there is no alarm "prod-errors"') },
    ]);
  });
});
