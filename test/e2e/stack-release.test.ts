/** Releases of those whose stack deploys the code: what it has put into `$LATEST`, and a change of the configuration alone. */
import {
  CreateAliasCommand,
  GetFunctionConfigurationCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { call, functionWith, settled, zipOf } from '../emulators/aws/functions.js';
import { until } from '../support/until.js';
import { QUICK, startWorld, type World } from './target.js';

let world: World;
beforeAll(async () => {
  world = await startWorld('stack-release');
});
afterAll(() => world?.stop());

const SAYS = (word: string) => `return "${word} " + (process.env.FLAG ?? "off")`;

/** A function with an alias on its version 1, as a stack has made it. */
async function deployed(fn: string): Promise<void> {
  await functionWith(world.lambda, fn, [SAYS('one')]);
  await world.lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '1' }));
}

const latest = (FunctionName: string) => world.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
const answer = async (fn: string) => (await call(world.lambda, fn, 'live')).body;

/** What Sluice has changed of the function, in order. */
const writes = (fn: string) =>
  world.stack.aws
    .writes()
    .filter((write) => write.function === fn && write.error === null)
    .map(({ operation }) => operation);

/** Starts a release by a rollout.yaml and waits for its end. */
async function release(fn: string, fields: object): Promise<void> {
  const said = await world.cli(['start', world.file(fn, { ...QUICK, configuration: {}, ...fields }), '--wait']);
  expect({ code: said.code, said: said.code === 0 ? '' : said.out + said.err }).toEqual({ code: 0, said: '' });
  await until('the ledger', async () => (await world.ledger(fn))?.releases[0]?.version === '2');
}

async function undo(fn: string): Promise<void> {
  expect(await world.undone(fn, await world.undo(fn))).toMatchObject({ outcome: 'succeeded', candidate: '1' });
}

test("release: {latest: true} rolls out what the stack has deployed, and an undo leaves the stack's $LATEST alone", async () => {
  const fn = 'by-stack';
  await deployed(fn);
  await world.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: fn, ZipFile: await zipOf(SAYS('two')) }));
  await settled(world.lambda, fn);
  await world.lambda.send(
    new UpdateFunctionConfigurationCommand({ FunctionName: fn, Environment: { Variables: { FLAG: 'on' } } }),
  );
  await settled(world.lambda, fn);
  const { CodeSha256 } = await latest(fn);
  expect(await answer(fn)).toBe('one off');
  world.stack.aws.clearWrites();

  await release(fn, { release: { latest: true } });
  expect(await answer(fn)).toBe('two on');
  await undo(fn);
  expect(await answer(fn)).toBe('one off');
  const changed = new Set(writes(fn));
  expect([
    changed.has('PublishVersion'),
    changed.has('UpdateFunctionCode'),
    changed.has('UpdateFunctionConfiguration'),
  ]).toEqual([true, false, false]);
  expect(await latest(fn)).toMatchObject({ CodeSha256, Environment: { Variables: { FLAG: 'on' } } });
});

test('release: {current: true} rolls out the same code with another configuration, and an undo reverts it', async () => {
  const fn = 'flag';
  await deployed(fn);
  world.stack.aws.clearWrites();
  await release(fn, { release: { current: true }, configuration: { environment: { FLAG: 'on' } } });
  expect(await answer(fn)).toBe('one on');
  expect(writes(fn)).not.toContain('UpdateFunctionCode');
  await undo(fn);
  expect(await answer(fn)).toBe('one off');
});
