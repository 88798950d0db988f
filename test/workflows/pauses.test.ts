/** A pause in which something else happens: the candidate turns unhealthy, or an approval is given or runs out of time. */
import type { RolloutView, VerbAnswer } from '../../src/model/view.js';
import type { VerdictState } from '../../src/model/words.js';
import { canary } from '../support/specs.js';
import { until } from '../support/until.js';
import { approvedBy, approving, asking, BY, HOUR, heldAsUnhealthy, MINUTE } from './holding.js';
import { ending, onStage, phase } from './stage.js';

describe('a pause in which the candidate turns unhealthy', () => {
  test('continues, watched, once a person has answered, and ends with resume', async () => {
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

  test('ends if only the ceiling speaks against the candidate, which is compared at half the traffic', async () => {
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
        'canary-100.compare.back',
        'canary-100.compare.forward',
      ]);
      expect(events.map(({ text }) => text)).toContain(
        'the pause by ann ends, since the release must be compared with the old one',
      );
    });
  });
});

describe('a pause at an open approval', () => {
  test('shows the deadline that comes first, and an approval leaves the rollout paused until someone resumes it', async () => {
    await onStage(async (act) => {
      const { rolling } = await approving(act);
      const { waitingFor: asked } = await rolling.query<RolloutView>('status');
      await act.env.sleep(2 * HOUR);
      await rolling.executeUpdate('pause', BY);
      const open = await phase(act, rolling, 'paused');
      expect(open.waitingFor).toMatchObject({ until: asked?.until, otherwise: asked?.otherwise });
      const { message } = await rolling.executeUpdate<VerbAnswer, [object]>('approve', approvedBy('ann'));
      expect(message).toBe('approved; the rollout continues once resumed');
      // Past the deadline of the approval, before that of the pause.
      await act.env.sleep(23 * HOUR);
      const paused = await phase(act, rolling, 'paused');
      expect(paused).toMatchObject({ weight: 10, reason: 'paused by ann' });
      expect(paused.waitingFor?.until).toBe(open.phaseSince + 24 * HOUR);
      expect(paused.events.map(({ text }) => text)).toContain('stage 10% approved; the rollout continues once resumed');
      await rolling.executeUpdate('resume', BY);
      expect((await ending(rolling)).outcome).toBe('succeeded');
    });
  });

  test('ends with the approval, if nobody gives it in time', async () => {
    await onStage(async (act) => {
      const { rolling } = await approving(act);
      await act.env.sleep(2 * HOUR);
      await rolling.executeUpdate('pause', BY);
      await phase(act, rolling, 'paused');
      const { outcome, reason } = await ending(rolling);
      expect({ outcome, reason }).toEqual({ outcome: 'rolledBack', reason: 'stage 10% was not approved within 1d' });
    });
  });
});
