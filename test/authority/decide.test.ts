/** What becomes of everything that is said to a running rollout: each check alone, and the whole answer. */
import { randomBytes } from 'node:crypto';
import {
  audienceOf,
  newKey,
  parsePolicy,
  type Rule,
  ruleFor,
  sign,
  signerOf,
  statementKey,
} from '../../src/access/index.js';
import { decide, type Message } from '../../src/authority/decide.js';
import { type Grant, Grants, type Receipt } from '../../src/authority/grants.js';
import { Seals } from '../../src/authority/seals.js';
import type { GateView, MessageAnswer, VerbStatement } from '../../src/model/access.js';

const AT = { app: 'checkout', environment: 'production' };
const KEYS = { ann: newKey('ann'), ben: newKey('ben'), cem: newKey('cem') };
const people = Object.entries(KEYS).map(([name, key]) => `${name}: {keys: ['${key.public}']}`);
const ALLOW =
  'allow: {approve: [ann, ben, cem], reject: [ann, ben], pause: [ben], abort: [ben, cem], retry: [ben, cem], override: [cem]}';
const policyOf = (rule: string) => parsePolicy(`people: {${people.join(', ')}}\nrules: [{${rule}}]`, 'p');
const policy = policyOf(ALLOW);
const rule = ruleFor(policy, AT.app, AT.environment);

const seals = new Seals([randomBytes(32).toString('base64')]);
const grants = new Grants(seals);
const grant = { ...AT, first: 'run-1', starter: 'ann', plan: 'a plan' } as Grant;
const NOW = Date.now();
const GATE: GateView = {
  ...{ id: 'canary-50.approve', stage: '50%', plan: 'a plan', expires: NOW + 60_000, people: 2 },
  ...{ approved: [], approvers: [], notStarter: false, comment: false },
};
const SIGNED = { id: GATE.id, stage: GATE.stage, plan: GATE.plan, expires: GATE.expires };

type Say = Partial<VerbStatement> & { act: VerbStatement['act'] };
const tokenOf = async (say: Say, by: keyof typeof KEYS = 'ben') =>
  sign({ ...AT, run: 'run-1', ...say }, await signerOf(KEYS[by]), {
    ...{ audience: audienceOf('default'), now: NOW, valid: 60_000 },
  });

interface Around {
  gate?: GateView | null;
  rule?: Rule | null;
  used?: string[];
  grant?: Grant;
}

async function answered(messages: Message[], around: Around = {}): Promise<MessageAnswer[]> {
  const certify = () => Promise.reject(new Error('no certificate'));
  const by = { policy, audience: audienceOf('default'), now: NOW, certify, grants, seals, grant };
  const { gate = null, used = [], ...more } = around;
  return decide({ grant: null, messages, gate, used }, { ...by, rule, ...more });
}

/** The one answer to what was signed. */
async function said(say: Say, by: keyof typeof KEYS = 'ben', around: Around = {}): Promise<MessageAnswer> {
  const [answer] = await answered([{ verb: say.act, by: 'someone', token: await tokenOf(say, by) }], around);
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

/** `by ben`, or why not. */
async function heard(...args: Parameters<typeof said>): Promise<string> {
  const answer = await said(...args);
  return answer.ok ? `by ${answer.by}` : answer.why;
}

test('a verb counts as signed, with everything it says, for the person who signed it', async () => {
  const answer = await said({ act: 'retry', adopt: true, comment: 'looked at it' }, 'cem');
  const flags = { full: false, force: false, keep: false, unwatched: false, adopt: true };
  expect(answer).toEqual({
    ...{ ok: true, verb: 'retry', by: 'cem', comment: 'looked at it', stage: null, ...flags, receipt: null },
    ...{ id: expect.any(String), until: Math.floor((NOW + 60_000) / 1000) * 1000 },
  });
});

test('an unsigned or unreadable verb is refused under the name it gives', async () => {
  const long = 'x'.repeat(99);
  expect(
    await answered([
      { verb: 'pause', by: 'ben', token: undefined },
      { verb: 'pause', by: long, token: 'no.token' },
    ]),
  ).toEqual([
    { ok: false, verb: 'pause', by: 'ben', why: 'pause is not signed' },
    { ok: false, verb: 'pause', by: expect.stringMatching(/^x{1,59}…?$|^x{60}$/), why: 'it is not a signed token' },
  ]);
});

test("an error that is not the token's fault does not refuse the verb", async () => {
  await expect(answered([{ verb: 'pause', by: 'ben', token: await certifiedToken() }])).rejects.toThrow(
    'no certificate',
  );
});

async function certifiedToken(): Promise<string> {
  const key = { ...statementKey(), certificate: { by: 'login' as const, sealed: 'x' } };
  return sign({ act: 'pause', ...AT, run: 'run-1' }, key, { audience: audienceOf('default'), now: NOW, valid: 60_000 });
}

test.each<[string, Say, string]>([
  ['another app', { act: 'pause', app: 'other' }, 'it is for another target'],
  ['another environment', { act: 'pause', environment: 'staging' }, 'it is for another target'],
  ['another run', { act: 'pause', run: 'run-2' }, 'it is for another rollout of this target'],
])('a token signed for %s is refused', async (_, say, why) => {
  expect(await heard({ act: 'pause' })).toBe('by ben');
  expect(await said(say)).toEqual({ ok: false, verb: 'pause', by: 'ben', why });
});

test('a token signed for another verb is refused', async () => {
  const token = await tokenOf({ act: 'pause' });
  expect(await answered([{ verb: 'abort', by: 'ben', token }])).toMatchObject([
    { ok: false, why: 'what was signed is pause, not abort' },
  ]);
});

test('a token that was already used is refused, in the same call or a later one', async () => {
  const token = await tokenOf({ act: 'pause' });
  const message = { verb: 'pause' as const, by: 'ben', token };
  const [first, second] = await answered([message, message]);
  expect(second).toMatchObject({ ok: false, why: 'it was already used' });
  if (first?.ok !== true) throw new Error('the first counts');
  expect(await answered([message], { used: [first.id] })).toMatchObject([{ ok: false, why: 'it was already used' }]);
  expect(await answered([message], { used: ['another'] })).toMatchObject([{ ok: true }]);
});

test('a verb that was refused may be sent again', async () => {
  const token = await tokenOf({ act: 'pause' }, 'cem');
  const message = { verb: 'pause' as const, by: 'cem', token };
  expect(await answered([message, message])).toMatchObject([
    { why: 'cem may not pause here; ben may' },
    { why: 'cem may not pause here; ben may' },
  ]);
});

test('a person without the right is refused, and everyone is if no rule is about the target', async () => {
  expect(await heard({ act: 'promote' })).toBe('ben may not promote here; nobody may');
  expect(await heard({ act: 'pause' }, 'ben', { rule: null })).toBe('no rule of the policy is about this target');
});

test.each(['force', 'keep', 'unwatched', 'adopt'] as const)('%s also needs the right to override', async (flag) => {
  const act = flag === 'adopt' ? 'retry' : 'abort';
  expect(await heard({ act })).toBe('by ben');
  expect(await heard({ act, [flag]: true })).toBe('ben may not override here; cem may');
  expect(await heard({ act, [flag]: true }, 'cem')).toBe('by cem');
  expect(await heard({ act, [flag]: true }, 'ann')).toContain(`ann may not ${act} here`);
});

describe('a decision', () => {
  const approve: Say = { act: 'approve', gate: SIGNED };
  const reject: Say = { act: 'reject', gate: SIGNED };

  test('counts at the open gate', async () => {
    expect(await said(approve, 'ben', { gate: GATE })).toMatchObject({ ok: true, by: 'ben', stage: '50%' });
    expect(await said(reject, 'ben', { gate: GATE })).toMatchObject({ ok: true, by: 'ben', stage: '50%' });
  });

  test.each<[string, Say, GateView | null, string]>([
    ['no gate is open', approve, null, 'no approval is open'],
    ['it names no approval', { act: 'approve' }, GATE, 'it names no approval'],
    [
      'it is for another stage',
      { act: 'approve', gate: { ...SIGNED, stage: '10%' } },
      GATE,
      `stage "10%" isn't waiting for approval; "50%" is`,
    ],
    [
      'the step has changed',
      approve,
      { ...GATE, id: 'canary-10.approve' },
      'the approval has changed since it was signed',
    ],
    ['the plan has changed', approve, { ...GATE, plan: 'another' }, 'the approval has changed since it was signed'],
    ['the deadline has changed', approve, { ...GATE, expires: 1 }, 'the approval has changed since it was signed'],
  ])('is refused if %s', async (_, say, gate, why) => {
    expect(await heard(say, 'ben', { gate })).toContain(why);
    expect(await heard({ ...say, act: 'reject' }, 'ben', { gate })).toContain(why);
  });

  test('needs a comment if the gate or the policy asks for one, also to reject', async () => {
    const asking = ruleFor(policyOf(`${ALLOW}, approvals: {comment: true}`), AT.app, AT.environment);
    for (const around of [{ gate: { ...GATE, comment: true } }, { gate: GATE, rule: asking }]) {
      for (const say of [approve, reject]) {
        expect(await heard(say, 'ben', around)).toContain('a comment is needed');
        expect(await heard({ ...say, comment: '  ' }, 'ben', around)).toContain('a comment is needed');
        expect(await heard({ ...say, comment: 'seen' }, 'ben', around)).toBe('by ben');
      }
    }
  });

  test('by the starter is not an approval if the gate or the policy forbids it; the starter may still reject', async () => {
    const asking = ruleFor(policyOf(`${ALLOW}, approvals: {notStarter: true}`), AT.app, AT.environment);
    expect(await heard(approve, 'ann', { gate: GATE })).toBe('by ann');
    for (const around of [{ gate: { ...GATE, notStarter: true } }, { gate: GATE, rule: asking }]) {
      expect(await heard(approve, 'ann', around)).toBe('ann started this rollout; someone else must approve it');
      expect(await heard(approve, 'ben', around)).toBe('by ben');
      expect(await heard(reject, 'ann', around)).toBe('by ann');
    }
  });

  test('by someone who has approved does not count twice; they may still reject', async () => {
    const gate = { ...GATE, approved: ['ben'] };
    expect(await heard(approve, 'ben', { gate })).toBe('ben has approved already; 2 different people are needed');
    expect(await heard(approve, 'cem', { gate })).toBe('by cem');
    expect(await heard(reject, 'ben', { gate })).toBe('by ben');
  });

  test('follows the list of its stage', async () => {
    const staged = ruleFor(policyOf(`${ALLOW}, stages: {50%: {approve: [cem]}}`), AT.app, AT.environment);
    expect(await heard(approve, 'ben', { gate: GATE, rule: staged })).toBe('ben may not approve here; cem may');
    expect(await heard(approve, 'cem', { gate: GATE, rule: staged })).toBe('by cem');
  });
});

describe('a receipt', () => {
  const receiptOf = async (answer: MessageAnswer) => {
    if (!answer.ok) throw new Error(answer.why);
    return answer.receipt === null ? null : seals.open<Receipt>('receipt', answer.receipt);
  };
  const RECEIPT = { rollout: 'checkout/production', run: 'run-1', plan: 'a plan' };

  test('is given for an approval, and names the gate and the person', async () => {
    const answer = await said({ act: 'approve', gate: SIGNED }, 'ben', { gate: GATE });
    expect(await receiptOf(answer)).toEqual({ ...RECEIPT, gate: GATE.id, by: 'ben' });
    expect(await receiptOf(await said({ act: 'reject', gate: SIGNED }, 'ben', { gate: GATE }))).toBeNull();
    expect(await receiptOf(await said({ act: 'pause' }, 'ben', { gate: GATE }))).toBeNull();
  });

  test('is given for an abort with force, not for a plain abort', async () => {
    const aborts: Say[] = [{ act: 'abort', force: true }, { act: 'abort' }, { act: 'abort', keep: true }];
    const receipts = await Promise.all(aborts.map(async (say) => receiptOf(await said(say, 'cem', { gate: GATE }))));
    expect(receipts).toEqual([{ ...RECEIPT, gate: 'override', by: 'cem' }, null, null]);
    expect(await receiptOf(await said({ act: 'retry', adopt: true, force: true }, 'cem'))).toBeNull();
  });
});

describe('a newer release', () => {
  const OWN = { ...AT, run: 'run-1', by: 'ben' };
  const makes = async (of: object, kind: 'supersede' | 'grant' = 'supersede') => {
    const token = await seals.make(kind, of);
    const [answer] = await answered([{ verb: 'supersede', by: 'someone', token }]);
    return answer;
  };

  test('replaces this run if the companion says so', async () => {
    const flags = { full: false, force: false, keep: false, unwatched: false, adopt: false };
    expect(await makes(OWN)).toEqual({
      ...{ ok: true, verb: 'supersede', by: 'ben', comment: null, stage: null, ...flags, receipt: null },
      ...{ id: 'supersede-run-1', until: expect.any(Number) },
    });
    expect(await makes({ ...OWN, by: null })).toMatchObject({ ok: true, by: 'someone' });
  });

  test.each<[string, object]>([
    ['app', { app: 'other' }],
    ['environment', { environment: 'staging' }],
    ['run', { run: 'run-2' }],
  ])('does not replace this run if it is for another %s', async (_, change) => {
    const why = 'it is for another rollout of this target';
    expect(await makes({ ...OWN, ...change })).toEqual({ ok: false, verb: 'supersede', by: 'ben', why });
  });

  test('does not replace this run if no worker has checked it', async () => {
    const why = 'it does not come from the companion of the target';
    expect(await makes(OWN, 'grant')).toEqual({ ok: false, verb: 'supersede', by: 'someone', why });
    expect(await answered([{ verb: 'supersede', by: 'x', token: null }])).toEqual([
      { ok: false, verb: 'supersede', by: 'someone', why },
    ]);
  });
});

test('a seal of one kind does not count as another kind, nor with another key', async () => {
  const other = new Seals([randomBytes(32).toString('base64')]);
  const sealed = await seals.make('receipt', { run: 'run-1' });
  expect(await seals.open('receipt', sealed)).toEqual({ run: 'run-1' });
  for (const kind of ['grant', 'deployed', 'record', 'entry', 'late', 'undo', 'supersede', 'proof'] as const) {
    expect(await seals.open(kind, sealed)).toBeNull();
  }
  expect(await other.open('receipt', sealed)).toBeNull();
  for (const nothing of [undefined, null, 7, '', {}]) expect(await seals.open('receipt', nothing)).toBeNull();
  expect(await new Seals([]).make('receipt', {})).toBeNull();
});
