/** What workers leave for each other by way of a workflow is believed where each part of it is as it was sealed, and not otherwise. */
import { randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { digestOf, newKey, parsePolicy, sign, signerOf } from '../../src/access/index.js';
import { Access } from '../../src/authority/index.js';
import { Seals } from '../../src/authority/seals.js';
import { mark } from '../../src/model/ids.js';
import type { RolloutInput } from '../../src/model/spec.js';
import { makePlan } from '../../src/strategies/registry.js';
import type { LateRecord } from '../../workflows/messages.js';
import { canary } from '../support/specs.js';
import { fakeServer, HERE, inRun } from './server.js';

const AT = { app: 'checkout', environment: 'production' };
const KEY = randomBytes(32).toString('base64');
const access = new Access({ policy: null, keys: [KEY] });
const open = new Access({ policy: null, keys: [] });
const spec = canary([], 50);
const INPUT = { ...AT } as unknown as RolloutInput;

const grantFor = (undo?: { hold: boolean; keepQueue: boolean }, starter: string | null = 'ann') =>
  access.grants.first({
    ...{ workflow: HERE.workflowId, run: HERE.runId, first: 'run-0', ...AT, starter, policy: null },
    ...{ openOverride: false, spec, ...(undo === undefined ? {} : { undo }) },
  });

describe('an entry in the ledger', () => {
  const ENTRY = { ...AT, version: '2', run: 'run-0', spec: 'a digest' };

  test.each(['app', 'environment', 'version', 'run', 'spec'] as const)('is refused with another %s', async (part) => {
    const seal = await access.sealEntry(ENTRY);
    expect(await access.isSealed({ ...ENTRY, seal })).toBe(true);
    expect(await access.isSealed({ ...ENTRY, [part]: 'other', seal })).toBe(false);
  });

  test('is refused without a seal if the workers have a key', async () => {
    expect(await access.isSealed({ ...ENTRY, seal: null })).toBe(false);
    expect(await open.isSealed({ ...ENTRY, seal: null })).toBe(true);
  });
});

describe('a record of what was replaced', () => {
  const RECORD = { ...AT, version: '1', spec: INPUT, since: 1 };

  test.each<[string, object]>([
    ['app', { app: 'other' }],
    ['environment', { environment: 'staging' }],
    ['version', { version: '2' }],
    ['time', { since: 2 }],
    ['spec', { spec: { ...INPUT, retain: 1 } }],
    ['seal', { seal: null }],
  ])('is refused with another %s', async (_, change) => {
    const seal = await access.sealRecord(RECORD);
    await expect(access.believe({ ...RECORD, seal })).resolves.toBeUndefined();
    await expect(access.believe({ ...RECORD, seal, ...change })).rejects.toThrow('was not written by a rollout');
    await expect(open.believe({ ...RECORD, ...change })).resolves.toBeUndefined();
  });
});

describe('a request from an undo to the companion', () => {
  const ASKED = { hold: true, keepQueue: true };
  const UNDO = { by: 'ann', hold: true, keepQueue: true, seal: null };
  const sealed = async (undo = {}) =>
    inRun(async () => access.sealUndo(await grantFor(ASKED), { ...UNDO, ...undo } as never));
  const asks = async (change: object = {}, undo: object = {}) =>
    access.isUndo({ ...AT, run: 'run-0', ...change, undo: { ...(await sealed()), ...undo } });

  test('is what its start was checked for, in the name of the person who signed it, whatever the run says', async () => {
    const said = await sealed({ by: 'eve', hold: false, keepQueue: false });
    expect(said).toMatchObject({ ...ASKED, by: 'ann', seal: expect.any(String) });
  });

  test('has the name that the run gives if nobody has to sign', async () => {
    const grant = await grantFor(ASKED, null);
    expect(await inRun(() => access.sealUndo(grant, { ...UNDO, by: 'eve' } as never))).toMatchObject({ by: 'eve' });
  });

  test('is not sealed for a run that is not an undo or has no grant', async () => {
    const asked = async (grant: string | null) => inRun(() => access.sealUndo(grant, UNDO as never));
    await expect(asked(await grantFor())).rejects.toThrow('this run is not an undo');
    await expect(asked(null)).rejects.toThrow('it has no grant from a worker');
    await expect(
      inRun(async () => access.sealUndo(await grantFor(ASKED), UNDO as never), { ...HERE, runId: 'run-9' }),
    ).rejects.toThrow('not for this one');
  });

  test.each<[string, object, object]>([
    ['app', { app: 'other' }, {}],
    ['environment', { environment: 'staging' }, {}],
    ['run', { run: 'run-9' }, {}],
    ['name', {}, { by: 'eve' }],
    ['hold', {}, { hold: false }],
    ['queue', {}, { keepQueue: false }],
    ['seal', {}, { seal: null }],
  ])('is refused with another %s', async (_, change, undo) => {
    expect(await asks()).toBe(true);
    expect(await asks(change, undo)).toBe(false);
  });

  test('is accepted without a choice about the queue, and if the workers have no key', async () => {
    expect(await asks({}, { keepQueue: undefined })).toBe(true);
    expect(await open.isUndo({ ...AT, run: 'x', undo: { by: 'x', hold: true, seal: null } })).toBe(true);
    expect(await open.sealUndo(null, UNDO as never)).toEqual(UNDO);
  });
});

describe('cleaning up a late call', () => {
  const LATE: LateRecord = { ...AT, run: 'run-0', spec, looks: [1], seal: null };

  test.each<[string, object]>([
    ['app', { app: 'other' }],
    ['environment', { environment: 'staging' }],
  ])('is refused with another %s, even to the companion of that target', async (_, change) => {
    const seal = await new Seals([KEY]).make('late', { ...AT, run: 'run-0', spec: digestOf(spec) });
    const late = { ...LATE, ...change, seal };
    const companion = { workflowId: `companion/${late.app}/${late.environment}`, runId: 'run-1' };
    const { client } = fakeServer({ workflowType: { name: 'companion' } });
    await expect(inRun(() => access.mayTakeBack(client, late), companion)).rejects.toThrow('was not written by');
  });

  test('is refused, like deleting old releases, to a run that cannot be looked up', async () => {
    await expect(access.mayTakeBack(undefined, LATE)).rejects.toThrow('only the companion of');
    await expect(access.mayRetire(undefined, { version: '1', spec, since: 0, seal: null })).rejects.toThrow(
      'only the companion of',
    );
    await expect(open.mayTakeBack(undefined, LATE)).resolves.toBeUndefined();
    await expect(open.mayRetire(undefined, { version: '1', spec })).resolves.toBeUndefined();
    expect(await open.sealLate(null, LATE)).toBe(LATE);
  });
});

describe('the end of a hold', () => {
  const ANN = newKey('ann');
  const policy = parsePolicy(`people: {ann: {keys: ['${ANN.public}']}}\nrules: [{allow: {unhold: [ann]}}]`, 'p');
  const policed = new Access({ policy, keys: [KEY] });
  const ends = async (token: string | null, by: Access = policed, client = fakeServer().client) =>
    by.admitUnhold(client, { ...AT, run: 'run-1', token });
  const tokenFor = async (run: string) =>
    sign({ act: 'unhold', ...AT, strategy: 'undo', spec: null, release: run }, await signerOf(ANN), {
      ...{ audience: 'sluice:default', now: Date.now(), valid: 60_000 },
    });

  test('is signed for the run that holds, and uses the token up', async () => {
    const { client, taken } = fakeServer();
    const token = await tokenFor('run-1');
    expect(await ends(token, policed, client)).toBe('ann');
    expect([...taken.keys()]).toEqual([`proof-${decodeJwt(token).jti}`]);
    // A retry of the same answer knows its own.
    expect(await ends(token, policed, client)).toBe('ann');
    await expect(policed.admitUnhold(client, { ...AT, run: 'run-2', token: await tokenFor('run-1') })).rejects.toThrow(
      'for another hold',
    );
    await expect(ends(null)).rejects.toThrow('the start is not signed');
    expect(await ends(null, open)).toBeNull();
  });
});

describe('a target that was written under a policy', () => {
  const policed = mark(AT.app, AT.environment, 'run-0', 'x', true);

  test('is left alone by a worker without a policy, unless its operator gave that target back', () => {
    const given = (target: string) => new Access({ policy: null, keys: [], openTargets: [target] });
    expect(() => open.heed(policed)).toThrow('checkout/production was written under a policy');
    expect(() => given('checkout/staging').heed(policed)).toThrow('was written under a policy');
    expect(() => given('checkout/production').heed(policed)).not.toThrow();
    for (const text of [null, 'no mark', mark(AT.app, AT.environment, 'run-0', 'x')]) {
      expect(() => open.heed(text)).not.toThrow();
    }
    expect([open.policed, open.heedful]).toEqual([false, true]);
  });

  test('needs nothing more from a worker with a policy', () => {
    const worker = new Access({ policy: parsePolicy('rules: [{}]', 'p'), keys: [KEY] });
    expect(() => worker.heed(policed)).not.toThrow();
    expect([worker.policed, worker.heedful]).toEqual([true, false]);
  });
});

describe('what a worker reports', () => {
  test('includes its policy, where people log in, and what such a login must contain', async () => {
    const logins = "{issuer: 'https://a.example', clientId: c}, {issuer: 'https://b.example', clientId: d, name: sub}";
    const policy = parsePolicy(`logins: [${logins}]\nrules: [{}]`, 'p');
    expect(await new Access({ policy, keys: [KEY] }).identity()).toMatchObject({
      policy: policy.digest,
      encryption: { crv: 'X25519', kid: expect.any(String) },
      logins: [
        { issuer: 'https://a.example', clientId: 'c', claims: ['email', 'email_verified', 'groups'] },
        { issuer: 'https://b.example', clientId: 'd', claims: ['sub', 'groups'] },
      ],
      robots: false,
    });
    expect(await open.identity()).toEqual({ policy: null, encryption: null, logins: [], robots: false });
  });
});

test('without a policy a plan stays as the spec made it, nobody is asked to approve, and a signed verb cannot be checked', async () => {
  const plan = makePlan(spec, { stable: '1' });
  expect(open.bounded(spec, plan, { stable: '1' })).toEqual({ plan, faults: [] });
  expect(open.peopleFor(spec, plan)('canary-50.approve')).toBe(0);
  expect(open.approversFor(spec, plan)).toEqual({});
  const message = { verb: 'pause' as const, by: 'ben', token: 'x' };
  const grant = await grantFor();
  const decided = await inRun(() =>
    access.decide(fakeServer().client, { grant, messages: [message], gate: null, used: [] }),
  );
  expect(decided).toEqual([{ ok: false, verb: 'pause', by: 'ben', why: 'this worker has no policy to check it by' }]);
  await expect(
    inRun(() => access.decide(fakeServer().client, { grant: null, messages: [message], gate: null, used: [] })),
  ).rejects.toThrow('it has no grant from a worker');
});

test('if anyone may approve unsigned, nobody is named; if approvals must be signed, anyone means everyone in the policy', () => {
  const plan = makePlan(spec, { stable: '1' });
  const people = ['ann', 'ben'].map((name) => `${name}: {keys: ['${newKey(name).public}']}`);
  const by = (rule: string) => {
    const policy = parsePolicy(`people: {${people.join(', ')}}\nrules: [{${rule}}]`, 'p');
    const worker = new Access({ policy, keys: [KEY] });
    return [worker.peopleFor(spec, plan)('canary-50.approve'), worker.approversFor(spec, plan)];
  };
  expect(by('allow: {approve: [anyone]}')).toEqual([0, { '50%': [] }]);
  expect(by('allow: {approve: [anyone]}, stages: {100%: {approve: [ann]}}')).toEqual([1, { '50%': ['ann', 'ben'] }]);
  expect(by('allow: {approve: [ben]}')).toEqual([1, { '50%': ['ben'] }]);
  expect(by('app: other, allow: {approve: [ben]}')).toEqual([0, {}]);
});
