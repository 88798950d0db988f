import { createServer } from 'node:net';
import { Client } from '@temporalio/client';
import type { Link } from '../../src/client/connect.js';
import { connect, connectLink, resultOf } from '../../src/client/index.js';
import type { AppEnvironment, Sluice, Snapshot } from '../../src/client/types.js';
import { verb } from '../../src/client/verbs.js';
import { shortRun, TASK_QUEUE } from '../../src/model/ids.js';
import { until } from '../support/until.js';
import { GATED, inputFor, LONG, QUICK, startWorld, type World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld({ searchAttributes: true });
});
afterAll(async () => {
  await world.stop();
});

const target = (app: string): AppEnvironment => ({ app, environment: 'production' });

/** The names of the calls that go to the server from now on. */
function callsOf({ temporal }: Link): string[] {
  const calls: string[] = [];
  const service = temporal.workflowService;
  for (const name of ['describeWorkflowExecution', 'queryWorkflow', 'updateWorkflowExecution'] as const) {
    const call: (...args: never[]) => unknown = Reflect.get(service, name);
    Reflect.set(service, name, (...args: never[]) => {
      calls.push(name);
      return call.apply(service, args);
    });
  }
  return calls;
}

async function begin(app: string, strategy: { type: string }, over: object = {}) {
  const type = strategy.type as 'direct' | 'canary';
  const input = inputFor(app, strategy);
  return world.sluice.start({
    ...target(app),
    type,
    input,
    onNewRelease: 'reject',
    by: 'ann',
    message: 'why',
    ...over,
  });
}

describe('with workers', () => {
  test('a rollout can be started, watched with live counts, approved and waited for', () =>
    world.withWorkers(async () => {
      const started = await begin('watched', GATED);
      expect(started).toMatchObject({ state: 'started', workflowId: 'watched/production' });
      const seen: Snapshot[] = [];
      let approved = false;
      for await (const snapshot of world.sluice.watch(target('watched'))) {
        seen.push(snapshot);
        if (snapshot.view?.phase !== 'awaitingApproval' || approved) continue;
        if ((snapshot.view.verdict?.candidate.requests ?? 0) < 100) continue;
        approved = true;
        const answer = await world.sluice.verb(target('watched'), 'approve', { stage: '10%', by: 'bob' });
        expect(answer).toMatchObject({ verb: 'approve', message: 'continues' });
      }
      expect(seen.at(-1)).toMatchObject({
        ended: true,
        view: { phase: 'done', outcome: 'succeeded', startedBy: 'ann', message: 'why', run: started.run },
      });
      // Live counts came while the watcher was at work.
      expect(seen.some(({ view }) => view?.phase === 'awaitingApproval' && view.verdict !== null)).toBe(true);
    }));

  test('the series and answers of a running watcher are visible before the workflow has them', () =>
    world.withWorkers(async () => {
      await begin('live', LONG);
      const view = await until('the series', async () => {
        const now = await world.sluice.rollout(target('live'));
        return now.series.length > 0 ? now : null;
      });
      expect(view.series.at(-1)).toMatchObject({ weight: 100, stable: { requests: 900 } });
      expect(view.verdict?.asked).toEqual([{ source: 'counter', query: 'how many', answer: expect.any(String) }]);
      expect(view.verdict).not.toHaveProperty('passes');
      await world.sluice.verb(target('live'), 'abort', { by: 'ann' });
      await world.sluice.wait(target('live'), 'done');
    }));

  test('in the middle of a rollout plan says what runs, and undo suggests abort', () =>
    world.withWorkers(async () => {
      await begin('midway', GATED);
      await world.sluice.wait(target('midway'), 'approval');
      const input = inputFor('midway', GATED);
      const { findings } = await world.sluice.plan({ ...target('midway'), type: 'canary', input });
      const said = findings.map(({ code, message }) => `${code}: ${message}`).join('\n');
      expect(said).toContain('SLUICE_ALREADY_RUNNING: a canary of midway/production by ann is running');
      expect(said).toContain('`sluice abort midway/production`');
      // What ends a split by hand would make our own canary stuck.
      expect(said).not.toContain('aws ');
      await expect(world.sluice.undo(target('midway'), { by: 'bob' })).rejects.toMatchObject({
        code: 'SLUICE_ALREADY_RUNNING',
        message: expect.stringContaining('`sluice abort midway/production`'),
      });
      await world.sluice.verb(target('midway'), 'abort', { by: 'ann' });
      await world.sluice.wait(target('midway'), 'done');
    }));

  test('approve takes the open stage, with two server calls before its update', () =>
    world.withWorkers(async () => {
      await begin('gated', GATED);
      const link = await connectLink({ env: { TEMPORAL_ADDRESS: world.temporal.address } });
      try {
        await expect(verb(link, target('never'), 'approve', { by: 'bob' })).rejects.toMatchObject({
          code: 'SLUICE_NO_ROLLOUT',
        });
        await world.sluice.wait(target('gated'), 'approval');
        const calls = callsOf(link);
        const answer = await verb(link, target('gated'), 'approve', { by: 'bob' });
        expect(answer).toMatchObject({ verb: 'approve', stage: '10%', message: 'continues' });
        expect(calls).toEqual(['describeWorkflowExecution', 'queryWorkflow', 'updateWorkflowExecution']);
        await world.sluice.wait(target('gated'), 'done');
        await expect(verb(link, target('gated'), 'approve', { by: 'bob' })).rejects.toMatchObject({
          code: 'SLUICE_VERB',
          message: 'approve: no approval is open at gated/production',
        });
      } finally {
        await link.close();
      }
    }));

  test('a rollback closes the workflow as Failed, is never retried, and keeps its view for every reader', () =>
    world.withWorkers(async () => {
      const handle = await new Client({ connection: world.raw }).workflow.start('direct', {
        workflowId: 'back/production',
        taskQueue: TASK_QUEUE,
        args: [inputFor('back', LONG)],
        retry: { maximumAttempts: 5, initialInterval: '1ms' },
      });
      await world.sluice.verb(target('back'), 'abort', { by: 'ann', comment: 'wrong version' });
      const failure = await handle.result().catch((error: unknown) => error);
      const { run } = await resultOf(handle);
      expect(failure).toMatchObject({
        cause: {
          type: 'SLUICE_ROLLED_BACK',
          message: 'aborted by ann: wrong version',
          nonRetryable: true,
          details: [{ outcome: 'rolledBack', run, runId: run }],
        },
      });
      expect((await handle.describe()).status.name).toBe('FAILED');
      const seen = { outcome: 'rolledBack', reason: 'aborted by ann: wrong version', run };
      expect(await resultOf(handle)).toMatchObject(seen);
      expect(await world.sluice.rollout(target('back'))).toMatchObject(seen);
      expect((await world.sluice.status(target('back'))).view).toMatchObject(seen);
      expect(await world.sluice.history(target('back'))).toMatchObject([
        { outcome: 'rolledBack', closed: 'FAILED', reason: seen.reason, run, by: null },
      ]);
      expect(await world.sluice.list({ all: true, app: 'back' })).toMatchObject([{ outcome: 'rolledBack', run }]);
    }));

  test("an impossible verb is refused in the workflow's words", () =>
    world.withWorkers(async () => {
      await begin('verbs', LONG);
      await until('the bake', async () => (await world.sluice.status(target('verbs'))).view?.phase === 'baking');
      await expect(world.sluice.verb(target('verbs'), 'resume', { by: 'ann' })).rejects.toMatchObject({
        code: 'SLUICE_VERB',
        message: expect.stringContaining('the rollout is not paused'),
      });
      await world.sluice.verb(target('verbs'), 'pause', { by: 'ann' });
      const paused = await world.sluice.wait(target('verbs'), 'paused');
      expect(paused.view?.phase).toBe('paused');
      await world.sluice.verb(target('verbs'), 'abort', { by: 'ann', comment: 'enough' });
      const end = await world.sluice.wait(target('verbs'), 'done');
      expect(end.view).toMatchObject({ outcome: 'rolledBack', reason: 'aborted by ann: enough' });
      await expect(world.sluice.verb(target('verbs'), 'skip', { by: 'ann' })).rejects.toMatchObject({
        code: 'SLUICE_VERB',
        message: 'skip came too late: the last rollout of verbs/production has ended (rolledBack)',
      });
    }));

  test('a second start is refused with who is in the way, since when, and what to do', () =>
    world.withWorkers(async () => {
      await begin('busy', LONG);
      await until('the bake', async () => (await world.sluice.status(target('busy'))).view?.phase === 'baking');
      await expect(begin('busy', QUICK, { by: 'bob' })).rejects.toMatchObject({
        code: 'SLUICE_ALREADY_RUNNING',
        message: expect.stringMatching(
          /^a direct of busy\/production by ann is running, since \d{4}-.*sluice abort busy\/production.*queue or replace$/,
        ),
      });
      await world.sluice.verb(target('busy'), 'abort', { by: 'ann' });
      await world.sluice.wait(target('busy'), 'done');
    }));

  test('of two simultaneous starts one is refused', () =>
    world.withWorkers(async () => {
      const both = await Promise.allSettled([begin('race', QUICK), begin('race', QUICK)]);
      expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      await world.sluice.wait(target('race'), 'done');
    }));

  test('a release that replaces the running one is followed from its own run', () =>
    world.withWorkers(async () => {
      const first = await begin('replaced', LONG);
      await until('the bake', async () => (await world.sluice.status(target('replaced'))).view?.phase === 'baking');
      const answer = await begin('replaced', QUICK, { onNewRelease: 'replace', by: 'bob' });
      expect(answer).toEqual({
        state: 'replacing',
        workflowId: 'replaced/production',
        run: null,
        ticket: expect.any(String),
        tookPlaceOf: null,
      });
      const { ticket } = answer as { ticket: string };
      const end = await world.sluice.wait(target('replaced'), 'done', { ticket });
      expect(end.view).toMatchObject({ outcome: 'succeeded', startedBy: 'bob' });
      expect(end.view?.run).not.toBe(first.run);
      const past = await world.sluice.history(target('replaced'));
      expect(past.map(({ outcome, by }) => [outcome, by])).toEqual([
        ['succeeded', 'bob'],
        ['superseded', 'ann'],
      ]);
      expect(past.map(({ run }) => run)).toEqual([end.view?.run, first.run]);
      const short = shortRun(first.run ?? '');
      expect(await world.sluice.rollout(target('replaced'), short)).toMatchObject({
        outcome: 'superseded',
        run: first.run,
      });
      expect((await world.sluice.rollout(target('replaced'))).startedBy).toBe('bob');
      await expect(world.sluice.rollout(target('replaced'), 'ffffffff')).rejects.toMatchObject({
        code: 'SLUICE_NO_ROLLOUT',
        message: expect.stringMatching(/^there is no run "ffffffff" of replaced\/production .*sluice history/),
      });
    }));

  test('a spec that the worker refuses closes the rollout as failed, with its code', () =>
    world.withWorkers(async () => {
      const input = { ...inputFor('refused', QUICK), retain: 'many' };
      await world.sluice.start({
        ...target('refused'),
        type: 'direct',
        input,
        onNewRelease: 'reject',
        by: 'ann',
        message: 'why',
      });
      const end = await world.sluice.wait(target('refused'), 'done');
      expect(end.view).toMatchObject({ outcome: 'failed', code: 'SLUICE_SPEC' });
      // It has left no view; the list of the past says who and why all the same.
      const past = await until('the history', async () => {
        const found = await world.sluice.history(target('refused'));
        return found.length > 0 && found;
      });
      expect(past).toMatchObject([{ outcome: 'failed', by: 'ann', message: 'why', reason: end.view?.reason }]);
      expect(end.view?.reason).toContain('retain');
    }));

  test('what was released is recorded, and undo rolls back to it', () =>
    world.withWorkers(async () => {
      await expect(world.sluice.undo(target('ledger'), { by: 'ann' })).rejects.toMatchObject({ code: 'SLUICE_VERB' });
      await begin('ledger', QUICK);
      await world.sluice.wait(target('ledger'), 'done');
      const [ledger] = await world.sluice.releases('ledger');
      expect(ledger).toMatchObject({
        app: 'ledger',
        environment: 'production',
        releases: [{ version: '2', by: 'ann', replaced: '1', message: 'why' }],
        undo: { version: '1' },
      });
      expect(await world.sluice.releases('ledger', 'staging')).toEqual([]);
      const undone = await world.sluice.undo(target('ledger'), { by: 'bob' });
      expect(undone).toMatchObject({ state: 'started' });
      await until(
        'the undo to bake',
        async () => (await world.sluice.status(target('ledger'))).view?.phase === 'baking',
      );
      await world.sluice.verb(target('ledger'), 'skip', { by: 'bob' });
      const end = await world.sluice.wait(target('ledger'), 'done');
      expect(end.view).toMatchObject({ strategy: 'undo', candidate: '1', startedBy: 'bob' });
    }));

  test('rollouts can be listed by phase, outcome, app and age', () =>
    world.withWorkers(async () => {
      await begin('list-open', LONG);
      await begin('list-closed', QUICK);
      await world.sluice.wait(target('list-closed'), 'done');
      const apps = async (filter: Parameters<World['sluice']['list']>[0]) =>
        (await world.sluice.list({ app: 'list-*', ...filter })).map(({ app }) => app);
      // The visibility store follows a moment later.
      await until('the list', async () => (await apps({ phase: 'baking' })).length === 1);
      await until('the list of the closed', async () => (await apps({ phase: 'succeeded' })).length === 1);
      expect(await apps({})).toEqual(['list-open']);
      expect(await apps({ phase: 'baking' })).toEqual(['list-open']);
      expect(await apps({ phase: 'paused' })).toEqual([]);
      expect(await apps({ phase: 'succeeded' })).toEqual(['list-closed']);
      expect((await apps({ all: true })).sort()).toEqual(['list-closed', 'list-open']);
      expect(await apps({ app: 'list-c*', all: true })).toEqual(['list-closed']);
      expect(await apps({ olderThan: 3_600_000 })).toEqual([]);
      const [open] = await world.sluice.list({ app: 'list-open' });
      expect(open).toMatchObject({ strategy: 'direct', phase: 'baking', weight: 100, outcome: null, endedAt: null });
      await world.sluice.verb(target('list-open'), 'abort', { by: 'ann' });
      await world.sluice.wait(target('list-open'), 'done');
    }));

  test('questions that need credentials go to the worker', () =>
    world.withWorkers(async () => {
      const input = inputFor('asked', GATED);
      const preview = await world.sluice.plan({ ...target('asked'), type: 'canary', input });
      expect(preview.plan?.stages.map(({ name }) => name)).toEqual(['deploy', '10%', '100%']);
      expect(preview.findings).toHaveLength(1);
      expect(await world.sluice.sweep({ platform: 'lambda', account: 'default', region: 'us-east-1' })).toHaveLength(1);
      expect(
        (await world.sluice.adopt({ ...target('asked'), input: inputFor('asked', QUICK) })).before.split.stable,
      ).toBe('1');
      await expect(
        world.sluice.plan({ ...target('asked'), type: 'canary', input: { ...input, release: {} } }),
      ).rejects.toMatchObject({ code: 'SLUICE_SPEC' });
    }));
});

describe('without workers', () => {
  test('a closed rollout is still shown, with its outcome and reason', async () => {
    await world.withWorkers(async () => {
      await begin('remembered', QUICK);
      await world.sluice.wait(target('remembered'), 'done');
    });
    const { view, ended } = await world.sluice.status(target('remembered'));
    expect(ended).toBe(true);
    expect(view).toMatchObject({ outcome: 'succeeded', candidate: '2', reason: 'release 2 is live' });
    // Only the result has the series: the memo is kept small.
    expect(view?.series).toEqual([]);
    const full = await world.sluice.rollout(target('remembered'));
    expect(full).toMatchObject({ outcome: 'succeeded', run: view?.run });
    expect(full.series.length).toBeGreaterThan(0);
  });

  test('a running rollout does not answer, and an abort is queued and done once a worker is back', async () => {
    await world.withWorkers(async () => {
      await begin('alone', LONG);
      await until('the bake', async () => (await world.sluice.status(target('alone'))).view?.phase === 'baking');
    });
    const none = { code: 'SLUICE_NO_WORKER', message: expect.stringContaining('sluice worker') };
    await expect(world.sluice.status(target('alone'))).rejects.toMatchObject(none);
    await expect(world.sluice.verb(target('alone'), 'abort', { by: 'ann' })).rejects.toMatchObject({
      code: 'SLUICE_NO_WORKER',
      message: expect.stringContaining('delivered as a signal'),
    });
    await world.withWorkers(async () => {
      const end = await world.sluice.wait(target('alone'), 'done');
      expect(end.view).toMatchObject({ outcome: 'rolledBack', reason: 'aborted by ann' });
    });
  });

  test('a terminated rollout says that nothing was rolled back, in the list of past ones too, and no clock of it runs', async () => {
    const end = { outcome: 'failed', reason: expect.stringContaining('sluice sweep') };
    const listed = async () => {
      const entries = () => world.sluice.history(target('killed'));
      return until('the list', async () => ((await entries()).length === 1 ? entries() : null));
    };
    await world.withWorkers(async () => {
      await begin('killed', LONG);
      await until('the bake', async () => (await world.sluice.status(target('killed'))).view?.phase === 'baking');
      const { Client, Connection } = await import('@temporalio/client');
      const connection = await Connection.connect({ address: world.temporal.address });
      await new Client({ connection }).workflow.getHandle('killed/production').terminate();
      await connection.close();
      const { view } = await world.sluice.status(target('killed'));
      const stopped = view?.stages.find(({ state }) => state === 'failed');
      expect(stopped).toMatchObject({ until: null, current: null, endedAt: view?.endedAt });
      expect(view?.stages.filter(({ state, until }) => state === 'running' || until !== null)).toEqual([]);
      const { candidate, startedBy, message } = view ?? {};
      expect(candidate).not.toBeNull();
      const facts = { release: candidate, by: startedBy, message };
      expect(await listed()).toMatchObject([{ ...end, ...facts, closed: 'TERMINATED' }]);
    });
    const { view, ended } = await world.sluice.status(target('killed'));
    expect(ended).toBe(true);
    expect(view).toMatchObject({ ...end, phase: 'done', startedBy: 'ann' });
    expect(await listed()).toMatchObject([{ ...end, by: 'ann' }]);
    const failed = await world.sluice.list({ app: 'killed', phase: 'failed' });
    expect(failed).toMatchObject([{ app: 'killed', outcome: 'failed' }]);
  });
});

test('an unknown rollout has its own error', async () => {
  await expect(world.sluice.status(target('never'))).rejects.toMatchObject({ code: 'SLUICE_NO_ROLLOUT' });
  await expect(world.sluice.verb(target('never'), 'abort', {})).rejects.toMatchObject({ code: 'SLUICE_NO_ROLLOUT' });
});

test('a name that could not be a workflow id is refused before anything starts', async () => {
  const start = world.sluice.start({
    app: 'a/b',
    environment: 'c',
    type: 'direct',
    input: {},
    onNewRelease: 'reject',
  });
  await expect(start).rejects.toMatchObject({ code: 'SLUICE_WORKFLOW_ID' });
});

describe('what JavaScript passes without types', () => {
  const TARGETED = [
    'start',
    'status',
    'rollout',
    'audit',
    'verb',
    'wait',
    'history',
    'undo',
    'unhold',
    'plan',
    'adopt',
    'callers',
    'moveCallers',
  ] as const;
  /** A method as one calls it who has no types. */
  const call = (method: keyof Sluice, ...args: unknown[]): Promise<unknown> =>
    (Reflect.get(world.sluice, method) as (...args: unknown[]) => Promise<unknown>)(...args);

  test.each(TARGETED)('%s refuses a text in the place of a target, and names the form', async (method) => {
    await expect(call(method, 'shop/production', 'abort')).rejects.toMatchObject({
      code: 'SLUICE_WORKFLOW_ID',
      message: '"shop/production" is not a target; pass {app: "shop", environment: "production"}',
    });
    await expect(call(method)).rejects.toMatchObject({
      code: 'SLUICE_WORKFLOW_ID',
      message: 'the target has no app and environment; pass {app: "checkout", environment: "production"}',
    });
    await expect(call(method, { app: 'shop' }, 'abort')).rejects.toMatchObject({ code: 'SLUICE_WORKFLOW_ID' });
    await expect(call(method, { app: 'a/b', environment: 'c' }, 'abort')).rejects.toMatchObject({
      code: 'SLUICE_WORKFLOW_ID',
      message: expect.stringContaining('"a/b/c" is not <app>/<environment>'),
    });
  });

  test('a watch and a ledger refuse it too', async () => {
    const watching = Reflect.apply(world.sluice.watch, world.sluice, ['shop/production']);
    await expect(watching[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'SLUICE_WORKFLOW_ID' });
    await expect(call('releases', 'shop/production')).rejects.toMatchObject({
      code: 'SLUICE_WORKFLOW_ID',
      message: expect.stringMatching(/^"shop\/production" is not the name of an app: letters/),
    });
    await expect(call('releases', 'shop', 'a/b')).rejects.toMatchObject({
      message: expect.stringMatching(/^"a\/b" is not the name of an environment: letters/),
    });
  });

  test('an unknown verb or state is answered with the known ones', async () => {
    await expect(call('verb', target('never'), 'nope')).rejects.toMatchObject({
      code: 'SLUICE_VERB',
      message: 'there is no verb "nope"; the verbs are approve, reject, pause, resume, promote, skip, retry, abort',
    });
    await expect(call('wait', target('never'), 'nope')).rejects.toMatchObject({
      code: 'SLUICE_USAGE',
      message: 'one cannot wait for "nope"; wait for done, approval, held, person, paused',
    });
  });

  test('a verb without more to say needs no empty object', async () => {
    await expect(call('verb', target('never'), 'approve')).rejects.toMatchObject({ code: 'SLUICE_NO_ROLLOUT' });
    await expect(call('undo', target('never'))).rejects.toMatchObject({ code: 'SLUICE_VERB' });
    await expect(call('unhold', target('never'))).rejects.toMatchObject({ code: 'SLUICE_VERB' });
  });
});

test('an unreachable server is named by its address', async () => {
  const free = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
  await expect(connect({ env: { TEMPORAL_ADDRESS: `127.0.0.1:${free}` }, within: 1_000 })).rejects.toMatchObject({
    code: 'SLUICE_UNREACHABLE',
    message: expect.stringContaining(`no Temporal server answers at 127.0.0.1:${free}`),
  });
});
