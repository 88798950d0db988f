/** A hold within a wait: the candidate turns unhealthy, by policy a person is asked, and the wait goes on once they have answered. */
import { Context } from '@temporalio/activity';
import type { RolloutView } from '../../src/model/view.js';
import type { VerdictState } from '../../src/model/words.js';
import { canary } from '../support/specs.js';
import { until } from '../support/until.js';
import {
  approvedBy,
  approving,
  asking,
  BY,
  bakesAgain,
  continues,
  HOUR,
  heldAsUnhealthy,
  MINUTE,
  type Says,
  SHORT,
  undecided,
} from './holding.js';
import { type Act, ending, onStage, phase, type Rolling } from './stage.js';

describe('a hold without a verdict whose candidate turns unhealthy', () => {
  test('cannot be promoted, and bakes again on retry', async () => {
    await onStage(async (act) => {
      const { rolling, says } = await undecided(act);
      says.now = 'unhealthy';
      await heldAsUnhealthy(act, rolling);
      await expect(rolling.executeUpdate('promote', BY)).rejects.toMatchObject({
        cause: { message: 'an unhealthy candidate cannot be promoted; abort, or retry the bake' },
      });
      await bakesAgain(act, rolling, says);
    });
  });

  test('is not passed by a promote that comes before the last counts', async () => {
    await onStage(async (act) => {
      const { rolling, says } = await undecided(act);
      says.last = 'unhealthy';
      await rolling.executeUpdate('promote', BY);
      await heldAsUnhealthy(act, rolling);
      await bakesAgain(act, rolling, says);
    });
  });

  test.each(['retry', 'reminder'] as const)('bakes again if the counts came with a %s', async (what) => {
    await onStage(async (act) => {
      const { rolling, says } = await undecided(act, what === 'reminder' ? HOUR : 12 * HOUR);
      says.last = 'unhealthy';
      if (what === 'retry') await rolling.executeUpdate('retry', BY);
      else await act.env.sleep(HOUR);
      await heldAsUnhealthy(act, rolling);
      await bakesAgain(act, rolling, says);
    });
  });

  test('can be aborted like any other', async () => {
    await onStage(async (act) => {
      const { rolling, says } = await undecided(act);
      says.now = 'unhealthy';
      await heldAsUnhealthy(act, rolling);
      await rolling.executeUpdate('abort', BY);
      expect(await ending(rolling)).toMatchObject({ outcome: 'rolledBack', reason: 'aborted by ann' });
      expect(act.target.split).toEqual({ stable: '1', candidate: null, weight: 0 });
    });
  });

  test('is compared at half the traffic if only the ceiling speaks against the candidate', async () => {
    await onStage(async (act) => {
      const { target, env } = act;
      target.ceilingOnly = true;
      let says: VerdictState = 'undecided';
      const back = () => target.writes.some(({ step }) => step.endsWith('.back'));
      target.verdict = (weight) => (weight === 100 && !back() ? says : 'healthy');
      const rolling = await act.start('canary', canary([]));
      await phase(act, rolling, 'baking');
      await env.sleep(5 * MINUTE);
      await phase(act, rolling, 'held');
      says = 'unhealthy';
      expect((await ending(rolling)).outcome).toBe('succeeded');
      expect(target.writes.slice(2).map(({ step }) => step)).toEqual([
        'canary-100.promote',
        'canary-100.compare.back',
        'canary-100.compare.forward',
      ]);
      // After it, the bake is one like any other.
      expect(target.watched.at(-1)).toMatchObject({ weight: 100, held: false });
    });
  });
});

test.each<keyof Says>(['now', 'last'])(
  'a held comparison at half the traffic is done again before the release goes forward: %s',
  async (when) => {
    await onStage(async (act) => {
      const { target, env } = act;
      target.ceilingOnly = true;
      const says: Says = { now: 'healthy', last: 'healthy', [when]: 'unhealthy' };
      const back = () => target.writes.some(({ step }) => step.endsWith('.back'));
      target.verdict = (weight) => {
        if (weight === 100 && !back()) return 'unhealthy';
        if (weight !== 50 || !back()) return 'healthy';
        return Context.current().cancellationSignal.aborted ? says.last : says.now;
      };
      const rolling = await act.start('canary', asking(12 * HOUR, undefined, [MINUTE, MINUTE, 10 * MINUTE]));
      await env.sleep(15 * MINUTE);
      await phase(act, rolling, 'held');
      expect(target.split.weight).toBe(50);
      await env.sleep(HOUR);
      Object.assign(says, { now: 'healthy', last: 'healthy' });
      await rolling.executeUpdate('retry', BY);
      const { phaseSince } = await phase(act, rolling, 'baking');
      const forward = await until('the way forward', async () => {
        const { events } = await rolling.query<RolloutView>('status');
        await env.sleep('1m');
        return events.find(({ text }) => text.endsWith('forward again'));
      });
      expect(forward.at - phaseSince).toBeGreaterThanOrEqual(10 * MINUTE);
      expect((await ending(rolling)).outcome).toBe('succeeded');
    });
  },
);

describe('an approval from before the candidate turned unhealthy', () => {
  test('does not answer the hold within a pause; one given afterwards does', async () => {
    await onStage(async (act) => {
      const { rolling, says } = await approving(act);
      await rolling.executeUpdate('pause', BY);
      await phase(act, rolling, 'paused');
      await rolling.executeUpdate('approve', approvedBy('ann'));
      says.now = 'unhealthy';
      const held = await heldAsUnhealthy(act, rolling);
      expect(held.waitingFor?.verbs).toEqual(['approve', 'reject', 'abort']);
      await act.env.sleep(HOUR);
      expect(await heldAsUnhealthy(act, rolling)).toMatchObject({ weight: 10, phaseSince: held.phaseSince });
      await rolling.executeUpdate('approve', approvedBy('ben'));
      expect(await phase(act, rolling, 'paused')).toMatchObject({ reason: 'paused by ann', weight: 10 });
      await rolling.executeUpdate('resume', BY);
      // Who has approved it knew the harm, and is not asked once more.
      expect((await ending(rolling)).outcome).toBe('succeeded');
      expect(act.target.notified).toEqual([]);
      expect(act.target.writes.map(({ split }) => split.weight)).toEqual([10, 50, 0]);
    });
  });

  test('does not count towards an approval by two people', async () => {
    await onStage(async (act) => {
      const { rolling, says } = await approving(act, 2);
      await rolling.executeUpdate('approve', approvedBy('ann'));
      says.now = 'unhealthy';
      const held = await heldAsUnhealthy(act, rolling);
      expect(held.waitingFor?.gate).toMatchObject({ people: 2, approved: [] });
      expect(held.events.map(({ text }) => text)).toContain(
        'stage 10%: the approval by ann is from before the candidate turned unhealthy and does not count',
      );
      await rolling.executeUpdate('approve', approvedBy('ben'));
      await heldAsUnhealthy(act, rolling);
      await rolling.executeUpdate('approve', approvedBy('ann'));
      expect((await ending(rolling)).outcome).toBe('succeeded');
    });
  });
});

describe('last counts that are unhealthy, before a larger weight', () => {
  /** Approved, and held over the last counts of 10 %. */
  async function heldBeforeMore(act: Act): Promise<{ rolling: Rolling; says: Says }> {
    const { rolling, says } = await approving(act);
    says.last = 'unhealthy';
    await rolling.executeUpdate('approve', approvedBy('ann'));
    expect((await heldAsUnhealthy(act, rolling)).weight).toBe(10);
    return { rolling, says };
  }

  /** After the bake the approval is asked for anew: the first one was given before the harm was known. */
  async function approvesAnew(act: Act, rolling: Rolling): Promise<void> {
    const { weight, stages } = await phase(act, rolling, 'awaitingApproval');
    expect(weight).toBe(10);
    expect(stages.map(({ state }) => state)).toEqual(['passed', 'running', 'waiting', 'waiting']);
    await rolling.executeUpdate('approve', approvedBy('ben'));
  }

  test('bake the current weight again on retry', async () => {
    await onStage(async (act) => {
      const { rolling, says } = await heldBeforeMore(act);
      await bakesAgain(act, rolling, says, () => approvesAnew(act, rolling));
      expect(act.target.writes.map(({ split }) => split.weight)).toEqual([10, 50, 0]);
    });
  });

  test('also do so in the next run, which is held until then', async () => {
    await onStage(async (act) => {
      const { rolling, says } = await heldBeforeMore(act);
      const newest = await continues(act, rolling);
      expect((await heldAsUnhealthy(act, newest)).weight).toBe(10);
      await bakesAgain(act, newest, says, () => approvesAnew(act, newest));
    }, SHORT);
  });

  test('also do so for everything that promote --full would have skipped', async () => {
    await onStage(async (act) => {
      const says: Says = { now: 'healthy', last: 'healthy' };
      act.target.verdict = (weight) => {
        if (weight !== 10) return 'healthy';
        return Context.current().cancellationSignal.aborted ? says.last : says.now;
      };
      const rolling = await act.start('canary', asking(12 * HOUR, 10));
      await phase(act, rolling, 'baking');
      await rolling.executeUpdate('promote', { args: [{ by: 'ann', full: true }] });
      await phase(act, rolling, 'awaitingApproval');
      says.last = 'unhealthy';
      await rolling.executeUpdate('approve', approvedBy('ann'));
      await heldAsUnhealthy(act, rolling);
      await bakesAgain(act, rolling, says, () => approvesAnew(act, rolling));
      expect(act.target.writes.map(({ split }) => split.weight)).toEqual([10, 0]);
    });
  });
});

describe('a hold over an unhealthy candidate, in a run that continues as new', () => {
  test('is not an approval that timed out, and an approval answers it', async () => {
    await onStage(async (act) => {
      const { rolling, says } = await approving(act);
      says.now = 'unhealthy';
      const { waitingFor } = await heldAsUnhealthy(act, rolling);
      const newest = await continues(act, rolling);
      expect((await heldAsUnhealthy(act, newest)).waitingFor).toEqual(waitingFor);
      await newest.executeUpdate('approve', approvedBy('ann'));
      expect((await ending(rolling)).outcome).toBe('succeeded');
    }, SHORT);
  });

  test('during a bake bakes again on retry, and is not watched before', async () => {
    await onStage(async (act) => {
      const { rolling, says } = await undecided(act);
      says.now = 'unhealthy';
      const { waitingFor } = await heldAsUnhealthy(act, rolling);
      const watchers = act.target.watched.length;
      const newest = await continues(act, rolling);
      expect((await heldAsUnhealthy(act, newest)).waitingFor).toEqual(waitingFor);
      expect(act.target.watched).toHaveLength(watchers);
      await bakesAgain(act, newest, says);
    }, SHORT);
  });

  test('during a pause leaves the pause as it is', async () => {
    await onStage(async (act) => {
      const { rolling, says } = await approving(act);
      await rolling.executeUpdate('pause', BY);
      await phase(act, rolling, 'paused');
      says.now = 'unhealthy';
      await heldAsUnhealthy(act, rolling);
      const newest = await continues(act, rolling);
      await heldAsUnhealthy(act, newest);
      await newest.executeUpdate('approve', approvedBy('ann'));
      expect(await phase(act, newest, 'paused')).toMatchObject({ reason: 'paused by ann', weight: 10 });
      await newest.executeUpdate('resume', BY);
      expect((await ending(rolling)).outcome).toBe('succeeded');
    }, SHORT);
  });
});

describe('skip', () => {
  /** Waits until the bake at this weight is over and its last counts are on their way, which take as long as the watcher's pace. */
  async function ends({ env }: Act, rolling: Rolling, at: number): Promise<void> {
    await until('the end of the bake', async () => {
      await env.sleep('30s');
      const { phase: now, waitingFor, weight } = await rolling.query<RolloutView>('status');
      return weight === at && now === 'baking' && (waitingFor?.until ?? 0) < (await env.currentTimeMs());
    });
  }

  test.each(['skip', 'promote'])('%s that comes as a bake ends does not apply to the next one', async (verb) => {
    await onStage(async (act) => {
      act.target.pace = '10m';
      const rolling = await act.start('canary', canary([15 * MINUTE, 2 * HOUR]));
      await ends(act, rolling, 10);
      await rolling.executeUpdate(verb, BY);
      act.target.pace = '1m';
      const { outcome, stages } = await ending(rolling);
      expect(outcome).toBe('succeeded');
      const fifty = stages.find(({ name }) => name === '50%');
      expect((fifty?.endedAt ?? 0) - (fifty?.startedAt ?? 0)).toBeGreaterThanOrEqual(2 * HOUR);
    });
  });

  test.each(['skip', 'promote'])(
    '%s does not apply to the bake after a comparison at half the traffic',
    async (verb) => {
      await onStage(async (act) => {
        const { target } = act;
        target.ceilingOnly = true;
        target.pace = '10m';
        const back = () => target.writes.some(({ step }) => step.endsWith('.back'));
        target.verdict = (weight) =>
          weight === 100 && !back() && Context.current().cancellationSignal.aborted ? 'unhealthy' : 'healthy';
        const rolling = await act.start('canary', canary([MINUTE, MINUTE, 30 * MINUTE]));
        await ends(act, rolling, 100);
        await rolling.executeUpdate(verb, BY);
        target.pace = '1m';
        const { events, outcome, endedAt } = await ending(rolling);
        expect(outcome).toBe('succeeded');
        const forward = events.find(({ text }) => text.endsWith('forward again'));
        expect((endedAt ?? 0) - (forward?.at ?? Number.NaN)).toBeGreaterThanOrEqual(30 * MINUTE);
      });
    },
  );

  test('promote that comes while a hold reads its last counts does not apply to the next bake', async () => {
    await onStage(async (act) => {
      act.target.verdict = (weight) => (weight === 10 ? 'undecided' : 'healthy');
      const rolling = await act.start('canary', canary([10 * MINUTE, 2 * HOUR]));
      await phase(act, rolling, 'held');
      act.target.pace = '10m';
      await act.env.sleep('2m');
      for (const by of ['ann', 'ben']) await rolling.executeUpdate('promote', { args: [{ by }] });
      act.target.pace = '1m';
      const { outcome, stages } = await ending(rolling);
      expect(outcome).toBe('succeeded');
      const fifty = stages.find(({ name }) => name === '50%');
      expect((fifty?.endedAt ?? 0) - (fifty?.startedAt ?? 0)).toBeGreaterThanOrEqual(2 * HOUR);
    });
  });

  test('is refused while a probe runs, before the bake', async () => {
    await onStage(async (act) => {
      const spec = canary([10 * MINUTE]);
      const [first] = spec.strategy.type === 'canary' ? spec.strategy.stages : [];
      first?.probes.push('smoke');
      const goOn = new AbortController();
      let probes = 0;
      act.target.atCall = async (call) => {
        if (call === 'probe' && ++probes === 2)
          await new Promise((done) => goOn.signal.addEventListener('abort', done));
      };
      const rolling = await act.start('canary', spec);
      const view = await phase(act, rolling, 'baking');
      expect(view.waitingFor?.verbs).not.toContain('skip');
      await expect(rolling.executeUpdate('skip', BY)).rejects.toMatchObject({
        cause: { message: 'no bake is running' },
      });
      goOn.abort();
      expect((await ending(rolling)).outcome).toBe('succeeded');
    });
  });

  test('is refused during a comparison at half the traffic', async () => {
    await onStage(async (act) => {
      const { target, env } = act;
      target.ceilingOnly = true;
      const back = () => target.writes.some(({ step }) => step.endsWith('.back'));
      target.verdict = (weight) => (weight === 100 && !back() ? 'unhealthy' : 'healthy');
      const rolling = await act.start('canary', canary([MINUTE, MINUTE, HOUR]));
      await until('the comparison', async () => {
        await env.sleep('10s');
        return back() && (await rolling.query<RolloutView>('status')).phase === 'baking';
      });
      await expect(rolling.executeUpdate('skip', BY)).rejects.toMatchObject({
        cause: { message: 'no bake is running' },
      });
      expect((await ending(rolling)).outcome).toBe('succeeded');
    });
  });
});
