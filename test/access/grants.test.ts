import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { coreActivities } from '../../activities/core.js';
import { digestOf, newKey, parsePolicy, sealTo, sign, signerOf } from '../../src/access/index.js';
import { Envelopes } from '../../src/authority/envelopes.js';
import { type Asking, Grants } from '../../src/authority/grants.js';
import { Access } from '../../src/authority/index.js';
import { Seals } from '../../src/authority/seals.js';
import type { GateStatement } from '../../src/model/access.js';
import { mark } from '../../src/model/ids.js';
import type { BeforeState } from '../../src/platforms/port.js';
import { makePlan } from '../../src/strategies/registry.js';
import type { LateRecord, RolloutEvent } from '../../workflows/messages.js';
import { canary, ONE_PERSON, specFor } from '../support/specs.js';

const KEY = randomBytes(32).toString('base64');
const spec = canary([], 50);
const plan = makePlan(spec, { stable: '1' });
const before = { split: { stable: '1', candidate: null, weight: 0 } } as BeforeState;
const GATE = 'canary-50.approve';
const here = { workflowId: 'checkout/production', runId: 'run-1' };

const grants = new Grants(new Seals([KEY]));
const first = (of = grants) =>
  of.first({
    workflow: here.workflowId,
    run: here.runId,
    first: 'run-0',
    app: 'checkout',
    environment: 'production',
    starter: 'ann',
    policy: 'p',
    openOverride: false,
    spec,
  });
const planned = async (of = grants) =>
  of.planned(await first(of), { spec, plan, before, people: (id) => (id === GATE ? 2 : 0) });
const receipt = (by: string, of = grants, over = {}) =>
  of.receipt({ rollout: 'checkout/production', run: 'run-0', gate: GATE, plan: digestOf(plan), by, ...over });

/** What an activity says that asks for this inside a workflow's run. */
async function asked(activity: string, asking: Asking, execution: object = here): Promise<string> {
  const env = new MockActivityEnvironment({ workflowExecution: execution as typeof here });
  return env.run(async () => {
    try {
      await grants.allow(activity, asking);
      return 'allowed';
    } catch (error) {
      return (error as Error).message;
    }
  }) as Promise<string>;
}

const step = (id: string) => mark('checkout', 'production', 'run-0', id, true);

describe('a grant', () => {
  test('lets its own run do what its plan contains, and nothing else', async () => {
    const grant = await planned();
    const fence = { mark: step('canary-10.shift') };
    const release = { candidate: '2', deployed: await grants.deployed(grant, '2'), stable: '1' };
    expect(await asked('shift', { grant, spec, weight: 10, fence, ...release })).toBe('allowed');
    // A worker without a policy would not know that the target is none of its business.
    const unsaid = { mark: mark('checkout', 'production', 'run-0', 'canary-10.shift') };
    expect(await asked('shift', { grant, spec, weight: 10, fence: unsaid, ...release })).toContain(
      'its mark has to say that it was written under a policy',
    );
    expect(await asked('shift', { grant, spec, weight: 11, fence, ...release })).toContain(
      'a weight of 11 % is not in its plan',
    );
    expect(await asked('shift', { grant, spec: { ...spec, retain: 9 }, weight: 10, fence })).toContain(
      'for another spec',
    );
    expect(await asked('claim', { grant, spec })).toContain('its grant is not for claim');
    expect(
      await asked('shift', { grant, spec, weight: 10, fence: { mark: mark('other', 'production', 'run-0', 'x') } }),
    ).toContain('the mark of another rollout');
    expect(await asked('restore', { grant, spec, before, mark: step('restore') })).toBe('allowed');
    const elsewhere = { ...before, split: { ...before.split, stable: '9' } };
    expect(await asked('restore', { grant, spec, before: elsewhere })).toContain('a rollback to another state');
    // What `release: {latest: true}` may publish is what was pinned when the run was prepared.
    const pinned = { ...before, pinned: { digest: 'other', revision: 'other' } };
    expect(await asked('deploy', { grant, spec, before })).toBe('allowed');
    expect(await asked('deploy', { grant, spec, before: pinned })).toContain('its grant is for another start');
  });

  test('allows a rollback only to the state recorded before the first write, once there is one', async () => {
    const grant = await planned();
    expect(await asked('keep', { grant, spec, before, mark: step('keep') })).toBe('allowed');
    const elsewhere = { ...before, bypass: [{ id: 'url', what: 'a URL' }] };
    expect(await asked('keep', { grant, spec, before: elsewhere })).toContain('a rollback to another state');
    const kept = { ...before, latest: '3' };
    const next = await grants.kept(grant, kept);
    expect(await asked('restore', { grant: next, spec, before: kept, mark: step('restore') })).toBe('allowed');
    expect(await asked('restore', { grant: next, spec, before })).toContain('a rollback to another state');
  });

  test('changes nothing before the run has a plan', async () => {
    const grant = await first();
    expect(await asked('prepare', { grant, spec })).toBe('allowed');
    expect(await asked('deploy', { grant, spec })).toContain('its grant is not for deploy');
  });

  test('is for one run: not for another run of the same rollout, nor for a workflow with another id', async () => {
    const grant = await planned();
    expect(await asked('deploy', { grant, spec }, { ...here, runId: 'run-2' })).toContain('not for this one');
    expect(await asked('deploy', { grant, spec }, { ...here, workflowId: 'evil' })).toContain('not for this one');
  });

  test.each(['shift', 'promote'])(
    'requires receipts from enough people before a %s behind a gate',
    async (activity) => {
      const grant = await planned();
      const weight = activity === 'shift' ? { weight: 50 } : {};
      const release = { candidate: '2', deployed: await grants.deployed(grant, '2') };
      const ask = async (...receipts: (string | null)[]) =>
        asked(activity, { grant, spec, ...weight, ...release, receipts: receipts.map(String) });
      // The approval stands behind the shift to 50 %, before all users.
      if (activity === 'shift') {
        expect(await ask()).toBe('allowed');
        return;
      }
      const other = new Grants(new Seals([randomBytes(32).toString('base64')]));
      expect(await ask()).toContain('has 0 of 2');
      expect(await ask(await receipt('ben'), await receipt('ben'))).toContain('has 1 of 2');
      expect(await ask(await receipt('ben'), await receipt('cem', other))).toContain('has 1 of 2');
      expect(await ask(await receipt('ben'), await receipt('cem', grants, { plan: 'another' }))).toContain(
        'has 1 of 2',
      );
      expect(await ask(await receipt('ben'), await receipt('cem', grants, { run: 'run-9' }))).toContain('has 1 of 2');
      expect(await ask(await receipt('ben'), grant)).toContain('has 1 of 2');
      expect(await ask(await receipt('ben'), await receipt('cem'))).toBe('allowed');
    },
  );

  test('lets half the traffic go back for a comparison if the plan has one and the gates before it are open', async () => {
    const approval = { ...ONE_PERSON, within: 60_000, onTimeout: 'rollback' } as const;
    const of = specFor({ type: 'blueGreen', bake: 60_000, testBake: 0, approval });
    const ask = async (probeBack: boolean, approved: boolean) => {
      const spec = { ...of, health: { ...of.health, judge: { ...of.health.judge, probeBack } } };
      const plan = makePlan(spec, { stable: '1' });
      const gate = 'blueGreen-0.approve';
      const people = (id: string) => (id === gate ? 1 : 0);
      const grant = await grants.planned(await first(), { spec, plan, before, people });
      const receipts = approved ? [await receipt('ben', grants, { gate, plan: digestOf(plan) })] : [];
      const release = { candidate: '2', deployed: await grants.deployed(grant, '2'), stable: '1' };
      return asked('shift', { grant, spec, weight: 50, ...release, receipts: receipts.map(String) });
    };
    expect(await ask(true, true)).toBe('allowed');
    expect(await ask(true, false)).toContain('has 0 of 1');
    expect(await ask(false, true)).toContain('a weight of 50 % is not in its plan');
  });

  test('gives weight only to what a worker deployed for its plan, beside what was live', async () => {
    const grant = await planned();
    const ask = (of: Asking) => asked('shift', { grant, spec, weight: 10, stable: '1', ...of });
    const [own, before] = [await grants.deployed(grant, '2'), await grants.deployed(await first(), '2')];
    expect(await ask({ candidate: '2', deployed: own })).toBe('allowed');
    expect(await ask({ candidate: '7', deployed: own })).toContain('7 is not what was deployed for its plan');
    // By another run, whose plan is the same.
    const elsewhere = await grants.planned(
      await grants.first({
        ...{ workflow: here.workflowId, run: here.runId, first: 'run-9', app: 'checkout', environment: 'production' },
        ...{ starter: 'ann', policy: 'p', openOverride: false, spec },
      }),
      { spec, plan, before: { split: { stable: '1', candidate: null, weight: 0 } } as BeforeState, people: () => 0 },
    );
    for (const deployed of [null, 'forged', grant, before, await grants.deployed(elsewhere, '2')]) {
      expect(await ask({ candidate: '2', deployed })).toContain('2 is not what was deployed for its plan');
    }
    expect(await ask({ candidate: '2', deployed: own, stable: '7' })).toContain('7 is not what was live before it');
    expect(await asked('warm', { grant, spec, release: { version: '7' }, deployed: own })).toContain('7 is not what');
    expect(await asked('promote', { grant, spec, candidate: '7', deployed: own })).toContain('7 is not what');
  });

  test('overwrites a foreign change only after someone with the right to override asked for it', async () => {
    const grant = await planned();
    const ask = (force: boolean, ...receipts: (string | null)[]) =>
      asked('restore', { grant, spec, before, force, receipts: receipts.map(String) });
    expect(await ask(false)).toBe('allowed');
    expect(await ask(true)).toContain('nobody with the right to override has asked to overwrite the foreign change');
    expect(await ask(true, await receipt('ben'))).toContain('nobody with the right');
    expect(await ask(true, await receipt('ben', grants, { gate: 'override' }))).toBe('allowed');
  });

  test('lets a run record for undo only its own spec and what it replaced', async () => {
    const grant = await planned();
    const env = new MockActivityEnvironment({ workflowExecution: here });
    const leave = (over: object) =>
      env.run(() =>
        grants.allowRecord({ grant, app: 'checkout', environment: 'production', version: '1', spec, ...over }),
      );
    await expect(leave({})).resolves.toBeUndefined();
    for (const over of [
      { version: '7' },
      { spec: { ...spec, retain: 0 } },
      { app: 'other' },
      { environment: 'staging' },
      { grant: await first() },
    ]) {
      await expect(leave(over)).rejects.toThrow('what it records for undo is not what it did');
    }
  });

  test('lets a run record in the ledger only what it deployed for its plan, with its own spec', async () => {
    const grant = await planned();
    const deployed = await grants.deployed(grant, '2');
    const leave = async (over: object, execution: object = here) => {
      const env = new MockActivityEnvironment({ workflowExecution: execution as typeof here });
      const of = { grant, app: 'checkout', environment: 'production', version: '2', spec, deployed, ...over };
      return env.run(() =>
        grants.allowEntry(of).then(
          () => 'left',
          (error: Error) => error.message,
        ),
      );
    };
    expect(await leave({})).toBe('left');
    expect(await leave({ spec: undefined })).toBe('left');
    for (const over of [{ app: 'other' }, { environment: 'staging' }, { spec: { ...spec, retain: 0 } }]) {
      expect(await leave(over)).toContain('what it records in the ledger is not what it did');
    }
    for (const over of [{ version: '7' }, { deployed: null }]) {
      expect(await leave(over)).toContain('is not what was deployed for its plan');
    }
    expect(await leave({ grant: null })).toContain('it has no grant from a worker');
    expect(await leave({}, { ...here, runId: 'run-2' })).toContain('not for this one');
  });

  test('with a plan is only for the run that asks, and needs an earlier grant', async () => {
    const grant = await planned();
    expect(await asked('shift', { grant, spec, weight: 10 }, { ...here, runId: 'run-2' })).toContain(
      'not for this one',
    );
    const given = { spec, plan, before, people: () => 0 };
    expect(await grants.planned(null, given)).toBeNull();
    expect(await grants.kept('forged', before)).toBeNull();
    expect(await grants.deployed('forged', '2')).toBeNull();
    for (const activity of ['probe', 'watch', 'errors', 'read', 'adopt']) {
      expect(await asked(activity, { grant, spec })).toBe('allowed');
    }
  });

  test('overwrites a foreign change without a receipt if the policy lets anyone override', async () => {
    const open = await grants.planned(
      await grants.first({
        ...{ workflow: here.workflowId, run: here.runId, first: 'run-0', app: 'checkout', environment: 'production' },
        ...{ starter: null, policy: null, openOverride: true, spec },
      }),
      { spec, plan, before, people: () => 0 },
    );
    expect(await asked('restore', { grant: open, spec, before, force: true })).toBe('allowed');
    const policed = { mark: step('restore') };
    expect(await asked('restore', { grant: open, spec, before, ...policed })).toContain(
      'its mark has to say that it was written without a policy',
    );
  });

  test.each(['checkout/staging/run-0', 'other/production/run-0', 'checkout/production/run-9'])(
    'does not allow the mark of %s',
    async (of) => {
      const [app = '', environment = '', run = ''] = of.split('/');
      const grant = await planned();
      const theirs = mark(app, environment, run, 'x', true);
      expect(await asked('deploy', { grant, spec, before, mark: theirs })).toContain('the mark of another rollout');
    },
  );

  test('made with a key that is being rotated is accepted by every worker that still has the key', async () => {
    const [old, next] = [KEY, randomBytes(32).toString('base64')];
    const both = new Grants(new Seals([next, old]));
    const env = new MockActivityEnvironment({ workflowExecution: here });
    const grant = await planned();
    await expect(env.run(() => both.allow('deploy', { grant, spec, before }))).resolves.toBeUndefined();
    const gone = new Grants(new Seals([next]));
    await expect(env.run(() => gone.allow('deploy', { grant, spec, before }))).rejects.toThrow(
      'it has no grant from a worker',
    );
  });

  test('key that is being rotated still decrypts what was encrypted to the workers with it', async () => {
    const [old, next] = [KEY, randomBytes(32).toString('base64')];
    const to = await new Envelopes([old]).publicKey();
    const sealed = await sealTo(to ?? {}, 'a login');
    expect(await new Envelopes([next, old]).open(sealed)).toBe('a login');
    expect((await new Envelopes([next, old]).publicKey())?.x).not.toBe(to?.x);
    expect(await new Envelopes([next]).open(sealed)).toBeNull();
  });

  test('needs a key of at least 32 bytes', () => {
    expect(() => new Seals(['c2hvcnQ='])).toThrow(
      'key 1 of SLUICE_GRANT_KEY has 5 bytes of base64; at least 32 are needed',
    );
  });

  test('is not needed if the workers have no key', async () => {
    const open = new Grants(new Seals([]));
    const env = new MockActivityEnvironment({ workflowExecution: here });
    await expect(env.run(() => open.allow('shift', { spec, weight: 77 }))).resolves.toBeUndefined();
  });
});

describe('deleting old releases', () => {
  const access = new Access({ policy: null, keys: [KEY] });
  const began = { workflowType: { name: 'companion' }, taskQueue: { name: 'sluice' } };
  /** A server that says this of the run that asks. */
  const server = (of: object) =>
    ({
      options: { namespace: 'default' },
      workflowService: {
        getWorkflowExecutionHistory: async () => ({
          history: {
            events: [{ workflowExecutionStartedEventAttributes: { originalExecutionRunId: 'run-1', ...began, ...of } }],
          },
        }),
      },
    }) as unknown as Client;
  const OVER = Date.now() - spec.rollbackWindow;

  test.each<[string, { since?: number; of?: object; workflowId?: string; seal?: string }, string]>([
    ['is allowed to the companion after the rollback window', {}, 'allowed'],
    [
      'is refused while the rollback window is open',
      { since: Date.now() },
      'refused: the rollback window is open until',
    ],
    [
      'is refused for an earlier time than the sealed one',
      { since: Date.now(), seal: 'earlier' },
      'was not written by a rollout',
    ],
    [
      'is refused to a workflow on another queue',
      { of: { taskQueue: { name: 'evil' } } },
      'it runs on task queue evil',
    ],
    ['is refused to a workflow of another type', { of: { workflowType: { name: 'canary' } } }, 'only the companion of'],
    [
      'is refused to the companion of another target',
      { workflowId: 'companion/other/production' },
      'only the companion of',
    ],
    ['is refused to a run made by Reset', { of: { originalExecutionRunId: 'run-0' } }, 'was made by Reset'],
  ])('%s', async (_, { since = OVER, of = {}, workflowId = 'companion/checkout/production', seal }, says) => {
    const record = { app: 'checkout', environment: 'production', version: '1', spec: { ...spec } };
    const sealed = await access.sealRecord({ ...record, since: seal === 'earlier' ? since - 1 : since });
    const env = new MockActivityEnvironment({ workflowExecution: { workflowId, runId: 'run-1' } });
    const said = await env.run(() =>
      access.mayRetire(server(of), { version: '1', spec, since, seal: sealed }).then(
        () => 'allowed',
        (error: Error) => error.message,
      ),
    );
    expect(said).toContain(says);
  });
});

describe('cleaning up late calls of a first deployment', () => {
  const access = new Access({ policy: null, keys: [KEY] });
  const began = { workflowType: { name: 'companion' }, taskQueue: { name: 'sluice' } };
  const server = {
    options: { namespace: 'default' },
    workflowService: {
      getWorkflowExecutionHistory: async () => ({
        history: {
          events: [{ workflowExecutionStartedEventAttributes: { originalExecutionRunId: 'run-1', ...began } }],
        },
      }),
    },
  } as unknown as Client;
  const other = { ...spec, app: 'other' };

  test.each<[string, { workflowId?: string; given?: Partial<LateRecord>; seal?: string | null }, string]>([
    ['is allowed to the companion with the seal', {}, 'allowed'],
    [
      'is refused to the companion of another target',
      { workflowId: 'companion/other/production' },
      'only the companion of',
    ],
    ['is refused without a seal', { seal: null }, 'was not written by a rollout'],
    ['is refused for another run', { given: { run: 'run-9' } }, 'was not written by a rollout'],
    ['is refused for another spec', { given: { spec: other } }, 'was not written by a rollout'],
  ])('%s', async (_, { workflowId = 'companion/checkout/production', given = {}, seal }, says) => {
    const at = { app: 'checkout', environment: 'production' };
    const sealed = await new Seals([KEY]).make('late', { ...at, run: 'run-1', spec: digestOf(spec) });
    const record = { ...at, run: 'run-1', spec, looks: [1], seal: seal === undefined ? sealed : seal, ...given };
    const env = new MockActivityEnvironment({ workflowExecution: { workflowId, runId: 'run-1' } });
    const said = await env.run(() =>
      access.mayTakeBack(server, record).then(
        () => 'allowed',
        (error: Error) => error.message,
      ),
    );
    expect(said).toContain(says);
  });
});

describe('the record of a rolled-back first deployment', () => {
  const access = new Access({ policy: null, keys: [KEY] });
  const at = { app: 'checkout', environment: 'production' };
  const late = { ...at, run: 'claimed', spec, looks: [1], seal: null };
  const nothing = { ...before, split: { stable: null, candidate: null, weight: 0 } };
  const grantOf = async (was: BeforeState) =>
    grants.planned(await first(), { spec, plan, before: was, people: () => 0 });

  /** What the companion is told by a run with this grant. */
  async function told(grant: string | null, more: Partial<LateRecord> = {}): Promise<RolloutEvent> {
    const signals: RolloutEvent[] = [];
    const signalWithStart = async (_: string, { signalArgs }: { signalArgs: RolloutEvent[] }) =>
      signals.push(...signalArgs);
    const { tellCompanion } = coreActivities({
      ...({ client: { workflow: { signalWithStart } }, access } as unknown as Parameters<typeof coreActivities>[0]),
    });
    const event: RolloutEvent = {
      ...{ kind: 'ended', run: 'run-0', at: 1, entry: null, undo: null },
      late: { ...late, ...more },
    };
    const env = new MockActivityEnvironment({ workflowExecution: here });
    await env.run(() => tellCompanion({ ...at, event, grant, deployed: null, spec }));
    expect(signals).toHaveLength(1);
    return signals[0] as RolloutEvent;
  }

  test('is sealed for the run with the grant, and the companion can open it', async () => {
    const event = await told(await grantOf(nothing));
    expect(event).toMatchObject({ late: { ...at, run: 'run-0', looks: [1], seal: expect.any(String) } });
    const { seal = null } = ('late' in event ? event.late : undefined) ?? {};
    expect(await new Seals([KEY]).open('late', seal)).toMatchObject({ ...at, run: 'run-0', spec: digestOf(spec) });
  });

  test.each<[string, () => Promise<string | null>, Partial<LateRecord>]>([
    ['the target already existed', planned, {}],
    ['there is no plan', first, {}],
    ['it is for another spec', () => grantOf(nothing), { spec: { ...spec, retain: 9 } }],
    ['there is no grant', async () => null, {}],
  ])('is left out if %s; the companion still hears that the run ended', async (_, grant, more) => {
    const event = await told(await grant(), more);
    expect(event).toEqual({ kind: 'ended', run: 'run-0', at: 1, entry: null, undo: null });
  });
});

describe('a policy that names a stage by its weight', () => {
  const people = { ann: newKey('ann'), cem: newKey('cem') };
  const rules = "allow: {start: [ann], approve: [ann]}, stages: {'100%': {approve: [cem]}}";
  const policy = parsePolicy(
    `people: {ann: {keys: ['${people.ann.public}']}, cem: {keys: ['${people.cem.public}']}}\nrules: [{${rules}}]`,
    'policy.yaml',
  );
  const access = new Access({ policy, keys: [KEY] });
  const approval = { ...ONE_PERSON, within: 3_600_000, onTimeout: 'rollback' as const };
  const named = (name: string) =>
    specFor({
      type: 'canary',
      stages: [
        { weight: 10, name: '10%', bake: 60_000, probes: [], approval },
        { weight: 100, name, bake: 60_000, probes: [], approval },
      ],
    });

  test.each(['100%', 'final', 'constructor'])('applies to that stage if a spec calls it %s', async (stage) => {
    const spec = named(stage);
    const made = makePlan(spec, { stable: '1' });
    expect(access.approversFor(spec, made)).toEqual({ '10%': ['ann'], [stage]: ['cem'] });
    const begun = await access.grants.first({
      ...{ workflow: here.workflowId, run: here.runId, first: 'run-0', app: 'checkout', environment: 'production' },
      ...{ starter: null, policy: policy.digest, openOverride: false, spec },
    });
    const grant = await access.grants.planned(begun, { spec, plan: made, before, people: () => 1 });
    const gate = { id: 'canary-100.approve', stage, plan: digestOf(made), expires: 4_000_000_000_000 };
    const open = { ...gate, people: 1, approved: [], approvers: [], notStarter: false, comment: false };
    const client = { options: { namespace: 'default' } } as Client;
    const answer = async (name: string, gate: GateStatement) => {
      const act = { act: 'approve', app: 'checkout', environment: 'production', run: 'run-0', gate } as const;
      const by = await signerOf(people[name as 'ann']);
      const token = await sign(act, by, { audience: 'sluice:default', now: Date.now(), valid: 60_000 });
      const env = new MockActivityEnvironment({ workflowExecution: here });
      const messages = [{ verb: 'approve' as const, by: name, token }];
      const asked = { grant, messages, gate: { ...open, ...gate }, used: [] };
      return ((await env.run(() => access.decide(client, asked))) as unknown[])[0];
    };
    expect(await answer('ann', gate)).toMatchObject({ ok: false, why: 'ann may not approve here; cem may' });
    expect(await answer('cem', gate)).toMatchObject({ ok: true, by: 'cem' });
    // What a run says of its gate is not believed: the grant of its plan knows the stage.
    expect(await answer('ann', { ...gate, stage: '10%' })).toMatchObject({
      ok: false,
      why: expect.stringContaining('cem may'),
    });
    expect(await answer('ann', { ...gate, id: 'canary-99.approve' })).toMatchObject({ why: 'no approval is open' });
  });

  test('requires receipts for that stage even if another stage is open to anyone', () => {
    const mixed = parsePolicy(
      `people: {cem: {keys: ['${people.cem.public}']}}\nrules: [{allow: {approve: [anyone]}, stages: {'100%': {approve: [cem]}}}]`,
      'policy.yaml',
    );
    const spec = named('100%');
    const made = makePlan(spec, { stable: '1' });
    const by = new Access({ policy: mixed, keys: [KEY] });
    expect(['canary-10.approve', 'canary-100.approve', 'canary-10.bake'].map(by.peopleFor(spec, made))).toEqual([
      1, 1, 0,
    ]);
    expect(by.approversFor(spec, made)).toEqual({ '10%': ['cem'], '100%': ['cem'] });
  });
});
