/** A target's life beyond one rollout: taken over from another tool, rolled out, old releases retired, the two environments in turn. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  CreateAliasCommand,
  CreateEventSourceMappingCommand,
  ListVersionsByFunctionCommand,
} from '@aws-sdk/client-lambda';
import { companionId } from '../../src/model/ids.js';
import { functionWith } from '../emulators/aws/functions.js';
import { until } from '../support/until.js';
import { DIRECT, startWorld, type World } from './target.js';

let world: World;

beforeAll(async () => {
  world = await startWorld('ledger');
});

afterAll(() => world?.stop());

/** A function that another tool has published: `count` versions, `live` on the first. */
async function published(app: string, count: number): Promise<void> {
  const bodies = Array.from({ length: count }, (_, at) => `return { statusCode: 200, n: ${at + 1} }`);
  await functionWith(world.lambda, app, bodies);
  const live = { FunctionName: app, Name: 'live', FunctionVersion: '1', Description: 'the shop' };
  await world.lambda.send(new CreateAliasCommand(live));
}

async function versions(app: string): Promise<string[]> {
  const { Versions } = await world.lambda.send(new ListVersionsByFunctionCommand({ FunctionName: app }));
  return (Versions ?? []).map(({ Version }) => String(Version)).filter((version) => version !== '$LATEST');
}

async function released(app: string, version: number, fields: object = {}) {
  return world.end(app, await world.start(app, 'ann', { ...DIRECT, release: { version }, ...fields }));
}

describe('adopt', () => {
  test('writes the mark and the first spec, which starts with the live version and with another one', async () => {
    const app = 'adopted';
    await published(app, 2);
    const cwd = mkdtempSync(path.join(world.folder, 'adopted-'));
    expect(await world.cli(['adopt', `${app}:live`, '--region', 'us-east-1'], cwd)).toMatchObject({
      code: 0,
      out: `adopted ${app}:live as ${app}/production: release 1 is live; wrote rollout.yaml\n`,
    });
    const alias = await world.alias(app);
    expect(alias).toMatchObject({ version: '1', weights: {} });
    expect(alias.description).toMatch(/^the shop .*sluice:adopted\/production:[^:]+:adopt$/);

    const file = path.join(cwd, 'rollout.yaml');
    const same = await world.cli(['start', file, '--wait'], cwd);
    expect([same.code, same.out]).toEqual([0, expect.stringContaining('release 1 is already live and identical')]);

    writeFileSync(file, readFileSync(file, 'utf8').replace('version: 1', 'version: 2'));
    const waits = world.cli(['start', file, '--wait'], cwd);
    await world.phase(app, 'baking');
    await world.cli(['skip', `${app}/production`]);
    await world.phase(app, 'awaitingApproval');
    await world.cli(['approve', `${app}/production`, '--stage', '10%']);
    await world.phase(app, 'baking');
    await world.cli(['promote', `${app}/production`, '--full']);
    await until('100 %', async () => (await world.alias(app)).version === '2');
    await world.phase(app, 'baking');
    await world.cli(['skip', `${app}/production`]);
    expect(await waits).toMatchObject({ code: 0, out: expect.stringContaining('release 2 has 100 %') });
    expect(await world.alias(app)).toMatchObject({
      version: '2',
      weights: {},
      description: expect.stringMatching(/^the shop /),
    });

    expect(await released(app, 1)).toMatchObject({ outcome: 'succeeded', stable: '2', candidate: '1' });
    expect((await world.ledger(app))?.releases.map(({ version, replaced }) => [version, replaced])).toEqual([
      ['1', '2'],
      ['2', '1'],
    ]);
  });
});

describe('after the rollback window', () => {
  // Long enough for what must be seen before it is over.
  const SHORT = { rollbackWindow: '6s', retain: 1 };

  test('old versions are deleted unless something refers to them; undo is refused and says why; releases shows it', async () => {
    const app = 'retired';
    await published(app, 6);
    await world.lambda.send(new CreateAliasCommand({ FunctionName: app, Name: 'pinned', FunctionVersion: '2' }));
    await world.lambda.send(
      new CreateEventSourceMappingCommand({
        FunctionName: `${app}:3`,
        EventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:orders',
        Enabled: false,
      }),
    );
    await released(app, 4);
    await released(app, 5, SHORT);
    const done = await until('the offer to go back', async () => (await world.ledger(app))?.undo);
    expect(done.version).toBe('4');
    expect(await versions(app)).toEqual(['1', '2', '3', '4', '5', '6']);

    const kept = await until('old versions to go', async () => {
      const left = await versions(app);
      return left.length < 6 && !left.includes('1') && !left.includes('4') ? left : null;
    });
    expect(Date.now()).toBeGreaterThanOrEqual(done.until);
    // By alias pinned, by the event source, by alias live, as the newest.
    expect(kept).toEqual(['2', '3', '5', '6']);

    expect(await world.cli(['undo', `${app}/production`])).toMatchObject({
      code: 7,
      err: `error SLUICE_VERB: there is nothing to undo at ${app}/production: the rollback window for release 4 ended at ${new Date(done.until).toISOString()} (rollbackWindow), and it has been deleted. Start a rollout of its code\n`,
    });
    const { out } = await world.cli(['releases', `${app}/production`]);
    expect(out).toMatch(/^5 .* live /m);
    expect(out).toMatch(/^4 .*, deleted/m);
    expect(out).not.toContain('undo rolls back');
  });

  test('nothing is deleted while a rollout runs: the stable release has no alias in the last bake, and the rollout can still roll back to it', async () => {
    const app = 'spared';
    await published(app, 4);
    await released(app, 2, SHORT);
    const strategy = { type: 'direct', bake: '200ms', approval: { within: '1h' } };
    const answer = await world.start(app, 'ann', { strategy, release: { version: 3 } });
    await world.phase(app, 'awaitingApproval');
    expect(await world.alias(app)).toMatchObject({ version: '3', weights: {} });
    const companion = world.stack.client.workflow.getHandle(companionId(app, 'production'));
    await until('the companion to look whether a rollout runs', async () => {
      const { events } = await companion.fetchHistory();
      return events?.some((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'isRunning');
    });
    expect(await versions(app)).toEqual(['1', '2', '3', '4']);
    await world.sluice.verb(world.at(app), 'abort', { by: 'ann' });
    expect(await world.end(app, answer)).toMatchObject({ outcome: 'rolledBack' });
    expect(await world.alias(app)).toMatchObject({ version: '2', weights: {} });
    await until('old versions to go', async () => (await versions(app)).join() === '2,4');
  });
});

describe('blue-green', () => {
  const BLUE_GREEN = { strategy: { type: 'blueGreen', bake: '200ms', testBake: '200ms', approval: { within: '1h' } } };
  const RELEASES = [
    { live: 'blue', before: 'nothing is live yet; candidate 1 has no traffic', idle: null },
    { live: 'green', before: /stable 1 .* candidate 2 0 % \(blue is live, the candidate is in green\)/, idle: '1' },
    { live: 'blue', before: /stable 2 .* candidate 3 0 % \(green is live, the candidate is in blue\)/, idle: '2' },
  ] as const;

  test('creates the live environment with the first release and deploys each later one to the idle environment; get shows which is live', async () => {
    const app = 'colours';
    const get = async () => (await world.cli(['get', `${app}/production`])).out;
    for (const [at, { live, before, idle }] of RELEASES.entries()) {
      const version = String(at + 1);
      const answer = await world.start(app, 'ann', BLUE_GREEN);
      const gate = await world.phase(app, 'awaitingApproval', String(answer.run));
      expect(await get()).toMatch(before);
      expect(await get()).toContain(`release ${version} is deployed into live-${live}, without traffic`);
      expect((await world.alias(app, `live-${live}`)).version).toBe(version);
      await world.sluice.verb(world.at(app), 'approve', { stage: String(gate.waitingFor?.stage), by: 'dan' });
      expect(await world.end(app, answer)).toMatchObject({ outcome: 'succeeded', live });
      expect(await get()).toContain(`release ${version} has 100 % (${live} is live)`);
      expect((await world.alias(app)).version).toBe(version);
      if (idle !== null) {
        expect((await world.alias(app, live === 'blue' ? 'live-green' : 'live-blue')).version).toBe(idle);
      }
    }
  });
});
