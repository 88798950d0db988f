import { ApplicationFailure } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { ForeignChange } from '../../activities/platform/foreign.js';
import { SluiceError } from '../../src/model/errors.js';
import type { Bake } from '../../src/model/spec.js';
import type { RolloutView } from '../../src/model/view.js';
import type { Phase, VerdictState } from '../../src/model/words.js';
import { canary, specFor } from '../support/specs.js';
import { until } from '../support/until.js';
import type { Act, Rolling } from './stage.js';
import { ending, onStage, phase } from './stage.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOTHING = { stable: null, candidate: null, weight: 0 };

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

  test('bakes for thirty days in the history of a minute', async () => {
    await onStage(async (act) => {
      const { start, target } = act;
      target.pace = '12h';
      const rolling = await start('canary', canary([MINUTE, MINUTE, 30 * DAY]));
      expect((await ending(rolling)).outcome).toBe('succeeded');
      const { history } = await rolling.fetchHistory().then((h) => ({ history: h.events ?? [] }));
      expect(history.length).toBeLessThan(150);
    });
  });

  test('goes back by itself when the judge finds the candidate unhealthy, and says why', async () => {
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

  test('keeps the evidence over its weights', async () => {
    await onStage(async ({ start, target }) => {
      expect((await ending(await start('canary', canary([MINUTE])))).outcome).toBe('succeeded');
      expect(target.watched.map(({ weight, state }) => [weight, state?.alarms.unread ?? 0])).toEqual([
        [10, 0],
        [50, 1],
        [100, 2],
      ]);
    });
  });

  test('goes by the policy of the stage where that has its own', async () => {
    await onStage(async (act) => {
      const spec = canary([MINUTE]);
      if (spec.strategy.type === 'canary')
        Object.assign(spec.strategy.stages[1] ?? {}, { health: { onUnhealthy: 'hold' } });
      act.target.verdict = (weight) => (weight === 50 ? 'unhealthy' : 'healthy');
      const rolling = await act.start('canary', spec);
      await phase(act, rolling, 'held');
      expect(act.target.watched.at(-1)?.policy.onUnhealthy).toBe('hold');
      await rolling.signal('abort', { by: 'ann' });
      expect((await ending(rolling)).outcome).toBe('rolledBack');
    });
  });

  test('gives a version whose probe failed no traffic', async () => {
    await onStage(async (act) => {
      const { start, target } = act;
      target.probePasses = false;
      const view = await ending(await start('canary', canary([MINUTE])));
      expect(view).toMatchObject({ outcome: 'rolledBack', code: 'SLUICE_PROBE' });
      expect(target.writes).toEqual([]);
    });
  });

  test('ends as nothingToRelease when the release is live already', async () => {
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

  test('lets only one of two starts at the same moment run', async () => {
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
  test('is given by a plain signal', async () => {
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
        /not the one that waits[\s\S]*there is no signal "aprove"[\s\S]*must be a JSON object[\s\S]*there is no signal "__temporal_x"/,
      );
      await rolling.signal('reject', { stage: '10%', by: 'bob', comment: 'wrong ticket' });
      await rolling.signal('approve', { stage: '10%', by: 'late' });
      expect(await ending(rolling)).toMatchObject({
        outcome: 'rejected',
        reason: 'stage 10% was rejected by bob: wrong ticket',
      });
    });
  });

  test('is refused at once by an update when it does not fit', async () => {
    await onStage(async (act) => {
      const { start, env } = act;
      const rolling = await start('canary', canary([MINUTE], 10));
      await phase(act, rolling, 'baking');
      await expect(rolling.executeUpdate('approve', { args: [{ stage: '10%', by: 'ann' }] })).rejects.toThrow();
      await env.sleep(2 * MINUTE);
      await phase(act, rolling, 'awaitingApproval');
      await expect(rolling.executeUpdate('approve', { args: [{ stage: '10%', by: 'ann' }] })).resolves.toMatchObject({
        verb: 'approve',
        message: 'goes on',
      });
      expect((await ending(rolling)).outcome).toBe('succeeded');
    });
  });

  test('goes back when nobody decides within its time', async () => {
    await onStage(async (act) => {
      const { start, target } = act;
      const view = await ending(await start('canary', canary([MINUTE], 10)));
      expect(view).toMatchObject({ outcome: 'rolledBack', reason: 'stage 10% was not approved within 1d' });
      expect(target.split.stable).toBe('1');
    });
  });
});

describe('an abort', () => {
  test.each<Phase>(['baking', 'awaitingApproval', 'paused'])('sends everybody back while %s', async (when) => {
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

  test('lands however often the provider fails, and says stuck loudly meanwhile', async () => {
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

    test('takes away what a late call has created, holds the target for the life of a call, and answers meanwhile', async () => {
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
          { phase: 'restoring', reason: 'watching for 1m that no late call creates the target again' },
        ]);
        expect(answers).toMatchObject([{ phase: 'restoring', message: 'already restoring' }]);
        expect(looks()).toBeGreaterThan(3);
        expect((view.endedAt ?? 0) - (view.startedAt ?? 0)).toBeGreaterThanOrEqual(MINUTE);
      });
    });

    test('tries at once when a person says so, also where it is looked at again', async () => {
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
          await rolling.executeUpdate('retry', { args: [{ by: 'ben' }] });
          asked = true;
        });
        expect(view.outcome).toBe('rolledBack');
        // What runs at that moment may fail once more.
        expect(since.indexOf(1)).toBeLessThanOrEqual(1);
      });
    });

    test('leaves what somebody else has created meanwhile', async () => {
      await onStage(async (act) => {
        const theirs = { stable: '9', candidate: null, weight: 0 };
        const { view } = await aborted(act, async (nth) => {
          if (nth === 2) act.target.foreign(theirs);
        });
        expect(view).toMatchObject({ outcome: 'rolledBack', split: theirs });
        expect(act.target.split).toEqual(theirs);
        expect(view.events.map(({ text }) => text)).toContainEqual(
          expect.stringMatching(/^somebody else has created the target meanwhile, which stays: /),
        );
      });
    });

    test('goes on over a continue-as-new', async () => {
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

  test("comes through Temporal's own cancel too, and closes as Canceled after restoring", async () => {
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

describe('pause, skip, promote', () => {
  test('a pause keeps the rest of the bake', async () => {
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

  test('skip ends a bake, promote full passes over the smaller weights but not over a gate', async () => {
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

describe('a verdict that is none', () => {
  test('holds, reminds, and goes back when nobody decides', async () => {
    await onStage(async (act) => {
      const { start, target } = act;
      target.verdict = () => 'noData';
      const view = await ending(
        await start('canary', canary([MINUTE], undefined, { notify: [{ webhook: 'http://127.0.0.1:1/' }] })),
      );
      expect(view.outcome).toBe('rolledBack');
      expect(view.reason).toContain('nobody decided within 1d');
      expect(target.notified.filter((each) => each.type === 'reminder').length).toBeGreaterThan(10);
    });
  });

  /** A verdict at 10 % that too few requests are the only doubt of. */
  const few = (state: VerdictState, { target }: Act) => {
    target.verdict = (weight) => (weight === 10 ? state : 'healthy');
    target.few = true;
  };

  const bakingOn = ({ env }: Act, rolling: Rolling) =>
    until('the bake to go on', async () => {
      const view = await rolling.query<RolloutView>('status');
      if (view.phase === 'baking' && view.reason !== null) return view;
      await env.sleep('1s');
      return null;
    });

  test.each<VerdictState>(['undecided', 'noData'])(
    'bakes on for as long again, once, where too few requests are its only doubt: %s',
    async (state) => {
      await onStage(async (act) => {
        const { start, target, env } = act;
        few(state, act);
        const rolling = await start('canary', canary([10 * MINUTE]));
        const began = (await phase(act, rolling, 'baking')).waitingFor?.until ?? 0;
        await env.sleep(11 * MINUTE);
        const again = await bakingOn(act, rolling);
        expect(again.reason).toBe(`once more 10m for more requests: ${state}: ${state} at 10 %`);
        expect(again.waitingFor?.until).toBeGreaterThanOrEqual(began + 10 * MINUTE);
        expect(again.events.map(({ text }) => text)).toContain(`baking: ${again.reason}`);
        target.few = false;
        target.verdict = () => 'healthy';
        const view = await ending(rolling);
        expect(view.outcome).toBe('succeeded');
        const [, ten] = view.stages.map(({ startedAt, endedAt }) => (endedAt ?? 0) - (startedAt ?? 0));
        expect(ten).toBeGreaterThanOrEqual(20 * MINUTE);
      });
    },
  );

  test('holds where too few requests came even then', async () => {
    await onStage(async (act) => {
      const { start, env } = act;
      few('undecided', act);
      const rolling = await start('canary', canary([10 * MINUTE]));
      await phase(act, rolling, 'baking');
      await env.sleep(11 * MINUTE);
      await bakingOn(act, rolling);
      await env.sleep(11 * MINUTE);
      const held = await phase(act, rolling, 'held');
      expect(held.reason).toBe('stage 10%: undecided: undecided at 10 %');
      await rolling.signal('abort', { by: 'ann' });
      await ending(rolling);
    });
  });

  test('passes at once what a policy promotes, however few requests there were', async () => {
    await onStage(async (act) => {
      few('noData', act);
      const spec = canary([10 * MINUTE]);
      spec.health.policy = { ...spec.health.policy, onNoData: 'promote' };
      const view = await ending(await act.start('canary', spec));
      expect(view.outcome).toBe('succeeded');
      expect(view.events.filter(({ text }) => text.includes('once more'))).toEqual([]);
    });
  });

  test.each([
    [-0.5, 'succeeded'],
    [2, 'rolledBack'],
  ] as const)('is passed by a policy only while nothing speaks against it: ln E %d', async (logE, outcome) => {
    await onStage(async ({ start, target }) => {
      const spec = canary([MINUTE]);
      spec.health.policy = { ...spec.health.policy, onUndecided: 'promote', maxHold: 2 * MINUTE };
      target.verdict = () => 'undecided';
      target.logE = logE;
      const view = await ending(await start('canary', spec));
      expect(view.outcome).toBe(outcome);
      if (outcome === 'rolledBack') expect(view.reason).toContain('nobody decided within 2m');
    });
  });

  test('is passed by a person who says promote', async () => {
    await onStage(async (act) => {
      const { start, target, env } = act;
      target.verdict = (weight) => (weight === 10 ? 'undecided' : 'healthy');
      const rolling = await start('canary', canary([MINUTE]));
      await phase(act, rolling, 'baking');
      await env.sleep(2 * MINUTE);
      await phase(act, rolling, 'held');
      await rolling.executeUpdate('promote', { args: [{ by: 'ann' }] });
      expect((await ending(rolling)).outcome).toBe('succeeded');
    });
  });
});

describe('a hold', () => {
  /** A canary that is held at 10 %, with reminders that come too late to judge it. */
  async function held(act: Act, says: () => VerdictState, first = MINUTE): Promise<Rolling> {
    const spec = canary([first], undefined, { notify: [{ webhook: 'http://127.0.0.1:1/' }] });
    spec.health.policy = { ...spec.health.policy, remindEvery: 12 * HOUR };
    act.target.verdict = (weight) => (weight === 10 ? says() : 'healthy');
    const rolling = await act.start('canary', spec);
    await phase(act, rolling, 'baking');
    await act.env.sleep(first);
    await phase(act, rolling, 'held');
    return rolling;
  }

  test.each<VerdictState>(['noData', 'undecided', 'blind'])(
    'over a verdict of %s ends by itself once enough was counted, and nobody sees it held and healthy',
    async (first) => {
      await onStage(async (act) => {
        const { target, env } = act;
        let says = first;
        const rolling = await held(act, () => says);
        says = 'healthy';
        const seen: RolloutView[] = [];
        const over = await until('the next weight', async () => {
          const view = await rolling.query<RolloutView>('status');
          seen.push(view);
          await env.sleep('1s');
          return view.weight > 10 ? view : null;
        });
        expect(over.events.map(({ text }) => text)).toContain('stage 10%: passed while held: healthy at 10 %');
        expect(seen.filter((view) => view.phase === 'held' && view.verdict?.state === 'healthy')).toEqual([]);
        expect((await ending(rolling)).outcome).toBe('succeeded');
        // It did not wait for a reminder, nor for a person.
        expect(target.notified.map(({ type }) => type)).toEqual(['waiting', 'ended']);
        expect(target.watched.find((watch) => watch.held)).toMatchObject({ weight: 10, earliest: null });
      });
    },
  );

  test('goes back by itself once the candidate is unhealthy', async () => {
    await onStage(async (act) => {
      let says: VerdictState = 'undecided';
      const rolling = await held(act, () => says);
      says = 'unhealthy';
      expect(await ending(rolling)).toMatchObject({
        outcome: 'rolledBack',
        reason: '2 is unhealthy: unhealthy at 10 %',
      });
      expect(act.target.notified.map(({ type }) => type)).toEqual(['waiting', 'ended']);
    });
  });

  test('that is baked again by retry is judged at the end of the bake, not at the first healthy verdict', async () => {
    await onStage(async (act) => {
      const { target, env } = act;
      let says: VerdictState = 'undecided';
      const rolling = await held(act, () => says, 30 * MINUTE);
      await rolling.executeUpdate('retry', { args: [{ by: 'ann' }] });
      const { phaseSince } = await phase(act, rolling, 'baking');
      says = 'healthy';
      await env.sleep(20 * MINUTE);
      expect(await phase(act, rolling, 'baking')).toMatchObject({ weight: 10, phaseSince });
      expect(target.watched.at(-1)).toMatchObject({ held: false });
      expect((await ending(rolling)).outcome).toBe('succeeded');
    });
  });

  test('over an approval that nobody gave is no hold over a verdict: harm sends it back', async () => {
    await onStage(async (act) => {
      const spec = canary([MINUTE], 10);
      const [first] = spec.strategy.type === 'canary' ? spec.strategy.stages : [];
      if (first?.approval !== undefined) first.approval.onTimeout = 'hold';
      let says: VerdictState = 'healthy';
      act.target.verdict = () => says;
      const rolling = await act.start('canary', spec);
      await phase(act, rolling, 'baking');
      await act.env.sleep(25 * HOUR);
      // A healthy verdict does not give the approval either.
      expect(await phase(act, rolling, 'held')).toMatchObject({ weight: 10, verdict: { state: 'healthy' } });
      says = 'unhealthy';
      expect(await ending(rolling)).toMatchObject({
        outcome: 'rolledBack',
        reason: '2 is unhealthy: unhealthy at 10 %',
      });
    });
  });
});

describe('a foreign change', () => {
  test('stops the hands until abort --force', async () => {
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
    ['on the way back', 'restore'],
  ])('that cannot be adopted leaves the rollout stuck, and abort --force lands meanwhile: %s', async (_, call) => {
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

  test('that is found before the deployment is taken as ours by it too, after retry --adopt', async () => {
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

  test('is taken as ours by retry --adopt, and the rollout goes on', async () => {
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

describe('a long run', () => {
  test('continues as new in the middle of a bake, of an approval and of a flood of signals, and loses nothing', async () => {
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
    await env.sleep(MINUTE);
    await until('the next run', async () => (await free.describe()).runId !== rolling.firstExecutionRunId);
    return { rolling, free };
  }

  test('goes on where its grant cannot be renewed for a while', async () => {
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

  test('ends where it may have no grant, and tells so', async () => {
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
  test('that is accepted while a run continues as new is done by the next one', async () => {
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

describe('without a worker for the account', () => {
  test('it says so, and an abort ends it with nothing changed', async () => {
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
      'where the server lists a living worker, its places are taken',
      { workers: 2, places: 100, taken: 100 },
      'SLUICE_WORKERS_BUSY',
      'all 100 places of the 2 workers that serve account default in us-east-1 are taken',
    ],
    [
      'where the server does not say, nothing is claimed of workers',
      null,
      'SLUICE_DEADLINE',
      'the server does not say which workers serve account default in us-east-1',
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

  test('a step that is over its deadline, with the worker at work, is no lack of workers', async () => {
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

describe('a bake that may pass early', () => {
  const early: Bake = { min: MINUTE, max: HOUR };

  test('ends as soon after its least time as the candidate is shown to be no worse', async () => {
    await onStage(async ({ start, target }) => {
      target.passesFrom = 50;
      const view = await ending(await start('canary', canary([early, early, MINUTE])));
      expect(view.outcome).toBe('succeeded');
      const [, ten, fifty] = view.stages.map(({ startedAt, endedAt }) => (endedAt ?? 0) - (startedAt ?? 0));
      expect(ten).toBeGreaterThanOrEqual(HOUR);
      expect(fifty).toBeGreaterThanOrEqual(MINUTE);
      expect(fifty).toBeLessThan(5 * MINUTE);
    });
  });

  test('does not end while it is paused, and its weight stays watched', async () => {
    await onStage(async (act) => {
      act.target.passesFrom = 10;
      const rolling = await act.start('canary', canary([early, MINUTE, MINUTE]));
      await phase(act, rolling, 'baking');
      await rolling.signal('pause', { by: 'ann' });
      await until('a second watcher', async () => {
        await act.env.sleep('30s');
        return act.target.watched.length > 1;
      });
      expect((await rolling.query<RolloutView>('status')).phase).toBe('paused');
      expect(act.target.watched.map(({ weight }) => weight)).toEqual([10, 10]);
      await rolling.signal('resume', { by: 'ann' });
      expect((await ending(rolling)).outcome).toBe('succeeded');
    });
  });
});

describe('a ceiling that is crossed at 100 %, with nothing to compare with', () => {
  const weights = (act: Act) =>
    act.target.writes.map(({ step, split }) => [step, split.candidate === null ? 100 : split.weight]);

  test('sends half the traffic back for a comparison, and forward again when that clears the candidate', async () => {
    await onStage(async (act) => {
      const { target } = act;
      target.ceilingOnly = true;
      const outage = () => target.writes.length === 3;
      target.verdict = (weight) => (weight === 100 && outage() ? 'unhealthy' : 'healthy');
      const view = await ending(await act.start('canary', canary([MINUTE])));
      expect(view.outcome).toBe('succeeded');
      expect(weights(act)).toEqual([
        ['canary-10.shift', 10],
        ['canary-50.shift', 50],
        ['canary-100.promote', 100],
        ['canary-100.bake.back', 50],
        ['canary-100.bake.forward', 100],
      ]);
    });
  });

  test('goes back for good when the comparison, or a second crossing, speaks against it', async () => {
    for (const at of [50, 100]) {
      await onStage(async (act) => {
        const { target } = act;
        target.ceilingOnly = true;
        target.verdict = (weight) => {
          const back = target.writes.some(({ step }) => step.endsWith('.back'));
          return (weight === 100 && !back) || (back && weight === at) ? 'unhealthy' : 'healthy';
        };
        const view = await ending(await act.start('canary', canary([MINUTE])));
        expect(view.outcome).toBe('rolledBack');
        expect(view.reason).toContain(`unhealthy at ${at} %`);
        expect(target.split).toEqual({ stable: '1', candidate: null, weight: 0 });
        expect(target.writes.filter(({ step }) => step.endsWith('.back'))).toHaveLength(1);
      });
    }
  });
});
