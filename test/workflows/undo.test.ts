/** An undo restores: nothing that it sees brings the bad release back, and only a person does. */
import { SluiceError } from '../../src/model/errors.js';
import type { Spec } from '../../src/model/spec.js';
import { specFor } from '../support/specs.js';
import { until } from '../support/until.js';
import type { Act } from './stage.js';
import { ending, mustTellTheSwitch, onStage, phase } from './stage.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const WEBHOOK = { notify: [{ webhook: 'https://chat.example.com/x' }] };
const BACK = { stable: '1', candidate: null, weight: 0 };
const BAD = { stable: '2', candidate: null, weight: 0 };

/** Release 2 is live, and what it replaced is 1. */
async function undoing({ start, target }: Act, more: Partial<Spec> = {}) {
  const spec = { ...specFor({ type: 'undo', bake: MINUTE }), ...WEBHOOK, ...more };
  target.split = BAD;
  target.undo = { version: '1', window: 24 * HOUR, spec: { ...spec } };
  return start('undo', { ...spec, release: { version: '1' } });
}

const readied = { configuration: { provisionedConcurrency: 3 } };

describe('an undo', () => {
  test('probes nothing before the weight, and keeps it whatever the judge says; the webhooks are told', async () => {
    await onStage(async (act) => {
      const { target } = act;
      target.probePasses = false;
      target.verdict = () => 'unhealthy';
      const view = await ending(await undoing(act));
      expect(view).toMatchObject({
        outcome: 'succeeded',
        reason: expect.stringMatching(/^release 1 is live again; warning: 1 does not look healthy: unhealthy at 100 %/),
        warnings: [expect.stringContaining('unhealthy at 100 %')],
      });
      expect(target.split).toEqual(BACK);
      expect(target.writes.map(({ split }) => split)).toEqual([BACK]);
      expect(target.calls).not.toContain('probe');
      expect(target.notified.map(({ type }) => type)).toEqual(['warning', 'ended']);
    });
  });

  test('is in the ledger from when it gave its release all traffic; the rollback window starts at its end', async () => {
    await onStage(async (act) => {
      const { events } = await ending(await undoing(act, { rollbackWindow: HOUR }));
      mustTellTheSwitch(act, events, '1 is the stable release');
    });
  });

  test.each(['undecided', 'noData', 'blind'] as const)('ends after its bake if the judge says %s', async (state) => {
    await onStage(async (act) => {
      act.target.verdict = () => state;
      const view = await ending(await undoing(act));
      expect(view).toMatchObject({ outcome: 'succeeded', reason: 'release 1 is live again' });
      expect(act.target.split).toEqual(BACK);
    });
  });

  test('waits for capacity no longer than deadlines.warm, and then shifts the traffic anyway', async () => {
    await onStage(async (act) => {
      const { target } = act;
      target.fault = (name) => (name === 'warm' ? new SluiceError('SLUICE_BUSY', 'still allocating') : null);
      const rolling = await undoing(act, readied);
      const view = await ending(rolling);
      expect(view).toMatchObject({
        outcome: 'succeeded',
        warnings: [expect.stringMatching(/^1 gets the traffic before its capacity is ready: .*still allocating/)],
      });
      expect(target.split).toEqual(BACK);
    });
  });

  test('that the provider refuses is retried until it succeeds, stuck meanwhile, and nothing is rolled back', async () => {
    await onStage(async (act) => {
      const { target } = act;
      let refusals = 3;
      target.fault = (name) =>
        name === 'promote' && refusals-- > 0 ? new SluiceError('SLUICE_REFUSED', 'not today') : null;
      const rolling = await undoing(act);
      expect((await phase(act, rolling, 'stuck')).reason).toContain('the undo has not succeeded yet: not today');
      expect(await ending(rolling)).toMatchObject({ outcome: 'succeeded' });
      expect(target.writes.map(({ split }) => split)).toEqual([BACK]);
      expect(target.notified.map(({ type }) => type)).toContain('stuck');
    });
  });

  test('aborted in the middle returns to the release that was live before it', async () => {
    await onStage(async (act) => {
      const rolling = await undoing(act);
      await phase(act, rolling, 'baking');
      expect(act.target.split).toEqual(BACK);
      await rolling.signal('abort', { by: 'ann' });
      expect(await ending(rolling)).toMatchObject({ outcome: 'rolledBack', reason: 'aborted by ann', stable: '2' });
      expect(act.target.split).toEqual(BAD);
    });
  });

  test('aborted while it is stuck ends at once', async () => {
    await onStage(async (act) => {
      act.target.fault = (name) => (name === 'promote' ? new SluiceError('SLUICE_REFUSED', 'never') : null);
      const rolling = await undoing(act);
      await phase(act, rolling, 'stuck');
      await rolling.signal('abort', { by: 'ann' });
      expect(await ending(rolling)).toMatchObject({ outcome: 'rolledBack' });
      expect(act.target.split).toEqual(BAD);
    });
  });

  test('ends its bake early, and only that, if a newer release arrives', async () => {
    await onStage(async (act) => {
      const rolling = await undoing(act, { strategy: { type: 'undo', bake: 24 * HOUR } });
      await phase(act, rolling, 'baking');
      await rolling.signal('supersede', { by: 'ben' });
      expect(await ending(rolling)).toMatchObject({ outcome: 'succeeded' });
      expect(act.target.split).toEqual(BACK);
    });
  });

  test('continues after a pause that nobody ends', async () => {
    await onStage(async (act) => {
      const rolling = await undoing(act);
      await phase(act, rolling, 'baking');
      await rolling.signal('pause', { by: 'ann' });
      await until('the pause', async () => (await rolling.query<{ phase: string }>('status')).phase === 'paused');
      expect(await ending(rolling)).toMatchObject({ outcome: 'succeeded' });
      expect(act.target.split).toEqual(BACK);
    });
  });
});
