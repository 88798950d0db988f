import { describe, expect, test } from '@jest/globals';
import { CancelledFailure } from '@temporalio/common';
import { decidingSources } from '../../src/health/source-names.js';
import type { AlarmState } from '../../src/health/sources/source.js';
import type { WatchHeartbeat, WatchInput } from '../../src/health/types.js';
import { watch } from '../../src/health/watcher.js';
import { judgeOf } from '../../src/judge/index.js';
import { probeCalls } from '../../src/model/counts.js';
import { SluiceError } from '../../src/model/errors.js';
import type { AlarmSpec, MetricSpec, ProbeSpec } from '../../src/model/spec.js';
import type { PlatformDriver } from '../../src/platforms/port.js';
import { SimulatedClock } from '../support/clock.js';
import { egressFor } from '../support/egress.js';
import { until } from '../support/until.js';
import { answered, FunctionDouble, failedWith, httpProbe, probeSpec, specWith, stretch } from './double.js';
import { serve } from './server.js';

const metric: MetricSpec = {
  name: 'requests',
  kind: 'cloudwatch',
  every: 50,
  namespace: 'AWS/Lambda',
  delay: 60_000,
  dryRun: false,
};
/** The end of some stretch after the weight began. */
const LATER = Date.now() + 60_000;
const down = () => Promise.reject(new SluiceError('SLUICE_PROVIDER', 'CloudWatch is down'));

interface Options {
  probes?: ProbeSpec[];
  metrics?: MetricSpec[];
  input?: Partial<WatchInput>;
  lastHeartbeat?: WatchHeartbeat;
  clock?: SimulatedClock;
}

/** A watch at 10 %, of version 7 against 6. */
function start(
  driver: FunctionDouble,
  { probes = [probeSpec()], metrics = [], input, lastHeartbeat, clock }: Options = {},
) {
  const stop = new AbortController();
  const beats: WatchHeartbeat[] = [];
  const spec = specWith(probes, metrics);
  const { judge: rules } = spec.health;
  const report = watch(
    {
      spec,
      stable: '6',
      candidate: '7',
      weight: 10,
      from: Date.now(),
      state: null,
      rules,
      before: { baselines: {}, firing: [] },
      earliest: null,
      held: false,
      own: null,
      ...input,
    },
    {
      driver,
      egress: egressFor(),
      signal: stop.signal,
      heartbeat: (details) => beats.push(structuredClone(details)),
      ...(lastHeartbeat === undefined ? {} : { lastHeartbeat }),
      now: Date.now,
      ...(clock === undefined ? {} : { clock }),
      judge: judgeOf({
        rules,
        baselines: {},
        firing: input?.before?.firing ?? [],
        ...decidingSources(spec.health, { stable: '6', ...input }),
      }),
    },
  );
  const cancel = () => {
    stop.abort(new CancelledFailure('CANCELLED'));
    return report;
  };
  return { report, cancel, stop, beats };
}

const calledTimes = (driver: FunctionDouble, version: string, n: number) =>
  until(`${n} calls of ${version}`, () => (driver.calls[version] ?? 0) >= n);

describe('the watcher at a weight', () => {
  test('counts its probes on candidate and stable separately, and reports healthy when it is cancelled', async () => {
    const driver = new FunctionDouble();
    const { cancel } = start(driver);
    await calledTimes(driver, '7', 22);
    const { verdict, errors } = await cancel();
    expect(verdict.state).toBe('healthy');
    expect(verdict.candidate).toEqual({ requests: driver.calls['7'], errors: 0 });
    expect(verdict.stable).toEqual({ requests: driver.calls['6'], errors: 0 });
    expect(errors).toEqual([]);
  });

  test('ignores that the first call of each release is slow, and counts every later slow one', async () => {
    const driver = new FunctionDouble();
    const slow = 4_500;
    driver.answer = (version) =>
      answered(version, { latencyMs: driver.calls[version] === 1 || driver.calls[version] === 4 ? slow : 1 });
    const { cancel } = start(driver);
    await calledTimes(driver, '7', 22);
    await calledTimes(driver, '6', 5);
    const { verdict } = await cancel();
    expect(verdict.candidate).toEqual({ requests: (driver.calls['7'] ?? 0) - 1, errors: 1 });
    expect(verdict.stable).toEqual({ requests: (driver.calls['6'] ?? 0) - 1, errors: 1 });
  });

  test('counts a wrong first call, however slow, and after a crash treats no call as the first again', async () => {
    const driver = new FunctionDouble();
    driver.answer = (version) =>
      driver.calls[version] === 1 ? { ...failedWith(version, 'Error', 'no'), latencyMs: 4_500 } : answered(version);
    const before = start(driver);
    await until('two heartbeats', () => before.beats.length >= 2);
    const { verdict } = await before.cancel();
    expect(verdict.candidate.errors).toBe(1);

    const after = new FunctionDouble();
    after.answer = (version) => answered(version, { latencyMs: after.calls[version] === 1 ? 4_500 : 1 });
    const last = before.beats.at(-1);
    const again = start(after, last === undefined ? {} : { lastHeartbeat: last });
    await calledTimes(after, '7', 5);
    expect((await again.cancel()).verdict.candidate.errors).toBe(2);
  });

  test('makes 20 calls a second to each release, one at a time', async () => {
    const driver = new FunctionDouble();
    const began = performance.now();
    const { cancel } = start(driver, { probes: [probeSpec({ every: 50 })] });
    await calledTimes(driver, '7', 41);
    const seconds = (performance.now() - began) / 1000;
    await cancel();
    // Forty intervals of 50 ms: never faster.
    expect(seconds).toBeGreaterThan(1.95);
    expect(driver.calls['6']).toBeGreaterThan(30);
    expect(driver.mostInFlight).toEqual({ 6: 1, 7: 1 });
  });

  test('calls both releases five times as often while the candidate fails', async () => {
    const clock = new SimulatedClock();
    const driver = new FunctionDouble();
    const times: Record<string, number[]> = { 6: [], 7: [] };
    driver.answer = (version) => {
      const at = clock.now();
      times[version]?.push(at);
      return version === '7' && at >= 900 && at < 1_800 ? failedWith('7', 'Error', 'unwell') : answered(version);
    };
    const { cancel } = start(driver, { probes: [probeSpec({ every: 500 })], clock });
    await clock.goOn(4_000, () => false);
    const { verdict } = await cancel();
    expect(verdict.state).not.toBe('unhealthy');
    for (const version of ['6', '7']) {
      const gaps = (times[version] ?? []).slice(1).map((at, i) => at - (times[version]?.[i] ?? 0));
      expect(gaps).toEqual([500, 500, 500, ...Array(5).fill(100), 500, 500, 500, 500]);
    }
  });

  test('never has two calls to a slow release in flight', async () => {
    const driver = new FunctionDouble();
    driver.answer = (version) => until('120 ms', tick(120)).then(() => answered(version));
    const { cancel } = start(driver);
    await calledTimes(driver, '7', 4);
    await cancel();
    expect(driver.mostInFlight).toEqual({ 6: 1, 7: 1 });
  });

  test('sends a heartbeat each second, with rising counts', async () => {
    const driver = new FunctionDouble();
    const { cancel, beats } = start(driver);
    await until('three heartbeats', () => beats.length >= 3);
    await cancel();
    const gaps = beats.slice(1).map((beat, i) => beat.at - (beats[i] as WatchHeartbeat).at);
    expect(Math.max(...gaps)).toBeLessThan(1_500);
    const counted = beats.map((beat) => beat.report.verdict.candidate.requests);
    expect(counted.at(-1)).toBeGreaterThan(counted[0] as number);
  });

  test('watches only the candidate before it has traffic, and reads no metrics', async () => {
    const driver = new FunctionDouble();
    const { cancel } = start(driver, { metrics: [metric], input: { weight: 0 } });
    await calledTimes(driver, '7', 22);
    const { verdict } = await cancel();
    expect(driver.calls['6']).toBeUndefined();
    expect(driver.reads).toBe(0);
    expect(verdict.state).toBe('healthy');
  });

  test('has no stable release to call on a first deployment', async () => {
    const driver = new FunctionDouble();
    const { cancel } = start(driver, { input: { stable: null } });
    await calledTimes(driver, '7', 22);
    expect((await cancel()).verdict.state).toBe('healthy');
    expect(Object.keys(driver.calls)).toEqual(['7']);
  });

  test('uses only the probes on a first deployment until users arrive, and never after that', async () => {
    const silent = () => {
      const driver = new FunctionDouble();
      driver.counted = () => ({ ticks: [], asked: [] });
      return driver;
    };
    const first = silent();
    const one = start(first, { metrics: [metric], input: { stable: null } });
    await calledTimes(first, '7', 22);
    expect((await one.cancel()).verdict.state).toBe('healthy');
    const later = silent();
    const other = start(later, { metrics: [metric] });
    await calledTimes(later, '7', 22);
    expect((await other.cancel()).verdict.state).toBe('noData');
  });

  test('runs until it is cancelled if there is nothing to watch, and reports noData', async () => {
    const { cancel, beats } = start(new FunctionDouble(), { probes: [] });
    await until('two heartbeats', () => beats.length >= 2);
    expect((await cancel()).verdict.state).toBe('noData');
  });

  test('calls http probes at the address of each release', async () => {
    const paths = new Set<string | undefined>();
    const server = await serve((request, response) => {
      paths.add(request.url);
      response.statusCode = request.url === '/7' ? 500 : 200;
      response.end();
    });
    const { report } = start(new FunctionDouble(), { probes: [httpProbe(`${server.url}/{version}`)] });
    const { verdict, errors } = await report;
    await server.close();
    expect(verdict.state).toBe('unhealthy');
    expect([...paths].sort()).toEqual(['/6', '/7']);
    expect(errors).toMatchObject([{ what: 'probe page: status 500, expected 200' }]);
  });
});

describe('harm to the candidate', () => {
  test('ends the watch at once, with the reasons from the probes', async () => {
    const driver = new FunctionDouble();
    driver.answer = (version) =>
      version === '7' ? failedWith('7', 'CardError', `declined ${driver.calls['7']}`) : answered(version);
    const { report } = start(driver);
    const { verdict, errors, series } = await report;
    expect(verdict).toMatchObject({ state: 'unhealthy', candidate: { errors: verdict.candidate.requests } });
    expect(series.at(-1)).toMatchObject({ logE: verdict.logE, candidate: verdict.candidate });
    // A tick is a quarter of a second, a call every 20 ms.
    expect(verdict.candidate.requests).toBeLessThan(30);
    expect(errors).toEqual([{ what: 'probe smoke: CardError: declined 1', count: verdict.candidate.errors }]);
  });

  test('is found in the metrics if only users meet it and all probes pass', async () => {
    const driver = new FunctionDouble();
    driver.counted = () => stretch(LATER, { requests: 60, errors: 12 }, { requests: 540, errors: 0 });
    const { verdict } = await start(driver, { metrics: [metric] }).report;
    expect(verdict.why).toMatch(
      /^(metric requests: )?20 % of 60 against 0 % of 540: 12 errors against none, evidence 1 : /,
    );
  });

  test('is not found if both releases fail', async () => {
    const driver = new FunctionDouble();
    driver.answer = (version) => failedWith(version, 'Error', 'the database is down');
    const { cancel } = start(driver);
    await calledTimes(driver, '7', 30);
    const { verdict } = await cancel();
    expect(verdict.state).not.toBe('unhealthy');
  });
});

describe('a candidate that is shown to be no worse', () => {
  const well = () => stretch(LATER, { requests: 2_000, errors: 0 }, { requests: 18_000, errors: 0 });

  test('ends the watch once the minimum time is over, with the verdict that says so', async () => {
    const driver = new FunctionDouble();
    driver.counted = well;
    const began = Date.now();
    const earliest = began + 1_500;
    const { report } = start(driver, { probes: [], metrics: [metric], input: { earliest } });
    expect((await report).verdict).toMatchObject({ state: 'healthy', passes: true });
    expect(Date.now()).toBeGreaterThanOrEqual(earliest);
  });

  test('is watched on if no bake may pass early', async () => {
    const driver = new FunctionDouble();
    driver.counted = well;
    const { cancel, beats } = start(driver, { probes: [], metrics: [metric] });
    await until('three heartbeats', () => beats.length >= 3);
    const { verdict, series } = await cancel();
    expect(verdict).toMatchObject({ state: 'healthy', passes: true });
    expect(series.at(-1)).toMatchObject({ weight: 10, candidate: { requests: 2_000, errors: 0 } });
  });
});

describe('a hold for lack of evidence', () => {
  test('ends the watch once the verdict is healthy, which no heartbeat reports', async () => {
    const driver = new FunctionDouble();
    let users = 0;
    driver.counted = () => stretch(LATER + users, users === 0 ? null : { requests: users, errors: 0 });
    const { report, beats } = start(driver, { metrics: [metric], input: { held: true } });
    await until('two heartbeats', () => beats.length >= 2);
    users = 50;
    expect((await report).verdict).toMatchObject({ state: 'healthy', candidate: { requests: 50 } });
    expect(beats.map((beat) => beat.report.verdict.state)).not.toContain('healthy');
  });

  test("is not ended by our own probes if the users' metrics are silent", async () => {
    const driver = new FunctionDouble();
    driver.counted = () => ({ ticks: [], asked: [] });
    const { cancel, beats } = start(driver, { metrics: [metric], input: { held: true } });
    await calledTimes(driver, '7', 100);
    await until('two heartbeats', () => beats.length >= 2);
    const { verdict, series } = await cancel();
    expect(verdict).toMatchObject({ state: 'noData', counted: 'users', candidate: { requests: 0 } });
    expect(verdict.why).toMatch(
      /^no request of the candidate was counted by metric requests; \d+ probe calls say nothing about your users$/,
    );
    expect(series.at(-1)?.probes?.candidate.requests).toBeGreaterThanOrEqual(100);
  });
});

describe('an alarm', () => {
  const alarms: AlarmSpec[] = [{ name: 'errors', kind: 'cloudwatch', alarm: 'prod-errors' }];
  const is = (state: AlarmState['state']): AlarmState => ({ state, since: 0, why: '' });
  const watched = (driver: FunctionDouble, firing: string[] = []) => {
    const spec = specWith([probeSpec()]);
    return start(driver, {
      input: { spec: { ...spec, health: { ...spec.health, alarms } }, before: { baselines: {}, firing } },
    });
  };

  test('that goes off ends the watch', async () => {
    const driver = new FunctionDouble();
    driver.alarm = () => is('ALARM');
    const { verdict } = await watched(driver).report;
    expect(verdict).toMatchObject({ state: 'unhealthy', why: 'alarm errors went off during the rollout' });
  });

  test('that fired before does not end the watch', async () => {
    const driver = new FunctionDouble();
    let looks = 0;
    driver.alarm = () => {
      looks += 1;
      return is('ALARM');
    };
    const { cancel } = watched(driver, ['errors']);
    await calledTimes(driver, '7', 22);
    expect(looks).toBeGreaterThan(0);
    expect((await cancel()).verdict.state).toBe('healthy');
  });
});

describe('a source that cannot be read', () => {
  test('makes the verdict blind, never healthy', async () => {
    const driver = new FunctionDouble();
    driver.counted = down;
    const { cancel } = start(driver, { metrics: [metric] });
    await calledTimes(driver, '7', 22);
    await until('three reads', () => driver.reads >= 3);
    expect((await cancel()).verdict).toMatchObject({
      state: 'blind',
      why: expect.stringMatching(/^metric requests could not be read \d+ times in a row: CloudWatch is down$/),
    });
  });

  test('does not make the candidate unhealthy if it is a probe that may not be sent', async () => {
    const driver = new FunctionDouble();
    driver.answer = () => Promise.reject(new SluiceError('SLUICE_PERMISSION', 'lambda:InvokeFunction'));
    const { cancel } = start(driver);
    await calledTimes(driver, '7', 4);
    expect((await cancel()).verdict).toMatchObject({ state: 'blind', candidate: { requests: 0, errors: 0 } });
  });

  test('is forgotten once it can be read again', async () => {
    const driver = new FunctionDouble();
    driver.counted = () => (driver.reads <= 4 ? down() : stretch(LATER, { requests: 50, errors: 0 }));
    const { cancel } = start(driver, { metrics: [metric] });
    await calledTimes(driver, '7', 22);
    await until('five reads', () => driver.reads >= 5);
    expect((await cancel()).verdict.state).toBe('healthy');
  });
});

describe('the sources of a watch', () => {
  test('are read from the start of the weight on, then from the last tick on', async () => {
    const driver = new FunctionDouble();
    const asked: number[] = [];
    driver.counted = (since) => {
      asked.push(since);
      return stretch(LATER, { requests: 5, errors: 0 });
    };
    const { cancel } = start(driver, { probes: [], metrics: [metric], input: { from: 1_000 } });
    await until('three reads', () => asked.length >= 3);
    const { verdict } = await cancel();
    expect(asked.slice(0, 3)).toEqual([1_000, LATER, LATER]);
    expect(verdict.candidate.requests).toBe(5);
  });

  test('are shown with their last questions and answers, cut, from the first heartbeat to the report', async () => {
    const driver = new FunctionDouble();
    driver.counted = () => ({ ticks: [], asked: driver.reads === 1 ? [{ query: 'q', answer: 'a'.repeat(500) }] : [] });
    const { cancel, beats } = start(driver, { probes: [], metrics: [metric] });
    await until('three reads', () => driver.reads >= 3);
    const shown = [{ source: 'metric requests', query: 'q', answer: expect.stringMatching(/^a{199}…$/) }];
    const beat = await until('a heartbeat', () => beats.find((one) => one.report.asked.length > 0));
    expect(beat.report.asked).toEqual(shown);
    expect((await cancel()).asked).toEqual(shown);
  });

  test('that are only shown are read and never decide', async () => {
    const driver = new FunctionDouble();
    driver.counted = (since) => ({
      ...stretch(LATER, { requests: 60, errors: 60 }),
      asked: [{ query: String(since), answer: '60' }],
    });
    const { cancel } = start(driver, { metrics: [{ ...metric, dryRun: true }] });
    await calledTimes(driver, '7', 22);
    await until('two reads', () => driver.reads >= 2);
    const { verdict, asked } = await cancel();
    expect(verdict.state).toBe('healthy');
    expect(asked).toEqual([{ source: 'metric requests', query: String(LATER), answer: '60' }]);
  });

  test('that the platform lacks make the verdict blind', async () => {
    const driver = new FunctionDouble();
    const { cancel } = start(Object.assign(driver, { source: () => null }), { metrics: [metric] });
    await calledTimes(driver, '7', 22);
    await until('the time of three reads', tick(300));
    expect((await cancel()).verdict).toMatchObject({
      state: 'blind',
      why: expect.stringContaining('metric requests is of kind cloudwatch, which lambda does not'),
    });
  });

  test('are told which requests were our own probes', async () => {
    const driver = new FunctionDouble();
    driver.answer = (version) => answered(version, { requestId: `id-${version}` });
    const known: boolean[] = [];
    const source: FunctionDouble['source'] = (...[, of]: Parameters<PlatformDriver['source']>) => ({
      read: async () => {
        known.splice(0, known.length, ...['id-7', 'id-6', 'id-user'].map((id) => of.isProbe(id)));
        return { ticks: [], asked: [] };
      },
    });
    const { cancel } = start(Object.assign(driver, { source }), { metrics: [metric] });
    await calledTimes(driver, '7', 2);
    await calledTimes(driver, '6', 2);
    await until('a read after them', () => known[0] && known[1]);
    await cancel();
    expect(known).toEqual([true, true, false]);
  });

  test('are told which requests were probes of the watcher before', async () => {
    const driver = new FunctionDouble();
    driver.answer = (version) => answered(version, { requestId: `id-${version}` });
    const known: boolean[] = [];
    const source: FunctionDouble['source'] = (...[, of]: Parameters<PlatformDriver['source']>) => ({
      seesProbes: true,
      read: async () => {
        known.splice(0, known.length, ...['id-7', 'id-6', 'id-user'].map((id) => of.isProbe(id)));
        return { ticks: [], asked: [] };
      },
    });
    const first = start(Object.assign(driver, { source }), { metrics: [metric] });
    await calledTimes(driver, '7', 1);
    await calledTimes(driver, '6', 1);
    const { own = null, state } = await first.cancel();
    known.length = 0;
    const silent = Object.assign(new FunctionDouble(), { source });
    const second = start(silent, { metrics: [metric], probes: [], input: { own, state } });
    await until('a read of the next one', () => known.length > 0);
    await second.cancel();
    expect(known).toEqual([true, true, false]);
  });

  test('are told of a probe that was in flight at the end', async () => {
    const driver = new FunctionDouble();
    const answers: (() => void)[] = [];
    driver.answer = (version) =>
      new Promise((resolve) => {
        answers.push(() => resolve(answered(version, { requestId: `late-${version}` }) as never));
      });
    const source: FunctionDouble['source'] = () => ({
      seesProbes: true,
      read: async () => ({ ticks: [], asked: [] }),
    });
    const { cancel } = start(Object.assign(driver, { source }), { metrics: [metric] });
    await until('both calls', () => answers.length === 2);
    const ended = cancel();
    for (const answer of answers) answer();
    expect((await ended).own?.sent.map(([id]) => id).toSorted()).toEqual(['late-6', 'late-7']);
  });
});

describe('a cancel', () => {
  test('is answered while calls in flight never end, with counts read afterwards', async () => {
    const driver = new FunctionDouble();
    driver.answer = () => new Promise(() => {});
    let users = 0;
    driver.counted = () => stretch(LATER + users, { requests: users, errors: 0 });
    const { cancel } = start(driver, {
      probes: [probeSpec({ latency: 60_000 })],
      metrics: [{ ...metric, every: 600_000 }],
    });
    await until('the first read and call', () => driver.reads === 1 && driver.calls['7'] === 1);
    users = 50;
    const { verdict } = await cancel();
    expect(verdict).toMatchObject({ state: 'healthy', candidate: { requests: 50, errors: 0 } });
  });

  test('does not wait for metrics that never answer', async () => {
    const driver = new FunctionDouble();
    driver.counted = () => new Promise(() => {});
    const { cancel } = start(driver, { metrics: [metric] });
    await calledTimes(driver, '7', 22);
    const { verdict } = await cancel();
    expect(verdict).toMatchObject({ state: 'noData', why: expect.stringContaining('could not be read') });
  });

  test('reports harm that the last read finds', async () => {
    const driver = new FunctionDouble();
    let errors = 0;
    driver.counted = () => stretch(LATER + errors, { requests: 40, errors });
    const { cancel } = start(driver, { metrics: [{ ...metric, every: 600_000 }] });
    await until('the first read', () => driver.reads === 1);
    errors = 20;
    expect((await cancel()).verdict.state).toBe('unhealthy');
  });

  test('leaves no call behind', async () => {
    const driver = new FunctionDouble();
    const { cancel, beats } = start(driver, { metrics: [metric] });
    await calledTimes(driver, '7', 3);
    await cancel();
    const then = [driver.calls['7'], driver.calls['6'], driver.reads, beats.length];
    await until('the time of many intervals', tick(300));
    expect([driver.calls['7'], driver.calls['6'], driver.reads, beats.length]).toEqual(then);
  });

  test('is answered even before the start', async () => {
    const driver = new FunctionDouble();
    const { cancel } = start(driver, { input: { weight: 0 } });
    expect((await cancel()).verdict.candidate.requests).toBeLessThanOrEqual(1);
  });
});

describe('after a crash', () => {
  /** Calls of the probe to the candidate. */
  const callsIn = ({ report }: WatchHeartbeat) =>
    report.state.sources['probe smoke']?.counts.step.candidate.requests ?? 0;

  test('the next attempt continues from the last heartbeat and counts nothing twice', async () => {
    const driver = new FunctionDouble();
    driver.counted = () => stretch(LATER, { requests: 10, errors: 0 }, { requests: 90, errors: 0 });
    const first = start(driver, { metrics: [metric] });
    const beat = await until('a heartbeat with counts', () => first.beats.find((one) => callsIn(one) > 10));
    await first.cancel();

    // The heartbeat travels as JSON.
    const lastHeartbeat = JSON.parse(JSON.stringify(beat)) as WatchHeartbeat;
    const again = new FunctionDouble();
    let since = 0;
    again.counted = (from) => {
      since = from;
      return {
        ticks: [
          ...stretch(LATER, { requests: 10, errors: 0 }, { requests: 90, errors: 0 }).ticks,
          ...stretch(LATER + 1_000, { requests: 2, errors: 0 }, { requests: 18, errors: 0 }).ticks,
        ],
        asked: [],
      };
    };
    const second = start(again, { metrics: [metric], lastHeartbeat });
    await calledTimes(again, '7', 5);
    const { verdict, state } = await second.cancel();
    expect(verdict.candidate).toEqual({ requests: 12, errors: 0 });
    expect(probeCalls(verdict)?.candidate).toEqual({ requests: callsIn(beat) + (again.calls['7'] ?? 0), errors: 0 });
    expect(since).toBe(LATER + 1_000);
    expect(state.sources['probe smoke']?.counts.lastId).toBeGreaterThan(
      beat.report.state.sources['probe smoke']?.counts.lastId as number,
    );
  });

  test('failures from before the crash still count, with their reasons', async () => {
    const driver = new FunctionDouble();
    driver.answer = (version) =>
      version === '7' && (driver.calls['7'] ?? 0) <= 2 ? failedWith('7', 'E', 'early') : answered(version);
    const first = start(driver, { probes: [probeSpec({ every: 900 })] });
    const lastHeartbeat = await until('two failures in a heartbeat', () =>
      first.beats.find((one) => one.report.verdict.candidate.errors === 2),
    );
    await first.cancel();

    const again = new FunctionDouble();
    again.answer = (version) => (version === '7' ? failedWith('7', 'E', 'early') : answered(version));
    const { verdict, errors } = await start(again, { lastHeartbeat }).report;
    expect(verdict.state).toBe('unhealthy');
    // A second or two of ticks, each of a quarter of a second, instead of a new beginning.
    expect(verdict.candidate.errors).toBeGreaterThan(again.calls['7'] ?? 0);
    expect(errors).toMatchObject([{ what: 'probe smoke: E: early' }]);
  });

  test('known harm is reported without another call', async () => {
    const { judge: rules } = specWith([probeSpec()]).health;
    const judge = judgeOf({ rules, baselines: {}, sources: ['probe smoke'], users: [], firing: [] });
    const bad = judge.tick(judge.start(10), {
      source: 'probe smoke',
      id: 0,
      stable: null,
      candidate: { requests: 20, errors: 20 },
    });
    const driver = new FunctionDouble();
    const { verdict } = await start(driver, { input: { state: bad } }).report;
    expect(verdict.state).toBe('unhealthy');
    expect(driver.calls).toEqual({});
  });

  test('a worker that shuts down passes the watch on instead of ending it', async () => {
    const driver = new FunctionDouble();
    const { report, stop, beats } = start(driver);
    await calledTimes(driver, '7', 5);
    stop.abort(new CancelledFailure('WORKER_SHUTDOWN'));
    await expect(report).rejects.toMatchObject({ code: 'SLUICE_PROVIDER' });
    expect(beats.at(-1)?.report.verdict.candidate.requests).toBe(driver.calls['7']);
  });
});

/** A condition that holds once `ms` have passed. */
function tick(ms: number): () => boolean {
  const end = performance.now() + ms;
  return () => performance.now() >= end;
}
