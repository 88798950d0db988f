/** Going back to a release that served before is no experiment: by the spec that made it live, to any release of the ledger, and nothing jumps in. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { CloudWatchClient, PutMetricAlarmCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { rolloutId } from '../../src/model/ids.js';
import { functionWith } from '../emulators/aws/functions.js';
import { until } from '../support/until.js';
import { DIRECT, specOf, startWorld, type World } from './target.js';

let world: World;

beforeAll(async () => {
  world = await startWorld('undo');
});

afterAll(() => world?.stop());

const probe = (field: string) => ({
  health: {
    judge: { minRequests: 1, onUndecided: 'promote', onNoData: 'promote' },
    metrics: [],
    probes: [{ name: 'p', invoke: { payload: {} }, every: '50ms', expect: { path: `$.${field}`, equals: 7 } }],
  },
});

/** Versions of a function, released one after the other, each by the spec beside it. */
async function released(app: string, ...releases: { body: string; fields?: object }[]): Promise<void> {
  await functionWith(
    world.lambda,
    app,
    releases.map(({ body }) => body),
  );
  for (const [at, { fields = {} }] of releases.entries()) {
    const version = String(at + 1);
    const answer = await world.start(app, 'ann', { ...DIRECT, ...probe('total'), release: { version }, ...fields });
    expect(await world.end(app, answer)).toMatchObject({ outcome: 'succeeded', candidate: version });
    await until('the ledger', async () => (await world.ledger(app))?.releases[0]?.version === version);
  }
}

const total = (n: number) => ({ body: `return { statusCode: 200, total: 7, n: ${n} }` });

describe('an undo uses the spec that made its release live', () => {
  test('even if only the newer release has what the newer probe needs', async () => {
    const app = 'newprobe';
    await released(app, total(1), {
      body: 'return { statusCode: 200, total: 7, currency: 7 }',
      fields: probe('currency'),
    });
    const view = await world.undone(app, await world.undo(app), ({ verdict }) => verdict === null);
    expect(view).toMatchObject({ outcome: 'succeeded', candidate: '1', reason: 'release 1 is live again', errors: [] });
    expect(await world.alias(app)).toMatchObject({ version: '1', weights: {} });
  });

  test('and warns if an alarm goes off late or the release has always had some failures', async () => {
    const app = 'alarmed';
    const cloudwatch = new CloudWatchClient({
      endpoint: world.stack.aws.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'person' },
    });
    const state = (StateValue: 'OK' | 'ALARM') =>
      cloudwatch.send(new SetAlarmStateCommand({ AlarmName: 'undo-errs', StateValue, StateReason: 'late' }));
    const rule = {
      Namespace: 'AWS/Lambda',
      MetricName: 'Errors',
      Statistic: 'Sum',
      ComparisonOperator: 'GreaterThanThreshold',
    } as const;
    await cloudwatch.send(
      new PutMetricAlarmCommand({ AlarmName: 'undo-errs', ...rule, Period: 60, EvaluationPeriods: 1, Threshold: 1e9 }),
    );
    await state('OK');
    const health = { ...probe('total').health, alarms: [{ name: 'errs', cloudwatch: 'undo-errs' }] };
    await released(app, { ...total(1), fields: { health } }, { ...total(2), fields: { health } });
    const run = await world.undo(app);
    await world.phase(app, 'baking', run);
    // An alarm counts once it was seen quiet; it is looked at every five seconds.
    const view = await world
      .undone(app, run, ({ warnings }) => {
        // In turns longer than that, so that it is seen quiet first, whenever the looks are.
        void state(Math.floor(Date.now() / 7_000) % 2 === 0 ? 'OK' : 'ALARM').catch(() => undefined);
        return warnings.length > 0;
      })
      .finally(() => cloudwatch.destroy());
    expect(view).toMatchObject({
      outcome: 'succeeded',
      candidate: '1',
      warnings: [expect.stringContaining('alarm errs')],
      reason: expect.stringContaining('release 1 is live again; warning: 1 does not look healthy'),
    });
    expect(await world.alias(app)).toMatchObject({ version: '1', weights: {} });
  });

  test('or without one still moves the traffic back, and says what is not watched', async () => {
    const app = 'forgotten';
    await released(app, total(1), total(2));
    const [, first] = (await world.ledger(app))?.releases ?? [];
    const { store } = world.stack;
    const kept = readdirSync(store, { recursive: true })
      .map(String)
      .filter((name) => name.includes(String(first?.spec)));
    expect(kept.length).toBeGreaterThan(0);
    for (const name of kept) rmSync(path.join(store, name), { recursive: true, force: true });
    const view = await world.undone(app, await world.undo(app));
    expect(view).toMatchObject({
      outcome: 'succeeded',
      candidate: '1',
      warnings: [expect.stringMatching(/^the spec that made release 1 live is not known .*nothing watches it$/)],
    });
    expect(await world.alias(app)).toMatchObject({ version: '1', weights: {} });
  });

  test('an abort in the middle of an undo returns to the release that was live before it', async () => {
    const app = 'twice';
    await released(app, total(1), total(2));
    const run = await world.undo(app);
    await world.phase(app, 'baking', run);
    expect(await world.alias(app)).toMatchObject({ version: '1' });
    await world.sluice.verb(world.at(app), 'abort', { by: 'cem' });
    expect(await world.end(app, { run })).toMatchObject({ outcome: 'rolledBack' });
    expect(await world.alias(app)).toMatchObject({ version: '2', weights: {} });
  });
});

describe('undo --to', () => {
  test('accepts any release of the ledger that still exists, also after the window, and releases marks them', async () => {
    const app = 'far';
    const fields = { rollbackWindow: '1s', retain: 5 };
    const currency = (n: number) => ({
      body: `return { statusCode: 200, total: 7, currency: 7, n: ${n} }`,
      fields: { ...fields, ...probe('currency') },
    });
    await released(app, { ...total(1), fields }, currency(2), currency(3));
    await until('the end of the window', async () => (await world.ledger(app))?.undo === null);

    const id = `${app}/production`;
    const over = await world.cli(['undo', id]);
    expect([over.code, over.err]).toEqual([
      7,
      expect.stringContaining(`It still exists: \`sluice undo ${id} --to 2\``),
    ]);
    const { out } = await world.cli(['releases', id]);
    expect(out).toMatch(/^1 .* --to 1 /m);
    expect(out).toMatch(/^2 .* --to 2 /m);
    expect(out).not.toContain('--to 3');
    expect(await world.cli(['undo', id, '--to', '9'])).toMatchObject({
      code: 7,
      err: expect.stringContaining(`release 9 is not in the ledger of ${id}; the ledger has: 2, 1`),
    });
    expect((await world.cli(['undo', id, '--to', '3'])).err).toContain('release 3 is already live');

    const view = await world.undone(app, await world.undo(app, { to: '1' }), ({ verdict }) => verdict === null);
    expect(view).toMatchObject({
      outcome: 'succeeded',
      candidate: '1',
      stable: '3',
      reason: 'release 1 is live again',
    });
    expect(await world.alias(app)).toMatchObject({ version: '1', weights: {} });
    // What it took away is the way back from here.
    await until('the ledger', async () => (await world.ledger(app))?.undo?.version === '3');
  });
});

describe('after an undo', () => {
  test('nothing submitted meanwhile starts, unless --keep-queue allows it', async () => {
    const app = 'queued';
    await released(app, total(1), total(2), total(3));
    const run = await world.undo(app);
    await world.phase(app, 'baking', run);
    await expect(
      world.start(app, 'dan', { ...DIRECT, ...probe('total'), release: { version: '3' } }, 'queue'),
    ).rejects.toMatchObject({
      code: 'SLUICE_ALREADY_RUNNING',
      message: expect.stringContaining('an undo of queued/production is running'),
    });
    const behind = specOf(app, { ...DIRECT, ...probe('total'), release: { version: '3' }, onNewRelease: 'queue' });
    const levels = async () =>
      (await world.sluice.plan({ ...world.at(app), type: 'direct', input: behind })).findings
        .filter(({ code }) => code === 'SLUICE_ALREADY_RUNNING')
        .map(({ level, message }) => [level, message.slice(0, 'an undo of'.length)]);
    expect(await levels()).toEqual([['refuse', 'an undo of']]);
    await world.undone(app, run);
    expect(await world.alias(app)).toMatchObject({ version: '2' });

    const next = await world.undo(app, { to: '1', keepQueue: true });
    await world.phase(app, 'baking', next);
    expect(await levels()).toEqual([['warn', 'an undo of']]);
    const queued = await world.start(app, 'dan', { ...DIRECT, ...probe('total'), release: { version: '3' } }, 'queue');
    expect(queued.state).toBe('queued');
    await world.undone(app, next);
    expect(await world.end(app, queued)).toMatchObject({ outcome: 'succeeded', candidate: '3' });
  });

  test('with --hold nothing starts in any way until someone releases the target', async () => {
    const app = 'held';
    const id = rolloutId(app, 'production');
    await released(app, total(1), total(2));
    const run = await world.undo(app, { hold: true, message: 'prices are wrong' });
    await world.undone(app, run);

    const file = world.file(app, { ...DIRECT, ...probe('total'), release: { version: '2' } });
    const held = / is held since \S+ by ben's undo to release 1, because: prices are wrong\. No rollout can start/;
    for (const more of [[], ['--on-new-release', 'queue'], ['--on-new-release', 'replace']]) {
      const said = await world.cli(['start', file, ...more]);
      expect([said.code, said.err]).toEqual([18, expect.stringMatching(held)]);
    }
    // Nothing that stops a start may be missing from a plan.
    const planned = await world.cli(['plan', file, '-o', 'json']);
    expect(planned.code).toBe(11);
    expect(JSON.parse(planned.out).findings).toContainEqual({
      level: 'refuse',
      code: 'SLUICE_HELD',
      message: expect.stringMatching(held),
    });
    const raw = await world.stack.client.workflow.start('direct', {
      workflowId: id,
      taskQueue: 'sluice',
      args: [JSON.parse(readFileSync(file, 'utf8'))],
    });
    const run2 = { run: raw.firstExecutionRunId };
    expect(await world.end(app, run2)).toMatchObject({ outcome: 'failed', code: 'SLUICE_HELD' });
    expect((await world.cli(['releases', id])).out).toContain('prices are wrong');

    expect(await world.cli(['unhold', id])).toMatchObject({
      code: 0,
      out: `${id} is no longer held; rollouts can start again\n`,
    });
    expect(await world.cli(['unhold', id])).toMatchObject({ code: 7 });
    expect(await world.cli(['plan', file])).toMatchObject({ code: 0 });
    expect(await world.cli(['start', file, '--wait'])).toMatchObject({ code: 0 });
  });
});
