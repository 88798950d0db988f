import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateEventSourceMappingCommand,
  CreateFunctionUrlConfigCommand,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { mark } from '../../../src/model/ids.js';
import type { ProbeSpec, Spec } from '../../../src/model/spec.js';
import { checkRuntime } from '../../../src/platforms/lambda/driver/release-checks.js';
import type { Finding } from '../../../src/platforms/port.js';
import { functionWith, ROLE, settled } from '../../emulators/aws/functions.js';
import { specFor } from '../../support/specs.js';
import { context, type Stack, startStack } from './stack.js';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ faults: true, provisioningMs: 100 });
});
afterAll(() => stack?.stop());
afterEach(() => stack.aws.faults.clear());

const invokeBy = (principal: string, sid: string) => ({
  StatementId: sid,
  Action: 'lambda:InvokeFunction',
  Principal: principal,
});

/** A function with two versions and an alias `live` on the first. */
async function live(fn: string): Promise<void> {
  await functionWith(stack.lambda, fn, ['return 1', 'return 2']);
  await stack.lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '1' }));
}

async function findings(fn: string, overrides: Partial<Spec> = {}): Promise<Finding[]> {
  const spec = stack.spec(fn, { release: { version: 2 }, ...overrides });
  return (await stack.driver.inspect(context(), spec)).findings;
}

const of = (all: Finding[], code: string) => all.filter((finding) => finding.code === code);

test('a target whose traffic goes through the alias has no findings', async () => {
  const fn = 'clean';
  await live(fn);
  await stack.lambda.send(
    new AddPermissionCommand({ FunctionName: fn, Qualifier: 'live', ...invokeBy('apigateway.amazonaws.com', 'api') }),
  );
  expect(await findings(fn)).toEqual([]);
});

test('what points at the bare function or at a version is reported: permission, event source, function URL', async () => {
  const fn = 'bypassed';
  await live(fn);
  await stack.lambda.send(
    new AddPermissionCommand({ FunctionName: fn, ...invokeBy('apigateway.amazonaws.com', 'api') }),
  );
  await stack.lambda.send(
    new AddPermissionCommand({ FunctionName: fn, Qualifier: '1', ...invokeBy('events.amazonaws.com', 'rule') }),
  );
  await stack.lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: fn, AuthType: 'NONE' }));
  await stack.lambda.send(
    new CreateEventSourceMappingCommand({
      FunctionName: fn,
      EventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:orders',
      Enabled: false,
    }),
  );
  const found = of(await findings(fn), 'TRAFFIC_BYPASSES_ALIAS');
  expect(found.every(({ level }) => level === 'warn')).toBe(true);
  const said = found.map(({ message }) => message).join('\n');
  expect(said).toMatch(/permission api for apigateway\.amazonaws\.com points at the bare function bypassed/);
  expect(said).toMatch(/permission rule for events\.amazonaws\.com points at bypassed:1/);
  expect(said).toMatch(/a function URL points at the bare function/);
  expect(said).toMatch(/event source mapping .*orders.* points at the bare function/);
});

test('another role on the new version is refused, but only if traffic is split', async () => {
  const fn = 'roles';
  await live(fn);
  const release = { artifact: await stack.pack('return 3') };
  const configuration = { role: `${ROLE}-other` };
  const refused = await findings(fn, { release, configuration });
  expect(of(refused, 'SLUICE_TARGET')[0]?.message).toContain('same role');
  const strategy: Spec['strategy'] = { type: 'direct', bake: 0 };
  expect(of(await findings(fn, { release, configuration, strategy }), 'SLUICE_TARGET')).toEqual([]);
});

test('another dead-letter queue is refused if traffic is split', async () => {
  const fn = 'queues';
  await live(fn);
  await stack.lambda.send(
    new UpdateFunctionConfigurationCommand({
      FunctionName: fn,
      DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead' },
    }),
  );
  await settled(stack.lambda, fn);
  await stack.lambda.send(new PublishVersionCommand({ FunctionName: fn }));
  const refused = await findings(fn, { release: { version: 3 } });
  expect(of(refused, 'SLUICE_TARGET')[0]?.message).toContain('dead-letter queue');
});

test('what the new release inherits from $LATEST is reported', async () => {
  const fn = 'drift';
  await live(fn);
  await stack.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: fn, MemorySize: 512 }));
  await settled(stack.lambda, fn);
  const release = { artifact: await stack.pack('return 3') };
  expect(of(await findings(fn, { release }), 'LATEST_DIFFERS')[0]?.message).toContain('memory');
  expect(of(await findings(fn, { release, configuration: { memory: 512 } }), 'LATEST_DIFFERS')).toEqual([]);
});

test('provisioned concurrency of the alias is reported', async () => {
  const fn = 'capacity';
  await live(fn);
  await stack.lambda.send(
    new PutProvisionedConcurrencyConfigCommand({
      FunctionName: fn,
      Qualifier: 'live',
      ProvisionedConcurrentExecutions: 1,
    }),
  );
  expect(of(await findings(fn), 'CAPACITY_ON_ALIAS')).toHaveLength(1);
});

test('an alias on $LATEST is refused, with what to do', async () => {
  const fn = 'latest';
  await functionWith(stack.lambda, fn, ['return 1']);
  await stack.lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '$LATEST' }));
  const [refused] = of(await findings(fn, { release: { version: 1 } }), 'SLUICE_TARGET');
  expect(refused?.message).toContain('aws lambda publish-version');
});

test('a missing permission of an optional check is reported, and stops nothing', async () => {
  const fn = 'unchecked';
  await live(fn);
  const error = { code: 'AccessDeniedException', status: 403, message: 'not authorized to perform: lambda:GetPolicy' };
  await stack.aws.faults.set([{ service: 'lambda', operation: 'GetPolicy', error }]);
  const found = await findings(fn);
  expect(found.every(({ level }) => level === 'warn')).toBe(true);
  expect(of(found, 'UNCHECKED')[0]?.message).toContain('lambda:GetPolicy');
});

describe('a missing permission', () => {
  /** Operations that the provider refuses for whoever asks. */
  const deny = (...operations: string[]) =>
    stack.aws.faults.set(
      operations.map((operation) => {
        const message = `User: ci is not authorized to perform: lambda:${operation === 'Invoke' ? 'InvokeFunction' : operation}`;
        return { service: 'lambda', operation, error: { code: 'AccessDeniedException', status: 403, message } };
      }),
    );

  const release = async () => ({ release: { artifact: await stack.pack('return 3') }, configuration: { memory: 512 } });

  test.each([
    ['UpdateFunctionCode', 'UpdateFunctionCode'],
    ['UpdateFunctionConfiguration', 'UpdateFunctionConfiguration'],
    ['PublishVersion', 'PublishVersion'],
    ['UpdateAlias', 'UpdateAlias'],
    ['Invoke', 'InvokeFunction'],
  ])('for %s is refused before anything is touched', async (operation, action) => {
    const fn = `denied-${operation}`;
    await live(fn);
    await deny(operation);
    const refused = of(await findings(fn, await release()), 'SLUICE_PERMISSION');
    expect(refused.map(({ level }) => level)).toEqual(['refuse']);
    expect(refused[0]?.message).toMatch(new RegExp(`^lambda:${action} is not allowed`));
  });

  test('is reported together with all others', async () => {
    const fn = 'denied-all';
    await live(fn);
    await deny('UpdateFunctionCode', 'PublishVersion', 'UpdateAlias');
    expect(of(await findings(fn, await release()), 'SLUICE_PERMISSION')).toHaveLength(3);
  });

  test('that the rollout does not need is ignored', async () => {
    const fn = 'denied-unneeded';
    await live(fn);
    await deny('UpdateFunctionCode', 'UpdateFunctionConfiguration', 'PublishVersion', 'Invoke');
    const health = { ...stack.spec(fn).health, probes: [] };
    expect(of(await findings(fn, { health }), 'SLUICE_PERMISSION')).toEqual([]);
  });

  test('to call an environment is needed on its alias, not on a version', async () => {
    const fn = 'denied-environment';
    await live(fn);
    for (const Name of ['live-blue', 'live-green']) {
      await stack.lambda.send(new CreateAliasCommand({ FunctionName: fn, Name, FunctionVersion: '1' }));
    }
    stack.asked.length = 0;
    const strategy: Spec['strategy'] = { type: 'blueGreen', bake: 0, testBake: 0 };
    expect(of(await findings(fn, { strategy }), 'UNCHECKED')).toEqual([]);
    const dryRuns = stack.asked.filter(({ headers }) => headers['x-amz-invocation-type'] === 'DryRun');
    expect(dryRuns.map(({ query }) => query?.Qualifier)).toEqual(['live-blue']);
  });
});

test('permissions that cannot be tested without an effect are reported as not checked', async () => {
  const fn = 'untried';
  await functionWith(stack.lambda, fn, ['return 1']);
  const release = { artifact: await stack.pack('return 2') };
  const configuration = { role: `${ROLE}-other`, provisionedConcurrency: 1 };
  const [said] = of(await findings(fn, { release, configuration }), 'UNCHECKED');
  expect(said).toMatchObject({ level: 'warn' });
  expect(said?.message).toMatch(
    /^permissions not checked: lambda:CreateAlias, lambda:DeleteAlias, iam:PassRole, lambda:PutProvisionedConcurrencyConfig, lambda:InvokeFunction; /,
  );
});

test('inspecting changes nothing, not even to test the permissions', async () => {
  const fn = 'untouched';
  await live(fn);
  const state = async () => ({
    latest: (await stack.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: fn }))).RevisionId,
    alias: (await stack.lambda.send(new GetAliasCommand({ FunctionName: fn, Name: 'live' }))).RevisionId,
    versions: (await stack.lambda.send(new ListVersionsByFunctionCommand({ FunctionName: fn }))).Versions?.length,
  });
  const before = await state();
  stack.aws.clearWrites();
  await findings(fn, { release: { artifact: await stack.pack('return 3') }, configuration: { memory: 512 } });
  expect(stack.aws.writes().map(({ operation, status }) => `${operation} ${status}`)).toEqual([
    'UpdateFunctionCode 412',
    'PublishVersion 412',
    'UpdateFunctionConfiguration 412',
    'UpdateAlias 412',
  ]);
  expect(await state()).toEqual(before);
  expect(stack.aws.traffic()[`${fn}:1`]).toBeUndefined();
});

test('a missing function is refused unless the spec can create it', async () => {
  const release = { artifact: await stack.pack('return 1') };
  const [refused] = await findings('absent', { release, configuration: { runtime: 'nodejs20.x' } });
  expect(refused).toMatchObject({ level: 'refuse', code: 'SLUICE_NOT_FOUND' });
  expect(refused?.message).toContain('configuration.role, configuration.handler');
  const configuration = { role: ROLE, runtime: 'nodejs20.x', handler: 'index.handler' };
  const [said, ...others] = await findings('absent', { release, configuration });
  expect(said).toMatchObject({ level: 'warn', code: 'UNCHECKED' });
  expect(said?.message).toContain('not checked: lambda:CreateFunction, iam:PassRole');
  expect(others).toEqual([]);
});

test('an image named by a tag is refused', async () => {
  const fn = 'tagged';
  await live(fn);
  const [refused] = of(await findings(fn, { release: { image: 'repo/app:latest' } }), 'SLUICE_TARGET');
  expect(refused?.message).toContain('by digest');
});

test('a warning says that configuration with an already published version changes nothing', async () => {
  const fn = 'ignored';
  await live(fn);
  const configuration = { memory: 256, provisionedConcurrency: 1 };
  const [said] = of(await findings(fn, { configuration }), 'CONFIGURATION_IGNORED');
  expect(said?.message).toMatch(/^configuration\.memory changes nothing/);
});

test('the metric lambdaLogs is refused for a release that will log as Text, with what to set', async () => {
  const fn = 'as-text';
  await live(fn);
  const logs = { name: 'logs', kind: 'lambdaLogs', every: 1_000, window: 5_000, delay: 5_000 } as const;
  const health = (dryRun: boolean) => {
    const { health: other } = stack.spec(fn);
    return { ...other, metrics: [{ ...logs, dryRun }] };
  };
  const release = { artifact: await stack.pack('return 3') };
  const refused = of(await findings(fn, { release, health: health(false) }), 'SLUICE_TARGET');
  expect(refused).toEqual([
    {
      level: 'refuse',
      code: 'SLUICE_TARGET',
      message:
        "metric logs (lambdaLogs) needs the function's logs as JSON, the new release would log as Text. Set configuration.logFormat: JSON",
    },
  ]);
  const named = of(await findings(fn, { health: health(false) }), 'SLUICE_TARGET');
  expect(named[0]?.message).toContain('cannot see version 2, which logs as Text');
  const configuration = { logFormat: 'JSON' } as const;
  expect(of(await findings(fn, { release, configuration, health: health(false) }), 'SLUICE_TARGET')).toEqual([]);
  expect(of(await findings(fn, { release, health: health(true) }), 'SLUICE_TARGET')).toEqual([]);
});

test('the log format is part of the release, and the log group stays as it is', async () => {
  const fn = 'to-json';
  await live(fn);
  await stack.lambda.send(
    new UpdateFunctionConfigurationCommand({
      FunctionName: fn,
      LoggingConfig: { LogFormat: 'Text', LogGroup: 'shop' },
    }),
  );
  await settled(stack.lambda, fn);
  const spec = stack.spec(fn, {
    release: { artifact: await stack.pack('return 3') },
    configuration: { logFormat: 'JSON' },
  });
  const { before } = await stack.driver.inspect(context(), spec);
  const by = mark(spec.app, spec.environment, 'run1', 'deploy');
  const { release } = await stack.driver.deploy(context(), { spec, before, mark: by });
  const { LoggingConfig } = await stack.lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: fn, Qualifier: release.version }),
  );
  expect(LoggingConfig).toEqual({ LogFormat: 'JSON', LogGroup: 'shop' });
});

test('a reserved concurrency of 0 refuses a release that probes call, and is a warning otherwise', async () => {
  const fn = 'switched-off';
  await live(fn);
  const { health } = stack.spec(fn);
  const [first] = specFor({ type: 'canary', stages: [] }, {}).health.probes;
  const probe = { ...first, name: 'alive' } as ProbeSpec;
  await stack.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: fn, ReservedConcurrentExecutions: 0 }));
  expect(of(await findings(fn, { health: { ...health, probes: [probe] } }), 'SLUICE_TARGET')).toEqual([
    {
      level: 'refuse',
      code: 'SLUICE_TARGET',
      message:
        'switched-off has a reserved concurrency of 0: Lambda throttles every call of it, so that the probes (alive) could never pass; `aws lambda delete-function-concurrency --function-name switched-off` lets it run again',
    },
  ]);
  expect(of(await findings(fn, { health: { ...health, probes: [] } }), 'RESERVED_CONCURRENCY')).toHaveLength(1);
  await stack.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: fn, ReservedConcurrentExecutions: 5 }));
  expect(await findings(fn, { health: { ...health, probes: [probe] } })).toEqual([]);
});

test('a throttled probe says which version was called, and why it was refused', async () => {
  const fn = 'throttled';
  await live(fn);
  await stack.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: fn, ReservedConcurrentExecutions: 0 }));
  const asked = stack.driver.invoke(context(), { spec: stack.spec(fn), version: '2', payload: {}, timeoutMs: 60_000 });
  await expect(asked).rejects.toMatchObject({
    message: expect.stringMatching(
      /^Invoke of throttled:2: TooManyRequestsException \(ReservedFunctionConcurrentInvocationLimitExceeded\)/,
    ),
  });
});

test('an unknown runtime is a warning with the nearest known one, since Lambda may already have it', async () => {
  const fn = 'misspelt';
  await live(fn);
  const release = { artifact: await stack.pack('return 3') };
  const warned = async (runtime: string) =>
    of(await findings(fn, { release, configuration: { runtime } }), 'UNKNOWN_RUNTIME');
  const [found] = await warned('nodejs20');
  expect(found).toMatchObject({ level: 'warn', message: expect.stringContaining('did you mean "nodejs20.x"?') });
  expect(await warned('nodejs20.x')).toEqual([]);
  expect(
    of(await findings('new-one', { release, configuration: { runtime: 'pyton3.12' } }), 'UNKNOWN_RUNTIME'),
  ).toMatchObject([{ message: expect.stringContaining('did you mean "python3.12"?') }]);
});

test.each([
  ['node20', 'nodejs20.x'],
  ['nodejs-20', 'nodejs20.x'],
  ['Node.js 22', 'nodejs22.x'],
  ['nodejs19.x', 'nodejs18.x'],
  ['node', 'nodejs26.x'],
  ['nodejs99', 'nodejs26.x'],
  ['python312', 'python3.12'],
  ['python3', 'python3.15'],
  ['python2', 'python2.7'],
  ['py3.12', 'python3.12'],
  ['java-17', 'java17'],
  ['ruby33', 'ruby3.3'],
  ['provded', 'provided.al2023'],
  ['dotnet', 'dotnet10'],
])('of the unknown runtime %s the known one of its language and version is suggested', async (runtime, meant) => {
  const spec = { ...stack.spec('any'), release: { folder: '.' }, configuration: { runtime } } as Spec;
  expect(checkRuntime(spec)[0]?.message).toContain(`unknown runtime ${runtime} (did you mean "${meant}"?)`);
});

test('a package larger than a call may carry is refused before anything is sent', async () => {
  const fn = 'heavy';
  await live(fn);
  const artifact = { ...(await stack.pack('return 3')), bytes: 60 * 1024 * 1024 };
  expect(of(await findings(fn, { release: { artifact } }), 'SLUICE_ARTIFACT')).toMatchObject([
    { level: 'refuse', message: expect.stringContaining('the zip has 60.0 MB; Lambda takes 50.0 MB at most') },
  ]);
});

test('variables that are too large only with the values of secrets are refused without quoting them', async () => {
  const fn = 'secretive';
  await live(fn);
  const environment = { TOKEN: 'secret'.repeat(1_000) };
  const spec = stack.spec(fn, { release: { artifact: await stack.pack('return 3') }, configuration: { environment } });
  const { before } = await stack.driver.inspect(context(), spec);
  const by = mark(spec.app, spec.environment, 'run1', 'deploy');
  const refused = await stack.driver.deploy(context(), { spec, before, mark: by }).catch((error: Error) => error);
  expect(refused).toMatchObject({
    code: 'SLUICE_REFUSED',
    message: expect.stringMatching(/^configuration\.environment has 6012 bytes as JSON, and Lambda takes 4096/),
  });
  expect(String(refused)).not.toContain('secretsecret');
});
