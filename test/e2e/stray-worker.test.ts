/** A worker that nobody gave the policy, beside those that have it: old, stray, or of somebody who means harm. On real servers. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startWorkerProcess } from '../../src/demo/stack.js';
import { accountQueue, parseMark } from '../../src/model/ids.js';
import { parseSpecValue } from '../../src/spec/index.js';
import { tool } from '../support/tools.js';
import { NEVER, until } from '../support/until.js';
import { type People, startPeople } from './people.js';
import { QUICK, specOf, type World } from './target.js';

const RESTORES = accountQueue({ platform: 'lambda', account: 'default', region: 'us-east-1' }, 'restore');

let people: People;
let world: World;
const strays: { stop(): Promise<unknown> }[] = [];

beforeAll(async () => {
  people = await startPeople('stray', ['kept', 'given']);
  world = people.world;
  // From here on no worker with the policy is there to refuse anything.
  await world.stack.worker.stop();
});

// The next test says which workers there are.
afterEach(async () => {
  for (const each of strays.splice(0)) await each.stop();
});
afterAll(() => people?.stop());

/** Starts a worker without a policy, and without the key of those that have it. */
async function stray(more: Record<string, string> = {}) {
  const { SLUICE_GRANT_KEY: _key, ...env } = world.workerEnv;
  const worker = await startWorkerProcess({
    temporal: world.stack.temporal.address,
    folder: world.folder,
    env: { ...env, SLUICE_POLICY: 'open', ...more },
  });
  strays.push(worker);
  return worker;
}

/** Writes that the cloud has taken at the app's function. */
const writes = (app: string) => world.stack.aws.writes().filter((write) => write.function === app);

test('a target written under a policy says so, and a worker without a policy writes nothing there', async () => {
  const before = await world.alias('kept');
  expect(parseMark(before.description)).toMatchObject({ app: 'kept', policed: true });
  await stray();
  world.stack.aws.clearWrites();

  // Unsigned, through whoever takes it.
  await people.temporal.workflow.start('canary', {
    workflowId: 'kept/production',
    taskQueue: 'sluice',
    args: [await world.stack.pack(specOf('kept', QUICK))],
  });
  const { view } = await world.sluice.wait(world.at('kept'), 'done', { signal: AbortSignal.timeout(NEVER) });
  expect(view).toMatchObject({ outcome: 'failed', code: 'SLUICE_ACCESS' });
  expect(view?.reason).toContain(
    'kept/production was written under a policy (its mark says so), and this worker has none',
  );
  expect(view?.reason).toContain('SLUICE_OPEN_TARGETS=kept/production');

  // Without any workflow, with the revision that everybody may read, and with force.
  const state = { split: { stable: '1', candidate: null, weight: 0 }, revision: null, description: '', mark: null };
  const input = {
    spec: parseSpecValue({ ...specOf('kept', QUICK), release: { version: 1 } }),
    before: { ...state, release: null, environments: null, capacity: 0 },
    attempted: [],
    lastRevision: null,
    mark: 'sluice:kept/production:forged:restore',
    force: true,
    receipts: [],
    grant: null,
  };
  const run = promisify(execFile)(tool('temporal'), [
    ...['activity', 'execute', '--address', world.stack.temporal.address, '--activity-id', 'forged'],
    ...['--type', 'restore', '--task-queue', RESTORES, '--start-to-close-timeout', '30s'],
    ...['--retry-maximum-attempts', '1', '--input', JSON.stringify(input)],
  ]);
  const { stdout, stderr } = await run.then(
    () => ({ stdout: 'it succeeded', stderr: '' }),
    (error: { stdout: string; stderr: string }) => error,
  );
  expect(`${stdout}${stderr}`).toContain('was written under a policy');
  expect(writes('kept')).toEqual([]);
  expect(await world.alias('kept')).toEqual(before);
});

test('only the operator can give the target back to workers without a policy', async () => {
  await stray({ SLUICE_OPEN_TARGETS: 'given/production' });
  const ended = await world.end('given', await world.start('given', 'anybody', QUICK));
  expect(ended).toMatchObject({ outcome: 'succeeded', access: { policy: null } });
  expect(parseMark((await world.alias('given')).description)).toMatchObject({ policed: false });
});

test('workers with different policies are named by doctor, in a rollout and in the log', async () => {
  const one = await stray();
  const diagnose = () => world.diagnose();
  const other = await stray({ ...people.policyEnv, SLUICE_LOG_LEVEL: 'warn' });
  const digest = people.policyDigest.slice(0, 12);
  const seen = await until('both policies', async () => {
    const { policy, otherPolicies } = await diagnose();
    return policy !== null && otherPolicies.length > 0 && { policy, otherPolicies };
  });
  const names = [seen.policy.digest?.slice(0, 12) ?? 'open', ...seen.otherPolicies.map(({ policy }) => policy)];
  expect(names.sort()).toEqual([digest, 'open'].sort());
  await until('the warning of either worker', () =>
    [one, other].some((worker) => worker.lastLines().some((line) => line.includes('use different policies'))),
  );
  await people.start('fresh', QUICK);
  const view = await until('the rollout to have begun', async () => {
    const { view: now } = await world.sluice.status(world.at('fresh'));
    return now?.access != null && now;
  });
  expect(view.access?.others.map(({ policy }) => policy)).toEqual([view.access?.policy === null ? digest : 'open']);
});
