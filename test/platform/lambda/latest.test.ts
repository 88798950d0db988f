import {
  CreateAliasCommand,
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  type UpdateFunctionConfigurationCommandInput,
} from '@aws-sdk/client-lambda';
import { mark } from '../../../src/model/ids.js';
import type { Spec } from '../../../src/model/spec.js';
import type { BeforeState, Finding } from '../../../src/platforms/port.js';
import { call, functionWith, mapTo, ROLE, settled, zipOf } from '../../emulators/aws/functions.js';
import { context, type Stack, startStack } from './stack.js';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ faults: true });
});
afterAll(() => stack?.stop());
afterEach(() => stack.aws.faults.clear());

const LATEST = { release: { latest: true } } as const;
const current = (configuration: Spec['configuration']): Partial<Spec> => ({
  release: { current: true },
  configuration,
});

/** A function whose version 1 is live. */
async function live(fn: string): Promise<void> {
  await functionWith(stack.lambda, fn, ['return process.env.TABLE ?? "one"']);
  await stack.lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '1' }));
}

/** What a stack's deployment does to the function. */
async function stackPuts(fn: string, body: string, configuration?: Partial<UpdateFunctionConfigurationCommandInput>) {
  await stack.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: fn, ZipFile: await zipOf(body) }));
  await settled(stack.lambda, fn);
  if (configuration !== undefined) await configure(fn, configuration);
}

async function configure(FunctionName: string, configuration: Partial<UpdateFunctionConfigurationCommandInput>) {
  await stack.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, ...configuration }));
  await settled(stack.lambda, FunctionName);
}

const inspect = (fn: string, overrides: Partial<Spec>) => stack.driver.inspect(context(), stack.spec(fn, overrides));

async function deploy(fn: string, overrides: Partial<Spec>, before: BeforeState, run = 'run1') {
  const spec = stack.spec(fn, overrides);
  const by = mark(spec.app, spec.environment, run, 'deploy');
  return (await stack.driver.deploy(context(), { spec, before, mark: by })).release;
}

const read = (FunctionName: string, Qualifier?: string) =>
  stack.lambda.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier }));

const versions = async (FunctionName: string) =>
  ((await stack.lambda.send(new ListVersionsByFunctionCommand({ FunctionName }))).Versions ?? []).length - 1;

const refusals = (findings: Finding[]) =>
  findings.filter(({ level }) => level === 'refuse').map(({ message }) => message);
const of = (findings: Finding[], code: string) => findings.filter((finding) => finding.code === code);

/** Operations that have changed something of the function. */
const writes = (fn: string) =>
  stack.aws
    .writes()
    .filter((write) => write.function === fn && write.status < 300)
    .map(({ operation }) => operation);

describe('release: {latest: true}', () => {
  test('publishes what a stack put into $LATEST, and writes nothing else', async () => {
    const fn = 'by-stack';
    await live(fn);
    await stackPuts(fn, 'return "two"', { MemorySize: 256 });
    const { before, findings } = await inspect(fn, LATEST);
    const { CodeSha256, RevisionId } = await read(fn);
    expect(before.pinned).toEqual({ digest: CodeSha256, revision: RevisionId });
    expect(refusals(findings)).toEqual([]);
    expect(of(findings, 'PINNED')[0]?.message).toContain(`code ${CodeSha256}, revision ${RevisionId}`);
    stack.aws.clearWrites();
    expect(await deploy(fn, LATEST, before)).toEqual({ version: '2', digest: CodeSha256 });
    // Again after a lost answer, whatever $LATEST is by then.
    await stackPuts(fn, 'return "three"');
    expect(await deploy(fn, LATEST, before)).toEqual({ version: '2', digest: CodeSha256 });
    expect(writes(fn).filter((operation) => operation === 'PublishVersion')).toEqual(['PublishVersion']);
    expect(await read(fn, '2')).toMatchObject({ MemorySize: 256 });
    expect((await call(stack.lambda, fn, '2')).body).toBe('two');
  });

  test('writes neither code nor configuration', async () => {
    const fn = 'reads-only';
    await live(fn);
    await stackPuts(fn, 'return "two"');
    const { before } = await inspect(fn, LATEST);
    stack.aws.clearWrites();
    await deploy(fn, LATEST, before);
    expect(writes(fn)).toEqual(['PublishVersion']);
  });

  test.each<[string, (fn: string) => Promise<void>, string]>([
    ['code', (fn) => stackPuts(fn, 'return "other"'), 'its code is another one'],
    ['configuration', (fn) => configure(fn, { MemorySize: 512 }), 'its configuration is another one'],
  ])('is refused if the %s of $LATEST has changed since the start', async (what, change, why) => {
    const fn = `moved-${what}`;
    await live(fn);
    await stackPuts(fn, 'return "two"');
    const { before } = await inspect(fn, LATEST);
    await change(fn);
    await expect(deploy(fn, LATEST, before)).rejects.toMatchObject({
      code: 'SLUICE_TARGET',
      message: expect.stringContaining(`$LATEST of ${fn} has changed since this rollout began, ${why}`),
    });
    expect(await versions(fn)).toBe(1);
  });

  test('is nothing to release if it is already live', async () => {
    const fn = 'nothing-new';
    await live(fn);
    const { before } = await inspect(fn, LATEST);
    stack.aws.clearWrites();
    expect((await deploy(fn, LATEST, before)).version).toBe('1');
    expect(writes(fn)).toEqual([]);
  });

  test('can be the first release of a function without an alias, and needs a function', async () => {
    const fn = 'no-alias';
    await functionWith(stack.lambda, fn, ['return "one"']);
    const { before, findings } = await inspect(fn, LATEST);
    expect(refusals(findings)).toEqual([]);
    expect((await deploy(fn, LATEST, before)).version).toBe('1');
    for (const overrides of [LATEST, current({ memory: 256 })]) {
      const [source] = Object.keys(overrides.release ?? {});
      expect(refusals((await inspect('no-function', overrides)).findings)).toEqual([
        `function no-function does not exist in us-east-1, so there is nothing for release.${source} to release`,
      ]);
    }
  });
});

describe('release: {current: true}', () => {
  test('publishes the live code with another configuration as a version, once', async () => {
    const fn = 'settings';
    await live(fn);
    const overrides = current({ memory: 256, environment: { TABLE: 'orders' } });
    const { before, findings } = await inspect(fn, overrides);
    expect(refusals(findings)).toEqual([]);
    const release = await deploy(fn, overrides, before);
    expect(release).toEqual({ version: '2', digest: before.release?.digest });
    expect(await deploy(fn, overrides, before)).toEqual(release);
    expect((await call(stack.lambda, fn, '2')).body).toBe('orders');
    expect(await read(fn, '2')).toMatchObject({ MemorySize: 256 });
    expect(await read(fn, '1')).toMatchObject({ MemorySize: 128 });
    // A rotated secret is another value of the same variable.
    const rotated = current({ environment: { TABLE: 'orders-2' } });
    expect((await deploy(fn, rotated, before, 'run2')).version).toBe('3');
    expect((await call(stack.lambda, fn, '3')).body).toBe('orders-2');
  });

  test('keeps what the live version has, not what an earlier release left in $LATEST', async () => {
    const fn = 'left-behind';
    await functionWith(stack.lambda, fn, ['return process.env.TABLE']);
    await configure(fn, { MemorySize: 192, Environment: { Variables: { TABLE: 'orders' } } });
    await stack.lambda.send(new PublishVersionCommand({ FunctionName: fn }));
    await stack.lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '2' }));
    await configure(fn, { MemorySize: 1024, Environment: { Variables: { TABLE: 'broken' } } });
    const overrides = current({ timeout: 20 });
    const { before, findings } = await inspect(fn, overrides);
    expect(of(findings, 'LATEST_DIFFERS')).toMatchObject([
      { level: 'warn', message: expect.stringContaining('in memory, environment, which the spec does not set') },
    ]);
    const { version } = await deploy(fn, overrides, before);
    expect(await read(fn, version)).toMatchObject({
      MemorySize: 192,
      Timeout: 20,
      Environment: { Variables: { TABLE: 'orders' } },
    });
  });

  test('is refused if $LATEST has other code than the live version, before anything is written', async () => {
    const fn = 'other-code';
    await live(fn);
    const overrides = current({ memory: 256 });
    const { before } = await inspect(fn, overrides);
    await stackPuts(fn, 'return "unreleased"');
    const said = `$LATEST of ${fn} has other code`;
    expect(refusals((await inspect(fn, overrides)).findings)).toEqual([expect.stringContaining(said)]);
    stack.aws.clearWrites();
    await expect(deploy(fn, overrides, before)).rejects.toMatchObject({
      code: 'SLUICE_TARGET',
      message: expect.stringContaining(said),
    });
    expect(writes(fn)).toEqual([]);
  });

  test('is refused if $LATEST differs in what no spec can set, or if nothing is live', async () => {
    const fn = 'traced';
    await live(fn);
    await configure(fn, { TracingConfig: { Mode: 'Active' } });
    expect(refusals((await inspect(fn, current({ memory: 256 }))).findings)).toEqual([
      expect.stringContaining('differs from the live version 1 in tracing, which a spec cannot set'),
    ]);
    await functionWith(stack.lambda, 'unserved', ['return 1']);
    expect(refusals((await inspect('unserved', current({ memory: 256 }))).findings)).toEqual([
      expect.stringContaining('unserved:live does not exist, so no code is live that release.current could release'),
    ]);
  });
});

describe('callers of the bare name', () => {
  /** A live version 2 with 192 MB, a $LATEST that an earlier release has left at 1024, and an event source on the bare name. */
  async function called(fn: string): Promise<string> {
    await functionWith(stack.lambda, fn, ['return 1']);
    await configure(fn, { MemorySize: 192 });
    await stack.lambda.send(new PublishVersionCommand({ FunctionName: fn }));
    await stack.lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '2' }));
    await configure(fn, { MemorySize: 1024 });
    return mapTo(stack.lambda, fn, 'orders');
  }

  test('block a release of the live code with another configuration, which they would get, but not one of $LATEST', async () => {
    const fn = 'mapped';
    await called(fn);
    const { findings } = await inspect(fn, current({ timeout: 20 }));
    expect(of(findings, 'SLUICE_BYPASS')).toMatchObject([{ level: 'refuse' }]);
    expect(refusals((await inspect(fn, LATEST)).findings)).toEqual([]);
  });

  test('that are let through get back everything that such a release wrote', async () => {
    const fn = 'let-through';
    const allowBypass = [`mapping/${await called(fn)}`];
    const overrides = { ...current({ timeout: 20 }), allowBypass };
    const spec = stack.spec(fn, overrides);
    const by = (step: string) => mark(spec.app, spec.environment, 'run1', step);
    const { before: seen, findings } = await inspect(fn, overrides);
    expect(refusals(findings)).toEqual([]);
    const before = await stack.driver.keep(context(), { spec, before: seen, mark: by('keep') });
    await deploy(fn, overrides, before);
    expect(await read(fn)).toMatchObject({ MemorySize: 192, Timeout: 20 });
    const way = { spec, before, attempted: [], lastRevision: null, force: false };
    await stack.driver.restore(context(), { ...way, mark: by('restore') });
    expect(await read(fn)).toMatchObject({ MemorySize: 1024, Timeout: 3 });
  });
});

describe('a function that a stack manages', () => {
  const fn = 'owned';
  beforeAll(async () => {
    await stack.lambda.send(
      new CreateFunctionCommand({
        FunctionName: fn,
        Role: ROLE,
        Runtime: 'nodejs20.x',
        Handler: 'index.handler',
        Code: { ZipFile: await zipOf('return 1') },
        Tags: { 'aws:cloudformation:stack-name': 'shop', 'aws:cloudformation:logical-id': 'Checkout' },
      }),
    );
    await settled(stack.lambda, fn);
    await stack.lambda.send(new PublishVersionCommand({ FunctionName: fn }));
    await stack.lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '1' }));
  });

  test('has a warning if the release writes $LATEST, and only then', async () => {
    const artifact = await stack.pack('return 2');
    for (const overrides of [{ release: { artifact } }, current({ memory: 256 })]) {
      const [source] = Object.keys(overrides.release ?? {});
      expect(of((await inspect(fn, overrides)).findings, 'STACK_OWNS_FUNCTION')).toMatchObject([
        {
          level: 'warn',
          message: expect.stringMatching(
            new RegExp(
              `the CloudFormation stack shop owns owned \\(Checkout\\): .* overwrites what release.${source} puts`,
            ),
          ),
        },
      ]);
    }
    for (const overrides of [LATEST, { release: { version: 1 } }]) {
      expect(of((await inspect(fn, overrides)).findings, 'STACK_OWNS_FUNCTION')).toEqual([]);
    }
  });

  test('can still be released by a worker that may not read tags, with a message', async () => {
    const artifact = await stack.pack('return 3');
    const error = { code: 'AccessDeniedException', status: 403, message: 'not authorized to perform: lambda:ListTags' };
    await stack.aws.faults.set([{ service: 'lambda', operation: 'ListTags', error }]);
    const { findings } = await inspect(fn, { release: { artifact } });
    expect(refusals(findings)).toEqual([]);
    expect(of(findings, 'UNCHECKED').map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^whether a stack owns the function could not be checked: .*lambda:ListTags/),
    );
  });
});
