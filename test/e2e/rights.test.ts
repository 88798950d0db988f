/** The rights of a policy that lists them one by one, by real workers: to hold, to release, to keep a foreign change, to move callers. */
import { UpdateAliasCommand } from '@aws-sdk/client-lambda';
import type { MoveRequest } from '../../src/client/types.js';
import { until } from '../support/until.js';
import { type Name, type People, startPeople } from './people.js';
import { QUICK, SLOW, specOf, type World } from './target.js';

let people: People;
let world: World;

beforeAll(async () => {
  // Ben may hold, release and override; cem may move callers; ann may start, undo and skip, and none of these.
  people = await startPeople('rights', ['held', 'kept', 'moved']);
  world = people.world;
});

afterAll(() => people?.stop());

const refused = (name: string) => ({
  code: 'SLUICE_ACCESS',
  message: expect.stringContaining(`${name} may not`),
});

test('a target can be held and released by those the policy allows, and not by a signal', async () => {
  const app = 'held';
  const at = world.at(app);
  expect(await world.end(app, await people.start(app, QUICK))).toMatchObject({ outcome: 'succeeded' });
  const undo = (name: Name) => people.clients[name].undo(at, { by: name, hold: true });
  expect(await world.end(app, await undo('ann'))).toMatchObject({ outcome: 'failed', code: 'SLUICE_ACCESS' });

  // A stranger holds nothing, whatever he says.
  const companion = people.temporal.workflow.getHandle(`companion/${app}/production`);
  for (const seal of ['forged', null]) {
    const forged = { by: 'ben', version: '1', message: null, hold: true, keepQueue: false, seal };
    await companion.signal('rolloutEvent', { kind: 'began', run: 'forged', strategy: 'undo', at: 1, undo: forged });
  }
  expect(await world.end(app, await people.start(app, QUICK))).toMatchObject({ outcome: 'succeeded' });
  // The companion has had the forged signals by now: it has told of a rollout that came after them.
  await until('the ledger', async () => (await world.ledger(app))?.releases.length === 3);
  expect((await companion.describe()).memo?.hold ?? null).toBeNull();

  const held = await undo('ben');
  await world.phase(app, 'baking', held.run ?? '');
  await people.clients.ann.verb(at, 'skip', {});
  expect(await world.end(app, held)).toMatchObject({ outcome: 'succeeded', startedBy: 'ben' });
  const start = () => people.start(app, QUICK);
  await expect(start()).rejects.toMatchObject({
    code: 'SLUICE_HELD',
    message: expect.stringContaining("by ben's undo to release"),
  });

  await expect(people.clients.ann.unhold(at, { by: 'ben' })).rejects.toMatchObject(refused('ann'));
  await expect(world.sluice.unhold(at, { by: 'ben' })).rejects.toMatchObject({ code: 'SLUICE_ACCESS' });
  await expect(companion.executeUpdate('unhold', { args: [{ by: 'ben', token: 'forged' }] })).rejects.toThrow();
  await expect(start()).rejects.toMatchObject({ code: 'SLUICE_HELD' });

  expect(await people.clients.ben.unhold(at, { by: 'somebody else' })).toEqual({ by: 'ben' });
  expect(await world.end(app, await start())).toMatchObject({ outcome: 'succeeded' });

  const { entries } = await people.clients.cem.audit(at);
  const said = entries.filter(({ kind, what }) => kind === 'start' || what === 'unhold');
  const proof = expect.stringMatching(/^ey/);
  expect(said.slice(-6)).toMatchObject([
    { kind: 'start', what: 'undo', who: 'ben', after: { release: null, hold: true, keepQueue: false }, proof },
    { kind: 'refusal', what: 'unhold', who: 'ben (unchecked)', why: expect.stringContaining('ann'), proof },
    { kind: 'refusal', what: 'unhold', who: 'ben', proof: null },
    { kind: 'refusal', what: 'unhold', who: 'ben (unchecked)', proof: 'forged' },
    { kind: 'verb', what: 'unhold', who: 'ben', proof },
    { kind: 'start', what: 'canary', who: 'ann' },
  ]);
});

test('a foreign change can be kept by those the policy lets override, and not by an unsigned flag', async () => {
  const app = 'kept';
  const at = world.at(app);
  const started = await people.start(app, SLOW);
  const { stable, run } = await world.phase(app, 'baking');
  const theirs = { AdditionalVersionWeights: {} };
  await world.lambda.send(
    new UpdateAliasCommand({ FunctionName: app, Name: 'live', FunctionVersion: String(stable), RoutingConfig: theirs }),
  );
  await people.clients.ann.verb(at, 'skip', {});
  await world.phase(app, 'stuck');

  await expect(people.clients.dan.verb(at, 'abort', { keep: true })).rejects.toMatchObject(refused('dan'));
  // Dan may abort, and the flag stands beside what he has signed.
  const token = await people.signedBy('dan', { act: 'abort', ...at, run });
  const handle = people.temporal.workflow.getHandle(`${app}/production`);
  await expect(handle.executeUpdate('abort', { args: [{ token, keep: true }] })).rejects.toThrow();
  await handle.signal('abort', { by: 'ben', keep: true });
  await handle.signal('abort', { by: 'ben', keep: true, token: 'forged' });
  await until('the signals to be refused', async () => ((await world.sluice.rollout(at)).refusalsTotal ?? 0) >= 2);
  expect(await world.sluice.rollout(at)).toMatchObject({ phase: 'stuck', kept: null });

  await people.clients.ben.verb(at, 'abort', { keep: true });
  expect(await world.end(app, started)).toMatchObject({ outcome: 'abandoned' });
});

test('callers can be moved by those the policy allows, as signed', async () => {
  const app = 'moved';
  const request: MoveRequest = {
    ...world.at(app),
    how: { undo: false, publish: false },
    input: specOf(app, { release: { version: '1' } }),
  };
  const { digest: shown } = await people.clients.ann.callers(request);
  const move = (name: Name) => people.clients[name].moveCallers({ ...request, shown });
  for (const name of ['ann', 'ben'] as const) await expect(move(name)).rejects.toMatchObject(refused(name));
  await expect(world.sluice.moveCallers({ ...request, shown })).rejects.toMatchObject({
    code: 'SLUICE_ACCESS',
    message: expect.stringContaining('is not signed'),
  });
  expect(await move('cem')).toEqual({ done: [], left: [] });
});
