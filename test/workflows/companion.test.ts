import { companionId } from '../../src/model/ids.js';
import type { CompanionView } from '../../src/model/view.js';
import { areLooks, looksAfter } from '../../workflows/companion/late.js';
import type { SubmitAnswer } from '../../workflows/messages.js';
import { canary } from '../support/specs.js';
import { until } from '../support/until.js';
import { type Act, onStage } from './stage.js';

test('a release being started is shown beside the one that came since, and its starter learns its run', async () => {
  await onStage(async ({ env, target }) => {
    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    target.atCall = async (name) => {
      if (name === 'startRollout') await held;
    };
    const companion = await env.client.workflow.start('companion', {
      workflowId: companionId('checkout', 'production'),
      taskQueue: 'sluice',
      args: ['checkout', 'production'],
    });
    const submission = (by: string) => ({ type: 'canary', input: canary([]), mode: 'replace', by, message: null });
    const submit = (by: string) =>
      companion.executeUpdate<SubmitAnswer, [object]>('submit', { args: [submission(by)] });
    const view = () => companion.query<CompanionView>('companion');

    const first = submit('ann');
    await until('the start of the first', async () => (await view()).starting?.by === 'ann');
    const second = submit('bob');
    await until('the second in the queue', async () => (await view()).queued?.by === 'bob');
    expect((await view()).starting?.by).toBe('ann');
    go();
    expect(await first).toMatchObject({ state: 'started', run: 'a run' });
    expect(await second).toMatchObject({ state: 'started', run: 'a run' });
    await companion.terminate('the end of the scene');
  });
});

test('an event under a key that no worker has waits for a while and is then dropped', async () => {
  await onStage(async ({ env }) => {
    const companion = await env.client.workflow.start('companion', {
      workflowId: companionId('checkout', 'production'),
      taskQueue: 'sluice',
      args: ['checkout', 'production'],
    });
    await companion.signal('rolloutEvent', { sealed: 'under a key of nobody' });
    const asked = async () => {
      const { events } = await companion.fetchHistory();
      const names = (events ?? []).map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
      return names.filter((name) => name === 'unseal').length;
    };
    await env.sleep('5m');
    const tries = await asked();
    expect(tries).toBeGreaterThan(3);
    await env.sleep('30m');
    expect(await asked()).toBe(tries);
    expect(await companion.query<CompanionView>('companion')).toMatchObject({ releases: [] });
    await companion.terminate('the end of the scene');
  });
});

test('a malformed event from anyone is ignored, and the companion continues', async () => {
  await onStage(async ({ env }) => {
    const companion = await env.client.workflow.start('companion', {
      workflowId: companionId('checkout', 'production'),
      taskQueue: 'sluice',
      args: ['checkout', 'production'],
    });
    const ended = { kind: 'ended', run: 'x', at: 1 };
    const entry = { version: '2', run: 'x', since: 1, until: null, strategy: 'canary' };
    const undo = (target: object, more = {}) => ({ version: '1', window: 0, spec: { target, ...more } });
    const place = { platform: 'lambda', account: 'a', region: 'r' };
    const deep = JSON.parse(`${'['.repeat(1_000)}${']'.repeat(1_000)}`);
    const hostile = [
      null,
      { kind: 'ended' },
      ended,
      { ...ended, entry: { ...entry, since: 'boo' }, undo: null },
      { ...ended, entry: { ...entry, since: 9e15 }, undo: null },
      { ...ended, entry, undo: { version: '1', window: 'long', spec: {} } },
      { ...ended, entry, undo: { version: '1', window: 1, spec: null } },
      { ...ended, entry: { ...entry, strategy: 'x' }, undo: null },
      // Names a task queue that the server takes no command for.
      { ...ended, entry, undo: undo({ ...place, account: 'a'.repeat(2_000) }) },
      { ...ended, entry, undo: undo(place, { deep }) },
      {
        ...ended,
        late: {
          app: 'a',
          environment: 'e',
          run: 'x',
          spec: { target: { ...place, account: 'a'.repeat(2_000) } },
          looks: [1],
        },
      },
      ...[Array(9).fill(1), [-1], ['1'], [1e12], 1].map((looks) => ({
        ...ended,
        late: { app: 'a', environment: 'e', run: 'x', spec: { target: place }, looks, seal: null },
      })),
    ];
    for (const event of hostile) await companion.signal('rolloutEvent', event);
    // Of what fits only that is kept which is known, in a form that can be written again.
    const odd = { ...entry, by: { toString: 1 }, message: 'm'.repeat(1_000), deep };
    await companion.signal('rolloutEvent', { ...ended, entry: odd, undo: null });
    await companion.signal('rolloutEvent', { kind: 'began', run: 'r', strategy: 'canary', at: 1 });
    const { running, releases } = await until('the last event', async () => {
      const view = await companion.query<CompanionView>('companion');
      return view.running === null ? null : view;
    });
    expect(running?.run).toBe('r');
    expect(releases).toEqual([
      {
        ...{ version: '2', run: 'x', since: 1, until: null, strategy: 'canary', digest: '', by: null },
        ...{ message: `${'m'.repeat(299)}…`, replaced: null, undoUntil: null, retired: null },
        spec: null,
      },
    ]);
    const submission = { type: 'canary', input: canary([]), mode: 'queue', by: null, message: null };
    for (const wrong of [{ by: { toString: 1 } }, { type: 'x' }, { mode: 'now' }, { input: { deep } }]) {
      const args: [object] = [{ ...submission, ...wrong }];
      await expect(companion.executeUpdate('submit', { args })).rejects.toThrow();
    }
    await companion.terminate('the end of the scene');
  });
});

test('state that a start sends along is ignored', async () => {
  await onStage(async ({ env }) => {
    const brought = { app: 'other', environment: 'production', releases: [], running: { run: 'r', since: 1 } };
    const companion = await env.client.workflow.start('companion', {
      workflowId: companionId('checkout', 'production'),
      taskQueue: 'sluice',
      args: ['checkout', 'production', brought],
    });
    expect(await companion.query<CompanionView>('companion')).toMatchObject({ app: 'checkout', running: null });
    await companion.terminate('the end of the scene');
  });
});

describe('a release submitted before an undo started, and admitted after that', () => {
  const BEGINS = { by: 'bob', version: '1', message: null, seal: null };
  // Whether the undo also ends so, nobody knows yet, and the hold outlasts an abort of it.
  const HELD = /^checkout\/production is held since \d{4}-\d\d-\d\dT[\d:.]+Z by bob's undo to release 1\. No rollout/;

  test.each([
    ['does not wait behind it', { hold: false, keepQueue: false }, /^an undo of checkout\/production is running/],
    ['is refused where it holds the target', { hold: true, keepQueue: true }, HELD],
  ])('%s', async (_, asks, why) => {
    await onStage(async ({ env, target }) => {
      let admit: () => void = () => undefined;
      const held = new Promise<void>((resolve) => {
        admit = resolve;
      });
      let asked = false;
      target.atCall = async (name) => {
        if (name !== 'admit') return;
        asked = true;
        await held;
      };
      const companion = await env.client.workflow.start('companion', {
        workflowId: companionId('checkout', 'production'),
        taskQueue: 'sluice',
        args: ['checkout', 'production'],
      });
      const submission = { type: 'canary', input: canary([]), mode: 'queue', by: 'ann', message: null };
      const submitted = companion
        .executeUpdate<SubmitAnswer, [object]>('submit', { args: [submission] })
        .catch((error: Error & { cause?: Error }) => error.cause?.message ?? error.message);
      await until('the question whether it may', () => asked);
      target.busy = 1;
      const at = await env.currentTimeMs();
      await companion.signal('rolloutEvent', {
        ...{ kind: 'began', run: 'u', strategy: 'undo', at },
        undo: { ...BEGINS, ...asks },
      });
      await until('the undo', async () => {
        const { running, hold } = await companion.query<CompanionView>('companion');
        return running?.run === 'u' && (hold !== null) === asks.hold;
      });
      admit();
      const answer = await submitted;
      const { queued } = await companion.query<CompanionView>('companion');
      // What waits would keep the server's clock running.
      await companion.terminate('the end of the scene');
      expect(answer).toMatch(why);
      expect(queued).toBeNull();
    });
  });
});

test('a release that leaves the queue as an undo starts is told no more than that it has started', async () => {
  await onStage(async ({ env, target }) => {
    target.busy = 1_000;
    const companion = await env.client.workflow.start('companion', {
      workflowId: companionId('checkout', 'production'),
      taskQueue: 'sluice',
      args: ['checkout', 'production'],
    });
    const submission = { type: 'canary', input: canary([]), mode: 'queue', by: 'ann', message: null };
    await companion.executeUpdate('submit', { args: [submission] });
    const undo = { by: 'bob', version: '1', message: null, seal: null, hold: false, keepQueue: false };
    const at = await env.currentTimeMs();
    await companion.signal('rolloutEvent', { kind: 'began', run: 'u', strategy: 'undo', at, undo });
    const [left] = await until('the queue to be empty', async () => {
      const { settled } = await companion.query<CompanionView>('companion');
      return settled.length === 1 && settled;
    });
    await companion.terminate('the end of the scene');
    expect(left?.why).toBe('bob started an undo to release 1; a queued release does not start after an undo');
  });
});

test('the rollback window starts at the end of a rollout, and the release is live since it got all traffic', async () => {
  await onStage(async ({ env }) => {
    const companion = await env.client.workflow.start('companion', {
      workflowId: companionId('checkout', 'production'),
      taskQueue: 'sluice',
      args: ['checkout', 'production'],
    });
    const at = await env.currentTimeMs();
    const [since, window] = [at - 600_000, 3_600_000];
    const entry = { version: '2', run: 'a', since, until: null, strategy: 'canary', replaced: '1' };
    const { app, environment, ...spec } = canary([]);
    const undo = { version: '1', window, spec: { app, environment, ...spec } };
    await companion.signal('rolloutEvent', { kind: 'ended', run: 'a', at, entry, undo });
    const view = await companion.query<CompanionView>('companion');
    await companion.terminate('the end of the scene');
    expect(view.releases).toMatchObject([{ version: '2', since }]);
    expect(view.undo).toEqual({ version: '1', until: at + window });
  });
});

describe('after a first deployment that was rolled back', () => {
  const MINUTE = 60_000;
  const NOTHING = { stable: null, candidate: null, weight: 0 };
  const LATE = { stable: '2', candidate: null, weight: 0 };

  /** A companion that was told of its end. */
  async function told({ env }: Act) {
    const { app, environment, ...spec } = canary([]);
    const looks = [10 * MINUTE, 60 * MINUTE];
    const late = { app, environment, run: 'a', spec: { app, environment, ...spec }, looks, seal: null };
    const companion = await env.client.workflow.start('companion', {
      workflowId: companionId(app, environment),
      taskQueue: 'sluice',
      args: [app, environment],
    });
    await companion.signal('rolloutEvent', { kind: 'ended', run: 'a', at: 1, entry: null, undo: null, late });
    return { companion, view: () => companion.query<CompanionView>('companion') };
  }

  test.each([
    ['10 minutes', 2],
    ['an hour', 12],
  ])('the companion deletes within %s what appears late, and says so', async (_, fives) => {
    await onStage(async (act) => {
      const { env, target } = act;
      target.split = NOTHING;
      const { companion, view } = await told(act);
      for (let five = 1; five < fives; five += 1) await env.sleep(5 * MINUTE);
      expect((await view()).takenBack).toBeNull();
      target.split = LATE;
      await env.sleep(6 * MINUTE);
      const { takenBack } = await until('the look', async () => ((await view()).takenBack === null ? null : view()));
      expect(takenBack).toEqual({ version: '2', run: 'a', at: expect.any(Number) });
      expect(target.split).toEqual(NOTHING);
      await companion.terminate('the end of the scene');
    });
  });

  test.each([
    [60_000, [10, 60]],
    [1_800_000, [300, 1_440]],
    [10_800_000, [1_440]],
  ])('for calls that live for %d ms, all checks are within a day, as the companion requires', (callLife, minutes) => {
    const looks = looksAfter(callLife);
    expect(looks).toEqual(minutes.map((after) => after * MINUTE));
    expect(areLooks(looks)).toBe(true);
  });

  test('nothing waits for the check, and the check waits for a running rollout', async () => {
    await onStage(async (act) => {
      const { env, target } = act;
      target.split = LATE;
      let go: () => void = () => undefined;
      const held = new Promise<void>((resolve) => {
        go = resolve;
      });
      target.atCall = async (name) => {
        if (name === 'takeBack') await held;
      };
      const { companion, view } = await told(act);
      target.busy = 1;
      await env.sleep(11 * MINUTE);
      expect(target.calls).not.toContain('takeBack');
      target.busy = 0;
      // The look that is held also holds the clock.
      const later = env.sleep(11 * MINUTE);
      await until('the look', async () => target.calls.includes('takeBack'));
      const submission = { type: 'canary', input: canary([]), mode: 'queue', by: 'ann', message: null };
      expect(await companion.executeUpdate('submit', { args: [submission] })).toMatchObject({ state: 'started' });
      expect((await view()).takenBack).toBeNull();
      go();
      await until('the end of the look', async () => (await view()).takenBack !== null);
      await later;
      await companion.terminate('the end of the scene');
    });
  });
});
