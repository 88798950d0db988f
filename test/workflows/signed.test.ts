/**
 * Where there is a policy: what the workflow itself refuses before a worker is asked, what it makes of the worker's answers, and
 * what it does with those that come late. Who may do what is the worker's to say, and is tested with it.
 */
import { ApplicationFailure } from '@temporalio/activity';
import { type CheckedMessage, LONGEST_TOKEN } from '../../src/model/access.js';
import type { Unsealed } from '../../src/model/sealed.js';
import type { RolloutView } from '../../src/model/view.js';
import { canary } from '../support/specs.js';
import { until } from '../support/until.js';
import { type Act, ending, onStage, phase, type Rolling, type StageOptions } from './stage.js';

const HOUR = 3_600_000;
const POLICY = { policy: 'a policy' };

type Decide = NonNullable<StageOptions['decide']>;
type Asked = Parameters<Decide>[0];

const view = (rolling: Rolling) => rolling.query<RolloutView>('status');

/** What a worker answers when all is well: the token names who signed, and which statement it was. */
function accepted({ verb, token }: Asked['messages'][number], more: Partial<CheckedMessage> = {}): CheckedMessage {
  const none = { full: false, force: false, keep: false, unwatched: false, adopt: false };
  const said = { comment: null, stage: null, ...none, receipt: null };
  return { ok: true, verb, by: String(token).split(' ')[0] ?? '', ...said, id: String(token), until: 9e15, ...more };
}

/** A worker that accepts whatever has a token, once it is let; and all that it was asked. */
function worker(answer: (message: Asked['messages'][number]) => unknown = accepted) {
  const asked: Asked[] = [];
  let open: () => void = () => undefined;
  let gate: Promise<void> = Promise.resolve();
  const decide: Decide = async (args) => {
    asked.push(args);
    await gate;
    return args.messages.map(answer) as Awaited<ReturnType<Decide>>;
  };
  return {
    asked,
    decide,
    /** From now on it answers only after `open`. */
    shut(): void {
      gate = new Promise((resolve) => {
        open = resolve;
      });
    },
    open: () => open(),
  };
}

/** Code and words of what an update was refused with. */
async function refusalOf(work: Promise<unknown>): Promise<string> {
  const error: Error & { cause?: unknown } = await work.then(
    () => new Error('it was taken'),
    (refused: Error) => refused,
  );
  const cause = error.cause instanceof Error ? (error.cause as Error & { type?: string }) : error;
  return `${'type' in cause ? cause.type : ''}: ${cause.message}`;
}

/** Holds a call of the rollout until it is let. */
function held({ target }: Act, activity: string) {
  let goOn: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const call = { begun: false, goOn };
  // A scene that fails must not leave it hanging.
  target.over.signal.addEventListener('abort', goOn);
  target.atCall = async (name) => {
    if (name !== activity) return;
    call.begun = true;
    await gate;
  };
  return call;
}

async function baking(act: Act): Promise<Rolling> {
  const rolling = await act.start('canary', canary([HOUR, HOUR, HOUR]));
  await phase(act, rolling, 'baking');
  return rolling;
}

/** Why things were refused, once as many are recorded. */
async function refusals(rolling: Rolling, many: number): Promise<string[]> {
  return until(`${many} refusals`, async () => {
    const { refusals: all, refusalsTotal } = await view(rolling);
    return refusalsTotal >= many ? all.map(({ verb, by, why }) => `${verb} by ${by}: ${why}`) : null;
  });
}

async function aborted(rolling: Rolling): Promise<void> {
  await rolling.signal('abort', { token: 'zoe 99' });
  expect(await ending(rolling)).toMatchObject({ outcome: 'rolledBack', reason: 'aborted by zoe' });
}

test('what is not signed is refused before a worker is asked, but for the verbs that are open', async () => {
  const { asked, decide } = worker();
  await onStage(
    async (act) => {
      const rolling = await baking(act);
      for (const said of [{ by: 'ann' }, { by: 'ann', token: null }, undefined, null])
        expect(await refusalOf(rolling.executeUpdate('skip', { args: [said] }))).toMatch(
          /^SLUICE_ACCESS: skip is not signed/,
        );
      expect(await refusalOf(rolling.executeUpdate('pause', { args: [{ by: 'ann', force: true }] }))).toMatch(
        /^SLUICE_ACCESS: pause is not signed/,
      );
      // A refusal of the validator leaves nothing in the history.
      const { events } = await rolling.fetchHistory();
      expect((events ?? []).filter((each) => each.workflowExecutionUpdateAcceptedEventAttributes != null)).toEqual([]);
      await rolling.signal('skip', { by: 'ann' });
      await rolling.signal('supersede', { by: 'ben' });
      await rolling.signal('skip', { by: 'cem', token: 'x'.repeat(LONGEST_TOKEN + 1) });
      const whys = await refusals(rolling, 3);
      expect(whys[0]).toMatch(/^skip by ann: skip is not signed/);
      expect(whys[1]).toBe('skip by cem: its token is too long');
      // It is no message to the rollout alone, so it is looked at a moment later.
      expect(whys[2]).toMatch(/^supersede by ben: supersede is not signed/);
      expect(await view(rolling)).toMatchObject({ phase: 'baking', refusalsTotal: 3 });
      expect(asked).toEqual([]);
      expect(await rolling.executeUpdate('pause', { args: [{ by: 'ann' }] })).toMatchObject({ message: 'pauses' });
      expect(await phase(act, rolling, 'paused')).toMatchObject({ reason: 'paused by ann' });
      expect(asked).toEqual([]);
      await rolling.signal('resume', { token: 'y'.repeat(LONGEST_TOKEN) });
      await phase(act, rolling, 'baking');
      await aborted(rolling);
    },
    { access: { ...POLICY, open: ['pause'] }, decide },
  );
});

test('where a policy leaves a verb and the override open, no signature is needed for both together', async () => {
  const { asked, decide } = worker();
  await onStage(
    async (act) => {
      const rolling = await baking(act);
      await rolling.executeUpdate('abort', { args: [{ by: 'ann', force: true }] });
      expect(await ending(rolling)).toMatchObject({ outcome: 'rolledBack', reason: 'aborted by ann' });
      expect(asked).toEqual([]);
    },
    { access: { ...POLICY, open: ['abort', 'override'] }, decide },
  );
});

test('a write behind an approval is shown its receipt, and one before it none', async () => {
  const { decide } = worker((message) =>
    accepted(message, message.verb === 'approve' ? { stage: '10%', receipt: 'ann has approved' } : {}),
  );
  await onStage(
    async (act) => {
      const rolling = await act.start('canary', canary([HOUR], 10));
      await phase(act, rolling, 'baking');
      expect(act.target.receipts).toEqual([]);
      await rolling.executeUpdate('skip', { args: [{ token: 'ben 1' }] });
      await phase(act, rolling, 'awaitingApproval');
      await rolling.executeUpdate('approve', { args: [{ token: 'ann 1' }] });
      expect(await ending(rolling)).toMatchObject({ outcome: 'succeeded' });
      expect(act.target.receipts).toEqual(['ann has approved']);
    },
    { access: POLICY, decide },
  );
});

test('an answer that is none counts for nothing: another verb, no name, no id, no end, or none at all', async () => {
  const answers: Record<string, (message: Asked['messages'][number]) => unknown> = {
    nothing: () => null,
    other: (message) => accepted(message, { verb: 'promote' }),
    nameless: (message) => ({ ...accepted(message), by: 7 }),
    unnumbered: (message) => ({ ...accepted(message), id: undefined }),
    endless: (message) => ({ ...accepted(message), until: 'never' }),
    no: ({ verb }) => ({ ok: false, verb, by: 'ann', why: 'ann may not' }),
    zoe: accepted,
  };
  const { decide } = worker((message) => answers[String(message.token).split(' ')[0] ?? '']?.(message));
  await onStage(
    async (act) => {
      const rolling = await baking(act);
      const names = Object.keys(answers).filter((name) => name !== 'zoe');
      for (const name of names) {
        const words = name === 'no' ? 'skip is refused: ann may not' : 'skip is refused: it could not be checked';
        expect(await refusalOf(rolling.executeUpdate('skip', { args: [{ token: `${name} 1` }] }))).toBe(
          `SLUICE_ACCESS: ${words}`,
        );
      }
      for (const name of names) await rolling.signal('skip', { by: 'eve', token: `${name} 2` });
      const said = names.map((name) =>
        name === 'no' ? 'skip by ann: ann may not' : 'skip by eve: it could not be checked',
      );
      const whys = await refusals(rolling, 2 * names.length);
      expect(whys.slice(0, names.length)).toEqual(said.map((each) => each.replace('eve', 'someone')));
      expect(whys.slice(names.length)).toEqual(said);
      expect((await view(rolling)).phase).toBe('baking');
      await aborted(rolling);
    },
    { access: POLICY, decide },
  );
});

test('a worker that fails or answers no list checks nothing, and says why where it can', async () => {
  let answer: Decide = async () => {
    throw new Error('the policy is gone');
  };
  await onStage(
    async (act) => {
      const rolling = await baking(act);
      const skip = (token: string) => refusalOf(rolling.executeUpdate('skip', { args: [{ token }] }));
      expect(await skip('ann 1')).toBe('SLUICE_ACCESS: skip is refused: it could not be checked: the policy is gone');
      answer = async ({ messages }) => ({ 0: accepted(messages[0] as Asked['messages'][number]) }) as never;
      expect(await skip('ann 2')).toBe('SLUICE_ACCESS: skip is refused: it could not be checked');
      answer = async ({ messages }) => messages.map((message) => accepted(message));
      await aborted(rolling);
    },
    {
      access: POLICY,
      decide: async (args) =>
        answer(args).catch((error: Error) => {
          throw ApplicationFailure.nonRetryable(error.message);
        }),
    },
  );
});

test('a statement counts once, however it is said and whatever is under way', async () => {
  const { asked, decide, shut, open } = worker((message) =>
    accepted(message, { id: String(message.token).slice(0, 5) }),
  );
  await onStage(
    async (act) => {
      const restoring = held(act, 'restore');
      const rolling = await baking(act);
      shut();
      const first = rolling.executeUpdate('pause', { args: [{ token: 'ann 1 a' }] });
      const second = refusalOf(rolling.executeUpdate('pause', { args: [{ token: 'ann 1 b' }] }));
      await until('both to be checked', () => asked.length === 2);
      open();
      const outcomes = await Promise.all([refusalOf(first), second]);
      expect(outcomes.sort()).toEqual([': it was taken', 'SLUICE_ACCESS: pause: it was already used']);
      await phase(act, rolling, 'paused');

      // The same token, while it waits in the line; and another of the same statement, beside it.
      shut();
      for (const token of ['ben 1 a', 'ben 1 a', 'ben 1 b']) await rolling.signal('abort', { by: 'ben', token });
      expect(await refusals(rolling, 1)).toEqual(['abort by ben: it was sent twice']);
      expect(asked.at(-1)?.used).toEqual(['ann 1']);
      open();
      expect(await refusals(rolling, 2)).toEqual([
        'abort by ben: it was sent twice',
        'abort by ben: it was already used',
      ]);
      restoring.goOn();
      expect(await ending(rolling)).toMatchObject({ outcome: 'rolledBack' });
    },
    { access: POLICY, decide },
  );
});

test('what has become impossible while it was checked is refused', async () => {
  const { asked, decide, shut, open } = worker();
  await onStage(
    async (act) => {
      const restoring = held(act, 'restore');
      const rolling = await baking(act);
      shut();
      const late = refusalOf(rolling.executeUpdate('pause', { args: [{ token: 'ann 1' }] }));
      await rolling.signal('pause', { token: 'ben 1' });
      await until('both to be checked', () => asked.length === 2);
      await rolling.executeUpdate('abort', { args: [{ by: 'dan' }] });
      await until('the way back', () => act.target.calls.includes('restore'));
      open();
      const why = 'pause is not possible while restoring: nothing that can be paused is running';
      expect(await late).toBe(`SLUICE_VERB: ${why}`);
      expect(await refusals(rolling, 1)).toEqual([`pause by ben: ${why}`]);
      restoring.goOn();
      expect(await ending(rolling)).toMatchObject({ outcome: 'rolledBack' });
    },
    { access: { ...POLICY, open: ['abort'] }, decide },
  );
});

test('an abort is checked before what has waited longer', async () => {
  const { asked, decide, shut, open } = worker();
  await onStage(
    async (act) => {
      const restoring = held(act, 'restore');
      const rolling = await baking(act);
      shut();
      await rolling.signal('pause', { token: 'ann 1' });
      await until('the first to be checked', () => asked.length === 1);
      for (const verb of ['skip', 'promote', 'abort']) await rolling.signal(verb, { token: `ann ${verb}` });
      await until('all of them', async () => {
        const { events } = await rolling.fetchHistory();
        return (events ?? []).filter((each) => each.workflowExecutionSignaledEventAttributes != null).length === 4;
      });
      // The rollout has heard of them too once it answers.
      await view(rolling);
      open();
      await until('the way back', () => act.target.calls.includes('restore'));
      expect(asked.map(({ messages }) => messages.map(({ token }) => token))).toEqual([
        ['ann 1'],
        ['ann abort', 'ann skip', 'ann promote'],
      ]);
      expect(await refusals(rolling, 2)).toEqual([
        expect.stringMatching(/^skip by ann: /),
        expect.stringMatching(/^promote by ann: /),
      ]);
      restoring.goOn();
      await ending(rolling);
    },
    { access: POLICY, decide },
  );
});

test('a newer release takes the place of the run that it names, and of no other, by the name that a worker has read', async () => {
  const { decide } = worker();
  await onStage(
    async (act) => {
      const rolling = await baking(act);
      const { run } = await view(rolling);
      for (const other of ['another', null, 7]) await rolling.signal('supersede', { run: other, token: 'eve 1' });
      await rolling.signal('supersede', null);
      // Signals are taken in their order.
      expect(await refusals(rolling, 1)).toEqual([
        expect.stringMatching(/^supersede by someone: supersede is not signed/),
      ]);
      expect((await view(rolling)).phase).toBe('baking');
      await rolling.signal('supersede', { run, by: 'eve', token: 'ben 1' });
      expect(await ending(rolling)).toMatchObject({
        outcome: 'superseded',
        reason: 'a newer release by ben replaces it',
      });
    },
    { access: POLICY, decide },
  );
});

test('where there is no policy, what is impossible is refused before it is accepted, and a newer release needs no signature and means one run only', async () => {
  await onStage(async (act) => {
    const rolling = await baking(act);
    for (const verb of ['resume', 'approve']) {
      expect(await refusalOf(rolling.executeUpdate(verb, { args: [{ by: 'ann' }] }))).toMatch(/^SLUICE_VERB: /);
    }
    // Nor does it leave anything in the history.
    const { events } = await rolling.fetchHistory();
    expect((events ?? []).filter((each) => each.workflowExecutionUpdateAcceptedEventAttributes != null)).toEqual([]);
    await rolling.signal('supersede', { run: 'another', by: 'eve' });
    await rolling.signal('supersede', { run: (await view(rolling)).run, by: 'ben' });
    expect(await ending(rolling)).toMatchObject({
      outcome: 'superseded',
      reason: 'a newer release by ben replaces it',
      refusalsTotal: 0,
    });
  });
});

test('where nothing must be signed, a token beside an approval is no signature: stage and name are looked at', async () => {
  await onStage(async (act) => {
    const rolling = await act.start('canary', canary([HOUR], 10));
    await phase(act, rolling, 'baking');
    await rolling.executeUpdate('skip', { args: [{ by: 'ann' }] });
    await phase(act, rolling, 'awaitingApproval');
    const approve = (said: object) =>
      refusalOf(rolling.executeUpdate('approve', { args: [{ ...said, token: 'ann 1' }] }));
    expect(await approve({ stage: '50%', by: 'ann' })).toMatch(/^SLUICE_VERB: stage "50%" isn't waiting for approval/);
    expect(await approve({ by: 'ann' })).toMatch(/^SLUICE_VERB: name the stage/);
    expect(await approve({ stage: '10%' })).toMatch(/^SLUICE_VERB: name who decides/);
    expect(await approve({ stage: '10%', by: 'ann' })).toBe(': it was taken');
    expect(await ending(rolling)).toMatchObject({ outcome: 'succeeded' });
  });
});

test('what comes before the policy is known waits for it, and is checked by it', async () => {
  const { asked, decide } = worker((message) =>
    typeof message.token === 'string'
      ? accepted(message)
      : { ok: false, verb: message.verb, by: message.by, why: 'it has no token' },
  );
  await onStage(
    async (act) => {
      const parsing = held(act, 'parse');
      const rolling = await act.start('canary', canary([HOUR]));
      await until('the parsing', () => parsing.begun);
      await rolling.signal('abort', { by: 'eve' });
      await rolling.signal('supersede', { by: 'eve' });
      await rolling.signal('skip', { by: 'eve' });
      const update = refusalOf(rolling.executeUpdate('abort', { args: [{ by: 'eve' }] }));
      expect(await refusals(rolling, 1)).toEqual([expect.stringMatching(/^skip by eve: skip is not possible while/)]);
      expect(asked).toEqual([]);
      parsing.goOn();
      expect(await update).toBe('SLUICE_ACCESS: abort is refused: it has no token');
      const whys = await refusals(rolling, 4);
      expect(whys.slice(1).sort()).toEqual([
        expect.stringMatching(/^abort by eve: abort is not signed/),
        'abort by eve: it has no token',
        expect.stringMatching(/^supersede by eve: supersede is not signed/),
      ]);
      await phase(act, rolling, 'baking');
      await aborted(rolling);
    },
    { access: POLICY, decide },
  );
});

test('what comes while a run that continues another has no grant of its own waits for that, and is checked with it', async () => {
  const { asked, decide } = worker();
  let renewing = false;
  let renewed: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    renewed = resolve;
  });
  await onStage(
    async (act) => {
      const { target, env } = act;
      target.over.signal.addEventListener('abort', renewed);
      target.grant = 'for the first run';
      const rolling = await baking(act);
      const free = env.client.workflow.getHandle(rolling.workflowId) as unknown as Rolling;
      for (let i = 0; i < 6; i++) await free.signal('nonsense', i);
      await until('the next run', async () => {
        if (!renewing) await env.sleep('1s');
        return renewing;
      });
      await free.signal('pause', { token: 'ann 1' });
      const update = free.executeUpdate('abort', { args: [{ token: 'zoe 1' }] });
      await until('the update', async () => {
        const { events } = await free.fetchHistory();
        return (events ?? []).some((each) => each.workflowExecutionUpdateAcceptedEventAttributes != null);
      });
      expect(asked).toEqual([]);
      renewed();
      expect(await update).toMatchObject({ message: 'rolling back' });
      expect(await ending(rolling)).toMatchObject({ reason: 'aborted by zoe' });
      expect(asked.map(({ grant }) => grant)).toEqual(['for the next run', 'for the next run']);
    },
    {
      ...{ limits: { history: 4_000, signals: 5 }, access: POLICY, decide },
      renew: async () => {
        renewing = true;
        await gate;
        return ['for the next run'];
      },
    },
  );
});

test('an update that waits for the policy of a rollout whose spec is refused is answered', async () => {
  await onStage(async (act) => {
    const parsing = held(act, 'parse');
    // There is nothing to go back to.
    const rolling = await act.start('undo', canary([HOUR]));
    await until('the parsing', () => parsing.begun);
    const update = refusalOf(rolling.executeUpdate('abort', { args: [{ by: 'ann' }] }));
    await until('the update', async () => {
      const { events } = await rolling.fetchHistory();
      return (events ?? []).some((each) => each.workflowExecutionUpdateAcceptedEventAttributes != null);
    });
    parsing.goOn();
    expect(await update).toMatch(/^SLUICE_VERB: abort is not possible while done \(failed\)/);
    await expect(rolling.result()).rejects.toThrow();
  });
});

test('what arrives sealed is looked at as what is in it, and what does not open is refused', async () => {
  const opened: Record<string, Unsealed> = {
    bad: { ok: false, why: 'it is damaged', late: false },
    list: { ok: true, value: [1] },
    skip: { ok: true, value: { by: 'ann', full: 'yes' } },
    abort: { ok: true, value: { by: 'ann', comment: 'wrong ticket' } },
  };
  await onStage(
    async (act) => {
      const rolling = await baking(act);
      const refused = (verb: string, sealed: string) => refusalOf(rolling.executeUpdate(verb, { args: [{ sealed }] }));
      expect(await refused('skip', 'bad')).toBe(
        'SLUICE_SEALED: skip cannot be decrypted, so nothing was done: it is damaged',
      );
      expect(await refused('skip', 'list')).toMatch(/^SLUICE_VERB: the payload must be a JSON object/);
      expect(await refused('skip', 'skip')).toBe('SLUICE_VERB: "full" must be true or false');
      for (const sealed of ['bad', 'list', 'skip']) await rolling.signal('skip', { sealed });
      expect(await refusals(rolling, 4)).toEqual([
        'skip by someone: it is damaged',
        'skip by someone: it is damaged',
        expect.stringMatching(/^skip by someone: the payload must be a JSON object/),
        'skip by ann: "full" must be true or false',
      ]);
      expect((await view(rolling)).phase).toBe('baking');
      await rolling.signal('abort', { sealed: 'abort' });
      expect(await ending(rolling)).toMatchObject({ reason: 'aborted by ann: wrong ticket' });
    },
    { unseal: async ({ sealed }) => sealed.map((each) => opened[each] as Unsealed) },
  );
});
