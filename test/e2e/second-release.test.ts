import { until } from '../support/until.js';
import { DIRECT, QUICK, SLOW, startWorld, type World } from './target.js';

let world: World;

beforeAll(async () => {
  world = await startWorld('second');
});

afterAll(() => world?.stop());

/** A first release by direct, and a canary of a second one that bakes at 10 %. */
async function running(app: string) {
  const first = await world.end(app, await world.start(app, 'ann', DIRECT));
  const answer = await world.start(app, 'ann', SLOW);
  const rolling = await world.phase(app, 'baking', answer.run ?? undefined);
  expect((await world.alias(app)).weights).toEqual({ [String(rolling.candidate)]: 0.1 });
  return { stable: first.candidate, answer, rolling };
}

describe('reject', () => {
  test('refuses the second start, in client and CLI, with who runs and what to do; the first continues', async () => {
    const { answer } = await running('rejected');
    const writers = world.writers('rejected');
    const message = expect.stringMatching(
      /^a canary of rejected\/production by ann is running, since 20.*, now baking\. Wait \(.*\), roll it back \(`sluice abort rejected\/production`\), or start with --on-new-release queue or replace$/,
    );
    await expect(world.start('rejected', 'bob', QUICK)).rejects.toMatchObject({
      code: 'SLUICE_ALREADY_RUNNING',
      message,
    });
    const said = await world.cli(['start', world.file('rejected', { ...QUICK, onNewRelease: 'reject' })]);
    expect(said).toMatchObject({ code: 10, out: '' });
    expect(said.err).toMatch(/^error SLUICE_ALREADY_RUNNING: a canary of rejected\/production by ann is running/);
    expect(await world.phase('rejected', 'baking')).toMatchObject({ run: answer.run, weight: 10 });
    expect(world.writers('rejected')).toEqual(writers);
  });
});

describe('queue', () => {
  test('lets a third release replace the second, whose starter is told; the third starts by itself', async () => {
    const { answer, rolling } = await running('queued');
    const file = world.file('queued', { ...QUICK, onNewRelease: 'queue' });
    const second = world.cli(['start', file, '--wait', '--by', 'bob']);
    await until('the queue', async () => (await world.ledger('queued'))?.queued?.by === 'bob');
    const third = await world.start('queued', 'cat', QUICK, 'queue');
    expect(third).toMatchObject({ state: 'queued', tookPlaceOf: { by: 'bob', strategy: 'canary' } });

    expect(await second).toMatchObject({
      code: 8,
      err: expect.stringMatching(
        /^(queued queued\/production: it starts when the running rollout ends\n)?(.*\n)*error SLUICE_SUPERSEDED: this release of queued\/production never started: a newer release by cat took its place in the queue/,
      ),
    });
    expect((await world.cli(['releases', 'queued'])).out).toMatch(
      /queued: canary by cat since .*\nnever started: canary by bob, .*: a newer release by cat took its place in the queue/,
    );
    expect(await world.phase('queued', 'baking')).toMatchObject({ run: rolling.run });

    await world.sluice.verb(world.at('queued'), 'abort', { by: 'ann' });
    expect(await world.end('queued', answer)).toMatchObject({ outcome: 'rolledBack' });
    const done = await world.end('queued', third);
    expect(done).toMatchObject({ outcome: 'succeeded', startedBy: 'cat', stable: rolling.stable });
    expect(await world.ledger('queued')).toMatchObject({ queued: null, releases: [{ run: done.run, by: 'cat' }, {}] });
    expect(await world.alias('queued')).toMatchObject({ version: done.candidate, weights: {} });
    expect(world.writers('queued').slice(1)).toEqual([rolling.run, done.run]);
  });

  test('starts at once if nothing runs', async () => {
    const answer = await world.start('free', 'ann', DIRECT, 'queue');
    expect(answer).toMatchObject({ state: 'started', run: expect.any(String), tookPlaceOf: null });
    expect(await world.end('free', answer)).toMatchObject({ outcome: 'succeeded', run: answer.run });
  });
});

describe('replace', () => {
  const GATED = {
    strategy: {
      type: 'canary',
      stages: [
        { weight: '10%', bake: '200ms', approval: { within: '1h' } },
        { weight: '50%', bake: '1h' },
        { weight: '100%', bake: '200ms' },
      ],
    },
  };

  test('rolls the running one back to weight 0 as superseded, without its approvals; the new one starts from the same stable release', async () => {
    const app = 'replaced';
    const first = await world.end(app, await world.start(app, 'ann', DIRECT));
    const old = await world.start(app, 'ann', GATED);
    await world.phase(app, 'awaitingApproval');
    await world.sluice.verb(world.at(app), 'approve', { stage: '10%', by: 'dan' });
    await until('50 %', async () => (await world.sluice.status(world.at(app))).view?.weight === 50);

    const file = world.file(app, { ...GATED, onNewRelease: 'replace' });
    const waits = world.cli(['start', file, '--wait', '--by', 'bob']);
    const superseded = await world.end(app, old);
    expect(superseded).toMatchObject({
      outcome: 'superseded',
      weight: 0,
      reason: 'a newer release by bob replaces it',
    });

    const gate = await world.phase(app, 'awaitingApproval');
    expect(gate).toMatchObject({ startedBy: 'bob', stable: first.candidate, weight: 10 });
    expect(gate.run).not.toBe(old.run);
    const writes = world.stack.aws.writes().filter((write) => write.function === app && write.qualifier === 'live');
    const lastOfOld = writes.filter(({ request }) => request.description?.includes(String(old.run))).at(-1);
    expect(lastOfOld?.request).toMatchObject({ functionVersion: first.candidate, weights: {} });

    await world.sluice.verb(world.at(app), 'approve', { stage: '10%', by: 'dan' });
    await world.phase(app, 'baking');
    await world.sluice.verb(world.at(app), 'skip', { by: 'bob' });
    expect(await waits).toMatchObject({
      code: 0,
      err: expect.stringContaining(
        `replacing the running rollout of ${app}/production: it rolls back first, then this one starts\n`,
      ),
    });
    expect(world.writers(app).slice(1)).toEqual([old.run, gate.run]);
    expect(await world.alias(app)).toMatchObject({ version: gate.candidate, weights: {} });
  });

  test('starts if nothing runs, and does not replace itself', async () => {
    const answer = await world.start('alone', 'ann', DIRECT, 'replace');
    expect(answer).toMatchObject({ state: 'started' });
    expect(await world.end('alone', answer)).toMatchObject({ outcome: 'succeeded' });
  });
});
