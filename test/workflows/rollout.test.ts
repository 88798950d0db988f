import { ApplicationFailure } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import type { RolloutView } from '../../src/model/view.js';
import { canary } from '../support/specs.js';
import { until } from '../support/until.js';
import type { Act, Rolling } from './stage.js';
import { ending, mustTellTheSwitch, onStage, phase } from './stage.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const _NOTHING = { stable: null, candidate: null, weight: 0 };

describe('a canary rollout', () => {
  test('gives the candidate its weights in order, promotes it in one write, and succeeds', async () => {
    await onStage(async (act) => {
      const { start, target } = act;
      const view = await ending(await start('canary', canary([MINUTE])));
      expect(view.outcome).toBe('succeeded');
      expect(target.writes.map(({ split }) => split)).toEqual([
        { stable: '1', candidate: '2', weight: 10 },
        { stable: '1', candidate: '2', weight: 50 },
        { stable: '2', candidate: null, weight: 0 },
      ]);
      expect(view.stages.every((each) => each.state === 'passed')).toBe(true);
    });
  });

  test('is in the ledger from when it got all traffic; the rollback window starts at its end', async () => {
    await onStage(async (act) => {
      const { events } = await ending(await act.start('canary', canary([MINUTE])));
      mustTellTheSwitch(act, events, '2 is the stable release');
    });
  });

  test('bakes for thirty days in a history as short as for a minute', async () => {
    await onStage(async (act) => {
      const { start, target } = act;
      target.pace = '12h';
      const rolling = await start('canary', canary([MINUTE, MINUTE, 30 * DAY]));
      expect((await ending(rolling)).outcome).toBe('succeeded');
      const { history } = await rolling.fetchHistory().then((h) => ({ history: h.events ?? [] }));
      expect(history.length).toBeLessThan(150);
    });
  });

  test('rolls back by itself if the judge finds the candidate unhealthy, and says why', async () => {
    await onStage(async (act) => {
      const { start, target } = act;
      target.verdict = (weight) => (weight >= 50 ? 'unhealthy' : 'healthy');
      target.logged = [{ what: 'CardError: declined', count: 40, requestId: 'r-1' }];
      target.remarks = ['users stay on the slot for an hour at most'];
      const view = await ending(await start('canary', canary([MINUTE])));
      expect(view.outcome).toBe('rolledBack');
      expect(view.reason).toContain('unhealthy at 50 %');
      expect(view.errors).toEqual([
        { what: 'CardError: declined', count: 40, requestId: 'r-1' },
        { what: 'Error: card declined', count: 3 },
      ]);
      expect(view.events.map(({ text }) => text)).toContain('users stay on the slot for an hour at most');
      // Nobody's traffic waits for the logs.
      expect(target.calls.slice(-2)).toEqual(['restore', 'errors']);
      expect(target.split).toEqual({ stable: '1', candidate: null, weight: 0 });
      expect(target.writes.at(-1)?.step).toBe('restore');
    });
  });

  test('keeps the evidence across its weights', async () => {
    await onStage(async ({ start, target }) => {
      expect((await ending(await start('canary', canary([MINUTE])))).outcome).toBe('succeeded');
      expect(target.watched.map(({ weight, state }) => [weight, state?.alarms.unread ?? 0])).toEqual([
        [10, 0],
        [50, 1],
        [100, 2],
      ]);
    });
  });

  test("uses the stage's own judge settings if it has some", async () => {
    await onStage(async (act) => {
      const spec = canary([MINUTE]);
      if (spec.strategy.type === 'canary')
        Object.assign(spec.strategy.stages[1] ?? {}, { health: { onUnhealthy: 'hold' } });
      act.target.verdict = (weight) => (weight === 50 ? 'unhealthy' : 'healthy');
      const rolling = await act.start('canary', spec);
      await phase(act, rolling, 'held');
      expect(act.target.watched.at(-1)?.rules.onUnhealthy).toBe('hold');
      await rolling.signal('abort', { by: 'ann' });
      expect((await ending(rolling)).outcome).toBe('rolledBack');
    });
  });

  test('gives no traffic to a version whose probe failed', async () => {
    await onStage(async (act) => {
      const { start, target } = act;
      target.probePasses = false;
      const view = await ending(await start('canary', canary([MINUTE])));
      expect(view).toMatchObject({ outcome: 'rolledBack', code: 'SLUICE_PROBE' });
      expect(target.writes).toEqual([]);
    });
  });

  test('ends as nothingToRelease if the release is already live', async () => {
    await onStage(async (act) => {
      const { start, target } = act;
      target.split = { stable: '2', candidate: null, weight: 0 };
      const view = await ending(await start('canary', canary([MINUTE])));
      expect(view.outcome).toBe('nothingToRelease');
      expect(target.writes).toEqual([]);
    });
  });

  test('refuses any other workflow id, since the id is the lock', async () => {
    await onStage(async (act) => {
      const { env } = act;
      const handle = await env.client.workflow.start('canary', {
        workflowId: 'something',
        taskQueue: 'sluice',
        args: [canary([MINUTE])],
      });
      const failure = await handle.result().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(WorkflowFailedError);
      expect(String((failure as WorkflowFailedError).cause?.message)).toContain('not <app>/<environment>');
    });
  });

  test('runs only one of two simultaneous starts', async () => {
    await onStage(async (act) => {
      const { start, target } = act;
      const both = await Promise.allSettled([start('canary', canary([MINUTE])), start('canary', canary([MINUTE]))]);
      const won = both.filter((each) => each.status === 'fulfilled');
      expect(won).toHaveLength(1);
      await ending((won[0] as PromiseFulfilledResult<Rolling>).value);
      expect(target.calls.filter((call) => call === 'prepare')).toHaveLength(1);
    });
  });
});

describe('an approval', () => {
  test('can be given by a plain signal', async () => {
    await onStage(async (act) => {
      const { start, env } = act;
      const rolling = await start('canary', canary([MINUTE], 10));
      await phase(act, rolling, 'baking');
      await env.sleep(2 * MINUTE);
      const waiting = await phase(act, rolling, 'awaitingApproval');
      expect(waiting.waitingFor).toMatchObject({
        stage: '10%',
        verbs: expect.arrayContaining(['approve', 'reject', 'abort']),
      });
      await rolling.signal('approve', { stage: '10%', by: 'ann', comment: 'fine' });
      const view = await ending(rolling);
      expect(view.outcome).toBe('succeeded');
      expect(view.events.some((each) => each.by === 'ann' && each.text.includes('approved: fine'))).toBe(true);
    });
  });

  test('survives every malformed, stale, early, late and unknown message, and shows each', async () => {
    await onStage(async (act) => {
      const { start, env } = act;
      const rolling = await start('canary', canary([MINUTE], 10));
      await phase(act, rolling, 'baking');
      await rolling.signal('approve', { stage: '10%', by: 'early' });
      await env.sleep(2 * MINUTE);
      await phase(act, rolling, 'awaitingApproval');
      await rolling.signal('approve', null);
      await rolling.signal('approve', 'yes');
      await rolling.signal('approve', [1]);
      await rolling.signal('approve', { stage: 7, by: 'x' });
      await rolling.signal('approve', { stage: '50%', by: 'stale' });
      await rolling.signal('approve', { by: 'nameless' });
      await rolling.signal('approve');
      await rolling.signal('aprove', { stage: '10%' });
      await rolling.signal('resume', { by: 'x' });
      const raw = (signalName: string, encoding: string, data: string) =>
        env.client.workflowService.signalWorkflowExecution({
          namespace: 'default',
          workflowExecution: { workflowId: rolling.workflowId },
          signalName,
          input: { payloads: [{ metadata: { encoding: Buffer.from(encoding) }, data: Buffer.from(data) }] },
        });
      await raw('approve', 'json/plain', '{"stage":');
      await raw('abort', 'nobody/knows', '{}');
      await raw('__temporal_x', 'json/plain', '{}');
      const view = await until('the refusals', async () => {
        const now = await rolling.query<RolloutView>('status');
        return now.refusalsTotal === 13 ? now : null;
      });
      expect(view.phase).toBe('awaitingApproval');
      expect(view.refusals.map((each) => each.why).join('\n')).toMatch(
        /isn't waiting for approval[\s\S]*there is no signal "aprove"[\s\S]*must be a JSON object[\s\S]*there is no signal "__temporal_x"/,
      );
      await rolling.signal('reject', { stage: '10%', by: 'bob', comment: 'wrong ticket' });
      await rolling.signal('approve', { stage: '10%', by: 'late' });
      expect(await ending(rolling)).toMatchObject({
        outcome: 'rejected',
        reason: 'stage 10% was rejected by bob: wrong ticket',
      });
    });
  });

  test('is refused at once by an update if it does not fit', async () => {
    await onStage(async (act) => {
      const { start, env } = act;
      const rolling = await start('canary', canary([MINUTE], 10));
      await phase(act, rolling, 'baking');
      await expect(rolling.executeUpdate('approve', { args: [{ stage: '10%', by: 'ann' }] })).rejects.toThrow();
      await env.sleep(2 * MINUTE);
      await phase(act, rolling, 'awaitingApproval');
      await expect(rolling.executeUpdate('approve', { args: [{ stage: '10%', by: 'ann' }] })).resolves.toMatchObject({
        verb: 'approve',
        message: 'continues',
      });
      expect((await ending(rolling)).outcome).toBe('succeeded');
    });
  });

  test('rolls back if nobody decides in time', async () => {
    await onStage(async (act) => {
      const { start, target } = act;
      const view = await ending(await start('canary', canary([MINUTE], 10)));
      expect(view).toMatchObject({ outcome: 'rolledBack', reason: 'stage 10% was not approved within 1d' });
      expect(target.split.stable).toBe('1');
    });
  });
});

describe('pause, skip, promote', () => {
  test('pause keeps the rest of the bake', async () => {
    await onStage(async (act) => {
      const { start, env } = act;
      act.target.pace = '10m';
      const rolling = await start('canary', canary([10 * HOUR]));
      await phase(act, rolling, 'baking');
      await env.sleep(4 * HOUR);
      await rolling.executeUpdate('pause', { args: [{ by: 'ann' }] });
      await phase(act, rolling, 'paused');
      await env.sleep(20 * HOUR);
      await rolling.executeUpdate('resume', { args: [{ by: 'ann' }] });
      const view = await phase(act, rolling, 'baking');
      const left = (view.waitingFor?.until ?? 0) - (await env.currentTimeMs());
      expect(left / HOUR).toBeCloseTo(6, 0);
      await rolling.signal('abort', { by: 'ann' });
      await ending(rolling);
    });
  });

  test('skip ends a bake, and promote --full skips the smaller weights but no gate', async () => {
    await onStage(async (act) => {
      const { start, target } = act;
      const rolling = await start('canary', canary([HOUR, HOUR, HOUR], 50));
      await phase(act, rolling, 'baking');
      await rolling.executeUpdate('promote', { args: [{ by: 'ann', full: true }] });
      const waiting = await phase(act, rolling, 'awaitingApproval');
      expect(waiting.weight).toBe(10);
      await rolling.signal('approve', { stage: '50%', by: 'ann' });
      await phase(act, rolling, 'baking');
      await rolling.executeUpdate('skip', { args: [{ by: 'ann' }] });
      expect((await ending(rolling)).outcome).toBe('succeeded');
      expect(target.writes.map(({ split }) => split.weight)).toEqual([10, 0]);
    });
  });
});

describe('a long run', () => {
  test('continues as new in the middle of a bake, an approval and a flood of signals, and loses nothing', async () => {
    await onStage(
      async (act) => {
        const { start, target, env } = act;
        const rolling = await start('canary', canary([10 * HOUR, HOUR, HOUR], 10));
        await phase(act, rolling, 'baking');
        for (let i = 0; i < 60; i++) await rolling.signal('approve', { stage: '10%', by: `flood ${i}` });
        await env.sleep(11 * HOUR);
        const free = env.client.workflow.getHandle(rolling.workflowId) as unknown as Rolling;
        await phase(act, free, 'awaitingApproval');
        for (let i = 0; i < 60; i++) await free.signal('nonsense', i);
        await until('the flood', async () => (await free.query<RolloutView>('status')).refusalsTotal === 120);
        await free.signal('approve', { stage: '10%', by: 'ann' });
        const view = await ending(rolling);
        expect(view.outcome).toBe('succeeded');
        expect(view.refusalsTotal).toBe(120);
        expect(target.writes.map(({ split }) => split.weight)).toEqual([10, 50, 0]);
        expect((await free.describe()).runId).not.toBe(rolling.firstExecutionRunId);
      },
      { limits: { history: 200, signals: 25 } },
    );
  });

  /** A run that has continued another, as one of workers that have a key. */
  async function continued({ start, target, env }: Act): Promise<{ rolling: Rolling; free: Rolling }> {
    target.grant = 'for the first run';
    const rolling = await start('canary', canary([HOUR]));
    await phase({ env }, rolling, 'baking');
    const free = env.client.workflow.getHandle(rolling.workflowId) as unknown as Rolling;
    for (let i = 0; i < 6; i++) await free.signal('nonsense', i);
    await until('the next run', async () => {
      await env.sleep('1s');
      return (await free.describe()).runId !== rolling.firstExecutionRunId;
    });
    return { rolling, free };
  }

  test('continues if its grant cannot be renewed for a while', async () => {
    let tries = 0;
    const renew = async () => {
      tries += 1;
      if (tries < 3) throw ApplicationFailure.nonRetryable('the server is being restarted', 'SLUICE_UNREACHABLE');
      return ['for this run'];
    };
    await onStage(
      async (act) => {
        const { rolling } = await continued(act);
        expect((await ending(rolling)).outcome).toBe('succeeded');
        expect(tries).toBe(3);
        expect(act.target.watched.at(-1)).toMatchObject({ grant: 'for this run' });
      },
      { limits: { history: 4_000, signals: 5 }, renew },
    );
  });

  test('ends if it is refused a grant, and says so', async () => {
    const renew = async () => {
      throw ApplicationFailure.nonRetryable('this run was made from another one', 'SLUICE_ACCESS');
    };
    await onStage(
      async (act) => {
        const { rolling } = await continued(act);
        await expect(rolling.result()).rejects.toThrow(WorkflowFailedError);
        expect(act.target.told.at(-1)).toMatchObject({ kind: 'ended', entry: null });
      },
      { limits: { history: 4_000, signals: 5 }, renew },
    );
  });
});

describe('a verb', () => {
  test('accepted while a run continues as new is done by the next one', async () => {
    await onStage(
      async (act) => {
        const rolling = await act.start('canary', canary([MINUTE, MINUTE, MINUTE], 10));
        await act.env.sleep(2 * MINUTE);
        const free = act.env.client.workflow.getHandle(rolling.workflowId) as unknown as Rolling;
        await phase(act, free, 'awaitingApproval');
        await free.executeUpdate('pause', { args: [{ by: 'ann' }] });
        expect(await phase(act, free, 'paused')).toMatchObject({ reason: 'paused by ann' });
        await free.executeUpdate('approve', { args: [{ stage: '10%', by: 'ann' }] });
        await free.executeUpdate('resume', { args: [{ by: 'ann' }] });
        expect(await ending(rolling)).toMatchObject({ outcome: 'succeeded' });
      },
      { limits: { history: 20, signals: 2_000 } },
    );
  });
});
