import { alarmStates, sourceOf } from '../../src/health/sources/index.js';
import type { SourceOf } from '../../src/health/sources/source.js';
import type { MetricSpec, PrometheusMetric, Target } from '../../src/model/spec.js';
import { egressFor } from '../support/egress.js';
import { FunctionDouble, specWith } from './double.js';
import { serve, textOf } from './server.js';

const site: Target = {
  platform: 'app-service',
  site: 'shop',
  resourceGroup: 'rg',
  slot: 'staging',
  region: 'westeurope',
  account: '01234567-89ab-cdef-0123-456789abcdef',
};

const of = (target?: Target): SourceOf => {
  const spec = specWith([]);
  return {
    spec: target === undefined ? spec : { ...spec, target },
    stable: null,
    candidate: '7',
    from: 0,
    isProbe: () => false,
    now: () => 10_000,
  };
};

/** A driver without any source or alarms of its own. */
const bare = {
  source: () => null,
  alarms: () => null,
  address: () => Promise.reject(new Error('no release has an address')),
};
const common = { name: 'm', every: 1_000, delay: 0, dryRun: false };

test.each<[MetricSpec]>([
  [{ ...common, kind: 'cloudwatch', namespace: 'AWS/Lambda' }],
  [{ ...common, kind: 'lambdaLogs', window: 1_000 }],
  [{ ...common, kind: 'azureMonitor' }],
])('a metric that the platform lacks is refused by its kind: %j', (metric) => {
  expect(() => sourceOf(metric, of(site), bare, egressFor())).toThrow(
    `metric m is of kind ${metric.kind}, which app-service does not have`,
  );
});

test('alarms are known by the names that the spec gives them, and are null if missing', async () => {
  const driver = new FunctionDouble();
  const quiet = { state: 'OK' as const, since: 0, why: '' };
  driver.alarm = (name) => (name === 'shop-errors' ? quiet : null);
  const { spec } = of();
  spec.health.alarms = [
    { name: 'errors', kind: 'cloudwatch', alarm: 'shop-errors' },
    { name: 'gone', kind: 'cloudwatch', alarm: 'no-such' },
  ];
  const signal = new AbortController().signal;
  expect(await alarmStates(driver, spec, signal)).toEqual({ errors: quiet, gone: null });
  await expect(alarmStates(bare, spec, signal)).rejects.toMatchObject({
    code: 'SLUICE_SPEC',
    message: 'alarm errors is of kind cloudwatch, which lambda does not have',
  });
});

test.each([
  [undefined, 'requests{at="checkout:live", is="7", not="{site}/{slot}"}'],
  [site, 'requests{at="{function}:{alias}", is="7", not="shop/staging"}'],
])('a query may use the names that the target has: %j', async (target, expected) => {
  const asked: (string | null)[] = [];
  const server = await serve(async (request, response) => {
    asked.push(new URLSearchParams(await textOf(request)).get('query'));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [] } }));
  });
  try {
    const query = 'requests{at="{function}:{alias}", is="{version}", not="{site}/{slot}"}';
    const metric: PrometheusMetric = {
      ...common,
      kind: 'prometheus',
      url: server.url,
      requests: query,
      errors: query,
      window: 1_000,
    };
    await sourceOf(metric, of(target), bare, egressFor()).read({ signal: new AbortController().signal }, 8_000);
    expect(asked).toContain(expected);
  } finally {
    await server.close();
  }
});
