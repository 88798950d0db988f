import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionUrlConfigCommand,
  GetAliasCommand,
  GetEventSourceMappingCommand,
  GetPolicyCommand,
  ListTagsCommand,
  RemovePermissionCommand,
  TagResourceCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { mark } from '../../../src/model/ids.js';
import type { MoveStep } from '../../../src/model/moving.js';
import { ALONE, createBudget } from '../../../src/platforms/drivers.js';
import { awsClients, createLambdaDriver } from '../../../src/platforms/lambda/driver/index.js';
import { call, functionWith, mapTo, settled, zipOf } from '../../emulators/aws/functions.js';
import { NO_ARTIFACTS } from '../../support/artifacts.js';
import { until } from '../../support/until.js';
import { context, type Stack, startStack } from './stack.js';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ faults: true });
});
afterAll(() => stack?.stop());
afterEach(() => stack.aws.faults.clear());

const ACCOUNT = '000000000000';
const arnOf = (fn: string) => `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${fn}`;
const FORWARD = { undo: false, publish: false };
const BACK = { undo: true, publish: false };

/** A function whose `$LATEST` is version 1, and an alias `live` there. */
async function same(fn: string): Promise<void> {
  await functionWith(stack.lambda, fn, ['return "old"']);
  await stack.lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '1' }));
}

const allow = (fn: string, StatementId: string, Principal: string, SourceArn: string) =>
  stack.lambda.send(
    new AddPermissionCommand({
      FunctionName: fn,
      StatementId,
      Action: 'lambda:InvokeFunction',
      Principal,
      SourceArn,
      SourceAccount: ACCOUNT,
    }),
  );

const look = (fn: string, how = FORWARD) => stack.driver.callers(context(), { spec: stack.spec(fn), how });

const run = (fn: string, steps: MoveStep[], how = FORWARD, driver = stack.driver) =>
  driver.moveCallers(context(), { spec: stack.spec(fn), how, steps, mark: mark(fn, 'production', 'r', 'adopt') });

const whole = async (fn: string, how = FORWARD) => run(fn, (await look(fn, how)).steps, how);

/** Kind and caller; what a step gives is in its id as a digest behind them. */
const named = (steps: Pick<MoveStep, 'id'>[]) => steps.map(({ id }) => id.split('/').slice(0, 2).join('/'));

const idsOf = (steps: MoveStep[], kind: MoveStep['kind']) => named(steps.filter((step) => step.kind === kind));

const mapped = async (UUID: string) => {
  const { FunctionArn } = await stack.lambda.send(new GetEventSourceMappingCommand({ UUID }));
  return FunctionArn;
};

async function policy(FunctionName: string, Qualifier?: string): Promise<Record<string, unknown>[]> {
  try {
    const { Policy = '{}' } = await stack.lambda.send(new GetPolicyCommand({ FunctionName, Qualifier }));
    return (JSON.parse(Policy) as { Statement: Record<string, unknown>[] }).Statement;
  } catch (error) {
    if ((error as Error).name === 'ResourceNotFoundException') return [];
    throw error;
  }
}

const sids = async (fn: string, qualifier?: string) => (await policy(fn, qualifier)).map(({ Sid }) => Sid);

test('moving callers first shows what it would do and what people do by hand, and writes nothing', async () => {
  const fn = 'shown';
  await same(fn);
  const uuid = await mapTo(stack.lambda, fn, 'orders');
  await allow(fn, 'bucket', 's3.amazonaws.com', 'arn:aws:s3:::shop');
  await allow(fn, 'topic', 'sns.amazonaws.com', `arn:aws:sns:us-east-1:${ACCOUNT}:news`);
  await allow(fn, 'nightly', 'events.amazonaws.com', `arn:aws:events:us-east-1:${ACCOUNT}:rule/own bus/nightly`);
  await allow(fn, 'api', 'apigateway.amazonaws.com', `arn:aws:execute-api:us-east-1:${ACCOUNT}:abc123/*/GET/orders`);
  await stack.lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: fn, AuthType: 'AWS_IAM' }));
  stack.aws.clearWrites();
  const { steps } = await look(fn);
  expect(stack.aws.writes()).toEqual([]);
  expect(idsOf(steps, 'do')).toEqual(['allow/bucket', 'allow/topic', 'allow/nightly', 'allow/api', `move/${uuid}`]);
  expect(idsOf(steps, 'later')).toEqual(['remove/bucket', 'remove/topic', 'remove/nightly', 'remove/api']);
  const hand = steps.filter(({ kind }) => kind === 'hand').map(({ text }) => text);
  const [from, to] = [arnOf(fn), `${arnOf(fn)}:live`];
  expect(hand[0]).toContain(
    `aws s3api get-bucket-notification-configuration --bucket shop | sed 's|"${from}"|"${to}"|' > notification.json && aws s3api put-bucket-notification-configuration --bucket shop --notification-configuration file://notification.json`,
  );
  expect(hand[1]).toContain(
    `aws sns subscribe --region us-east-1 --topic-arn arn:aws:sns:us-east-1:${ACCOUNT}:news --protocol lambda --notification-endpoint ${to}`,
  );
  expect(hand[2]).toContain(
    `aws events put-targets --region us-east-1 --rule nightly --event-bus-name 'own bus' --targets "$(aws events list-targets-by-rule --region us-east-1 --rule nightly --event-bus-name 'own bus' --query Targets`,
  );
  expect(hand[3]).toContain(
    `aws apigatewayv2 update-integration --region us-east-1 --api-id abc123 --integration-id INTEGRATION --integration-uri ${to}`,
  );
  expect(hand[4]).toContain('create-function-url-config --region us-east-1 --function-name shown --qualifier live');
});

test('moving callers moves each mapping of the bare name, and lets its callers call the alias too', async () => {
  const fn = 'moved';
  await same(fn);
  const [orders, elsewhere] = [
    await mapTo(stack.lambda, fn, 'orders'),
    await mapTo(stack.lambda, `${fn}:live`, 'elsewhere'),
  ];
  await allow(fn, 'bucket', 's3.amazonaws.com', 'arn:aws:s3:::shop');
  const { done, left } = await whole(fn);
  expect(named(done)).toEqual(['allow/bucket', `move/${orders}`]);
  expect(await mapped(orders)).toBe(`${arnOf(fn)}:live`);
  expect(await mapped(elsewhere)).toBe(`${arnOf(fn)}:live`);
  const [bare] = await policy(fn);
  expect(await policy(fn, 'live')).toEqual([{ ...bare, Sid: 'sluice-moved-bucket', Resource: `${arnOf(fn)}:live` }]);
  // Nobody calls, so that the next run may take it off: one run never does both.
  expect(left.map(({ id, kind }) => `${kind} ${id}`)).toEqual(['do remove/bucket']);
  expect(await sids(fn)).toEqual(['bucket']);
});

test('a permission is removed from the bare name in a later run, once nobody has called it', async () => {
  const fn = 'stopped';
  await same(fn);
  await allow(fn, 'bucket', 's3.amazonaws.com', 'arn:aws:s3:::shop');
  await whole(fn);
  const { done, left } = await whole(fn);
  expect(named(done)).toEqual(['remove/bucket']);
  expect(left).toEqual([]);
  expect(await sids(fn)).toEqual([]);
  expect(await sids(fn, 'live')).toEqual(['sluice-moved-bucket']);
});

test('a permission stays on the bare name while CloudWatch counts its calls', async () => {
  const fn = 'called';
  await same(fn);
  await allow(fn, 'bucket', 's3.amazonaws.com', 'arn:aws:s3:::shop');
  await whole(fn);
  await call(stack.lambda, fn);
  const steps = await until('the call is counted', async () => {
    const plan = await look(fn);
    return idsOf(plan.steps, 'later').length > 0 ? plan.steps : null;
  });
  expect(idsOf(steps, 'do')).toEqual([]);
  expect(steps.find(({ id }) => id === 'remove/bucket')?.text).toMatch(/once its calls have stopped: 1 calls/);
});

test('a permission stays on the bare name while calls cannot be counted', async () => {
  const fn = 'uncounted';
  await same(fn);
  await allow(fn, 'bucket', 's3.amazonaws.com', 'arn:aws:s3:::shop');
  await whole(fn);
  const message = 'User: ci is not authorized to perform: cloudwatch:GetMetricData';
  const error = { code: 'AccessDeniedException', status: 403, message };
  await stack.aws.faults.set([{ service: 'cloudwatch', operation: 'GetMetricData', error }]);
  expect(idsOf((await look(fn)).steps, 'do')).toEqual([]);
});

test('what a stack manages is not moved, and the edit of its template is shown', async () => {
  const fn = 'stacked';
  await same(fn);
  const uuid = await mapTo(stack.lambda, fn, 'orders');
  const Tags = { 'aws:cloudformation:stack-name': 'shop', 'aws:cloudformation:logical-id': 'OrdersEvent' };
  for (const Resource of [`arn:aws:lambda:us-east-1:${ACCOUNT}:event-source-mapping:${uuid}`, arnOf(fn)]) {
    await stack.lambda.send(new TagResourceCommand({ Resource, Tags }));
  }
  await allow(fn, 'bucket', 's3.amazonaws.com', 'arn:aws:s3:::shop');
  await whole(fn);
  const { steps } = await look(fn);
  expect(idsOf(steps, 'do')).toEqual([]);
  const said = steps.map(({ id, text }) => `${id}: ${text}`).join('\n');
  expect(said).toMatch(/remove\/bucket: .* stack shop: in its template/);
  expect(said).toContain(`in its template give OrdersEvent \`FunctionName: ${arnOf(fn)}:live\``);
  expect(await mapped(uuid)).toBe(arnOf(fn));
});

describe('if alias and $LATEST differ', () => {
  const drifted = async (fn: string) => {
    await same(fn);
    await stack.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: fn, ZipFile: await zipOf('return "new"') }));
    await settled(stack.lambda, fn);
  };

  test('in code or configuration, nothing is moved', async () => {
    await drifted('drifted');
    await expect(look('drifted')).rejects.toMatchObject({
      code: 'SLUICE_TARGET',
      message: expect.stringMatching(/differ in code: .* would run other code\. Add --publish/),
    });
    await same('configured');
    await stack.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'configured', Timeout: 7 }));
    await settled(stack.lambda, 'configured');
    await expect(look('configured')).rejects.toMatchObject({ message: expect.stringContaining('differ in timeout') });
    await expect(look('configured', BACK)).rejects.toMatchObject({ code: 'SLUICE_TARGET' });
  });

  test('--publish shows it, makes them equal, and then moves', async () => {
    const fn = 'published';
    await drifted(fn);
    const uuid = await mapTo(stack.lambda, fn, 'orders');
    const how = { undo: false, publish: true };
    expect((await look(fn, how)).steps[0]?.text).toMatch(
      /^publish \$LATEST of published \(CodeSha256 .* differ in code$/,
    );
    await whole(fn, how);
    expect((await call(stack.lambda, fn, 'live')).body).toBe('new');
    expect(await mapped(uuid)).toBe(`${arnOf(fn)}:live`);
    const { Description } = await stack.lambda.send(new GetAliasCommand({ FunctionName: fn, Name: 'live' }));
    expect(Description).toContain('sluice:published/production:r:adopt');
  });

  test('--publish creates a missing alias', async () => {
    const fn = 'day-before';
    await functionWith(stack.lambda, fn, ['return "old"']);
    await expect(look(fn)).rejects.toMatchObject({ message: expect.stringContaining('does not exist') });
    await whole(fn, { undo: false, publish: true });
    expect((await call(stack.lambda, fn, 'live')).body).toBe('old');
  });

  const PUBLISH = { undo: false, publish: true };
  const newCode = async (FunctionName: string) =>
    stack.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: await zipOf('return "newer"') }));
  const longer = (FunctionName: string) =>
    stack.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 9 }));

  test.each<[string, (fn: string) => Promise<void>, (fn: string) => Promise<unknown>]>([
    ['where they were the same', same, newCode],
    ['only in code', drifted, newCode],
    ['only in configuration', drifted, longer],
  ])('since the plan was shown (%s), nothing is moved', async (what, make, change) => {
    const fn = `drifting-${what.split(' ').at(-1)}`;
    await make(fn);
    const uuid = await mapTo(stack.lambda, fn, 'orders');
    const { steps } = await look(fn, PUBLISH);
    await change(fn);
    await settled(stack.lambda, fn);
    await expect(run(fn, steps, PUBLISH)).rejects.toMatchObject({
      code: 'SLUICE_TARGET',
      message: expect.stringContaining('was changed since it was shown'),
    });
    expect(await mapped(uuid)).toBe(arnOf(fn));
    expect((await call(stack.lambda, fn, 'live')).body).toBe('old');
  });

  test('and publishing renewed the revision before its answer was lost, running the same steps again finishes it', async () => {
    const fn = 'renewed';
    await drifted(fn);
    const uuid = await mapTo(stack.lambda, fn, 'orders');
    const { steps } = await look(fn, PUBLISH);
    const { driver, before } = losing('PublishVersion');
    before(() => stack.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: fn, Timeout: 3 })));
    await expect(run(fn, steps, PUBLISH, driver)).rejects.toMatchObject({ code: 'SLUICE_PROVIDER' });
    await settled(stack.lambda, fn);
    await run(fn, steps, PUBLISH);
    expect((await call(stack.lambda, fn, 'live')).body).toBe('new');
    expect(await mapped(uuid)).toBe(`${arnOf(fn)}:live`);
  });

  test('the alias is pointed only at a version that can be called', async () => {
    const fn = 'unready';
    await drifted(fn);
    const uuid = await mapTo(stack.lambda, fn, 'orders');
    const { steps } = await look(fn, PUBLISH);
    const clients = awsClients('us-east-1');
    clients.lambda.middlewareStack.add(
      (next) => async (args) => {
        const answer = await next(args);
        const { Qualifier } = args.input as { Qualifier?: string };
        if (Qualifier === '2') Object.assign(answer.output, { State: 'Failed', StateReason: 'no snapshot' });
        return answer;
      },
      { step: 'initialize' },
    );
    const budget = createBudget({ perSecond: 200, share: () => ALONE });
    const driver = createLambdaDriver({ clients: () => clients, budget, artifacts: NO_ARTIFACTS });
    await expect(run(fn, steps, PUBLISH, driver)).rejects.toMatchObject({
      code: 'SLUICE_REFUSED',
      message: expect.stringContaining('no snapshot'),
    });
    expect((await call(stack.lambda, fn, 'live')).body).toBe('old');
    expect(await mapped(uuid)).toBe(arnOf(fn));
  });
});

test("another app's alias is left alone", async () => {
  const fn = 'theirs';
  await functionWith(stack.lambda, fn, ['return "old"']);
  const Description = mark('other', 'production', 'r', 'promote');
  await stack.lambda.send(
    new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '1', Description }),
  );
  await expect(look(fn)).rejects.toMatchObject({ code: 'SLUICE_OWNED' });
});

describe('a permission that changed under its name since it was shown', () => {
  const replace = async (fn: string, StatementId: string, Qualifier?: string) => {
    await stack.lambda.send(new RemovePermissionCommand({ FunctionName: fn, StatementId, Qualifier }));
    await stack.lambda.send(
      new AddPermissionCommand({
        FunctionName: fn,
        StatementId,
        ...(Qualifier === undefined ? {} : { Qualifier }),
        Action: 'lambda:InvokeFunction',
        Principal: 's3.amazonaws.com',
        SourceArn: 'arn:aws:s3:::somebody-elses',
      }),
    );
  };

  test('is not copied to the alias, and is left to be shown again', async () => {
    const fn = 'replaced';
    await same(fn);
    await allow(fn, 'bucket', 's3.amazonaws.com', 'arn:aws:s3:::shop');
    const { steps } = await look(fn);
    await replace(fn, 'bucket');
    const { done, left } = await run(fn, steps);
    expect(done).toEqual([]);
    expect(idsOf(left, 'do')).toEqual(['allow/bucket']);
    expect(await sids(fn, 'live')).toEqual([]);
  });

  test('is not removed from the bare name, and is not listed as done', async () => {
    const fn = 'replaced-later';
    await same(fn);
    await allow(fn, 'bucket', 's3.amazonaws.com', 'arn:aws:s3:::shop');
    await whole(fn);
    const { steps } = await look(fn);
    expect(idsOf(steps, 'do')).toEqual(['remove/bucket']);
    await replace(fn, 'bucket');
    const { done, left } = await run(fn, steps);
    expect(done).toEqual([]);
    expect(idsOf(left, 'hand')).toEqual(['allow/bucket']);
    expect(await sids(fn)).toEqual(['bucket']);
  });

  test('is neither restored nor removed from the alias', async () => {
    const fn = 'replaced-copy';
    await same(fn);
    await allow(fn, 'bucket', 's3.amazonaws.com', 'arn:aws:s3:::shop');
    await whole(fn);
    await whole(fn);
    const { steps } = await look(fn, BACK);
    expect(idsOf(steps, 'do')).toEqual(['again/bucket', 'copy/bucket']);
    await replace(fn, 'sluice-moved-bucket', 'live');
    expect((await run(fn, steps, BACK)).done).toEqual([]);
    expect([await sids(fn), await sids(fn, 'live')]).toEqual([[], ['sluice-moved-bucket']]);
  });
});

describe('a permission that someone writes between our read and our write', () => {
  test.each<[string, string, (fn: string) => Promise<unknown>]>([
    ['RemovePermission', 'raced-remove', (fn) => whole(fn)],
    ['AddPermission', 'raced-add', async () => undefined],
  ])('fails the revision check of %s, and is read again', async (operation, fn, first) => {
    await same(fn);
    await allow(fn, 'bucket', 's3.amazonaws.com', 'arn:aws:s3:::shop');
    await allow(`${fn}:live`, 'own', 's3.amazonaws.com', 'arn:aws:s3:::other');
    await first(fn);
    const { steps } = await look(fn);
    // Theirs, of the same policy but another name: ours is to be done all the same.
    const theirs = operation === 'RemovePermission' ? fn : `${fn}:live`;
    const { driver, sent } = racing(operation, () => allow(theirs, 'theirs', 's3.amazonaws.com', 'arn:aws:s3:::their'));
    const { done } = await run(fn, steps, FORWARD, driver);
    expect(sent()).toBe(2);
    expect(named(done)).toEqual([operation === 'RemovePermission' ? 'remove/bucket' : 'allow/bucket']);
    const [bare, live] = [await sids(fn), await sids(fn, 'live')];
    expect(operation === 'RemovePermission' ? bare : live).toContain('theirs');
    expect(live).toContain('sluice-moved-bucket');
  });

  test('under the same name is not removed', async () => {
    const fn = 'raced-replaced';
    await same(fn);
    await allow(fn, 'bucket', 's3.amazonaws.com', 'arn:aws:s3:::shop');
    await whole(fn);
    const { steps } = await look(fn);
    const { driver } = racing('RemovePermission', async () => {
      await stack.lambda.send(new RemovePermissionCommand({ FunctionName: fn, StatementId: 'bucket' }));
      await allow(fn, 'bucket', 's3.amazonaws.com', 'arn:aws:s3:::somebody-elses');
    });
    // To be tried again: the next attempt finds what to show.
    await expect(run(fn, steps, FORWARD, driver)).rejects.toMatchObject({ code: 'SLUICE_BUSY' });
    const { done, left } = await run(fn, steps);
    expect(done).toEqual([]);
    expect(idsOf(left, 'hand')).toEqual(['allow/bucket']);
    expect(await sids(fn)).toEqual(['bucket']);
  });
});

describe('--undo', () => {
  test('moves back what was moved, and nothing else', async () => {
    const fn = 'back';
    await same(fn);
    const [orders, elsewhere] = [
      await mapTo(stack.lambda, fn, 'orders'),
      await mapTo(stack.lambda, `${fn}:live`, 'elsewhere'),
    ];
    await allow(fn, 'bucket', 's3.amazonaws.com', 'arn:aws:s3:::shop');
    const before = await policy(fn);
    await whole(fn);
    await whole(fn);
    expect(await policy(fn)).toEqual([]);
    const { left } = await whole(fn, BACK);
    expect(left).toEqual([]);
    expect(await policy(fn)).toEqual(before);
    expect(await policy(fn, 'live')).toEqual([]);
    expect(await mapped(orders)).toBe(arnOf(fn));
    expect(await mapped(elsewhere)).toBe(`${arnOf(fn)}:live`);
    const Resource = `arn:aws:lambda:us-east-1:${ACCOUNT}:event-source-mapping:${orders}`;
    expect((await stack.lambda.send(new ListTagsCommand({ Resource }))).Tags).toEqual({});
    expect((await look(fn, BACK)).steps).toEqual([]);
  });

  test("leaves the alias's permission while the alias is called", async () => {
    const fn = 'in-use';
    await same(fn);
    await allow(fn, 'bucket', 's3.amazonaws.com', 'arn:aws:s3:::shop');
    await whole(fn);
    await whole(fn);
    await call(stack.lambda, fn, 'live');
    await until('the call is counted', async () => idsOf((await look(fn, BACK)).steps, 'later').length > 0);
    const { done, left } = await whole(fn, BACK);
    expect(named(done)).toEqual(['again/bucket']);
    expect(left.map(({ kind }) => kind)).toEqual(['hand', 'later']);
    expect(named(left)).toEqual(['point/bucket', 'copy/bucket']);
    expect([await sids(fn), await sids(fn, 'live')]).toEqual([['bucket'], ['sluice-moved-bucket']]);
  });
});

/** A driver before whose first call of an operation somebody else acts. */
function racing(operation: string, act: () => Promise<unknown>) {
  let sent = 0;
  const clients = awsClients('us-east-1');
  clients.lambda.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== `${operation}Command`) return next(args);
        sent += 1;
        if (sent === 1) await act();
        return next(args);
      },
    { step: 'initialize' },
  );
  const budget = createBudget({ perSecond: 200, share: () => ALONE });
  const driver = createLambdaDriver({ clients: () => clients, budget, artifacts: NO_ARTIFACTS });
  return { driver, sent: () => sent };
}

/** A driver that has the answer to its first call of an operation lost, after the effect. */
function losing(operation: string) {
  let lost = false;
  let act: () => Promise<unknown> = async () => undefined;
  const clients = awsClients('us-east-1');
  clients.lambda.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const answer = await next(args);
        if (lost || commandName !== `${operation}Command`) return answer;
        lost = true;
        await act();
        throw new Error('socket hang up');
      },
    { step: 'initialize' },
  );
  const budget = createBudget({ perSecond: 200, share: () => ALONE });
  const driver = createLambdaDriver({ clients: () => clients, budget, artifacts: NO_ARTIFACTS });
  const before = (then: typeof act) => {
    act = then;
  };
  return { driver, lost: () => lost, before };
}

test.each([
  'PublishVersion',
  'UpdateAlias',
  'AddPermission',
  'TagResource',
  'UpdateEventSourceMapping',
  'RemovePermission',
  'UntagResource',
])('if the answer to %s is lost, running the same steps again finishes it, there and back', async (operation) => {
  const fn = `lost-${operation}`;
  await same(fn);
  await stack.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: fn, ZipFile: await zipOf('return "new"') }));
  await settled(stack.lambda, fn);
  const uuid = await mapTo(stack.lambda, fn, 'orders');
  await allow(fn, 'bucket', 's3.amazonaws.com', 'arn:aws:s3:::shop');
  let lost = 0;
  const through = async (how: typeof FORWARD) => {
    const { steps } = await look(fn, how);
    const own = losing(operation);
    await run(fn, steps, how, own.driver).catch(async (error: { code?: string }) => {
      expect(error.code).toBe('SLUICE_PROVIDER');
      await run(fn, steps, how);
    });
    if (own.lost()) lost += 1;
  };
  await through({ undo: false, publish: true });
  await through(FORWARD);
  expect(await mapped(uuid)).toBe(`${arnOf(fn)}:live`);
  expect([await sids(fn), await sids(fn, 'live')]).toEqual([[], ['sluice-moved-bucket']]);
  await through(BACK);
  expect(await mapped(uuid)).toBe(arnOf(fn));
  expect([await sids(fn), await sids(fn, 'live')]).toEqual([['bucket'], []]);
  expect(lost).toBeGreaterThan(0);
});
