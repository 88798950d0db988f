/** Who may do what, where the policy is the worker's: every attack that a writer of the namespace can make, on real servers. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { decodeJwt } from 'jose';
import { specDigest } from '../../src/access/index.js';
import { accountQueue } from '../../src/model/ids.js';
import { tool } from '../support/tools.js';
import { NEVER, until } from '../support/until.js';
import { GATED, inputs, type Name, type People, startPeople } from './people.js';
import { QUICK, SLOW, specOf, type World } from './target.js';

let people: People;
let world: World;

beforeAll(async () => {
  people = await startPeople('access', ['once', 'stolen', 'reset', 'queued', 'updates']);
  world = people.world;
});

afterAll(() => people?.stop());

/** How a rollout that must not run ends. */
async function refusal(app: string): Promise<string> {
  const { view } = await world.sluice.wait(world.at(app), 'done', { signal: AbortSignal.timeout(NEVER) });
  expect(view).toMatchObject({ outcome: 'failed', code: 'SLUICE_ACCESS' });
  return view?.reason ?? '';
}

/** The argument of a raw start of the app, with its code packed. */
const packed = async (app: string, fields: object): Promise<Record<string, unknown>> =>
  world.stack.pack(specOf(app, { ...fields }));

/** Whether the cloud has taken a write to the app's function at all. */
const written = (app: string) => world.stack.aws.writes().some((write) => write.function === app);

describe('a start', () => {
  test.concurrent('needs the signature of someone who may start it', async () => {
    await people.temporal.workflow.start('canary', {
      workflowId: 'raw/production',
      taskQueue: 'sluice',
      args: [await packed('raw', QUICK)],
    });
    expect(await refusal('raw')).toContain('the start is not signed. Make a key with `sluice key`');

    await people.start('by-ben', QUICK, 'ben');
    expect(await refusal('by-ben')).toBe(
      'start by-ben/production is refused: ben may not; @developers, robot:shop-ci may',
    );

    await people.start('by-eve', QUICK, 'eve');
    expect(await refusal('by-eve')).toContain('it is signed with a key that the policy does not know');
    expect(['raw', 'by-ben', 'by-eve'].filter(written)).toEqual([]);
  });

  test.concurrent('under a floor is refused, and so is one without health', async () => {
    await people.start('under', { strategy: { type: 'direct', bake: '1s' } });
    expect(await refusal('under')).toContain('strategy direct is not allowed here; use canary');
    await people.start('ungated', { ...QUICK, health: { probes: [], metrics: [] }, allowUnjudged: true });
    expect(await refusal('ungated')).toContain('health is required here');
    expect([written('under'), written('ungated')]).toEqual([false, false]);

    const spec = specOf('role', QUICK);
    const target = { ...(spec.target as object), roleArn: 'arn:aws:iam::999999999999:role/deployer' };
    const input = { ...spec, target };
    // Nothing is read with it either.
    await expect(people.clients.ann.plan({ ...world.at('role'), input, type: 'canary' })).rejects.toThrow(
      "target.roleArn arn:aws:iam::999999999999:role/deployer is not one of this rule's roles",
    );
  });

  test.concurrent('ignores state that the starter sends along', async () => {
    const app = 'carried';
    const input = { ...(await packed(app, GATED)), startedBy: 'ann' };
    const place = { ...world.at(app), strategy: 'canary' as const };
    const statement = { act: 'start' as const, ...place, spec: specDigest(input), release: null };
    const token = await people.signedBy('ann', statement);
    const passed = { cursor: { stage: 1, step: 0 }, full: true, release: { version: '1', digest: 'd' }, step: {} };
    const started = await people.temporal.workflow.start('canary', {
      workflowId: `${app}/production`,
      taskQueue: 'sluice',
      args: [
        { ...input, token },
        { ...passed, app, environment: 'production', run: 'r', type: 'canary', phase: 'baking' },
      ],
    });
    const view = await world.phase(app, 'awaitingApproval');
    expect(view).toMatchObject({ run: started.firstExecutionRunId, access: { starter: 'ann' } });
    expect(written(app) && (await world.alias(app).catch(() => null))).toBeNull();
    await people.clients.dan.verb(world.at(app), 'abort', {});
  });

  test.concurrent('counts once, for its own spec, with the code that was signed', async () => {
    const app = 'once';
    const [first] = await people.temporal.workflow.getHandle(`${app}/production`).fetchHistory().then(inputs);
    const { token, ...spec } = first as Record<string, unknown>;
    const again = (input: object) =>
      people.temporal.workflow.start('canary', { workflowId: `${app}/production`, taskQueue: 'sluice', args: [input] });

    await again({ ...spec, token });
    expect(await refusal(app)).toBe('this signed start was already used; start anew');
    // Whoever may start workflows can have the server take the id of a used proof again, with a memo of his own.
    const { firstExecutionRunId: run } = await again({ ...spec, token });
    await people.temporal.workflow.start('helper', {
      workflowId: `proof-${decodeJwt(String(token)).jti}`,
      taskQueue: 'nobody',
      args: [],
      memo: { run, seal: 'forged' },
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'TERMINATE_EXISTING',
    });
    // The worker may have looked a moment before.
    expect(await refusal(app)).toMatch(
      /^this signed start was already used( \(workflow helper on task queue "nobody" has its id\))?; start anew$/,
    );
    await again({ ...spec, allowUnjudged: true, token });
    expect(await refusal(app)).toContain('what ann signed is for another spec');

    // The code is of the spec by its digest.
    const { artifact } = spec.release as { artifact: object };
    const other = { artifact: { ...artifact, sha256: 'f'.repeat(64) } };
    await again({ ...spec, release: other, token });
    expect(await refusal(app)).toContain('what ann signed is for another spec');
  });

  test('accepts no path to any file of the worker, and only artifacts from the store', async () => {
    const keys = path.join(world.folder, 'keys');
    const raw = async (release: object) => {
      const app = 'files';
      const input = { ...specOf(app, { ...QUICK, release }), startedBy: 'ann' };
      const place = { ...world.at(app), strategy: 'canary' as const };
      const token = await people.signedBy('ann', { act: 'start', ...place, spec: specDigest(input), release: null });
      const args = [{ ...input, token }];
      await people.temporal.workflow.start('canary', { workflowId: `${app}/production`, taskQueue: 'sluice', args });
      const { view } = await world.sluice.wait(world.at(app), 'done', { signal: AbortSignal.timeout(NEVER) });
      return { code: view?.code, reason: view?.reason };
    };
    for (const [field, at] of [
      ['folder', keys],
      ['zip', path.join(keys, 'ann.json')],
    ] as const) {
      const said = `release.${field} is a path on another machine, and workers pack nothing`;
      expect(await raw({ [field]: at })).toEqual({ code: 'SLUICE_SPEC', reason: expect.stringContaining(said) });
    }
    expect(await raw({ artifact: { sha256: '0'.repeat(64), bytes: 1 } })).toEqual({
      code: 'SLUICE_ARTIFACT',
      reason: expect.stringContaining("is not in this worker's artifact store"),
    });
    expect(written('files')).toBe(false);
  });
});

describe('a grant', () => {
  /** The arguments of the last activity that the rollout has called with a weight, with its grant. */
  async function stolen(app: string): Promise<Record<string, unknown>> {
    const all = inputs(await people.temporal.workflow.getHandle(`${app}/production`).fetchHistory());
    const shift = all.find((each) => typeof each === 'object' && each !== null && 'fence' in each && 'weight' in each);
    return shift as Record<string, unknown>;
  }
  const queue = accountQueue({ platform: 'lambda', account: 'default', region: 'us-east-1' }, 'calls');

  test.concurrent("is worth nothing in an activity without a workflow, or in someone else's workflow", async () => {
    const app = 'stolen';
    await people.start(app, SLOW);
    await world.phase(app, 'baking');
    const args: Record<string, unknown> = { ...(await stolen(app)), weight: 100 };
    const writes = () => world.stack.aws.writes().filter((write) => write.function === app).length;
    const before = writes();

    const { TEMPORAL_ADDRESS } = { TEMPORAL_ADDRESS: world.stack.temporal.address };
    const executed = await promisify(execFile)(
      tool('temporal'),
      ['activity', 'execute', '--address', TEMPORAL_ADDRESS, '--type', 'shift', '--task-queue', queue]
        .concat(['--activity-id', 'attack', '--start-to-close-timeout', '10s', '--heartbeat-timeout', '5s'])
        .concat(['--input', JSON.stringify(args)]),
      { timeout: 20_000 },
    ).catch((error: { stdout: string; stderr: string }) => error);
    expect(`${executed.stdout}${executed.stderr}`).toContain('it runs outside a workflow');

    for (const [attempt, grant] of [args.grant, undefined, 'forged'].entries()) {
      expect(await byOwnWorkflow(`evil-${attempt}`, 'shift', { ...args, grant })).toMatch(
        attempt === 0
          ? /its grant is for run \S+ of stolen\/production, not for this one/
          : /it has no grant from a worker/,
      );
    }
    expect(await byOwnWorkflow('evil-retire', 'retire', { spec: args.spec, keep: [], version: '1', since: 0 })).toMatch(
      /runs on task queue evil-retire/,
    );
    expect(await byOwnWorkflow('evil-renewal', 'renew', { grants: [args.grant] }, 'sluice')).toMatch(
      /runs on task queue evil-renewal|does not continue run/,
    );
    // On our task queue, and yet nobody of us decides in it.
    expect(await byOwnWorkflow('evil-eager', 'renew', { grants: [args.grant] }, 'sluice', true)).toMatch(
      /its starter also took its tasks, bypassing the workers/,
    );
    expect(writes()).toBe(before);
    await people.clients.dan.verb(world.at(app), 'abort', { by: 'dan' });
    await until('the abort', async () => (await world.sluice.status(world.at(app))).ended);
  });

  /** A workflow that the attacker decides himself, task by task; answers how its activity failed. */
  async function byOwnWorkflow(
    workflowId: string,
    type: string,
    args: object,
    on = queue,
    eager = false,
  ): Promise<string> {
    const service = people.temporal.workflowService;
    const [namespace, taskQueue] = ['default', { name: eager ? 'sluice' : workflowId }];
    const { eagerWorkflowTask } = await service.startWorkflowExecution({
      ...{ namespace, workflowId, taskQueue, workflowType: { name: 'canary' } },
      ...{ requestId: workflowId, requestEagerExecution: eager },
    });
    const handle = people.temporal.workflow.getHandle(workflowId);
    const { taskToken = null } =
      eagerWorkflowTask ??
      (await people.temporal.withDeadline(Date.now() + 20_000, () =>
        service.pollWorkflowTaskQueue({ namespace, taskQueue }),
      ));
    const attributes = {
      activityId: '1',
      activityType: { name: type },
      taskQueue: { name: on },
      input: {
        payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(args)) }],
      },
      scheduleToCloseTimeout: { seconds: 20 },
      heartbeatTimeout: { seconds: 10 },
    } as object;
    await service.respondWorkflowTaskCompleted({
      namespace,
      taskToken,
      commands: [{ commandType: 1, scheduleActivityTaskCommandAttributes: attributes }],
    });
    const answer = await until(`the answer to ${workflowId}`, async () => {
      const { events } = await handle.fetchHistory();
      const failed = events?.find((event) => event.activityTaskFailedEventAttributes != null);
      return failed?.activityTaskFailedEventAttributes?.failure?.message ?? null;
    });
    await handle.terminate('it has its answer');
    return answer;
  }

  test.concurrent('does not work for a run made by Reset, before or after the check', async () => {
    const app = 'reset';
    await people.start(app, SLOW);
    await world.phase(app, 'baking');
    const handle = people.temporal.workflow.getHandle(`${app}/production`);
    const { events = [] } = await handle.fetchHistory();
    const tasks = (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes != null);
    const writes = () =>
      world.stack.aws.writes().filter((write) => write.function === app && write.error === null).length;
    const before = writes();
    for (const [at, says] of [
      [tasks.length - 1, /its grant is for run \S+ of reset\/production, not for this one/],
      [0, /was made by Reset, and a release is not repeated/],
    ] as const) {
      await people.temporal.workflowService.resetWorkflowExecution({
        namespace: 'default',
        workflowExecution: { workflowId: `${app}/production`, runId: (await handle.describe()).runId },
        workflowTaskFinishEventId: tasks[at]?.eventId ?? null,
        requestId: `reset-${at}`,
        reason: 'an attack',
      } as object);
      expect(await refusal(app)).toMatch(says);
    }
    expect(writes()).toBe(before);
  });
});

describe('forged updates', () => {
  test.concurrent('cannot block a run: it continues as new, and a signed abort is answered', async () => {
    const app = 'updates';
    const started = await people.start(app, GATED);
    await world.phase(app, 'awaitingApproval');
    const handle = people.temporal.workflow.getHandle(`${app}/production`);
    const before = (await handle.describe()).runId;
    const forged = (at: number) => handle.executeUpdate('approve', { args: [{ token: `forged ${at}` }] });
    const answers = await Promise.allSettled(Array.from({ length: 30 }, (_, at) => forged(at)));
    expect(answers.every(({ status }) => status === 'rejected')).toBe(true);
    await until('the next run', async () => (await handle.describe()).runId !== before);
    await people.clients.dan.verb(world.at(app), 'abort', {});
    expect(await world.end(app, started)).toMatchObject({ outcome: 'rolledBack' });
  });
});

describe('the companion of a target', () => {
  test.concurrent('queues a release only for people who may start it, and ends the running one only for a release that may replace it', async () => {
    const app = 'queued';
    const started = await people.start(app, SLOW);
    const { run } = await world.phase(app, 'baking');
    for (const [name, client, says] of [
      ['nobody', world.sluice, 'the start is not signed'],
      ['dan', people.clients.dan, 'dan may not; @developers, robot:shop-ci may'],
    ] as const) {
      await expect(world.start(app, name, SLOW, 'replace', client)).rejects.toThrow(says);
    }
    const handle = people.temporal.workflow.getHandle(`${app}/production`);
    await handle.signal('supersede', { by: 'ann', run });
    await handle.signal('supersede', { by: 'ann', run, token: 'forged' });
    const { refusals } = await until('both to be refused', async () => {
      const { view } = await world.sluice.status(world.at(app));
      return view !== null && view.refusalsTotal === 2 ? view : null;
    });
    expect(refusals.map(({ why }) => why)).toEqual([
      'supersede is not signed, and there is a policy; make a key with `sluice key`, have it added to the policy and send it again, or use --login',
      'it does not come from the companion of the target',
    ]);
    await waiting(app);
    const next = await world.start(app, 'ann', QUICK, 'replace', people.clients.ann);
    expect(await world.end(app, started)).toMatchObject({
      outcome: 'superseded',
      reason: 'a newer release by ann replaces it',
    });
    expect(await world.end(app, next)).toMatchObject({ outcome: 'succeeded', access: { starter: 'ann' } });

    await undoing(app);
  });

  /** A release that was signed to wait replaces nothing, and is of who signed it, whatever stands beside the signature. */
  async function waiting(app: string): Promise<void> {
    const input = { ...(await packed(app, QUICK)), startedBy: 'ann' };
    const place = { ...world.at(app), strategy: 'canary' as const };
    const token = await people.signedBy('ann', { act: 'start', ...place, spec: specDigest(input), release: null });
    const companion = people.temporal.workflow.getHandle(`companion/${app}/production`);
    const submit = (mode: string) =>
      companion.executeUpdate('submit', {
        args: [{ type: 'canary', input: { ...input, token }, mode, by: 'ben', message: null }],
      });
    await expect(submit('replace')).rejects.toMatchObject({
      cause: { cause: { message: 'refused: ann signed a release that waits, not one that replaces another' } },
    });
    await submit('queue');
    expect((await world.ledger(app))?.queued).toMatchObject({ by: 'ann' });
  }

  /** Back to the release before, for whom may start; never by a record that no rollout has written. */
  async function undoing(app: string): Promise<void> {
    const undo = async (name: Name) => world.end(app, await people.clients[name].undo(world.at(app), { by: name }));
    expect(await undo('dan')).toMatchObject({ outcome: 'failed', code: 'SLUICE_ACCESS' });
    const back = people.clients.ann.undo(world.at(app), { by: 'ann' });
    await world.phase(app, 'baking');
    await people.clients.ann.verb(world.at(app), 'skip', {});
    expect(await world.end(app, await back)).toMatchObject({ outcome: 'succeeded', startedBy: 'ann' });

    const target = { platform: 'lambda', account: 'default', region: 'us-east-1' };
    const spec = { ...specOf('else', QUICK), app, target };
    const [at, entry] = [Date.now(), (await world.ledger(app))?.releases[0]];
    await people.temporal.workflow.getHandle(`companion/${app}/production`).signal('rolloutEvent', {
      ...{ kind: 'ended', run: 'forged', at, entry: { ...entry, run: 'forged', since: at } },
      undo: { version: '2', window: 3_600_000, spec, seal: 'forged' },
    });
    await until('the forged record', async () => (await world.ledger(app))?.releases[0]?.run === 'forged');
    expect(await undo('ann')).toMatchObject({
      outcome: 'failed',
      reason: `the record of ${app}/production was not written by a rollout, so it is not used`,
    });
  }
});
