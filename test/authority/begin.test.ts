/** Who may begin what: the signature, what it is over, the run that asks, and that it counts once. */
import { randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { audienceOf, digestOf, newKey, parsePolicy, sign, signerOf, specDigest } from '../../src/access/index.js';
import { checkBeginning, checkUnused, consume } from '../../src/authority/begin.js';
import type { Grant } from '../../src/authority/grants.js';
import { Access } from '../../src/authority/index.js';
import { Seals } from '../../src/authority/seals.js';
import type { Beginning, StartStatement } from '../../src/model/access.js';
import { HELPER } from '../../src/model/helper.js';
import type { RolloutInput, Spec } from '../../src/model/spec.js';
import type { RolloutType } from '../../src/model/words.js';
import { canary } from '../support/specs.js';
import { fakeServer, HERE, inRun } from './server.js';

const AT = { app: 'checkout', environment: 'production' };
const KEYS = { ann: newKey('ann'), ben: newKey('ben') };
const people = Object.entries(KEYS).map(([name, key]) => `${name}: {keys: ['${key.public}']}`);
const policyOf = (rule: string) =>
  parsePolicy(`people: {${people.join(', ')}}\nrules: [{app: checkout, ${rule}}]`, 'p');
const GRANT_KEY = randomBytes(32).toString('base64');
const AUDIENCE = audienceOf('default');
const INPUT = { ...AT, release: { version: 2 } } as unknown as RolloutInput;
const SPEC = canary([], 50);

const START: StartStatement = {
  act: 'start',
  ...AT,
  strategy: 'canary',
  spec: specDigest({ ...INPUT }),
  release: null,
};
const UNDO: StartStatement = { act: 'undo', ...AT, strategy: 'undo', spec: null, release: '1' };

const tokenOf = async (statement: StartStatement, by: keyof typeof KEYS = 'ann', now = Date.now()) =>
  sign(statement, await signerOf(KEYS[by]), { audience: AUDIENCE, now, valid: 600_000 });

interface Asks {
  act?: Beginning;
  strategy?: RolloutType;
  input?: object;
  version?: string;
  app?: string;
  environment?: string;
}

/** The name of who begins, `nobody has to sign`, or why not. */
async function begins(token: unknown, asks: Asks = {}, rule = 'allow: {start: [ann]}'): Promise<string> {
  const policy = policyOf(rule);
  const { input = INPUT, ...more } = asks;
  const beginner = { ...AT, strategy: 'canary' as const, act: 'start' as const, ...more };
  const certify = () => Promise.reject(new Error('no certificate'));
  const found = policy.rules.find(({ app }) => app === beginner.app) ?? null;
  try {
    const signed = await checkBeginning(
      { ...beginner, input: { ...input, ...(token === undefined ? {} : { token }) } as RolloutInput },
      { policy, audience: AUDIENCE, now: Date.now(), certify, rule: found },
    );
    return signed?.subject.name ?? 'nobody has to sign';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a start', () => {
  test('is allowed to those the rule lists, if they signed the target, the strategy and the spec', async () => {
    expect(await begins(await tokenOf(START))).toBe('ann');
    expect(await begins(await tokenOf(START, 'ben'))).toBe(
      'start checkout/production is refused: ben may not; ann may',
    );
  });

  test.each<[string, Partial<StartStatement>, string]>([
    ['another verb', { act: 'plan' }, 'verb'],
    ['another app', { app: 'other' }, 'app'],
    ['another environment', { environment: 'staging' }, 'environment'],
    ['another strategy', { strategy: 'direct' }, 'strategy'],
    ['another spec', { spec: specDigest({}) }, 'spec'],
  ])('signed for %s is refused', async (_, change, what) => {
    expect(await begins(await tokenOf({ ...START, ...change }))).toBe(
      `start checkout/production is refused: what ann signed is for another ${what}`,
    );
  });

  test('is refused if no rule is about the target', async () => {
    expect(await begins(await tokenOf(START), { app: 'other' })).toBe(
      'start other/production is refused: no rule of the policy is about this target',
    );
  });

  test('must be signed unless anyone may start; a signature is checked even then', async () => {
    const open = 'allow: {start: [anyone]}';
    expect(await begins(undefined)).toContain('there is a policy, and the start is not signed');
    expect(await begins(7)).toContain('the start is not signed');
    expect(await begins(undefined, {}, open)).toBe('nobody has to sign');
    expect(await begins(await tokenOf(START, 'ben'), {}, open)).toBe('ben');
    expect(await begins('forged', {}, open)).toContain('it is not a signed token');
    expect(await begins(await tokenOf({ ...START, app: 'other' }), {}, open)).toContain('for another app');
  });

  test('without a signature is refused with the command that signs it', async () => {
    expect(await begins(undefined)).toContain('`sluice start --login`');
    expect(await begins(undefined, { act: 'moveCallers' })).toContain('`sluice adopt --move-callers --login`');
  });
});

describe('an undo', () => {
  const undo: Asks = { act: 'undo', strategy: 'undo', input: {}, version: '1' };
  const RULE = 'allow: {undo: [ann, ben], hold: [ann]}';

  test.each<[string, Partial<StartStatement>, Asks, string]>([
    ['another release', { release: '2' }, undo, 'release'],
    ['no release', { release: null }, undo, 'release'],
    ['a release that the run does not name', {}, { ...undo, version: undefined as never }, 'release'],
    ['no hold, with a run that holds', {}, { ...undo, input: { hold: true } }, 'choice of --hold or --keep-queue'],
    ['a hold, with a run that does not hold', { hold: true }, undo, 'choice of --hold or --keep-queue'],
    ['a kept queue, with a run that does not keep it', { keepQueue: true }, undo, 'choice of --hold or --keep-queue'],
    [
      'no kept queue, with a run that keeps it',
      {},
      { ...undo, input: { keepQueue: true } },
      'choice of --hold or --keep-queue',
    ],
  ])('signed for %s is refused', async (_, change, asks, what) => {
    expect(await begins(await tokenOf(UNDO), undo, RULE)).toBe('ann');
    expect(await begins(await tokenOf({ ...UNDO, ...change }), asks, RULE)).toContain(`is for another ${what}`);
  });

  test('with a hold also needs the right to hold', async () => {
    const hold = { ...undo, input: { hold: true } };
    expect(await begins(await tokenOf({ ...UNDO, hold: true }), hold, RULE)).toBe('ann');
    expect(await begins(await tokenOf({ ...UNDO, hold: true }, 'ben'), hold, RULE)).toBe(
      'undo checkout/production with --hold is refused: ben may not hold here; ann may',
    );
    expect(await begins(await tokenOf(UNDO, 'ben'), undo, RULE)).toBe('ben');
  });

  test('needs no signature if anyone may undo, nor a hold if anyone may hold', async () => {
    const hold = { ...undo, input: { hold: true } };
    const open = 'allow: {undo: [anyone], hold: [ann]}';
    expect(await begins(undefined, undo, open)).toBe('nobody has to sign');
    expect(await begins(undefined, hold, open)).toContain('the start is not signed');
    expect(await begins(undefined, hold, 'allow: {undo: [anyone]}')).toBe('nobody has to sign');
  });

  test('hold and its end are signed for one run', async () => {
    const unhold: Asks = { act: 'unhold', strategy: 'undo', input: {}, version: 'run-1' };
    const signed = { ...UNDO, act: 'unhold', release: 'run-1' } as const;
    expect(await begins(await tokenOf(signed), unhold, RULE)).toBe('ann');
    expect(await begins(await tokenOf({ ...signed, release: 'run-2' }), unhold, RULE)).toContain('for another hold');
  });
});

describe('a token for a start', () => {
  const seals = new Seals([GRANT_KEY]);

  test('can be used once; the same run may use it again', async () => {
    const { client } = fakeServer();
    await expect(checkUnused(client, 'x')).resolves.toBeUndefined();
    await consume(client, seals, { id: 'x', run: 'run-1' });
    await consume(client, seals, { id: 'x', run: 'run-1' });
    await expect(consume(client, seals, { id: 'x', run: 'run-2' })).rejects.toThrow('was already used; start anew');
    await expect(checkUnused(client, 'x')).rejects.toThrow('was already used; start anew');
    await expect(consume(client, seals, { id: 'y', run: 'run-2' })).resolves.toBeUndefined();
  });

  test('is marked as used by a workflow on our own queue, whose id the server accepts once', async () => {
    const { client, taken } = fakeServer();
    await consume(client, seals, { id: 'x', run: 'run-1' });
    expect([...taken]).toEqual([['proof-x', { type: HELPER, queue: 'sluice', memo: { seal: expect.any(String) } }]]);
  });

  test.each<[string, () => Promise<{ type?: string; queue?: string; seal: unknown }>, string]>([
    ['of another type', async () => ({ type: 'other', seal: null }), 'was already used ('],
    ['on another queue', async () => ({ queue: 'evil', seal: null }), 'was already used ('],
    ['without a seal', async () => ({ seal: null }), 'was already used; start anew'],
    [
      'sealed for another start',
      async () => ({ seal: await seals.make('proof', { id: 'y', run: 'run-1' }) }),
      'was already used; start anew',
    ],
    [
      'sealed as something else',
      async () => ({ seal: await seals.make('grant', { id: 'x', run: 'run-1' }) }),
      'was already used; start anew',
    ],
  ])('stays used if the workflow that marks it is %s', async (_, made, says) => {
    const { client, taken } = fakeServer();
    const { type = HELPER, queue = 'sluice', seal } = await made();
    taken.set('proof-x', { type, queue, memo: { seal } });
    await expect(consume(client, seals, { id: 'x', run: 'run-1' })).rejects.toThrow(says);
  });
});

describe('the run that asks', () => {
  const access = new Access({ policy: policyOf('allow: {start: [ann], override: [ben]}'), keys: [GRANT_KEY] });
  const grantOf = async (made: string | null) => new Seals([GRANT_KEY]).open<Grant>('grant', made);
  const begin = async (began: object | null, execution: object | undefined = HERE, more: Partial<Asks> = {}) => {
    const { client } = fakeServer(began);
    const token = await tokenOf({ ...START, ...(more.act === undefined ? {} : { act: more.act }) });
    const input = { ...INPUT, token } as RolloutInput;
    return inRun(() => access.begin(client, { ...AT, type: 'canary', input, spec: SPEC }), execution);
  };

  test('gets its own grant, in the name of the person who signed', async () => {
    const { spec, access: record } = await begin({});
    expect(spec.startedBy).toBe('ann');
    expect(record).toMatchObject({ policy: expect.any(String), starter: 'ann', open: [] });
    expect(await grantOf(record.grant)).not.toHaveProperty('undo');
    expect(await grantOf(record.grant)).toMatchObject({
      ...{ spec: digestOf({ ...SPEC, startedBy: 'ann' }) },
      ...{ ...AT, workflow: HERE.workflowId, run: HERE.runId, first: HERE.runId, starter: 'ann' },
      ...{ openOverride: false, may: ['prepare', 'notify', 'tellCompanion', 'decide', 'renew'] },
    });
  });

  test.each<[string, object | null, string]>([
    ['the server does not know', null, 'the server does not know the run that asks'],
    ['was made by Reset', { originalExecutionRunId: 'run-0' }, 'was made by Reset'],
    ['is on another queue', { taskQueue: { name: 'evil' } }, 'it runs on task queue evil, not on sluice'],
    [
      'takes its tasks from its starter (an eager start)',
      { eagerExecutionAccepted: true },
      'bypassing the workers (an eager start)',
    ],
    ['continues another one', { continuedExecutionRunId: 'run-0' }, 'a run that continues another starts nothing'],
    ['was started with a delay', { firstWorkflowTaskBackoff: { seconds: 1 } }, 'a delayed start'],
    ['is of another type', { workflowType: { name: 'direct' } }, 'of type direct is not a canary rollout'],
  ])('is refused if it is a run that %s', async (_, began, says) => {
    await expect(begin(began)).rejects.toThrow(says);
  });

  test.each(['other/production', 'checkout/staging', 'checkout', 'companion/checkout/production'])(
    'is refused if it runs as %s',
    async (workflowId) => {
      await expect(begin({}, { ...HERE, workflowId })).rejects.toThrow(
        'is not a canary rollout of checkout/production',
      );
    },
  );

  test('may wait for a worker as long as necessary if the token was signed in time', async () => {
    const hourAgo = Date.now() - 3_600_000;
    const input = { ...INPUT, token: await tokenOf(START, 'ann', hourAgo) } as RolloutInput;
    const of = { ...AT, type: 'canary' as const, input, spec: SPEC };
    const begun = (startedAt: number) => inRun(() => access.begin(fakeServer({}, startedAt).client, of));
    await expect(begun(hourAgo)).resolves.toMatchObject({ access: { starter: 'ann' } });
    await expect(begun(Date.now())).rejects.toThrow('it has expired');
    // Nor does a server's clock that is ahead make one valid that is signed in the future.
    const ahead = { ...INPUT, token: await tokenOf(START, 'ann', Date.now() + 3_600_000) } as RolloutInput;
    const server = fakeServer({}, Date.now() + 3_600_000);
    await expect(inRun(() => access.begin(server.client, { ...of, input: ahead }))).rejects.toThrow('in the future');
  });

  test.each<[string, StartStatement['act'], string[]]>([
    [HELPER, 'plan', ['inspect', 'callers']],
    ['adoptTarget', 'adopt', ['claim']],
  ])('may only do that if it asks for %s', async (type, act, may) => {
    const { access: record } = await begin({ workflowType: { name: type } }, { ...HERE, workflowId: 'x' }, { act });
    expect((await grantOf(record.grant))?.may).toEqual(may);
  });

  test('does not use a token up if it only plans; otherwise it does', async () => {
    const { client, taken } = fakeServer({ workflowType: { name: HELPER } });
    const input = { ...INPUT, token: await tokenOf({ ...START, act: 'plan' }) } as RolloutInput;
    await inRun(() => access.begin(client, { ...AT, type: 'canary', input, spec: SPEC }));
    expect(taken.size).toBe(0);
    const other = fakeServer();
    const start = { ...INPUT, token: await tokenOf(START) } as RolloutInput;
    await inRun(() => access.begin(other.client, { ...AT, type: 'canary', input: start, spec: SPEC }));
    expect(other.taken.size).toBe(1);
  });

  test('is refused for a spec under a floor or for another target; a plan only for another target', async () => {
    const strict = new Access({
      policy: policyOf("allow: {start: [ann]}, targets: ['default/checkout:*'], floors: {strategies: [direct]}"),
      keys: [GRANT_KEY],
    });
    const of = async (type: string, act: StartStatement['act'], spec: Spec) => {
      const input = { ...INPUT, token: await tokenOf({ ...START, act }) } as RolloutInput;
      const { client } = fakeServer({ workflowType: { name: type } });
      return inRun(() => strict.begin(client, { ...AT, type: 'canary', input, spec }));
    };
    await expect(of('canary', 'start', SPEC)).rejects.toThrow('strategy canary is not allowed here; use direct');
    await expect(of(HELPER, 'plan', SPEC)).resolves.toMatchObject({ access: { starter: 'ann' } });
    const elsewhere = { ...SPEC, target: { ...SPEC.target, account: 'prod' } };
    await expect(of(HELPER, 'plan', elsewhere)).rejects.toThrow('plan checkout/production is refused: target');
  });

  test.each([
    [true, false],
    [false, true],
  ])('has in its undo grant what was signed: a hold %s, the queue kept %s', async (hold, keepQueue) => {
    const by = new Access({ policy: policyOf('allow: {undo: [ann], hold: [ann]}'), keys: [GRANT_KEY] });
    const token = await tokenOf({ ...UNDO, hold, keepQueue });
    const { client } = fakeServer({ workflowType: { name: 'undo' } });
    const of = { ...AT, type: 'undo' as const, input: { token, hold, keepQueue } as never, version: '1', spec: SPEC };
    const { access: record } = await inRun(() => by.begin(client, of));
    expect(await grantOf(record.grant)).toMatchObject({
      undo: { hold, keepQueue },
      may: expect.arrayContaining(['decide']),
    });
  });

  test('may do only that if it moves callers', async () => {
    const by = new Access({
      policy: policyOf('allow: {moveCallers: [ann]}, floors: {strategies: [direct]}'),
      keys: [GRANT_KEY],
    });
    const token = await tokenOf({ ...START, act: 'moveCallers', release: 'as shown' });
    const { client, taken } = fakeServer({ workflowType: { name: 'moveCallers' } });
    const of = {
      ...AT,
      type: 'canary' as const,
      input: { ...INPUT, token } as RolloutInput,
      version: 'as shown',
      spec: SPEC,
    };
    const { access: record } = await inRun(() => by.begin(client, of));
    expect((await grantOf(record.grant))?.may).toEqual(['callers', 'moveCallers']);
    expect(taken.size).toBe(1);
  });

  test('uses a token up for itself: the same token is refused in another run', async () => {
    const server = fakeServer();
    const input = { ...INPUT, token: await tokenOf(START) } as RolloutInput;
    const begun = (runId: string) => {
      const { client } = fakeServer({ originalExecutionRunId: runId, firstExecutionRunId: runId });
      const shared = { ...server.client, workflowService: { ...client.workflowService } } as typeof client;
      Object.assign(shared.workflowService, {
        describeWorkflowExecution: server.client.workflowService.describeWorkflowExecution,
      });
      return inRun(() => access.begin(shared, { ...AT, type: 'canary', input, spec: SPEC }), { ...HERE, runId });
    };
    await expect(begun('run-1')).resolves.toBeDefined();
    expect([...server.taken.keys()]).toEqual([`proof-${decodeJwt(String(input.token)).jti}`]);
    await expect(begun('run-1')).resolves.toBeDefined();
    await expect(begun('run-2')).rejects.toThrow('was already used');
  });

  test("has the spec's name if nobody has to sign, uses no token up, and may override if anyone may", async () => {
    const by = new Access({ policy: policyOf('allow: {start: [anyone], override: [anyone]}'), keys: [GRANT_KEY] });
    const { client, taken } = fakeServer();
    const spec = { ...SPEC, startedBy: 'dan' };
    const begun = await inRun(() => by.begin(client, { ...AT, type: 'canary', input: INPUT, spec }));
    expect(begun).toMatchObject({ spec: { startedBy: 'dan' }, access: { starter: null, open: ['override'] } });
    expect(await grantOf(begun.access.grant)).toMatchObject({ starter: null, openOverride: true });
    expect(taken.size).toBe(0);
  });

  test('gets a grant that allows everything if its worker has a key and no policy', async () => {
    const by = new Access({ policy: null, keys: [GRANT_KEY] });
    const begun = await inRun(() => by.begin(fakeServer().client, { ...AT, type: 'canary', input: INPUT, spec: SPEC }));
    expect(begun.access).toMatchObject({ policy: null, starter: null, open: [] });
    expect(await grantOf(begun.access.grant)).toMatchObject({ policy: null, openOverride: true });
  });

  test('may continue as a new run with the same grant; no other run may use it', async () => {
    const { access: record } = await begin({});
    const next = { workflowId: HERE.workflowId, runId: 'run-2' };
    const began = { originalExecutionRunId: 'run-2', firstExecutionRunId: HERE.runId };
    const renewed = (more: object, execution: object = next) =>
      inRun(() => access.renew(fakeServer({ ...began, ...more }).client, record.grant ?? ''), execution);
    expect(await grantOf(await renewed({ continuedExecutionRunId: HERE.runId }))).toMatchObject({
      ...{ run: 'run-2', first: HERE.runId, starter: 'ann' },
    });
    await expect(renewed({})).rejects.toThrow('does not continue run run-1');
    await expect(renewed({ continuedExecutionRunId: 'run-9' })).rejects.toThrow('does not continue run run-1');
    await expect(
      renewed({ continuedExecutionRunId: HERE.runId }, { ...next, workflowId: 'other/production' }),
    ).rejects.toThrow('does not continue run run-1');
  });
});

describe('a release for the queue', () => {
  const access = new Access({ policy: policyOf('allow: {start: [ann]}'), keys: [GRANT_KEY] });
  const admitted = async (
    change: Partial<StartStatement>,
    mode: 'queue' | 'replace',
    by: keyof typeof KEYS = 'ann',
  ) => {
    const { client, taken } = fakeServer();
    const input = { ...INPUT, token: await tokenOf({ ...START, ...change }, by) } as RolloutInput;
    const of = { ...AT, type: 'canary' as const, input, mode, spec: () => SPEC };
    return { client, taken, name: await access.admit(client, of), again: () => access.admit(client, of) };
  };

  test('is shown under the name of the person who signed it, and its token is not used up', async () => {
    const { name, taken, again } = await admitted({}, 'queue');
    expect([name, taken.size, await again()]).toEqual(['ann', 0, 'ann']);
  });

  test('replaces another release only if that was signed', async () => {
    expect((await admitted({ replaces: true }, 'replace')).name).toBe('ann');
    await expect(admitted({}, 'replace')).rejects.toThrow('ann signed a release that waits, not one that replaces');
    await expect(admitted({ replaces: false }, 'replace')).rejects.toThrow('not one that replaces another');
  });

  test('under a floor is refused', async () => {
    const strict = new Access({
      policy: policyOf('allow: {start: [ann]}, floors: {strategies: [direct]}'),
      keys: [GRANT_KEY],
    });
    const input = { ...INPUT, token: await tokenOf(START) } as RolloutInput;
    const of = { ...AT, type: 'canary' as const, input, mode: 'queue' as const, spec: () => SPEC };
    await expect(strict.admit(fakeServer().client, of)).rejects.toThrow('strategy canary is not allowed here');
  });

  test('that anyone may start needs no signature, and is shown without a name', async () => {
    const by = new Access({ policy: policyOf('allow: {start: [anyone]}'), keys: [GRANT_KEY] });
    const of = { ...AT, type: 'canary' as const, input: INPUT, mode: 'replace' as const, spec: () => SPEC };
    expect(await by.admit(fakeServer().client, of)).toBeNull();
  });

  test('is refused if its token was used or its person may not start it', async () => {
    await expect(admitted({}, 'queue', 'ben')).rejects.toThrow('ben may not; ann may');
    const { client, taken } = fakeServer();
    const token = await tokenOf(START);
    const input = { ...INPUT, token } as RolloutInput;
    const of = { ...AT, type: 'canary' as const, input, mode: 'queue' as const, spec: () => SPEC };
    const id = (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { jti: string }).jti;
    taken.set(`proof-${id}`, { type: HELPER, queue: 'sluice', memo: {} });
    await expect(access.admit(client, of)).rejects.toThrow('was already used');
  });

  test('needs no signature if there is no policy', async () => {
    const open = new Access({ policy: null, keys: [] });
    const { client } = fakeServer();
    const of = { ...AT, type: 'canary' as const, input: INPUT, mode: 'replace' as const, spec: () => SPEC };
    expect(await open.admit(client, of)).toBeNull();
    expect(await open.begin(client, { ...AT, type: 'canary', input: INPUT, spec: SPEC })).toMatchObject({
      access: { policy: null, starter: null, grant: null },
    });
  });
});
