/** A first deployment that is taken back, and a creation of the alias that lands late. */
import {
  CreateAliasCommand,
  DeleteAliasCommand,
  GetAliasCommand,
  ListVersionsByFunctionCommand,
} from '@aws-sdk/client-lambda';
import { takeBack } from '../../../activities/take-back.js';
import type { AskedWrite } from '../../../emulators/aws/gateway.js';
import { mark } from '../../../src/model/ids.js';
import type { RestoreArgs, Split } from '../../../src/platforms/port.js';
import { functionWith } from '../../emulators/aws/functions.js';
import { context, type Stack, startStack } from './stack.js';

let stack: Stack;
/** What a write waits for before it takes effect. */
let before: (asked: AskedWrite) => Promise<void> = async () => undefined;
beforeAll(async () => {
  stack = await startStack({ beforeWrite: (asked) => before(asked) });
});
afterAll(() => stack?.stop());
afterEach(() => {
  before = async () => undefined;
});

const RUN = 'run1';

/** A function without the alias, whose first release this run has published as version 2. */
async function deployed(fn: string) {
  await functionWith(stack.lambda, fn, ['return "somebody\'s"']);
  const spec = stack.spec(fn, { release: { artifact: await stack.pack('return "ours"') } });
  const by = (step: string) => mark(spec.app, spec.environment, RUN, step);
  const { before: found } = await stack.driver.inspect(context(), spec);
  const { release } = await stack.driver.deploy(context(), { spec, before: found, mark: by('deploy') });
  const split: Split = { stable: release.version, candidate: null, weight: 0 };
  const fence = { revision: found.revision, mark: by('promote') };
  const args: RestoreArgs = {
    spec,
    before: found,
    attempted: [{ mark: fence.mark, split }],
    lastRevision: null,
    mark: by('restore'),
    force: false,
  };
  return {
    spec,
    version: release.version,
    promote: () => stack.driver.promote(context(), { spec, candidate: release.version, fence }),
    restore: (more: Partial<RestoreArgs> = {}) => stack.driver.restore(context(), { ...args, ...more }),
  };
}

async function alias(FunctionName: string, Name = 'live'): Promise<string | null> {
  try {
    const { FunctionVersion } = await stack.lambda.send(new GetAliasCommand({ FunctionName, Name }));
    return FunctionVersion ?? null;
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return null;
    throw error;
  }
}

async function versions(FunctionName: string): Promise<string[]> {
  const { Versions = [] } = await stack.lambda.send(new ListVersionsByFunctionCommand({ FunctionName }));
  return Versions.map(({ Version }) => Version ?? '').filter((version) => version !== '$LATEST');
}

test('a creation that lands between the check and the deletion of its version is deleted with it', async () => {
  const fn = 'between';
  const run = await deployed(fn);
  let promoted: Promise<unknown> = Promise.resolve();
  before = async ({ operation }) => {
    if (operation !== 'DeleteFunction') return;
    before = async () => undefined;
    promoted = run.promote();
    await promoted;
    expect(await alias(fn)).toBe(run.version);
  };
  expect(await run.restore()).toEqual({ revision: '', split: { stable: null, candidate: null, weight: 0 } });
  await promoted;
  expect(await alias(fn)).toBeNull();
  expect(await versions(fn)).toEqual(['1']);
});

test('a creation that lands after the deletion finds no version', async () => {
  const fn = 'after';
  const run = await deployed(fn);
  let land = () => {};
  const asked = new Promise<void>((resolve) => {
    before = async ({ operation }) => {
      if (operation !== 'CreateAlias') return;
      const landing = new Promise<void>((go) => {
        land = go;
      });
      resolve();
      await landing;
    };
  });
  const promoted = run.promote().catch((error: unknown) => error);
  await asked;
  await run.restore();
  land();
  expect(await promoted).toMatchObject({ code: 'SLUICE_NOT_FOUND' });
  expect(await alias(fn)).toBeNull();
  expect(await versions(fn)).toEqual(['1']);
});

test('a version that this run published is deleted even if no attempt named it', async () => {
  const fn = 'unnamed';
  const run = await deployed(fn);
  await run.restore({ attempted: [] });
  expect(await versions(fn)).toEqual(['1']);
});

test("a version that someone else's alias refers to stays, and the rollout says so", async () => {
  const fn = 'held';
  const run = await deployed(fn);
  const theirs = { FunctionName: fn, Name: 'theirs', FunctionVersion: run.version };
  await stack.lambda.send(new CreateAliasCommand(theirs));
  const { remarks } = await run.restore();
  expect(remarks).toEqual([
    `version ${run.version}, which this rollout has published, could not be deleted: alias theirs refers to it`,
  ]);
  expect(await alias(fn, 'theirs')).toBe(run.version);
});

describe('what appears after the rollout', () => {
  /** A creation that has landed after everything: the alias at this run's version. */
  async function late(fn: string) {
    const run = await deployed(fn);
    await run.promote();
    const { app, environment } = run.spec;
    const look = (of: string) =>
      takeBack(context(), stack.driver, { app, environment, run: of, spec: run.spec, looks: [1], seal: null }, false);
    return { ...run, look };
  }

  test("is deleted by its run's mark, with the version, once", async () => {
    const fn = 'afterwards';
    const { version, look } = await late(fn);
    expect(await look(RUN)).toEqual({ taken: version });
    expect(await alias(fn)).toBeNull();
    expect(await versions(fn)).toEqual(['1']);
    expect(await look(RUN)).toEqual({ taken: null });
  });

  test('stays if another run has written it since', async () => {
    const fn = 'since';
    const { version, look } = await late(fn);
    const asked = stack.asked.length;
    expect(await look('run2')).toEqual({ taken: null });
    // Whose the alias is says the alias alone.
    expect(stack.asked.length - asked).toBe(1);
    expect(await alias(fn)).toBe(version);
  });
});

describe('an alias that a person adopted though it is gone', () => {
  /** A function with an alias at version 1 that is deleted after a look, which the person has taken as ours. */
  async function gone(fn: string) {
    await functionWith(stack.lambda, fn, ['return 1', 'return 2', 'return 3']);
    const at = { FunctionName: fn, Name: 'live' };
    await stack.lambda.send(new CreateAliasCommand({ ...at, FunctionVersion: '1' }));
    const spec = stack.spec(fn, { release: { version: 2 } });
    const { before: found } = await stack.driver.inspect(context(), spec);
    await stack.lambda.send(new DeleteAliasCommand(at));
    const by = (step: string) => mark(spec.app, spec.environment, RUN, step);
    const args = { spec, before: found, attempted: [], lastRevision: '', mark: by('restore'), force: false };
    return {
      theirs: () => stack.lambda.send(new CreateAliasCommand({ ...at, FunctionVersion: '3' })),
      restore: () => stack.driver.restore(context(), args),
      shift: () =>
        stack.driver.shift(context(), {
          ...{ spec, stable: '1', candidate: '2', weight: 10 },
          fence: { revision: '', mark: by('shift') },
        }),
    };
  }

  test('is created again on the way back', async () => {
    const { restore } = await gone('made-again');
    await restore();
    expect(await alias('made-again')).toBe('1');
  });

  test('gets its weight', async () => {
    const { shift } = await gone('weighted');
    expect((await shift()).split).toEqual({ stable: '1', candidate: '2', weight: 10 });
  });

  test('is not overwritten if someone has created another one since', async () => {
    const { restore, shift, theirs } = await gone('theirs');
    await theirs();
    await expect(restore()).rejects.toMatchObject({ code: 'SLUICE_FOREIGN_CHANGE' });
    await expect(shift()).rejects.toMatchObject({ code: 'SLUICE_FOREIGN_CHANGE' });
    expect(await alias('theirs')).toBe('3');
  });
});
