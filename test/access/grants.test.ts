import { randomBytes } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { Envelopes } from '../../activities/access/envelopes.js';
import { type Asking, Grants } from '../../activities/access/grants.js';
import { Seals } from '../../activities/access/seals.js';
import type { BeforeState } from '../../activities/platform/platform.js';
import { digestOf, sealTo } from '../../src/access/index.js';
import { mark } from '../../src/model/ids.js';
import { makePlan } from '../../src/plan/index.js';
import { canary } from '../support/specs.js';

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

const step = (id: string) => mark('checkout', 'production', 'run-0', id);

describe('a grant', () => {
  test('lets its own run do what is in its plan, and nothing else', async () => {
    const grant = await planned();
    const fence = { mark: step('canary-10.shift') };
    expect(await asked('shift', { grant, spec, weight: 10, fence })).toBe('allowed');
    expect(await asked('shift', { grant, spec, weight: 11, fence })).toContain('a weight of 11 % is not in its plan');
    expect(await asked('shift', { grant, spec: { ...spec, retain: 9 }, weight: 10, fence })).toContain(
      'for another spec',
    );
    expect(await asked('claim', { grant, spec })).toContain('its grant is not for claim');
    expect(
      await asked('shift', { grant, spec, weight: 10, fence: { mark: mark('other', 'production', 'run-0', 'x') } }),
    ).toContain('the mark of another rollout');
    expect(await asked('restore', { grant, spec, before, mark: step('restore') })).toBe('allowed');
    const elsewhere = { ...before, split: { ...before.split, stable: '9' } };
    expect(await asked('restore', { grant, spec, before: elsewhere })).toContain('the way back to another state');
  });

  test('of a run before its plan is made changes nothing', async () => {
    const grant = await first();
    expect(await asked('prepare', { grant, spec })).toBe('allowed');
    expect(await asked('deploy', { grant, spec })).toContain('its grant is not for deploy');
  });

  test('is for one run: not for another of the same rollout, nor for a workflow of another name', async () => {
    const grant = await planned();
    expect(await asked('deploy', { grant, spec }, { ...here, runId: 'run-2' })).toContain('not for this one');
    expect(await asked('deploy', { grant, spec }, { ...here, workflowId: 'evil' })).toContain('not for this one');
  });

  test.each(['shift', 'promote'])('behind a gate a %s asks for receipts of as many people', async (activity) => {
    const grant = await planned();
    const weight = activity === 'shift' ? { weight: 50 } : {};
    const ask = async (...receipts: (string | null)[]) =>
      asked(activity, { grant, spec, ...weight, receipts: receipts.map(String) });
    // The approval stands behind the shift to 50 %, before all users.
    if (activity === 'shift') {
      expect(await ask()).toBe('allowed');
      return;
    }
    const other = new Grants(new Seals([randomBytes(32).toString('base64')]));
    expect(await ask()).toContain('has 0 of 2');
    expect(await ask(await receipt('ben'), await receipt('ben'))).toContain('has 1 of 2');
    expect(await ask(await receipt('ben'), await receipt('cem', other))).toContain('has 1 of 2');
    expect(await ask(await receipt('ben'), await receipt('cem', grants, { plan: 'another' }))).toContain('has 1 of 2');
    expect(await ask(await receipt('ben'), await receipt('cem', grants, { run: 'run-9' }))).toContain('has 1 of 2');
    expect(await ask(await receipt('ben'), grant)).toContain('has 1 of 2');
    expect(await ask(await receipt('ben'), await receipt('cem'))).toBe('allowed');
  });

  test('of a key that is being exchanged counts on every worker that still has it', async () => {
    const [old, next] = [KEY, randomBytes(32).toString('base64')];
    const both = new Grants(new Seals([next, old]));
    const env = new MockActivityEnvironment({ workflowExecution: here });
    const grant = await planned();
    await expect(env.run(() => both.allow('deploy', { grant, spec }))).resolves.toBeUndefined();
    const gone = new Grants(new Seals([next]));
    await expect(env.run(() => gone.allow('deploy', { grant, spec }))).rejects.toThrow('it has no grant of a worker');
  });

  test('of a key that is being exchanged also opens what was encrypted to the workers by it', async () => {
    const [old, next] = [KEY, randomBytes(32).toString('base64')];
    const to = await new Envelopes([old]).publicKey();
    const sealed = await sealTo(to ?? {}, 'a login');
    expect(await new Envelopes([next, old]).open(sealed)).toBe('a login');
    expect((await new Envelopes([next, old]).publicKey())?.x).not.toBe(to?.x);
    expect(await new Envelopes([next]).open(sealed)).toBeNull();
  });

  test('needs a key that is long enough', () => {
    expect(() => new Seals(['c2hvcnQ='])).toThrow('key 1 of SLUICE_GRANT_KEY has 5 bytes of base64; 32 are the least');
  });

  test('without any key everything may be done', async () => {
    const open = new Grants(new Seals([]));
    const env = new MockActivityEnvironment({ workflowExecution: here });
    await expect(env.run(() => open.allow('shift', { spec, weight: 77 }))).resolves.toBeUndefined();
  });
});
