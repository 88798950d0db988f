/** Who may do what, where the policy is the worker's: every attack that a writer of the namespace can make, on real servers. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { newKey, sign, signerOf, specDigest } from '../../src/access/index.js';
import { contentOf } from '../../src/artifact/index.js';
import type { Sluice } from '../../src/client/index.js';
import { readKey } from '../../src/key-file.js';
import type { Statement, VerbStatement } from '../../src/model/access.js';
import { accountQueue } from '../../src/model/ids.js';
import type { ReleaseSource } from '../../src/model/spec.js';
import { browse, CLIENT, startProvider } from '../access/provider.js';
import { startRunner } from '../access/runner.js';
import { tool } from '../support/tools.js';
import { until } from '../support/until.js';
import { QUICK, SLOW, specOf, startWorld, type World } from './target.js';

/** Who is who; `eve` has a key that the policy does not know. */
const PEOPLE = { ann: ['developers'], ben: ['managers'], cem: ['managers'], dan: [], eve: null } as const;
type Name = keyof typeof PEOPLE;
const GATED = {
  strategy: {
    type: 'canary',
    stages: [
      { weight: '50%', bake: '100ms', approval: { within: '1h' } },
      { weight: '100%', bake: '100ms' },
    ],
  },
};

/** The job of a workflow that may start, as GitHub says it. */
const JOB = {
  repository: 'acme/shop',
  ref: 'refs/heads/main',
  job_workflow_ref: 'acme/shop/.github/workflows/release.yml@refs/heads/main',
};

let world: World;
let provider: Awaited<ReturnType<typeof startProvider>>;
let runner: Awaited<ReturnType<typeof startRunner>>;
const clients = {} as Record<Name, Sluice>;
const keyFile = (folder: string, name: string) => path.join(folder, 'keys', `${name}.json`);

beforeAll(async () => {
  provider = await startProvider({ ben: { email: 'ben@example.com', email_verified: true } });
  runner = await startRunner(JOB);
  world = await startWorld('access', (folder) => {
    mkdirSync(path.join(folder, 'keys'), { recursive: true });
    const people = Object.entries(PEOPLE).map(([name, groups]) => {
      const key = newKey(name);
      writeFileSync(keyFile(folder, name), JSON.stringify(key));
      return groups === null
        ? ''
        : `  ${name}: {keys: ['${key.public}'], groups: [${groups.join(', ')}], login: ${name === 'ben' ? 'ben@example.com' : null}}\n`;
    });
    const policy = path.join(folder, 'policy.yaml');
    writeFileSync(
      policy,
      `people:\n${people.join('')}logins: [{issuer: '${provider.issuer}', clientId: ${CLIENT}}]
robots:
  shop-ci:
    issuer: ${runner.issuer}
    repository: acme/shop
    ref: refs/heads/main
    workflow: .github/workflows/release.yml
rules:
  - environment: production
    allow:
      start: ['@developers', 'robot:shop-ci']
      approve: ['@managers']
      skip: ['@developers']
      override: [ben]
    approvals: {people: 2, notStarter: true}
    floors: {strategies: [canary], health: required}
`,
    );
    // Every rollout continues as new on its way, and gets a grant for each of its runs.
    return {
      SLUICE_POLICY: policy,
      SLUICE_GRANT_KEY: randomBytes(32).toString('base64'),
      SLUICE_CONTINUE_AT: '60,2000',
    };
  });
  for (const name of Object.keys(PEOPLE) as Name[]) {
    clients[name] = await world.client({ SLUICE_KEY: keyFile(world.folder, name) });
  }
  await Promise.all(['once', 'stolen', 'reset', 'gated', 'queued', 'by-ci'].map(live));
}, 60_000);

afterAll(async () => {
  await world?.stop();
  await runner?.stop();
  provider?.stop();
});

const temporal = () => world.stack.client;
const start = (app: string, fields: object, by: Name = 'ann') =>
  world.start(app, by, { ...fields }, 'reject', clients[by]);

/** How a rollout that must not run ends. */
async function refusal(app: string): Promise<string> {
  const { view } = await world.sluice.wait(world.at(app), 'done', { signal: AbortSignal.timeout(30_000) });
  expect(view).toMatchObject({ outcome: 'failed', code: 'SLUICE_ACCESS' });
  return view?.reason ?? '';
}

/** A first release, so that there is something to attack. */
async function live(app: string): Promise<void> {
  const { outcome } = await world.end(app, await start(app, QUICK));
  expect(outcome).toBe('succeeded');
}

/** Whether the cloud has taken a write to the app's function at all. */
const written = (app: string) => world.stack.aws.writes().some((write) => write.function === app);

const signedBy = async (name: Name, statement: Statement, more: { audience?: string; now?: number } = {}) => {
  const file = readKey(keyFile(world.folder, name));
  if (file === null) throw new Error(`${name} has no key`);
  return sign(statement, await signerOf(file), { audience: 'sluice:default', now: Date.now(), valid: 60_000, ...more });
};

describe('a start', () => {
  test.concurrent('needs the signature of somebody who may', async () => {
    await temporal().workflow.start('canary', {
      workflowId: 'raw/production',
      taskQueue: 'sluice',
      args: [specOf('raw', QUICK)],
    });
    expect(await refusal('raw')).toContain('the start is not signed. Make a key with `sluice key`');

    await start('by-ben', QUICK, 'ben');
    expect(await refusal('by-ben')).toBe(
      'start by-ben/production is refused: ben may not; @developers, robot:shop-ci may',
    );

    await start('by-eve', QUICK, 'eve');
    expect(await refusal('by-eve')).toContain('it is signed with a key that the policy does not know');
    expect(['raw', 'by-ben', 'by-eve'].filter(written)).toEqual([]);
  });

  test.concurrent('under a floor is refused, and so is one without health', async () => {
    await start('under', { strategy: { type: 'direct', bake: '1s' } });
    expect(await refusal('under')).toContain('strategy direct is not allowed here; take canary');
    await start('ungated', { ...QUICK, health: { probes: [], metrics: [] }, allowUngated: true });
    expect(await refusal('ungated')).toContain('health is required here');
    expect([written('under'), written('ungated')]).toEqual([false, false]);
  });

  test.concurrent('goes on from no state that the starter has brought', async () => {
    const app = 'carried';
    const input: Record<string, unknown> = { ...specOf(app, GATED), startedBy: 'ann' };
    const place = { ...world.at(app), strategy: 'canary' as const };
    const release = await contentOf(input.release as ReleaseSource);
    const statement = { act: 'start' as const, ...place, spec: specDigest(input), release };
    const token = await signedBy('ann', statement);
    const passed = { cursor: { stage: 1, step: 0 }, full: true, release: { version: '1', digest: 'd' }, step: {} };
    const started = await temporal().workflow.start('canary', {
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
    await clients.dan.verb(world.at(app), 'abort', {});
  });

  test.concurrent('counts once, for its own spec, and the code must be what was signed', async () => {
    const app = 'once';
    const [first] = await temporal().workflow.getHandle(`${app}/production`).fetchHistory().then(inputs);
    const { token, ...spec } = first as Record<string, unknown>;
    const again = (input: object) =>
      temporal().workflow.start('canary', { workflowId: `${app}/production`, taskQueue: 'sluice', args: [input] });

    await again({ ...spec, token });
    expect(await refusal(app)).toBe('this signed start was used already; start anew');
    await again({ ...spec, allowUngated: true, token });
    expect(await refusal(app)).toContain('what ann signed is for another spec');

    const input = specOf('other-code', QUICK);
    await clients.ann.start({
      ...world.at('other-code'),
      type: 'canary',
      input,
      onNewRelease: 'reject',
      release: 'f'.repeat(64),
    });
    expect(await refusal('other-code')).toMatch(/the code found here \(\w{12}\) is not the code that ann signed/);
    expect(written('other-code')).toBe(false);
  });
});

/** The arguments of the workflow, then what each activity was asked and answered. */
function inputs({ events }: { events?: unknown }): unknown[] {
  type Payloads = { payloads?: { data?: Uint8Array }[] };
  const found: unknown[] = [];
  for (const event of (events ?? []) as Record<string, { input?: Payloads; result?: Payloads } | undefined>[]) {
    for (const attributes of Object.values(event)) {
      for (const { data } of attributes?.input?.payloads ?? attributes?.result?.payloads ?? []) {
        if (data != null && data.length > 0) found.push(JSON.parse(Buffer.from(data).toString()));
      }
    }
  }
  return found;
}

describe('who has no key', () => {
  test('starts as the CI that the policy pins, and approves by a login; no token of a provider enters the history', async () => {
    const app = 'by-ci';
    const id = `${app}/production`;
    const byCi = (...argv: string[]) => world.cli(argv, world.folder, runner.env);
    expect(await byCi('start', world.file(app, GATED))).toMatchObject({ code: 0, err: '' });
    const { run, access } = await world.phase(app, 'awaitingApproval');
    expect(access).toMatchObject({ starter: 'robot:shop-ci' });
    expect((await byCi('approve', id)).err).toContain('robot:shop-ci may not approve here; @managers may');

    const byLogin = await world.cli(['approve', id, '--login', '-m', 'seen'], world.folder, {}, (url) =>
      browse(url, 'ben'),
    );
    expect(byLogin).toMatchObject({ code: 0, err: expect.stringContaining(`log in at ${provider.issuer}`) });
    // Where a person looks on who has no key, a decision asks for a login by itself, and nothing else does.
    const looking = await world.client({}, (url) => browse(url, 'ben'));
    await expect(looking.verb(world.at(app), 'approve', {})).rejects.toThrow('ben has approved already');
    await expect(looking.verb(world.at(app), 'abort', {})).rejects.toThrow('abort is not signed');
    expect(await clients.cem.verb(world.at(app), 'approve', {})).toMatchObject({ message: 'goes on' });

    const audit = await world.cli(['audit', id]);
    expect(audit.out).toContain('"who":"robot:shop-ci"');
    const history = JSON.stringify(inputs(await temporal().workflow.getHandle(id, run).fetchHistory()));
    expect(history).toContain('"token":"ey');
    expect(runner.given).toHaveLength(2);
    for (const token of runner.given) expect(history + audit.out).not.toContain(token.split('.')[1]);
  });

  test.concurrent('is not asked for a login where the policy has none of that provider', async () => {
    const elsewhere = { SLUICE_LOGIN: 'https://evil.example' };
    const { code, err } = await world.cli(['start', world.file('nowhere', GATED)], world.folder, elsewhere);
    expect(code).not.toBe(0);
    expect(err).toContain(`the policy has no login of https://evil.example; there is ${provider.issuer}`);
  });
});

describe('a grant', () => {
  /** The arguments of the last activity that the rollout has called with a weight, with its grant. */
  async function stolen(app: string): Promise<Record<string, unknown>> {
    const all = inputs(await temporal().workflow.getHandle(`${app}/production`).fetchHistory());
    const shift = all.find((each) => typeof each === 'object' && each !== null && 'fence' in each && 'weight' in each);
    return shift as Record<string, unknown>;
  }
  const queue = accountQueue({ platform: 'lambda', account: 'default', region: 'us-east-1' }, 'calls');

  test.concurrent('is worth nothing in an activity without a workflow, nor in a workflow of somebody else', async () => {
    const app = 'stolen';
    await start(app, SLOW);
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
    expect(`${executed.stdout}${executed.stderr}`).toContain('it is run without a workflow');

    for (const [attempt, grant] of [args.grant, undefined, 'forged'].entries()) {
      expect(await byOwnWorkflow(`evil-${attempt}`, 'shift', { ...args, grant })).toMatch(
        attempt === 0
          ? /its grant is for run \S+ of stolen\/production, not for this one/
          : /it has no grant of a worker/,
      );
    }
    expect(await byOwnWorkflow('evil-renewal', 'renew', { grants: [args.grant] }, 'sluice')).toMatch(
      /runs on task queue evil-renewal|does not continue run/,
    );
    expect(writes()).toBe(before);
    await clients.dan.verb(world.at(app), 'abort', { by: 'dan' });
    await until('the abort', async () => (await world.sluice.status(world.at(app))).ended);
  });

  /** A workflow that the attacker decides himself, task by task; answers how its activity failed. */
  async function byOwnWorkflow(workflowId: string, type: string, args: object, on = queue): Promise<string> {
    const service = temporal().workflowService;
    const [namespace, taskQueue] = ['default', { name: workflowId }];
    const handle = await temporal().workflow.start('canary', { workflowId, taskQueue: workflowId, args: [] });
    const { taskToken } = await temporal().withDeadline(Date.now() + 20_000, () =>
      service.pollWorkflowTaskQueue({ namespace, taskQueue }),
    );
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
    return until(`the answer to ${workflowId}`, async () => {
      const { events } = await handle.fetchHistory();
      const failed = events?.find((event) => event.activityTaskFailedEventAttributes != null);
      return failed?.activityTaskFailedEventAttributes?.failure?.message ?? null;
    });
  }

  test.concurrent('is not for a run that Reset has made, before the check or behind it', async () => {
    const app = 'reset';
    await start(app, SLOW);
    await world.phase(app, 'baking');
    const handle = temporal().workflow.getHandle(`${app}/production`);
    const { events = [] } = await handle.fetchHistory();
    const tasks = (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes != null);
    const writes = () =>
      world.stack.aws.writes().filter((write) => write.function === app && write.error === null).length;
    const before = writes();
    for (const [at, says] of [
      [tasks.length - 1, /its grant is for run \S+ of reset\/production, not for this one/],
      [0, /was made by Reset, and a release is not done twice/],
    ] as const) {
      await temporal().workflowService.resetWorkflowExecution({
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

describe('a decision', () => {
  test('unsigned, forged, expired, of the wrong stage, of another run, of the starter and said twice is refused; two others count', async () => {
    const app = 'gated';
    const id = `${app}/production`;
    await start(app, GATED);
    const { run, waitingFor } = await world.phase(app, 'awaitingApproval');
    const gate = waitingFor?.gate;
    if (gate == null) throw new Error('no gate is open');
    expect(gate).toMatchObject({ stage: '50%', people: 2, approvers: ['ben', 'cem'], notStarter: true, approved: [] });
    const { stage, id: gateId, plan, expires } = gate;
    const statement: VerbStatement = {
      act: 'approve',
      ...world.at(app),
      run,
      gate: { id: gateId, stage, plan, expires },
    };
    const handle = temporal().workflow.getHandle(id);

    await expect(world.sluice.verb(world.at(app), 'approve', { stage, by: 'ben' })).rejects.toThrow(
      'approve is not signed, and there is a policy; say it with `sluice approve` and your key',
    );
    await expect(clients.ann.verb(world.at(app), 'approve', { stage })).rejects.toThrow(
      'ann may not approve here; @managers may',
    );
    await expect(clients.dan.verb(world.at(app), 'pause', {})).rejects.toThrow('dan may not pause here; nobody may');

    const bad: [unknown, string][] = [
      [undefined, 'approve is not signed'],
      ['not.a.token', 'it is no signed token'],
      [await signedBy('eve', statement), 'the policy does not know'],
      [await signedBy('ben', statement, { now: Date.now() - 3_600_000 }), 'it has expired'],
      [await signedBy('ben', statement, { audience: 'sluice:staging' }), 'it is for another namespace'],
      [
        await signedBy('ben', { ...statement, gate: { ...statement.gate, stage: '100%' } as never }),
        'it is for stage 100%; stage 50% waits',
      ],
      [
        await signedBy('ben', { ...statement, gate: { ...statement.gate, plan: 'other' } as never }),
        'the gate has changed',
      ],
      [await signedBy('ben', { ...statement, run: 'another' }), 'it is for another rollout of this target'],
      [await signedBy('ben', { ...statement, act: 'reject' }), 'what was signed is reject, not approve'],
      [`${(await signedBy('ben', statement)).slice(0, -4)}AAAA`, 'its signature is wrong'],
    ];
    for (const [token] of bad) await handle.signal('approve', { stage, by: 'ben', token });
    const view = await until('all of them to be refused', async () => {
      const { view: seen } = await world.sluice.status(world.at(app));
      return seen !== null && seen.refusalsTotal >= bad.length + 2 ? seen : null;
    });
    for (const [, why] of bad)
      expect(view.refusals.map((each) => each.why)).toContainEqual(expect.stringContaining(why));
    expect(view.phase).toBe('awaitingApproval');

    // One counts once, however often and by whatever way it is said.
    const once = await signedBy('ben', { ...statement, comment: 'looked at it' });
    await handle.signal('approve', { token: once });
    await until('the first approval', async () => {
      const { view: seen } = await world.sluice.status(world.at(app));
      return seen?.waitingFor?.gate?.approved.join() === 'ben';
    });
    await handle.signal('approve', { token: once });
    await expect(clients.ben.verb(world.at(app), 'approve', {})).rejects.toThrow('ben has approved already');
    const mine = await world.cli(['approvals', '--mine', '-o', 'json'], world.folder, {
      SLUICE_KEY: keyFile(world.folder, 'cem'),
    });
    expect(JSON.parse(mine.out)).toMatchObject([{ app, gate: { stage: '50%', approved: ['ben'] }, mine: true }]);
    expect(await world.cli(['approve', id], world.folder, { SLUICE_KEY: keyFile(world.folder, 'cem') })).toMatchObject({
      code: 0,
      out: `approve stage 50% of ${id}: goes on\n`,
    });
    const { view: end } = await world.sluice.wait(world.at(app), 'done', { run, signal: AbortSignal.timeout(30_000) });
    expect(end).toMatchObject({ outcome: 'succeeded', startedBy: 'ann', access: { starter: 'ann' } });
    expect(end?.events.map(({ text, by }) => `${text} by ${by}`)).toContainEqual('stage 50% approved by ben and cem');
    await theTrailSays(id);
  });

  /** Who, what, why, before and after, whole and signed by who exported it. */
  async function theTrailSays(id: string): Promise<void> {
    const out = path.join(world.folder, 'trail.ndjson');
    const cem = { SLUICE_KEY: keyFile(world.folder, 'cem') };
    expect((await world.cli(['audit', id, '--out', out], world.folder, cem)).code).toBe(0);
    const key = readKey(cem.SLUICE_KEY)?.public ?? '';
    const verify = () => world.cli(['audit', '--verify', out, '--key', key]);
    expect(await verify()).toMatchObject({
      code: 0,
      out: expect.stringMatching(/is whole: \d+ lines, signed with this key/),
    });

    const text = readFileSync(out, 'utf8');
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const of = (kind: string, what: string) => lines.filter((line) => line.kind === kind && line.what === what);
    expect(of('start', 'canary').at(-1)).toMatchObject({ who: 'ann', proof: expect.stringMatching(/^ey/) });
    expect(lines.find((line) => line.kind === 'access')).toMatchObject({
      who: 'ann',
      what: expect.stringMatching(/^policy /),
    });
    expect(of('verb', 'approve')).toMatchObject([
      { who: 'ben', why: 'looked at it', after: { stage: '50%' }, proof: expect.stringMatching(/^ey/) },
      { who: 'cem', why: null },
    ]);
    expect(of('refusal', 'approve').map(({ why }) => why)).toContainEqual(expect.stringContaining('it has expired'));
    const [first, second] = ['1', '2'];
    expect(of('change', 'shift').at(-1)).toMatchObject({
      before: { stable: first, candidate: null },
      after: { stable: first, candidate: second, weight: 50 },
    });
    expect(of('end', 'succeeded')).toHaveLength(2);

    writeFileSync(out, text.replace('looked at it', 'rubber stamp'));
    expect(await verify()).toMatchObject({
      code: 15,
      err: expect.stringMatching(/the line before line \d+ was changed/),
    });
  }
});

describe('the companion of a target', () => {
  test.concurrent('takes over a release only for whom it may, and ends the running one only for a release that may replace it', async () => {
    const app = 'queued';
    const started = await start(app, SLOW);
    const { run } = await world.phase(app, 'baking');
    for (const [name, client, says] of [
      ['nobody', world.sluice, 'the start is not signed'],
      ['dan', clients.dan, 'dan may not; @developers, robot:shop-ci may'],
    ] as const) {
      await expect(world.start(app, name, SLOW, 'replace', client)).rejects.toThrow(says);
    }
    const handle = temporal().workflow.getHandle(`${app}/production`);
    await handle.signal('supersede', { by: 'ann', run });
    await handle.signal('supersede', { by: 'ann', run, token: 'forged' });
    const { refusals } = await until('both to be refused', async () => {
      const { view } = await world.sluice.status(world.at(app));
      return view !== null && view.refusalsTotal === 2 ? view : null;
    });
    expect(refusals.map(({ why }) => why)).toEqual([
      'supersede is not signed, and there is a policy; say it with `sluice supersede` and your key, or --login',
      'it does not come from the companion of the target',
    ]);
    const next = await world.start(app, 'ann', QUICK, 'replace', clients.ann);
    expect(await world.end(app, started)).toMatchObject({
      outcome: 'superseded',
      reason: 'a newer release by ann takes its place',
    });
    expect(await world.end(app, next)).toMatchObject({ outcome: 'succeeded', access: { starter: 'ann' } });

    await undoing(app);
  });

  /** Back to the release before, for whom may start; never by a record that no rollout has written. */
  async function undoing(app: string): Promise<void> {
    const undo = async (name: Name) => world.end(app, await clients[name].undo(world.at(app), { by: name }));
    expect(await undo('dan')).toMatchObject({ outcome: 'failed', code: 'SLUICE_ACCESS' });
    const back = clients.ann.undo(world.at(app), { by: 'ann' });
    await world.phase(app, 'baking');
    await clients.ann.verb(world.at(app), 'skip', {});
    expect(await world.end(app, await back)).toMatchObject({ outcome: 'succeeded', startedBy: 'ann' });

    const spec = { ...specOf('else', QUICK), app };
    const [at, entry] = [Date.now(), (await world.ledger(app))?.releases[0]];
    await temporal()
      .workflow.getHandle(`target/${app}/production`)
      .signal('rolloutEvent', {
        ...{ kind: 'ended', run: 'forged', at, entry: { ...entry, run: 'forged', since: at } },
        undo: { version: '2', window: 3_600_000, spec, seal: 'forged' },
      });
    await until('the forged record', async () => (await world.ledger(app))?.releases[0]?.run === 'forged');
    expect(await undo('ann')).toMatchObject({
      outcome: 'failed',
      reason: `the record of ${app}/production was not written by a rollout; nothing is done by it`,
    });
  }
});
