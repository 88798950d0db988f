/** The metric `prometheus` on a real Prometheus server that scrapes a real exporter. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { answers, freePort, type Running, startProcess } from '../../emulators/process.js';
import { prometheusSource } from '../../src/health/sources/prometheus/index.js';
import type { Counts } from '../../src/judge/types.js';
import type { PrometheusMetric } from '../../src/model/spec.js';
import { describeSource, type SourceFixture } from '../conformance/source.js';
import { serve } from '../health/server.js';
import { egressFor } from '../support/egress.js';
import { specFor } from '../support/specs.js';
import { ROOT } from '../support/tools.js';
import { until } from '../support/until.js';
import { Exporter } from './exporter.js';

const WINDOW = 3_000;
const DELAY = 1_000;
const SCRAPES = '200ms';

interface World {
  url: string;
  exporter: Exporter;
  stop(): Promise<void>;
}

async function startWorld(): Promise<World> {
  const exporter = await Exporter.start();
  mkdirSync(path.join(ROOT, '.sluice', 'tmp'), { recursive: true });
  const folder = mkdtempSync(path.join(ROOT, '.sluice', 'tmp', 'prometheus-'));
  const config = path.join(folder, 'prometheus.yml');
  writeFileSync(
    config,
    `scrape_configs:
  - job_name: shop
    scrape_interval: ${SCRAPES}
    scrape_timeout: ${SCRAPES}
    static_configs: [{ targets: ['${exporter.address}'] }]
`,
  );
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server: Running = await startProcess({
    name: 'prometheus',
    command: process.env.SLUICE_PROMETHEUS ?? 'prometheus',
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${path.join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    env: {},
    ready: () => answers(`${url}/-/ready`),
  });
  const world: World = {
    url,
    exporter,
    stop: async () => {
      await server.stop();
      await exporter.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  // The first scrape comes some seconds after the server is ready.
  await until('the first scrape', () => ask(world, 'up'));
  return world;
}

const metricAt = (url: string, more: Partial<PrometheusMetric> = {}): PrometheusMetric => ({
  name: 'prometheus',
  kind: 'prometheus',
  url,
  requests: 'http_requests_total{function="{function}", version="{version}"}',
  errors: 'http_requests_total{function="{function}", version="{release}", code="500"}',
  slow: 'http_slow_total{version="{version}"}',
  every: 1_000,
  window: WINDOW,
  delay: DELAY,
  dryRun: false,
  ...more,
});

const target = (of: { stable: string | null; candidate: string }, now: number) => ({
  spec: specFor({ type: 'direct', bake: 1_000 }),
  from: 0,
  isProbe: () => false,
  ...of,
  now: () => now,
});

const requests = (version: string, code: number) =>
  `http_requests_total{function="checkout",version="${version}",code="${code}"}`;

/** What Prometheus says of an expression now: the sum of its series. Null: none. */
async function ask({ url }: World, query: string): Promise<number | null> {
  const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`);
  const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
  return data.result.length === 0 ? null : data.result.reduce((sum, { value }) => sum + Number(value[1]), 0);
}

/** Waits until everything up to now was scraped. */
async function scraped(world: World): Promise<void> {
  world.exporter.add('work_total', 1);
  const done = world.exporter.counters.get('work_total');
  await until('a scrape', async () => (await ask(world, 'work_total')) === done);
}

/** Waits for a stretch to begin, does `work` in it, waits until it was scraped and the stretch is over. Its end. */
async function inOneStretch(world: World, work: () => void | Promise<void>): Promise<number> {
  await until('the begin of a stretch', () => Date.now() % WINDOW < 300);
  const end = Math.floor(Date.now() / WINDOW) * WINDOW + WINDOW;
  await work();
  await scraped(world);
  expect(Date.now()).toBeLessThan(end);
  await until('the end of the stretch', () => Date.now() > end);
  return end;
}

function meet({ exporter }: World, version: string, counts: Counts | null): void {
  if (counts === null) return;
  const { requests: all, errors, slow = 0 } = counts;
  exporter.add(requests(version, 200), all - errors);
  if (errors > 0) exporter.add(requests(version, 500), errors);
  exporter.add(`http_slow_total{version="${version}"}`, slow);
}

async function startFixture(): Promise<SourceFixture> {
  const world = await startWorld();
  let releases = 0;
  return {
    countsSlow: true,
    window: WINDOW,
    delay: DELAY,
    source: ({ of, now, endpoint = world.url }) => prometheusSource(metricAt(endpoint), target(of, now), egressFor()),
    releases: async () => ({ stable: String(++releases), candidate: String(++releases) }),
    happen: (of, stable, candidate) =>
      inOneStretch(world, () => {
        meet(world, of.stable, stable);
        meet(world, of.candidate, candidate);
      }),
    stop: () => world.stop(),
  };
}

describeSource('Prometheus', startFixture);

describe('counters in Prometheus', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world?.stop());

  const read = async (version: string, since: number, end: number, more: Partial<PrometheusMetric> = {}) => {
    const source = prometheusSource(
      metricAt(world.url, more),
      target({ stable: null, candidate: version }, end + DELAY),
      egressFor(),
    );
    return source.read({ signal: new AbortController().signal }, since);
  };

  test('of an instance that restarts are counted from 0 again', async () => {
    const first = await inOneStretch(world, () => meet(world, 'a', { requests: 50, errors: 5, slow: 0 }));
    const second = await inOneStretch(world, () => {
      world.exporter.counters.set(requests('a', 200), 3);
      world.exporter.counters.set(requests('a', 500), 1);
    });
    const { ticks } = await read('a', first - WINDOW, second);
    expect(ticks[0]?.candidate).toEqual({ requests: 50, errors: 5, slow: 0 });
    expect(ticks.at(-1)?.candidate).toEqual({ requests: 4, errors: 1, slow: 0 });
  });

  test('hidden by a failed scrape report nothing meanwhile, and are not counted twice afterwards', async () => {
    await inOneStretch(world, () => meet(world, 'b', { requests: 50, errors: 5, slow: 0 }));
    world.exporter.broken = true;
    await until('the failed scrape', async () => (await ask(world, requests('b', 200))) === null);
    await until('the begin of a stretch', () => Date.now() % WINDOW < 300);
    const hidden = Math.floor(Date.now() / WINDOW) * WINDOW + WINDOW;
    await until('the end of the stretch', () => Date.now() > hidden);
    world.exporter.broken = false;
    await until('a scrape', () => ask(world, requests('b', 200)));
    const back = await inOneStretch(world, () => meet(world, 'b', { requests: 2, errors: 1, slow: 0 }));
    const { ticks } = await read('b', hidden - WINDOW, back);
    expect(ticks[0]).toEqual({ id: hidden, stable: null, candidate: null });
    const seen = ticks.flatMap(({ candidate }) => (candidate === null ? [] : [candidate]));
    expect(seen.reduce((sum, one) => sum + one.requests, 0)).toBe(2);
    expect(seen.reduce((sum, one) => sum + one.errors, 0)).toBe(1);
  });

  test('may be counted by an expression over the window instead, which is as exact as that expression', async () => {
    await inOneStretch(world, () => meet(world, 'c', { requests: 4, errors: 0, slow: 0 }));
    const increase = 'sum(increase(http_requests_total{version="{version}"}[{window}]))';
    // It loses what comes before the first scrape of a window.
    const end = await inOneStretch(world, async () => {
      await scraped(world);
      meet(world, 'c', { requests: 6, errors: 0, slow: 0 });
    });
    const { ticks, asked } = await read('c', end - WINDOW, end, { requests: increase });
    // What `increase` makes of 6 between two scrapes a second apart: up to three times that.
    expect(ticks[0]?.candidate?.requests).toBeGreaterThanOrEqual(6);
    expect(ticks[0]?.candidate?.requests).toBeLessThanOrEqual(18);
    expect(asked.map(({ query }) => query)).toContain('sum(increase(http_requests_total{version="c"}[3s]))');
  });

  test('summed in the query are refused with what to write instead', async () => {
    const end = await inOneStretch(world, () => meet(world, 'd', { requests: 1, errors: 0, slow: 0 }));
    const summed = 'sum without (code) (http_requests_total{version="{version}"})';
    await expect(read('d', end - WINDOW, end, { requests: summed })).rejects.toMatchObject({
      code: 'SLUICE_SPEC',
      message: expect.stringContaining('name the counters themselves'),
    });
  });

  test("with invalid PromQL are refused with Prometheus's message", async () => {
    const now = Date.now();
    await expect(read('e', now - 3 * WINDOW, now, { requests: 'sum({version}' })).rejects.toMatchObject({
      code: 'SLUICE_PROVIDER',
      message: expect.stringMatching(/^Prometheus refuses .*sum\(e.*: bad_data: .*parse error/),
    });
  });

  test('are read with the token that the spec refers to', async () => {
    const seen: unknown[] = [];
    const server = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end('{"status":"success","data":{"resultType":"matrix","result":[]}}');
    });
    const metric = metricAt(server.url, { token: 'secret://env/SLUICE_SECRET_PROMETHEUS' });
    const egress = egressFor({ SLUICE_SECRET_PROMETHEUS: 'abc' });
    const source = prometheusSource(metric, target({ stable: null, candidate: 'f' }, Date.now()), egress);
    await source.read({ signal: new AbortController().signal }, Date.now() - 3 * WINDOW);
    await server.close();
    expect(new Set(seen)).toEqual(new Set(['Bearer abc']));
  });
});
