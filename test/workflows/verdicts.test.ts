import type { Bake } from '../../src/model/spec.js';
import type { RolloutView } from '../../src/model/view.js';
import type { VerdictState } from '../../src/model/words.js';
import { canary } from '../support/specs.js';
import { until } from '../support/until.js';
import type { Act, Rolling } from './stage.js';
import { ending, onStage, phase } from './stage.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const _DAY = 24 * HOUR;
const _NOTHING = { stable: null, candidate: null, weight: 0 };

describe('an undecided verdict', () => {
  test('holds, sends reminders, and rolls back if nobody decides', async () => {
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
    'bakes once more for as long if too few requests is the only doubt: %s',
    async (state) => {
      await onStage(async (act) => {
        const { start, target, env } = act;
        few(state, act);
        const rolling = await start('canary', canary([10 * MINUTE]));
        const began = (await phase(act, rolling, 'baking')).waitingFor?.until ?? 0;
        await env.sleep(11 * MINUTE);
        const again = await bakingOn(act, rolling);
        expect(again.reason).toBe(`baking for another 10m to get more requests: ${state}: ${state} at 10 %`);
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

  test('holds if too few requests came even then', async () => {
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

  test('passes at once under a policy that promotes, however few requests there were', async () => {
    await onStage(async (act) => {
      few('noData', act);
      const spec = canary([10 * MINUTE]);
      spec.health.judge = { ...spec.health.judge, onNoData: 'promote' };
      const view = await ending(await act.start('canary', spec));
      expect(view.outcome).toBe('succeeded');
      expect(view.events.filter(({ text }) => text.includes('once more'))).toEqual([]);
    });
  });

  test.each([
    [-0.5, 'succeeded'],
    [2, 'rolledBack'],
  ] as const)(
    'passes under a policy only while nothing speaks against the candidate: ln E %d',
    async (logE, outcome) => {
      await onStage(async ({ start, target }) => {
        const spec = canary([MINUTE]);
        spec.health.judge = { ...spec.health.judge, onUndecided: 'promote', maxHold: 2 * MINUTE };
        target.verdict = () => 'undecided';
        target.logE = logE;
        const view = await ending(await start('canary', spec));
        expect(view.outcome).toBe(outcome);
        if (outcome === 'rolledBack') expect(view.reason).toContain('nobody decided within 2m');
      });
    },
  );

  test('passes if a person promotes', async () => {
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
    spec.health.judge = { ...spec.health.judge, remindEvery: 12 * HOUR };
    act.target.verdict = (weight) => (weight === 10 ? says() : 'healthy');
    const rolling = await act.start('canary', spec);
    await phase(act, rolling, 'baking');
    await act.env.sleep(first);
    await phase(act, rolling, 'held');
    return rolling;
  }

  test.each<VerdictState>(['noData', 'undecided', 'blind'])(
    'over the verdict %s ends by itself once enough was counted, and nobody sees it held and healthy',
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

  test('rolls back by itself once the candidate is unhealthy', async () => {
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

  test('that bakes again on retry is judged at the end of the bake, not at the first healthy verdict', async () => {
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

  test('over an approval that timed out is not a hold over a verdict: harm rolls it back', async () => {
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

describe('a bake that may pass early', () => {
  const early: Bake = { min: MINUTE, max: HOUR };

  test('ends as soon after its minimum as the candidate is shown to be no worse', async () => {
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

  test('does not end while it is paused, and its weight is still watched', async () => {
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

describe('a ceiling crossed at 100 %, with nothing to compare with', () => {
  const weights = (act: Act) =>
    act.target.writes.map(({ step, split }) => [step, split.candidate === null ? 100 : split.weight]);

  test('sends half the traffic back for a comparison, and forward again if that clears the candidate', async () => {
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
        ['canary-100.compare.back', 50],
        ['canary-100.compare.forward', 100],
      ]);
    });
  });

  test('rolls back for good if the comparison, or a second crossing, goes against the candidate', async () => {
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
