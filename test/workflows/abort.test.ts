import { SluiceError } from '../../src/model/errors.js';
import type { RolloutView } from '../../src/model/view.js';
import type { Phase } from '../../src/model/words.js';
import { ForeignChange } from '../../src/platforms/shared/foreign.js';
import { canary, specFor } from '../support/specs.js';
import { until } from '../support/until.js';
import type { Act, Rolling } from './stage.js';
import { ending, onStage, phase } from './stage.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const _DAY = 24 * HOUR;
const NOTHING = { stable: null, candidate: null, weight: 0 };

describe('an abort', () => {
  test.each<Phase>(['baking', 'awaitingApproval', 'paused'])('rolls everyone back while %s', async (when) => {
    await onStage(async (act) => {
      const { start, target, env } = act;
      const rolling = await start('canary', canary([MINUTE], 10));
      await phase(act, rolling, 'baking');
      if (when === 'paused') await rolling.signal('pause', { by: 'ann' });
      if (when === 'awaitingApproval') await env.sleep(2 * MINUTE);
      await phase(act, rolling, when);
      await rolling.executeUpdate('abort', { args: [{ by: 'ann', comment: 'no' }] });
      expect(await ending(rolling)).toMatchObject({ outcome: 'rolledBack', reason: 'aborted by ann: no' });
      expect(target.split).toEqual({ stable: '1', candidate: null, weight: 0 });
    });
  });

  test('succeeds however often the provider fails, and the rollout shows stuck meanwhile', async () => {
    await onStage(async (act) => {
      const { start, target } = act;
      let failures = 0;
      target.fault = (name) =>
        name === 'restore' && ++failures < 7
          ? new SluiceError('SLUICE_PROVIDER', 'Lambda: 500 ServiceException')
          : null;
      const rolling = await start(
        'canary',
        canary([HOUR], undefined, {
          notify: [{ webhook: 'http://127.0.0.1:1/' }],
          deadlines: { ...canary([]).deadlines, stuckAfter: 2_000 },
        }),
      );
      await phase(act, rolling, 'baking');
      await rolling.signal('abort', { by: 'ann' });
      expect((await ending(rolling)).outcome).toBe('rolledBack');
      expect(failures).toBe(7);
      expect(target.split.stable).toBe('1');
      expect(target.notified.find((each) => each.type === 'stuck')?.view.reason).toContain('500 ServiceException');
      expect(target.notified.at(-1)?.type).toBe('ended');
    });
  });

  describe('of a first deployment', () => {
    /** A first deployment that is aborted in its bake; `late`: what happens as the target is taken away for the nth time. */
    async function aborted(act: Act, late: (nth: number, rolling: Rolling) => Promise<unknown>) {
      const { start, target } = act;
      target.split = NOTHING;
      const rolling = await start('direct', specFor({ type: 'direct', bake: HOUR }));
      await phase(act, rolling, 'baking');
      let nth = 0;
      target.atCall = async (name) => {
        if (name === 'restore') await late(++nth, rolling);
      };
      await rolling.executeUpdate('abort', { args: [{ by: 'ann' }] });
      return { view: await ending(rolling), rolling, looks: () => nth };
    }

    test('deletes what a late call created, locks the target for as long as a call can live, and answers meanwhile', async () => {
      await onStage(async (act) => {
        const { target } = act;
        const marks: (string | null)[] = [];
        const answers: unknown[] = [];
        const seen: RolloutView[] = [];
        const { view, looks } = await aborted(act, async (nth, rolling) => {
          if (nth === 1) marks.push(target.mark);
          if (nth !== 3) return;
          seen.push(await rolling.query<RolloutView>('status'));
          answers.push(await rolling.executeUpdate('abort', { args: [{ by: 'ben' }] }));
          target.write({ stable: '2', candidate: null, weight: 0 }, marks[0] ?? '');
        });
        expect(view).toMatchObject({ outcome: 'rolledBack', reason: 'aborted by ann' });
        expect(target.split).toEqual(NOTHING);
        expect(seen).toMatchObject([
          { phase: 'restoring', reason: 'watching for 1m in case a late call creates the target again' },
        ]);
        expect(answers).toMatchObject([{ phase: 'restoring', message: 'already rolling back' }]);
        expect(looks()).toBeGreaterThan(3);
        expect((view.endedAt ?? 0) - (view.startedAt ?? 0)).toBeGreaterThanOrEqual(MINUTE);
      });
    });

    test('retries at once when a person asks, even while checking again', async () => {
      await onStage(async (act) => {
        const { target } = act;
        let looking = false;
        let asked = false;
        const since: number[] = [];
        target.fault = (name, attempt) => {
          if (name !== 'restore' || !looking) return null;
          if (asked) since.push(attempt);
          return asked && attempt === 1 ? null : new SluiceError('SLUICE_PROVIDER', '500 ServiceException');
        };
        const { view } = await aborted(act, async (nth, rolling) => {
          looking = nth > 1;
          if (nth !== 3) return;
          // The next try may begin before the answer is here.
          asked = true;
          await rolling.executeUpdate('retry', { args: [{ by: 'ben' }] });
        });
        expect(view.outcome).toBe('rolledBack');
        // What runs at that moment may fail once more.
        expect(since.indexOf(1)).toBeLessThanOrEqual(1);
      });
    });

    test('leaves what someone else has created meanwhile', async () => {
      await onStage(async (act) => {
        const theirs = { stable: '9', candidate: null, weight: 0 };
        const { view } = await aborted(act, async (nth) => {
          if (nth === 2) act.target.foreign(theirs);
        });
        expect(view).toMatchObject({ outcome: 'rolledBack', split: theirs });
        expect(act.target.split).toEqual(theirs);
        expect(view.events.map(({ text }) => text)).toContainEqual(
          expect.stringMatching(/^someone else has created the target meanwhile; it stays: /),
        );
      });
    });

    test('continues after a continue-as-new', async () => {
      await onStage(
        async (act) => {
          const { view, rolling, looks } = await aborted(act, async () => undefined);
          expect(view).toMatchObject({ outcome: 'rolledBack' });
          expect(looks()).toBeGreaterThan(3);
          expect(act.target.split).toEqual(NOTHING);
          const last = await act.env.client.workflow.getHandle(rolling.workflowId).describe();
          expect(last.runId).not.toBe(rolling.firstExecutionRunId);
        },
        { limits: { history: 60 } },
      );
    });
  });

  test("also comes from Temporal's own cancel, and closes as Canceled after the rollback", async () => {
    await onStage(async (act) => {
      const { start, target } = act;
      const rolling = await start('canary', canary([HOUR]));
      await phase(act, rolling, 'baking');
      await rolling.cancel();
      await expect(rolling.result()).rejects.toThrow();
      expect((await rolling.describe()).status.name).toBe('CANCELLED');
      expect(target.split).toEqual({ stable: '1', candidate: null, weight: 0 });
    });
  });
});

describe('a foreign change', () => {
  test('stops all writes until abort --force', async () => {
    await onStage(async (act) => {
      const { start, target, env } = act;
      const rolling = await start('canary', canary([HOUR]));
      await phase(act, rolling, 'baking');
      target.foreign({ stable: '7', candidate: null, weight: 0 });
      const before = target.writes.length;
      await env.sleep(2 * HOUR);
      expect((await phase(act, rolling, 'stuck')).reason).toContain('foreignChange');
      await expect(rolling.executeUpdate('abort', { args: [{ by: 'ann' }] })).rejects.toThrow();
      expect(target.writes.length).toBe(before);
      await rolling.executeUpdate('abort', { args: [{ by: 'ann', force: true }] });
      expect((await ending(rolling)).outcome).toBe('rolledBack');
      expect(target.split.stable).toBe('1');
    });
  });

  test.each([
    ['on the way forward', 'shift'],
    ['during a rollback', 'restore'],
  ])('that cannot be adopted leaves the rollout stuck, and abort --force works meanwhile: %s', async (_, call) => {
    await onStage(async (act) => {
      const { start, target } = act;
      target.fault = (name) => (name === 'adopt' ? new SluiceError('SLUICE_PROVIDER', '500 ServiceException') : null);
      target.atCall = async (name) => {
        const begun = target.writes.length > 0;
        if (name === call && begun && target.split.stable === '1')
          target.foreign({ stable: '7', candidate: null, weight: 0 });
      };
      target.verdict = (weight) => (weight === 10 && call === 'restore' ? 'unhealthy' : 'healthy');
      const rolling = await start('canary', canary([MINUTE]));
      await phase(act, rolling, 'stuck');
      await rolling.executeUpdate('retry', { args: [{ by: 'ann', adopt: true }] });
      await until('a failed adoption', () => target.calls.includes('adopt'));
      await rolling.executeUpdate('abort', { args: [{ by: 'bob', force: true }] });
      const tried = target.calls.filter((name) => name === 'adopt').length;
      expect((await ending(rolling)).outcome).toBe('rolledBack');
      expect(target.split).toEqual({ stable: '1', candidate: null, weight: 0 });
      // Nobody waits until the provider lets the adoption succeed or fail for good.
      expect(target.calls.filter((name) => name === 'adopt').length).toBeLessThanOrEqual(tried + 1);
    });
  });

  test('found before the deployment is adopted there too, after retry --adopt', async () => {
    await onStage(async (act) => {
      const { start, target } = act;
      const theirs = { stable: '1', candidate: null, weight: 0 };
      target.fault = (name) =>
        name === 'deploy' && !target.calls.includes('adopt')
          ? new ForeignChange('the alias was changed', theirs)
          : null;
      const rolling = await start('canary', canary([MINUTE]));
      await phase(act, rolling, 'stuck');
      target.foreign(theirs);
      const { revision } = target;
      await rolling.executeUpdate('retry', { args: [{ by: 'ann', adopt: true }] });
      expect((await ending(rolling)).outcome).toBe('succeeded');
      expect(target.adopted).toBe(revision);
    });
  });

  test('is adopted by retry --adopt, and the rollout continues', async () => {
    await onStage(async (act) => {
      const { start, target, env } = act;
      const rolling = await start('canary', canary([HOUR, MINUTE, MINUTE]));
      await phase(act, rolling, 'baking');
      target.foreign({ stable: '1', candidate: '2', weight: 11 });
      await env.sleep(2 * HOUR);
      await phase(act, rolling, 'stuck');
      await expect(rolling.executeUpdate('retry', { args: [{ by: 'ann' }] })).rejects.toThrow();
      await rolling.executeUpdate('retry', { args: [{ by: 'ann', adopt: true }] });
      expect((await ending(rolling)).outcome).toBe('succeeded');
      expect(target.split.stable).toBe('2');
    });
  });
});

describe('without a worker for the account', () => {
  test('the rollout says so, and an abort ends it with nothing changed', async () => {
    await onStage(
      async (act) => {
        const rolling = await act.start(
          'canary',
          canary([MINUTE], undefined, { deadlines: { ...canary([]).deadlines, worker: 500 } }),
        );
        const view = await phase(act, rolling, 'stuck');
        expect(view).toMatchObject({
          code: 'SLUICE_NO_WORKER',
          reason: expect.stringContaining('no worker serves account default in us-east-1'),
        });
        await rolling.executeUpdate('abort', { args: [{ by: 'ann' }] });
        expect(await ending(rolling)).toMatchObject({ outcome: 'rolledBack', reason: 'aborted by ann' });
      },
      { accountWorkers: false },
    );
  });

  test.each([
    [
      'if the server lists a living worker, its slots are reported as taken',
      { workers: 2, places: 100, taken: 100 },
      'SLUICE_WORKERS_BUSY',
      'all 100 task slots of the 2 workers that serve account default in us-east-1 are in use',
    ],
    [
      'if the server does not list workers, nothing is claimed about them',
      null,
      'SLUICE_DEADLINE',
      'the server does not report which workers serve account default in us-east-1',
    ],
  ])('%s', async (_, seen, code, words) => {
    await onStage(
      async (act) => {
        const spec = canary([MINUTE], undefined, { deadlines: { ...canary([]).deadlines, worker: 500 } });
        const rolling = await act.start('canary', spec);
        const view = await phase(act, rolling, 'stuck');
        expect(view).toMatchObject({ code, reason: expect.stringContaining(words) });
        expect(view.reason).toMatch(/sluice worker --account default --region us-east-1/);
        await rolling.executeUpdate('abort', { args: [{ by: 'ann' }] });
        await ending(rolling);
      },
      { accountWorkers: false, seen },
    );
  });

  test('a step that times out while the worker runs is not reported as a missing worker', async () => {
    await onStage(async (act) => {
      let end: () => void = () => undefined;
      act.target.atCall = (activity) =>
        activity === 'warm' ? new Promise((resolve) => (end = resolve)) : Promise.resolve();
      const spec = canary([MINUTE], undefined, {
        configuration: { provisionedConcurrency: 2 },
        deadlines: { ...canary([]).deadlines, warm: 500 },
      });
      const view = await ending(await act.start('canary', spec));
      expect(view).toMatchObject({ outcome: 'rolledBack', code: 'SLUICE_DEADLINE' });
      expect(view.reason).toMatch(/warm did not end before its deadline/);
      expect(view.reason).not.toMatch(/no worker/);
      end();
    });
  });
});
