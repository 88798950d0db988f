import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  DeleteFunctionCommand,
  type FunctionCodeLocation,
  GetFunctionConfigurationCommand,
  PublishVersionCommand,
  PutFunctionCodeSigningConfigCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { callsUntil } from '../../../src/model/bypass.js';
import { SluiceError } from '../../../src/model/errors.js';
import { mark } from '../../../src/model/ids.js';
import type { Spec } from '../../../src/model/spec.js';
import { ALONE, createBudget } from '../../../src/platforms/drivers.js';
import { awsClients, createLambdaDriver } from '../../../src/platforms/lambda/driver/index.js';
import type { BeforeState, Finding, RestoreArgs } from '../../../src/platforms/port.js';
import { call, functionWith, mapTo, ROLE, settled, zipOf } from '../../emulators/aws/functions.js';
import { until } from '../../support/until.js';
import { context, type Stack, startStack } from './stack.js';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ faults: true, provisioningMs: 100 });
});
afterAll(() => stack?.stop());
afterEach(() => stack.aws.faults.clear());

/** A function whose `$LATEST` answers "old", with version 1 of it, and unless it has none an alias `live` there. */
async function oldFunction(fn: string, alias = true): Promise<void> {
  await functionWith(stack.lambda, fn, ['return "old"']);
  if (alias) await stack.lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '1' }));
}

const release = async (text = 'new') => ({ artifact: await stack.pack(`return ${JSON.stringify(text)}`) });

async function look(fn: string, overrides: Partial<Spec> = {}) {
  const spec = stack.spec(fn, { release: await release(), ...overrides });
  return { spec, ...(await stack.driver.inspect(context(), spec)) };
}

const refusals = (findings: Finding[]) =>
  findings.filter(({ level, code }) => level === 'refuse' && code === 'SLUICE_BYPASS').map(({ message }) => message);

describe('a release that writes $LATEST', () => {
  test('is allowed if nobody calls the bare name', async () => {
    const fn = 'unbypassed';
    await oldFunction(fn);
    await mapTo(stack.lambda, `${fn}:live`, 'elsewhere');
    await stack.lambda.send(
      new CreateFunctionUrlConfigCommand({ FunctionName: fn, Qualifier: 'live', AuthType: 'NONE' }),
    );
    await call(stack.lambda, fn, 'live');
    await call(stack.lambda, fn, '1');
    expect((await look(fn)).findings).toEqual([]);
  });

  test('is refused if an event source mapping calls the bare name, with the command that moves it', async () => {
    const fn = 'mapped';
    await oldFunction(fn);
    const uuid = await mapTo(stack.lambda, fn, 'orders');
    const [said, ...more] = refusals((await look(fn)).findings);
    expect(more).toEqual([]);
    expect(said).toMatch(new RegExp(`^event source mapping ${uuid} \\(arn:aws:sqs:.*:orders, disabled\\)`));
    expect(said).toContain('would have got this release as soon as it is deployed');
    expect(said).toContain(
      `aws lambda update-event-source-mapping --region us-east-1 --uuid ${uuid} --function-name mapped:live`,
    );
    expect(said).toContain(`allowBypass: [mapping/${uuid}]`);
  });

  test('is refused for each mapping, even if there are more than AWS lists at once', async () => {
    const fn = 'many';
    await oldFunction(fn);
    const all = await Promise.all(Array.from({ length: 101 }, (_, i) => mapTo(stack.lambda, fn, `queue-${i}`)));
    const said = refusals((await look(fn)).findings);
    expect(said).toHaveLength(101);
    expect(all.filter((uuid) => !said.some((each) => each.includes(uuid)))).toEqual([]);
  });

  test('is refused if there is a function URL of the bare name', async () => {
    const fn = 'addressed';
    await oldFunction(fn);
    await stack.lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: fn, AuthType: 'AWS_IAM' }));
    const [said] = refusals((await look(fn)).findings);
    expect(said).toMatch(/^the function URL https:\/\//);
    expect(said).toContain(
      'create-function-url-config --region us-east-1 --function-name addressed --qualifier live --auth-type AWS_IAM',
    );
    expect(said).toContain('allowBypass: [url]');
  });

  test.each([undefined, '$LATEST'])(
    'is refused if CloudWatch counts calls of the bare name (qualifier %s)',
    async (qualifier) => {
      const fn = qualifier === undefined ? 'called' : 'called-latest';
      await oldFunction(fn);
      await stack.lambda.send(
        new AddPermissionCommand({
          FunctionName: fn,
          StatementId: 'api',
          Action: 'lambda:InvokeFunction',
          Principal: 'apigateway.amazonaws.com',
        }),
      );
      const statement = await look(fn);
      expect(refusals(statement.findings)).toEqual([]);
      expect(statement.findings.map(({ level, message }) => `${level} ${message}`)).toEqual([
        expect.stringMatching(/^warn permission api for apigateway\.amazonaws\.com points at the bare function/),
      ]);
      await call(stack.lambda, fn, qualifier);
      const [said] = await until('the call is counted', async () => {
        const found = refusals((await look(fn)).findings);
        return found.length > 0 ? found : null;
      });
      expect(said).toMatch(/^1 calls of called\S* by its bare name in the last 14 days, the last before .* UTC/);
      expect(said).toContain('its policy lets apigateway.amazonaws.com (api) call it');
      expect(said).toContain('allowBypass: [calls]');
    },
  );

  test('says how to create the alias if there is none to move to', async () => {
    const fn = 'day-before';
    await oldFunction(fn, false);
    await mapTo(stack.lambda, fn, 'orders');
    const said = refusals((await look(fn)).findings);
    expect(said.at(-1)).toContain('day-before:live does not exist yet');
    expect(said.at(-1)).toContain('aws lambda create-alias --region us-east-1 --function-name day-before --name live');
  });

  test('is refused if it is unknown whether anybody calls the bare name', async () => {
    const fn = 'blind';
    await oldFunction(fn);
    const message = 'User: ci is not authorized to perform: cloudwatch:GetMetricData';
    await stack.aws.faults.set([
      {
        service: 'cloudwatch',
        operation: 'GetMetricData',
        error: { code: 'AccessDeniedException', status: 403, message },
      },
    ]);
    const { findings } = await look(fn);
    expect(findings).toEqual([expect.objectContaining({ level: 'refuse', code: 'SLUICE_PERMISSION' })]);
    expect(findings[0]?.message).toContain('who calls the bare name');
  });
});

test('a release that is already published is not checked, since it changes nothing for callers of the bare name', async () => {
  const fn = 'published';
  await oldFunction(fn);
  await mapTo(stack.lambda, fn, 'orders');
  const { findings } = await look(fn, { release: { version: 1 } });
  expect(findings.map(({ level, code }) => `${level} ${code}`)).toEqual(['warn TRAFFIC_BYPASSES_ALIAS']);
});

describe('allowBypass', () => {
  test('lets through the callers it names, and no new one', async () => {
    const fn = 'through';
    await oldFunction(fn);
    const known = await mapTo(stack.lambda, fn, 'orders');
    const allowBypass = [`mapping/${known}`];
    const { before, findings } = await look(fn, { allowBypass });
    expect(refusals(findings)).toEqual([]);
    expect(findings).toEqual([expect.objectContaining({ level: 'warn', code: 'BYPASS' })]);
    expect(before.bypass).toEqual([{ id: `mapping/${known}`, what: expect.stringContaining('orders') }]);
    const later = await mapTo(stack.lambda, fn, 'refunds');
    const said = refusals((await look(fn, { allowBypass })).findings);
    expect(said).toEqual([expect.stringContaining(later)]);
  });

  test('for past calls lets no later call through, and leaves nobody who would get the release', async () => {
    const fn = 'left';
    await oldFunction(fn);
    await call(stack.lambda, fn);
    const said = await until('the call is counted', async () => refusals((await look(fn)).findings)[0] ?? null);
    const [, offered = ''] = /allowBypass: \[(calls-until\S+)\]/.exec(said) ?? [];
    const past = await look(fn, { allowBypass: [offered] });
    expect(refusals(past.findings)).toEqual([]);
    expect(past.before.bypass).toBeUndefined();
    const earlier = callsUntil(Date.now() - 3_600_000);
    expect(refusals((await look(fn, { allowBypass: [earlier] })).findings)).toHaveLength(1);
  });

  test('is refused while there is no alias, since nothing would tell a late deployment that it was rolled back', async () => {
    const fn = 'day-before-allowed';
    await oldFunction(fn, false);
    const id = `mapping/${await mapTo(stack.lambda, fn, 'orders')}`;
    const { before, findings } = await look(fn, { allowBypass: [id] });
    expect(refusals(findings)).toEqual([
      expect.stringMatching(/^allowBypass is refused: day-before-allowed:live does not exist yet/),
      expect.stringContaining(
        'aws lambda create-alias --region us-east-1 --function-name day-before-allowed --name live',
      ),
    ]);
    expect(before.bypass).toBeUndefined();
  });

  test('is refused if the function accepts only signed code', async () => {
    const fn = 'signed';
    await oldFunction(fn);
    const id = `mapping/${await mapTo(stack.lambda, fn, 'orders')}`;
    await stack.lambda.send(
      new PutFunctionCodeSigningConfigCommand({
        FunctionName: fn,
        CodeSigningConfigArn: 'arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0',
      }),
    );
    const [said] = refusals((await look(fn, { allowBypass: [id] })).findings);
    expect(said).toMatch(/^allowBypass is refused: \$LATEST of signed could not be restored, since .* signed code/);
  });
});

describe('what callers of the bare name run', () => {
  interface Scene {
    spec: Spec;
    before: BeforeState;
  }

  const ENVIRONMENT = { environment: { STAGE: 'new' } };

  /** Kept, as before the first write of a rollout. */
  async function kept(fn: string, overrides: Partial<Spec> = {}): Promise<Scene> {
    await oldFunction(fn);
    const configuration = { Timeout: 5, Environment: { Variables: { STAGE: 'old' } } };
    await stack.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: fn, ...configuration }));
    await settled(stack.lambda, fn);
    const id = `mapping/${await mapTo(stack.lambda, fn, 'orders')}`;
    const { spec, before } = await look(fn, { allowBypass: [id], configuration: ENVIRONMENT, ...overrides });
    const by = mark(spec.app, spec.environment, 'run1', 'keep');
    return { spec, before: await stack.driver.keep(context(), { spec, before, mark: by }) };
  }

  const deploy = ({ spec, before }: Scene, more: { adopted?: string } = {}) =>
    stack.driver.deploy(context(), { spec, before, mark: mark(spec.app, spec.environment, 'run1', 'deploy'), ...more });

  const restore = ({ spec, before }: Scene, more: Partial<RestoreArgs> = {}, driver = stack.driver) =>
    driver.restore(context(), {
      spec,
      before,
      attempted: [],
      lastRevision: before.revision,
      mark: mark(spec.app, spec.environment, 'run1', 'restore'),
      force: false,
      ...more,
    });

  const latest = (fn: string) => stack.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: fn }));
  const answer = async (fn: string) => (await call(stack.lambda, fn)).body;

  test('is kept as a version, the last one if nothing has changed since', async () => {
    const fn = 'kept';
    await oldFunction(fn);
    const id = `mapping/${await mapTo(stack.lambda, fn, 'orders')}`;
    const { spec, before } = await look(fn, { allowBypass: [id] });
    const by = mark(spec.app, spec.environment, 'run1', 'keep');
    expect((await stack.driver.keep(context(), { spec, before, mark: by })).latest).toBe('1');
    await stack.lambda.send(
      new UpdateFunctionCodeCommand({ FunctionName: fn, ZipFile: await zipOf('return "drifted"') }),
    );
    await settled(stack.lambda, fn);
    expect((await stack.driver.keep(context(), { spec, before, mark: by })).latest).toBe('2');
    expect((await stack.driver.keep(context(), { spec, before, mark: by })).latest).toBe('2');
  });

  test('is restored, code and configuration, after the traffic, also when it happens twice', async () => {
    const fn = 'back';
    const scene = await kept(fn);
    await deploy(scene);
    expect(await answer(fn)).toBe('new');
    expect((await latest(fn)).Environment?.Variables).toEqual({ STAGE: 'new' });
    stack.aws.clearWrites();
    const { remarks } = await restore(scene);
    expect(remarks).toEqual([`$LATEST of ${fn} is restored to version 2`]);
    expect(await answer(fn)).toBe('old');
    expect(await latest(fn)).toMatchObject({ Timeout: 5, Environment: { Variables: { STAGE: 'old' } } });
    const written = stack.aws.writes().filter((write) => write.function === fn && write.status < 300);
    expect(written.map(({ operation }) => operation)).toEqual([
      'UpdateAlias',
      'UpdateFunctionConfiguration',
      'UpdateFunctionCode',
    ]);
    expect(written.every(({ request }) => request.revisionId !== undefined)).toBe(true);
    await restore(scene);
    expect(await answer(fn)).toBe('old');
  });

  test.each<[string, string, Partial<RestoreArgs>]>([
    ['AccessDeniedException', 'User: ci is not authorized to perform: lambda:UpdateFunctionCode', {}],
    ['InvalidParameterValueException', 'The runtime parameter is no longer supported', { force: true }],
  ])(
    'does not delay the traffic if AWS keeps refusing it (%s), and the rollout says so',
    async (code, message, more) => {
      const fn = `never-${code}`;
      const scene = await kept(fn);
      await deploy(scene);
      const error = { code, status: code === 'AccessDeniedException' ? 403 : 400, message };
      await stack.aws.faults.set([{ service: 'lambda', operation: 'UpdateFunctionCode', error }]);
      const { split, remarks } = await restore(scene, more);
      expect(split).toEqual(scene.before.split);
      expect(remarks).toHaveLength(1);
      expect(remarks?.[0]).toContain(`$LATEST of ${fn} could not be restored`);
      expect(remarks?.[0]).toContain(message);
      expect(remarks?.[0]).toContain(
        `aws lambda get-function --region us-east-1 --function-name ${fn} --qualifier ${scene.before.latest}`,
      );
      await stack.aws.faults.clear();
      await restore(scene);
      expect(await answer(fn)).toBe('old');
    },
  );

  test.each([
    ['deploy', 'UpdateFunctionConfiguration'],
    ['deploy', 'UpdateFunctionCode'],
    ['restore', 'UpdateAlias'],
    ['restore', 'UpdateFunctionConfiguration'],
    ['restore', 'UpdateFunctionCode'],
  ] as const)('is restored even if %s loses the answer of %s', async (call, operation) => {
    const fn = `lost-${call}-${operation}`;
    const scene = await kept(fn);
    if (call === 'restore') await deploy(scene);
    await stack.aws.faults.set([{ service: 'lambda', operation, times: 1, response: { abort_bytes: 0 } }]);
    const lost = call === 'deploy' ? deploy(scene) : restore(scene);
    await expect(lost).rejects.toMatchObject({ code: 'SLUICE_PROVIDER' });
    await restore(scene);
    expect(await answer(fn)).toBe('old');
    expect((await latest(fn)).Environment?.Variables).toEqual({ STAGE: 'old' });
  });

  test('stays as someone else has changed it since, with a message; force restores it', async () => {
    const fn = 'foreign';
    const scene = await kept(fn);
    await deploy(scene);
    await stack.lambda.send(
      new UpdateFunctionCodeCommand({ FunctionName: fn, ZipFile: await zipOf('return "theirs"') }),
    );
    await settled(stack.lambda, fn);
    expect((await restore(scene)).remarks?.[0]).toMatch(/was changed by someone else .* stays as it is; version 2 is/);
    expect(await answer(fn)).toBe('theirs');
    await restore(scene, { force: true });
    expect(await answer(fn)).toBe('old');
  });

  test('stays if the version that kept it was deleted, with a message', async () => {
    const fn = 'gone';
    const scene = await kept(fn);
    await deploy(scene);
    await stack.lambda.send(new DeleteFunctionCommand({ FunctionName: fn, Qualifier: '2' }));
    expect((await restore(scene)).remarks?.[0]).toContain('does not exist any more');
  });

  describe('with an image', () => {
    const image = (digit: string) => `000000000000.dkr.ecr.us-east-1.amazonaws.com/app@sha256:${digit.repeat(64)}`;

    /** A driver to which GetFunction names the code so. */
    function naming(code: FunctionCodeLocation) {
      const clients = awsClients('us-east-1');
      clients.lambda.middlewareStack.add(
        (next, { commandName }) =>
          async (args) => {
            const answered = await next(args);
            if (commandName === 'GetFunctionCommand') Object.assign(answered.output, { Code: code });
            return answered;
          },
        { step: 'initialize' },
      );
      const budget = createBudget({ perSecond: 200, share: () => ALONE });
      return createLambdaDriver({ clients: () => clients, budget, artifacts: stack.artifacts });
    }

    test('is restored by its digest, wherever its tag has moved, and is left alone if AWS names no digest', async () => {
      const fn = 'image-back';
      const tag = image('a').replace(/@.*/, ':stable');
      await stack.lambda.send(
        new CreateFunctionCommand({
          FunctionName: fn,
          Role: ROLE,
          PackageType: 'Image',
          Code: { ImageUri: image('a') },
        }),
      );
      await settled(stack.lambda, fn);
      await stack.lambda.send(new PublishVersionCommand({ FunctionName: fn }));
      await stack.lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '1' }));
      const id = `mapping/${await mapTo(stack.lambda, fn, 'orders')}`;
      const spec = stack.spec(fn, { release: { image: image('b') }, allowBypass: [id] });
      const { before: found } = await stack.driver.inspect(context(), spec);
      const by = mark(spec.app, spec.environment, 'run1', 'keep');
      const tagged = naming({ RepositoryType: 'ECR', ImageUri: tag });
      await expect(tagged.keep(context(), { spec, before: found, mark: by })).rejects.toMatchObject({
        code: 'SLUICE_REFUSED',
      });
      const resolved = naming({ RepositoryType: 'ECR', ImageUri: tag, ResolvedImageUri: image('a') });
      const scene = { spec, before: await resolved.keep(context(), { spec, before: found, mark: by }) };
      await deploy(scene);
      expect((await latest(fn)).CodeSha256).toBe('b'.repeat(64));
      await restore(scene, {}, resolved);
      expect((await latest(fn)).CodeSha256).toBe('a'.repeat(64));
    });
  });

  /** A driver whose calls stop before the nth one until `wake`. */
  function frozenBefore(nth: number) {
    let calls = 0;
    let wake = () => {};
    let fall = () => {};
    const awake = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const asleep = new Promise<void>((resolve) => {
      fall = resolve;
    });
    const clients = awsClients('us-east-1');
    const driver = createLambdaDriver({
      clients: () => clients,
      budget: {
        acquire: async () => {
          calls += 1;
          if (calls === nth) {
            fall();
            await awake;
          }
          return () => undefined;
        },
        throttled: () => undefined,
      },
      artifacts: stack.artifacts,
    });
    return { driver, asleep, wake, calls: () => calls };
  }

  test.each(['its rollback', 'a newer rollout'])(
    'is not overwritten by a worker that froze while deploying and wakes up after %s',
    async (last) => {
      const prefix = `frozen-${last.replaceAll(' ', '-')}`;
      const deployed = async (fn: string, driver = stack.driver) => {
        const scene = await kept(fn);
        const by = (step: string, of = 'run1') => mark(fn, scene.spec.environment, of, step);
        return { ...scene, by, late: driver.deploy(context(), { ...scene, mark: by('deploy') }).catch(() => null) };
      };
      const counting = frozenBefore(Number.POSITIVE_INFINITY);
      await (await deployed(`${prefix}-never`, counting.driver)).late;
      const wakes = async (nth: number) => {
        const fn = `${prefix}-${nth}`;
        const { driver, asleep, wake } = frozenBefore(nth);
        const { late, by, ...scene } = await deployed(fn, driver);
        await Promise.race([asleep, late]);
        const { revision } = await restore(scene);
        if (last === 'a newer rollout') {
          await restore(scene, { lastRevision: revision, mark: by('restore', 'newer') });
        }
        wake();
        await late;
        await settled(stack.lambda, fn);
        return [nth, await answer(fn), (await latest(fn)).Environment?.Variables];
      };
      const each = Array.from({ length: counting.calls() }, (_, i) => i + 1);
      expect(each.length).toBeGreaterThan(8);
      expect(await Promise.all(each.map(wakes))).toEqual(each.map((nth) => [nth, 'old', { STAGE: 'old' }]));
    },
  );

  test('is not overwritten by a deployment after someone else changed the alias, unless a person adopts that change', async () => {
    const fn = 'alias-changed';
    const scene = await kept(fn);
    await stack.lambda.send(new UpdateAliasCommand({ FunctionName: fn, Name: 'live', Description: 'theirs' }));
    await expect(deploy(scene)).rejects.toMatchObject({ code: 'SLUICE_FOREIGN_CHANGE' });
    expect(await answer(fn)).toBe('old');
    const { revision } = await stack.driver.traffic(context(), scene.spec);
    await deploy(scene, { adopted: revision ?? '' });
    expect(await answer(fn)).toBe('new');
  });

  test('is not kept by a worker that must leave the alias alone', async () => {
    const fn = 'policed';
    const { spec, before } = await kept(fn);
    await stack.lambda.send(
      new UpdateFunctionCodeCommand({ FunctionName: fn, ZipFile: await zipOf('return "drifted"') }),
    );
    await settled(stack.lambda, fn);
    stack.aws.clearWrites();
    const ctx = context({
      heedful: true,
      heed: () => {
        throw new SluiceError('SLUICE_ACCESS', 'left under a policy');
      },
    });
    const by = mark(spec.app, spec.environment, 'run2', 'keep');
    await expect(stack.driver.keep(ctx, { spec, before, mark: by })).rejects.toMatchObject({ code: 'SLUICE_ACCESS' });
    expect(stack.aws.writes()).toEqual([]);
  });

  test('is left alone if its code cannot be fetched', async () => {
    const fn = 'unfetched';
    await oldFunction(fn);
    const id = `mapping/${await mapTo(stack.lambda, fn, 'orders')}`;
    const { spec, before } = await look(fn, { allowBypass: [id] });
    const by = mark(spec.app, spec.environment, 'run1', 'keep');
    const message = 'User: ci is not authorized to perform: lambda:GetFunction';
    await stack.aws.faults.set([
      { service: 'lambda', operation: 'GetFunction', error: { code: 'AccessDeniedException', status: 403, message } },
    ]);
    await expect(stack.driver.keep(context(), { spec, before, mark: by })).rejects.toMatchObject({
      code: 'SLUICE_PERMISSION',
    });
  });
});
