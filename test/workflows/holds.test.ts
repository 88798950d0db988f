/** A hold within a wait: the candidate turns unhealthy, by policy a person is asked, and the wait goes on once they have answered. */
import { Context } from '@temporalio/activity';
import type { Bake } from '../../src/model/spec.js';
import type { RolloutView } from '../../src/model/view.js';
import type { VerdictState } from '../../src/model/words.js';
import { canary } from '../support/specs.js';
import { until } from '../support/until.js';
import { type Act, ending, onStage, phase, type Rolling } from './stage.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const BY: { args: [{ by: string }] } = { args: [{ by: 'ann' }] };
const UNHEALTHY = '2 is unhealthy: unhealthy at 10 %';

/** A canary whose policy asks a person about an unhealthy candidate. */
function asking(remindEvery: number, approvalAt?: number, bakes: Bake[] = [10 * MINUTE]) {
  const spec = canary(bakes, approvalAt);
  spec.health.policy = { ...spec.health.policy, onUnhealthy: 'hold', remindEvery };
  return spec;
}

/** What the judge says at 10 %: `now` while the watcher runs, and `last` as it ends. */
interface Says {
  now: VerdictState;
  last: VerdictState;
}

/** A rollout that is held at 10 % because the judge could not decide. */
async function undecided(act: Act, remindEvery = 12 * HOUR): Promise<{ rolling: Rolling; says: Says }> {
  const says: Says = { now: 'undecided', last: 'undecided' };
  act.target.verdict = (weight) => {
    if (weight !== 10) return 'healthy';
    return Context.current().cancellationSignal.aborted ? says.last : says.now;
  };
  const rolling = await act.start('canary', asking(remindEvery));
  await phase(act, rolling, 'baking');
  await act.env.sleep(10 * MINUTE);
  await phase(act, rolling, 'held');
  return { rolling, says };
}

function heldAsUnhealthy({ env }: Act, rolling: Rolling): Promise<RolloutView> {
  return until('the hold over an unhealthy candidate', async () => {
    const view = await rolling.query<RolloutView>('status');
    if (view.phase === 'held' && view.reason === UNHEALTHY) return view;
    await env.sleep('1s');
    return null;
  });
}

/** A person has it baked again: it does, for the whole of the bake, and then passes. */
async function bakesAgain(act: Act, rolling: Rolling, says: Says): Promise<void> {
  Object.assign(says, { now: 'healthy', last: 'healthy' });
  await rolling.executeUpdate('retry', BY);
  const { phaseSince, weight } = await phase(act, rolling, 'baking');
  expect(weight).toBe(10);
  const view = await ending(rolling);
  expect(view.outcome).toBe('succeeded');
  expect((view.stages.find(({ name }) => name === '10%')?.endedAt ?? 0) - phaseSince).toBeGreaterThanOrEqual(
    10 * MINUTE,
  );
}

describe('a hold over no verdict, whose candidate turns unhealthy', () => {
  test('cannot be promoted, and bakes again when a person says retry', async () => {
    await onStage(async (act) => {
      const { rolling, says } = await undecided(act);
      says.now = 'unhealthy';
      await heldAsUnhealthy(act, rolling);
      await expect(rolling.executeUpdate('promote', BY)).rejects.toMatchObject({
        cause: { message: 'an unhealthy candidate is not promoted; abort, or retry the bake' },
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

  test.each(['retry', 'reminder'] as const)('bakes again where the counts came with a %s', async (what) => {
    await onStage(async (act) => {
      const { rolling, says } = await undecided(act, what === 'reminder' ? HOUR : 12 * HOUR);
      says.last = 'unhealthy';
      if (what === 'retry') await rolling.executeUpdate('retry', BY);
      else await act.env.sleep(HOUR);
      await heldAsUnhealthy(act, rolling);
      await bakesAgain(act, rolling, says);
    });
  });

  test('is aborted as any other', async () => {
    await onStage(async (act) => {
      const { rolling, says } = await undecided(act);
      says.now = 'unhealthy';
      await heldAsUnhealthy(act, rolling);
      await rolling.executeUpdate('abort', BY);
      expect(await ending(rolling)).toMatchObject({ outcome: 'rolledBack', reason: 'aborted by ann' });
      expect(act.target.split).toEqual({ stable: '1', candidate: null, weight: 0 });
    });
  });

  test('is compared at half the traffic where only a ceiling speaks against it', async () => {
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
        'canary-100.bake.back',
        'canary-100.bake.forward',
      ]);
      // After it, the bake is one like any other.
      expect(target.watched.at(-1)).toMatchObject({ weight: 100, held: false });
    });
  });
});

test.each<keyof Says>(['now', 'last'])(
  'a comparison at half the traffic that is held is made anew before the release goes forward: %s',
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

describe('a pause in which the candidate turns unhealthy', () => {
  test('goes on once a person has answered, watched, and ends with resume', async () => {
    await onStage(async (act) => {
      const { target } = act;
      let says: VerdictState = 'healthy';
      target.verdict = (weight) => (weight === 10 ? says : 'healthy');
      const rolling = await act.start('canary', asking(12 * HOUR));
      await phase(act, rolling, 'baking');
      await act.env.sleep(5 * MINUTE);
      await rolling.executeUpdate('pause', BY);
      const { phaseSince: since } = await phase(act, rolling, 'paused');
      says = 'unhealthy';
      await heldAsUnhealthy(act, rolling);
      says = 'healthy';
      const watchers = target.watched.length;
      await rolling.executeUpdate('retry', BY);
      const paused = await phase(act, rolling, 'paused');
      expect(paused).toMatchObject({ reason: 'paused by ann', weight: 10 });
      expect(paused.waitingFor?.until).toBe(since + 24 * HOUR);
      await until('a watcher of the pause', () => target.watched.length > watchers);
      await rolling.executeUpdate('resume', BY);
      await phase(act, rolling, 'baking');
      expect((await ending(rolling)).outcome).toBe('succeeded');
    });
  });

  test('ends where only a ceiling speaks against the candidate, which is compared at half the traffic', async () => {
    await onStage(async (act) => {
      const { target } = act;
      target.ceilingOnly = true;
      let says: VerdictState = 'healthy';
      const back = () => target.writes.some(({ step }) => step.endsWith('.back'));
      target.verdict = (weight) => (weight === 100 && !back() ? says : 'healthy');
      const rolling = await act.start('canary', canary([MINUTE, MINUTE, HOUR]));
      await until('the bake at 100 %', async () => {
        await act.env.sleep('10s');
        const { weight, phase: now } = await rolling.query<RolloutView>('status');
        return weight === 100 && now === 'baking';
      });
      await rolling.executeUpdate('pause', BY);
      await phase(act, rolling, 'paused');
      says = 'unhealthy';
      const { outcome, events } = await ending(rolling);
      expect(outcome).toBe('succeeded');
      expect(target.writes.slice(3).map(({ step }) => step)).toEqual([
        'canary-100.bake.back',
        'canary-100.bake.forward',
      ]);
      expect(events.map(({ text }) => text)).toContain(
        'the pause by ann ends, since the release must be compared with the old one',
      );
    });
  });
});
