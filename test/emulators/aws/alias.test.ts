import {
  CreateAliasCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  GetAliasCommand,
  type LambdaClient,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { type EmulatedAws, startAws } from '../../../emulators/aws/index.js';
import { call, functionWith, lambdaAt, refusal, settled } from './functions.js';

const FN = 'shop';
const HANDLER = 'return { v: context.functionVersion, arn: context.invokedFunctionArn }; //';
let aws: EmulatedAws;
let lambda: LambdaClient;
let counter = 0;

beforeAll(async () => {
  aws = await startAws();
  lambda = lambdaAt(aws.endpoint);
  await functionWith(lambda, FN, [`${HANDLER} one\n`, `${HANDLER} two\n`, `${HANDLER} three\n`]);
});
afterAll(() => aws?.stop());

type Weights = Record<string, number>;
const routing = (weights: Weights | undefined) =>
  weights === undefined ? {} : { RoutingConfig: { AdditionalVersionWeights: weights } };

async function alias(version: string, weights?: Weights, name = `alias-${++counter}`) {
  return lambda.send(
    new CreateAliasCommand({ FunctionName: FN, Name: name, FunctionVersion: version, ...routing(weights) }),
  );
}
const update = (name: string | undefined, rest: object) =>
  lambda.send(new UpdateAliasCommand({ FunctionName: FN, Name: name, ...rest }));
const get = (name: string | undefined) => lambda.send(new GetAliasCommand({ FunctionName: FN, Name: name }));

describe('invoking a weighted alias', () => {
  test('AWS: requests are split by weight one by one, and the answer names the version that ran', async () => {
    const { Name } = await alias('1', { 2: 0.3 });
    const answers = [];
    for (let round = 0; round < 10; round++) {
      answers.push(...(await Promise.all(Array.from({ length: 30 }, () => call(lambda, FN, Name)))));
    }
    const second = answers.filter((each) => each.version === '2').length;
    // 300 draws at 0.3: four standard deviations are 32.
    expect(Math.abs(second - 90)).toBeLessThan(33);
    for (const each of answers) expect(each.body).toMatchObject({ v: each.version });
  });

  test('AWS: the handler sees the ARN it was called by, whichever version runs', async () => {
    const { Name, AliasArn } = await alias('1', { 2: 1 });
    expect((await call(lambda, FN, Name)).body).toEqual({ v: '2', arn: AliasArn });
    expect((await call(lambda, FN, '1')).body).toEqual({ v: '1', arn: expect.stringMatching(/:shop:1$/) });
  });

  test('AWS: weight 1 sends everything to the extra version, weight 0 nothing', async () => {
    const all = await alias('1', { 2: 1 });
    const none = await alias('1', { 2: 0 });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => call(lambda, FN, i % 2 === 0 ? all.Name : none.Name)),
    );
    expect(answers.map((each) => each.version)).toEqual(answers.map((_, i) => (i % 2 === 0 ? '2' : '1')));
  });

  test('AWS: an alias in the name or in an ARN works like a qualifier', async () => {
    const { Name, AliasArn } = await alias('1', { 2: 1 });
    expect((await call(lambda, `${FN}:${Name}`)).version).toBe('2');
    expect((await call(lambda, AliasArn ?? '')).version).toBe('2');
  });

  test('the weights of an answered write apply to the next call', async () => {
    const { Name } = await alias('1');
    for (const [weights, expected] of [
      [{ 3: 1 }, '3'],
      [{}, '1'],
      [{ 2: 1 }, '2'],
    ] as [Weights, string][]) {
      await update(Name, routing(weights));
      expect((await call(lambda, FN, Name)).version).toBe(expected);
    }
  });

  test('AWS: a missing alias is a 404', async () => {
    expect(await refusal(call(lambda, FN, 'absent'))).toBe('ResourceNotFoundException');
  });
});

describe('a split', () => {
  const refused: [string, string, Weights | undefined, string][] = [
    ['weight 1.5', '1', { 2: 1.5 }, 'ValidationException'],
    ['weight -0.1', '1', { 2: -0.1 }, 'ValidationException'],
    ['two extra versions', '1', { 2: 0.1, 3: 0.1 }, 'InvalidParameterValueException'],
    ['the primary as the extra version', '1', { 1: 0.5 }, 'InvalidParameterValueException'],
    ['$LATEST as the extra version', '1', { $LATEST: 0.5 }, 'InvalidParameterValueException'],
    ['$LATEST as the primary of a split', '$LATEST', { 1: 0.5 }, 'InvalidParameterValueException'],
    ['a missing extra version', '1', { 99: 0.5 }, 'ResourceNotFoundException'],
    ['a missing primary', '99', undefined, 'ResourceNotFoundException'],
    ['another alias as the primary', 'live', undefined, 'ValidationException'],
  ];
  test.each(refused)('AWS: with %s is refused, by create and by update', async (_, version, weights, error) => {
    expect(await refusal(alias(version, weights))).toBe(error);
    const { Name, RevisionId } = await alias('3');
    expect(await refusal(update(Name, { FunctionVersion: version, ...routing(weights) }))).toBe(error);
    expect(await get(Name)).toMatchObject({ FunctionVersion: '3', RevisionId });
  });

  test('AWS: is refused on an alias whose name is only digits', async () => {
    expect(await refusal(alias('1', undefined, '42'))).toBe('ValidationException');
  });

  test('AWS: is refused for versions with different roles or different dead-letter queues', async () => {
    const other = 'other-role';
    await functionWith(lambda, other, [HANDLER]);
    for (const change of [
      { Role: 'arn:aws:iam::000000000000:role/another' },
      { DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:dlq' } },
    ]) {
      await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: other, ...change }));
      await settled(lambda, other);
      await lambda.send(new PublishVersionCommand({ FunctionName: other }));
    }
    const split = (primary: string, extra: string) =>
      refusal(
        lambda.send(
          new CreateAliasCommand({
            FunctionName: other,
            Name: `a${primary}${extra}`,
            FunctionVersion: primary,
            ...routing({ [extra]: 0.1 }),
          }),
        ),
      );
    expect(await split('1', '2')).toBe('InvalidParameterValueException');
    expect(await split('2', '3')).toBe('InvalidParameterValueException');
  });

  test('AWS: stays as it is in an update without RoutingConfig, and ends with an empty map', async () => {
    const { Name } = await alias('1', { 2: 0.25 });
    await update(Name, { Description: 'text only' });
    expect((await get(Name)).RoutingConfig?.AdditionalVersionWeights).toEqual({ 2: 0.25 });
    await update(Name, routing({}));
    expect((await get(Name)).RoutingConfig?.AdditionalVersionWeights).toBeUndefined();
  });

  test('AWS: ends in the same write that makes the extra version the primary', async () => {
    const { Name } = await alias('1', { 2: 0.25 });
    expect(await refusal(update(Name, { FunctionVersion: '2' }))).toBe('InvalidParameterValueException');
    expect(await update(Name, { FunctionVersion: '2', ...routing({}) })).toMatchObject({ FunctionVersion: '2' });
  });

  test('AWS: keeps both versions from being deleted', async () => {
    const { Name } = await alias('1', { 3: 0.25 });
    const remove = (version: string) =>
      refusal(lambda.send(new DeleteFunctionCommand({ FunctionName: FN, Qualifier: version })));
    expect(await remove('1')).toBe('ResourceConflictException');
    expect(await remove('3')).toBe('ResourceConflictException');
    expect((await get(Name)).FunctionVersion).toBe('1');
  });

  test('AWS: an existing alias is not created again, and a deleted one cannot be called', async () => {
    const { Name } = await alias('1');
    expect(await refusal(alias('1', undefined, Name))).toBe('ResourceConflictException');
    await call(lambda, FN, Name);
    await lambda.send(new DeleteAliasCommand({ FunctionName: FN, Name }));
    expect(await refusal(call(lambda, FN, Name))).toBe('ResourceNotFoundException');
  });
});

describe('the RevisionId of an alias', () => {
  test('AWS: is refused with 412 and changes nothing if it is stale; the current one is accepted and changes', async () => {
    const { Name, RevisionId } = await alias('1');
    const second = await update(Name, { Description: 'a', RevisionId });
    expect(second.RevisionId).not.toBe(RevisionId);
    expect(await refusal(update(Name, { Description: 'b', RevisionId }))).toBe('PreconditionFailedException');
    expect((await get(Name)).Description).toBe('a');
  });

  test('AWS: is accepted exactly once among many writes that use the same one', async () => {
    const { Name, RevisionId } = await alias('1');
    const tries = await Promise.all(
      Array.from({ length: 12 }, (_, i) => refusal(update(Name, { Description: String(i), RevisionId }))),
    );
    expect(tries.filter((each) => each === 'not refused')).toHaveLength(1);
    expect(tries.filter((each) => each === 'PreconditionFailedException')).toHaveLength(11);
  });
});
