/** The ways out of a foreign change: kept, written over, adopted; said by a verb, by a signal, or by Temporal's own Cancel. */
import { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { SluiceError } from '../../src/model/errors.js';
import type { RolloutView } from '../../src/model/view.js';
import type { Split } from '../../src/platforms/port.js';
import { canary } from '../support/specs.js';
import { until } from '../support/until.js';
import { type Act, ending, onStage, phase, type Rolling } from './stage.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const BY = { by: 'ann' };
/** A colleague's fix at 3 a.m. */
const FIX: Split = { stable: '7', candidate: null, weight: 0 };
const OURS: Split = { stable: '1', candidate: '2', weight: 33 };

type Way = 'forward' | 'back';

const view = (rolling: Rolling) => rolling.query<RolloutView>('status');

/** Stuck on `split`, found by a write on the way forward, or by going back after an abort that came before it. */
async function stuckOn(act: Act, split: Split, way: Way): Promise<Rolling> {
  const { start, target, env } = act;
  const rolling = await start('canary', canary([HOUR]));
  await phase(act, rolling, 'baking');
  target.foreign(split);
  if (way === 'back') await rolling.executeUpdate('abort', { args: [BY] });
  else await env.sleep(2 * HOUR);
  await phase(act, rolling, 'stuck');
  return rolling;
}

/** What an update was refused with. */
async function refusalOf(work: Promise<unknown>): Promise<string> {
  const error: Error & { cause?: unknown } = await work.then(
    () => new Error('it was taken'),
    (refused: Error) => refused,
  );
  return error.cause instanceof Error ? error.cause.message : error.message;
}

const BOTH: Way[] = ['forward', 'back'];

describe.each(BOTH)('a foreign change found on the way %s', (way) => {
  test('is kept by abort --keep: nothing more is written, and the rollout ends as abandoned', async () => {
    await onStage(async (act) => {
      const rolling = await stuckOn(act, FIX, way);
      const writes = act.target.writes.length;
      await rolling.executeUpdate('abort', { args: [{ ...BY, keep: true, comment: 'the fix of tonight' }] });
      const end = await ending(rolling);
      expect(end).toMatchObject({
        outcome: 'abandoned',
        split: FIX,
        kept: { split: FIX, by: 'ann', unwatched: false },
        weight: 0,
      });
      const before = way === 'back' ? '. It was rolling back: aborted by ann' : '';
      expect(end.reason).toBe(`ann kept someone else's change (the fix of tonight): all to 7${before}`);
      expect(end.events.map(({ text }) => text)).toContain('abort --keep (the fix of tonight)');
      expect(act.target.writes.length).toBe(writes);
      expect(act.target.split).toEqual(FIX);
      // What was read is what the companion writes down as live.
      const told = act.target.told.at(-1);
      expect(told).toMatchObject({ kind: 'ended', entry: { version: '7', kept: { by: 'ann' } }, undo: null });
    });
  });

  test('is what the views show, not what was planned', async () => {
    await onStage(async (act) => {
      const rolling = await stuckOn(act, FIX, way);
      expect(await view(rolling)).toMatchObject({ phase: 'stuck', split: FIX, weight: 0 });
    });
  });

  test('makes the rollout refuse a plain abort at once, with the choices, also as a signal', async () => {
    await onStage(async (act) => {
      const rolling = await stuckOn(act, FIX, way);
      const said = await refusalOf(rolling.executeUpdate('abort', { args: [BY] }));
      for (const choice of ['{"keep":true}', '{"force":true}']) expect(said).toContain(choice);
      await rolling.signal('abort', BY);
      const { phase: now, refusals } = await until('the refusal', async () => {
        const seen = await view(rolling);
        return seen.refusals.some(({ verb }) => verb === 'abort') ? seen : null;
      });
      expect(now).toBe('stuck');
      expect(refusals.at(-1)?.why).toBe(said);
      await rolling.executeUpdate('abort', { args: [{ ...BY, force: true }] });
      expect((await ending(rolling)).outcome).toBe('rolledBack');
    });
  });

  test('is not kept while our candidate has a part of the traffic, unless it may be unwatched', async () => {
    await onStage(async (act) => {
      const rolling = await stuckOn(act, OURS, way);
      const said = await refusalOf(rolling.executeUpdate('abort', { args: [{ ...BY, keep: true }] }));
      expect(said).toContain('33 %');
      expect(said).toContain('"unwatched":true');
      await rolling.signal('abort', { ...BY, keep: true });
      // The update's own is there too.
      await until(
        'both refusals',
        async () => (await view(rolling)).refusals.filter(({ why }) => why === said).length === 2,
      );
      expect(await view(rolling)).toMatchObject({ phase: 'stuck', split: OURS, weight: 33 });
      await rolling.signal('abort', { ...BY, keep: true, unwatched: true });
      const end = await ending(rolling);
      expect(end).toMatchObject({ outcome: 'abandoned', weight: 33, kept: { split: OURS, unwatched: true } });
      expect(end.reason).toContain('nothing watches');
      expect(end.events.map(({ text }) => text)).toContain('abort --keep --unwatched');
      expect(act.target.split).toEqual(OURS);
      expect(act.target.told.at(-1)).toMatchObject({ entry: { version: '1', kept: { split: OURS, unwatched: true } } });
    });
  });

  test("is kept by Temporal's own Cancel, and the run closes as Canceled", async () => {
    await onStage(async (act) => {
      const rolling = await stuckOn(act, FIX, way);
      const writes = act.target.writes.length;
      await rolling.cancel();
      const error = await rolling.result().catch((failed: unknown) => failed);
      expect(error).toBeInstanceOf(WorkflowFailedError);
      expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
      const { memo } = await rolling.describe();
      expect(memo?.view).toMatchObject({ outcome: 'abandoned', split: FIX });
      expect(act.target.writes.length).toBe(writes);
    });
  });

  test('stays as it is if a Cancel finds a split with our candidate, and the rollout says so', async () => {
    await onStage(async (act) => {
      const rolling = await stuckOn(act, OURS, way);
      await rolling.cancel();
      const { refusals } = await until('the refusal', async () => {
        const seen = await view(rolling);
        return seen.refusals.some(({ verb }) => verb === 'cancel') ? seen : null;
      });
      expect(refusals.at(-1)?.why).toContain('"unwatched":true');
      expect((await view(rolling)).phase).toBe('stuck');
      await rolling.executeUpdate('abort', { args: [{ ...BY, keep: true, unwatched: true }] });
      await expect(rolling.result()).rejects.toThrow(WorkflowFailedError);
      expect((await rolling.describe()).memo?.view).toMatchObject({ outcome: 'abandoned', kept: { unwatched: true } });
    });
  });

  test('ends the rollout without a read if the target cannot be read and may be unwatched', async () => {
    await onStage(async (act) => {
      act.target.fault = (name) => (name === 'read' ? new SluiceError('SLUICE_PERMISSION', 'access denied') : null);
      const rolling = await stuckOn(act, FIX, way);
      const said = await refusalOf(rolling.executeUpdate('abort', { args: [{ ...BY, keep: true }] }));
      expect(said).toContain('access denied');
      await rolling.executeUpdate('abort', { args: [{ ...BY, keep: true, unwatched: true }] });
      const end = await ending(rolling);
      expect(end).toMatchObject({ outcome: 'abandoned', kept: { split: FIX, unwatched: true } });
      expect(end.reason).toContain(': all to 7 when it was last read, which nothing watches');
    });
  });

  test('is not kept if abort --force comes first', async () => {
    await onStage(async (act) => {
      let read: () => void = () => undefined;
      const held = new Promise<void>((resolve) => {
        read = resolve;
      });
      act.target.atCall = async (name) => {
        if (name === 'read') await held;
      };
      const rolling = await stuckOn(act, FIX, way);
      await rolling.signal('abort', { ...BY, keep: true });
      await until('the look', () => act.target.calls.includes('read'));
      await rolling.executeUpdate('abort', { args: [{ by: 'bob', force: true }] });
      read();
      const end = await ending(rolling);
      expect(end).toMatchObject({ outcome: 'rolledBack', kept: null, split: { stable: '1', candidate: null } });
      expect(act.target.split.stable).toBe('1');
    });
  });

  test('is kept by a run that has just continued as new', async () => {
    await onStage(
      async (act) => {
        const rolling = await stuckOn(act, FIX, way);
        const free = act.env.client.workflow.getHandle(rolling.workflowId) as unknown as Rolling;
        for (let i = 0; i < 60; i++) await free.signal('nonsense', i);
        await until('the flood', async () => (await view(free)).refusalsTotal === 60);
        await until('the next run', async () => (await free.describe()).runId !== rolling.firstExecutionRunId);
        await until('the next stop', async () => (await view(free)).phase === 'stuck');
        await free.signal('abort', { ...BY, keep: true });
        expect((await ending(rolling)).outcome).toBe('abandoned');
        expect(act.target.split).toEqual(FIX);
      },
      { limits: { history: 4_000, signals: 25 } },
    );
  });
});

test('keep is refused without a foreign change, and so are choices that exclude each other', async () => {
  await onStage(async (act) => {
    const rolling = await act.start('canary', canary([HOUR]));
    await phase(act, rolling, 'baking');
    const refused = (args: object) => refusalOf(rolling.executeUpdate('abort', { args: [{ ...BY, ...args }] }));
    expect(await refused({ keep: true })).toContain('there is no foreign change to keep');
    expect(await refused({ keep: true, force: true })).toContain('not both');
    expect(await refused({ unwatched: true })).toContain('"keep"');
    expect(await refused({ keep: 'yes' })).toContain('true or false');
    await rolling.executeUpdate('abort', { args: [BY] });
    expect((await ending(rolling)).outcome).toBe('rolledBack');
  });
});

/** Holds all reads of the target until they are let. */
function readsHeld({ target }: Act): () => void {
  let read: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    read = resolve;
  });
  target.over.signal.addEventListener('abort', read);
  target.atCall = async (name) => {
    if (name === 'read') await held;
  };
  return read;
}

test('of two people who keep a foreign change at the same moment, one has kept it and the other is refused', async () => {
  await onStage(async (act) => {
    const rolling = await stuckOn(act, FIX, 'forward');
    const read = readsHeld(act);
    const keeps = ['ann', 'bob'].map((by) => refusalOf(rolling.executeUpdate('abort', { args: [{ by, keep: true }] })));
    await until('both reads', () => act.target.calls.filter((name) => name === 'read').length === 2);
    read();
    const said = await Promise.all(keeps);
    expect(said.sort()).toEqual(['another command arrived meanwhile', 'it was taken']);
    const { events, outcome } = await ending(rolling);
    expect(outcome).toBe('abandoned');
    expect(events.filter(({ text }) => text.startsWith('abort --keep'))).toHaveLength(1);
  });
});

test('a foreign change is not kept by a read from before another one', async () => {
  await onStage(async (act) => {
    const rolling = await stuckOn(act, FIX, 'forward');
    const { phaseSince } = await view(rolling);
    const read = readsHeld(act);
    const keep = refusalOf(rolling.executeUpdate('abort', { args: [{ ...BY, keep: true }] }));
    await until('the read', () => act.target.calls.includes('read'));
    const { atCall } = act.target;
    act.target.atCall = async (name) => {
      if (name === 'shift') act.target.foreign({ ...FIX, stable: '8' });
      await atCall(name);
    };
    await rolling.executeUpdate('retry', { args: [{ by: 'bob', adopt: true }] });
    await until('the next stop', async () => {
      const seen = await view(rolling);
      return seen.phase === 'stuck' && seen.phaseSince !== phaseSince;
    });
    read();
    expect(await keep).toBe('another command arrived meanwhile');
    expect((await view(rolling)).phase).toBe('stuck');
    await rolling.executeUpdate('abort', { args: [{ ...BY, keep: true }] });
    expect(await ending(rolling)).toMatchObject({ outcome: 'abandoned', kept: { split: { stable: '8' } } });
  });
});

test('a Cancel whose rollback meets a foreign change keeps it, since Temporal cancels only once', async () => {
  await onStage(async (act) => {
    const rolling = await act.start('canary', canary([HOUR]));
    await phase(act, rolling, 'baking');
    act.target.foreign(FIX);
    await rolling.cancel();
    await expect(rolling.result()).rejects.toThrow(WorkflowFailedError);
    expect((await rolling.describe()).memo?.view).toMatchObject({ outcome: 'abandoned', split: FIX });
    expect(act.target.split).toEqual(FIX);
  });
});

test('a pause requested before a foreign change happens once the change is adopted', async () => {
  await onStage(async (act) => {
    const { target } = act;
    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    target.atCall = async (name) => {
      if (name === 'shift') await held;
    };
    const rolling = await act.start('canary', canary([MINUTE]));
    await until('the first weight', () => target.calls.includes('shift'));
    await rolling.executeUpdate('pause', { args: [BY] });
    target.foreign({ stable: '1', candidate: '2', weight: 11 });
    go();
    await phase(act, rolling, 'stuck');
    await rolling.executeUpdate('retry', { args: [{ by: 'bob', adopt: true }] });
    expect(await phase(act, rolling, 'paused')).toMatchObject({ reason: 'paused by ann', weight: 10 });
    await rolling.executeUpdate('resume', { args: [BY] });
    expect((await ending(rolling)).outcome).toBe('succeeded');
  });
});

test('an adopted change is what the views show, until the next weight is read back', async () => {
  await onStage(async (act) => {
    const rolling = await stuckOn(act, { stable: '1', candidate: '2', weight: 11 }, 'forward');
    let shifted: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      shifted = resolve;
    });
    act.target.atCall = async (name) => {
      if (name === 'shift') await held;
    };
    await rolling.executeUpdate('retry', { args: [{ ...BY, adopt: true }] });
    await until('the adoption', async () =>
      (await view(rolling)).events.some(({ text }) => text.startsWith('adopted')),
    );
    expect(await view(rolling)).toMatchObject({ weight: 11 });
    shifted();
    expect((await ending(rolling)).outcome).toBe('succeeded');
  });
});
