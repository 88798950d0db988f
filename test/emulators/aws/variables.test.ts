import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { type EmulatedAws, startAws } from '../../../emulators/aws/index.js';
import { functionWith, lambdaAt, ROLE, settled, zipOf } from './functions.js';

/** Contract: "Using Lambda environment variables", "Lambda quotas", and the words of the refusals as people have reported them. */
const FN = 'variables';
let aws: EmulatedAws;
let lambda: LambdaClient;
beforeAll(async () => {
  aws = await startAws();
  lambda = lambdaAt(aws.endpoint);
  await functionWith(lambda, FN, ['return 1']);
});
afterAll(() => aws?.stop());

const configure = (Variables: Record<string, string>) =>
  lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: FN, Environment: { Variables } }));

test.each([
  ['a name of one letter', { A: '1' }, 'ValidationException', 'regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+'],
  ['a name with a period', { 'a.b': '1' }, 'ValidationException', 'regular expression pattern'],
  [
    'reserved names',
    { AWS_REGION: 'eu-west-1', LAMBDA_TASK_ROOT: '/x', FINE: 'y' },
    'InvalidParameterValueException',
    'Reserved keys used in this request: AWS_REGION, LAMBDA_TASK_ROOT',
  ],
  ['more than 4 KB', { HTML: 'x'.repeat(4_090) }, 'InvalidParameterValueException', 'exceeded the 4KB limit'],
])('AWS: %s is refused, by an update and for a new function', async (_, variables, name, message) => {
  const refused = { name, message: expect.stringContaining(message) };
  await expect(configure(variables)).rejects.toMatchObject(refused);
  const create = new CreateFunctionCommand({
    FunctionName: 'new',
    Role: ROLE,
    Runtime: 'nodejs20.x',
    Handler: 'index.handler',
    Code: { ZipFile: await zipOf('return 1') },
    Environment: { Variables: variables },
  });
  await expect(lambda.send(create)).rejects.toMatchObject(refused);
});

test('AWS: up to 4 KB and names that only look reserved are accepted', async () => {
  const variables = { HTML: 'x'.repeat(4_000), TZ: 'Europe/Berlin', AWS_LAMBDA_EXEC_WRAPPER: '/opt/run' };
  await configure(variables);
  await settled(lambda, FN);
  const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: FN }));
  expect(Environment?.Variables).toEqual(variables);
});

test('AWS: a call with more than 50 MB of code is refused', async () => {
  const ZipFile = Buffer.alloc(51 * 1024 * 1024);
  const sent = lambda.send(new UpdateFunctionCodeCommand({ FunctionName: FN, ZipFile }));
  await expect(sent).rejects.toMatchObject({
    name: 'RequestEntityTooLargeException',
    message: 'Request must be smaller than 69905067 bytes for the UpdateFunctionCode operation',
  });
});
