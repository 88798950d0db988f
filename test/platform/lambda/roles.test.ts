import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateAliasCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { readBody } from '../../../emulators/http.js';
import { ERRORS } from '../../../src/model/errors.js';
import { mark } from '../../../src/model/ids.js';
import type { Spec } from '../../../src/model/spec.js';
import { ALONE, createPlatform } from '../../../src/platforms/drivers.js';
import { awsClients } from '../../../src/platforms/lambda/driver/index.js';
import { functionWith } from '../../emulators/aws/functions.js';
import { NO_ARTIFACTS } from '../../support/artifacts.js';
import { NEVER } from '../../support/until.js';
import { context, type Stack, startStack } from './stack.js';

const REGION = 'us-east-1';
/** Two AWS accounts, and in each a role that a worker may assume. */
const [FIRST, SECOND] = ['111111111111', '222222222222'] as const;
const roleIn = (account: string) => `arn:aws:iam::${account}:role/rollouts`;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ faults: true });
});
afterAll(() => stack?.stop());
afterEach(() => stack.aws.faults.clear());

/** A hand of the test's own in an account: ministack takes twelve digits as an access key of that account. */
const inAccount = (account: string) =>
  new LambdaClient({
    endpoint: stack.aws.gatewayUrl,
    region: REGION,
    credentials: { accessKeyId: account, secretAccessKey: 'test' },
  });

const platformOf = (account: string, roleArn?: string) =>
  createPlatform({
    served: { platform: 'lambda', account, region: REGION, ...(roleArn === undefined ? {} : { roleArn }) },
    artifacts: NO_ARTIFACTS,
    callsPerSecond: 200,
    share: () => ALONE,
  });

function specOf(fn: string, account: string, roleArn?: string, overrides: Partial<Spec> = {}): Spec {
  const { target } = stack.spec(fn);
  return stack.spec(fn, {
    target: { ...target, account, ...(roleArn === undefined ? {} : { roleArn }) },
    release: { version: 2 },
    ...overrides,
  });
}

/** A function with two versions that answer the account's name, and an alias `live` on `version`. */
async function live(account: string, fn: string, version = '1'): Promise<LambdaClient> {
  const lambda = inAccount(account);
  await functionWith(lambda, fn, [`return "${account} one"`, `return "${account} two"`]);
  await lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: version }));
  return lambda;
}

/** Who an access key belongs to, as STS says. */
async function identityOf(accessKey: string): Promise<string | undefined> {
  const credential = `${accessKey}/20260101/${REGION}/sts/aws4_request`;
  const response = await fetch(stack.aws.gatewayUrl, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=none`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'Action=GetCallerIdentity&Version=2011-06-15',
    signal: AbortSignal.timeout(NEVER),
  });
  return /<Arn>(.*)<\/Arn>/.exec(await response.text())?.[1];
}

/** Access keys of the writes to a function's alias, in order. */
const writers = (fn: string) =>
  stack.aws
    .writes()
    .filter((write) => write.function === fn && write.operation.endsWith('Alias') && write.status < 300)
    .map(({ accessKey }) => accessKey);

async function shift(platform: ReturnType<typeof platformOf>, spec: Spec): Promise<void> {
  const driver = platform.driverFor(spec.target);
  const { before } = await driver.inspect(context(), spec);
  const fence = { revision: before.revision, mark: mark(spec.app, spec.environment, 'run1', 'shift') };
  await driver.shift(context(), { spec, stable: '1', candidate: '2', weight: 10, fence });
}

test("a target with a role is called with the role's credentials, in a session named after Sluice", async () => {
  const fn = 'assumed';
  await live(FIRST, fn);
  await shift(platformOf('default'), specOf(fn, 'default', roleIn(FIRST)));
  const writer = writers(fn).at(-1) ?? '';
  expect([FIRST, process.env.AWS_ACCESS_KEY_ID]).not.toContain(writer);
  expect(await identityOf(writer)).toBe(`arn:aws:sts::${FIRST}:assumed-role/rollouts/sluice`);
});

test('one worker serves two accounts, each with its own role, and the same names in both are two targets', async () => {
  const fn = 'twice';
  const [first, second] = [await live(FIRST, fn), await live(SECOND, fn)];
  const platforms = { first: platformOf('first', roleIn(FIRST)), second: platformOf('second', roleIn(SECOND)) };
  await shift(platforms.first, specOf(fn, 'first'));
  await shift(platforms.second, specOf(fn, 'second'));
  const [one = '', two = ''] = writers(fn).slice(-2);
  expect(await identityOf(one)).toBe(`arn:aws:sts::${FIRST}:assumed-role/rollouts/sluice`);
  expect(await identityOf(two)).toBe(`arn:aws:sts::${SECOND}:assumed-role/rollouts/sluice`);
  const answerOf = async (platform: ReturnType<typeof platformOf>, account: string) => {
    const spec = specOf(fn, account);
    const asked = { spec, version: '2', payload: {}, timeoutMs: 10_000 };
    return (await platform.driverFor(spec.target).invoke(context(), asked)).body;
  };
  expect(await answerOf(platforms.first, 'first')).toBe(`${FIRST} two`);
  expect(await answerOf(platforms.second, 'second')).toBe(`${SECOND} two`);
  first.destroy();
  second.destroy();
});

test("a target's role overrides its account's", async () => {
  const fn = 'preferred';
  await live(SECOND, fn);
  await shift(platformOf('first', roleIn(FIRST)), specOf(fn, 'first', roleIn(SECOND)));
  expect(await identityOf(writers(fn).at(-1) ?? '')).toContain(SECOND);
});

test('the environments of one role are not taken for those of another', async () => {
  const fn = 'sides';
  const strategy: Spec['strategy'] = { type: 'blueGreen', bake: 0, testBake: 0 };
  for (const [account, blue, green] of [
    [FIRST, '1', '2'],
    [SECOND, '2', '1'],
  ] as const) {
    const lambda = await live(account, fn);
    await lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live-blue', FunctionVersion: blue }));
    await lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live-green', FunctionVersion: green }));
  }
  const platform = platformOf('default');
  for (const account of [FIRST, SECOND]) {
    const spec = specOf(fn, 'default', roleIn(account), { strategy });
    const asked = { spec, version: '1', payload: {}, timeoutMs: 10_000 };
    const answer = await platform.driverFor(spec.target).invoke(context(), asked);
    expect(answer).toMatchObject({ executedVersion: '1', body: `${account} one` });
  }
});

test('role credentials that are about to expire are replaced, and fresh ones are kept', async () => {
  const fn = 'renewed';
  await live(FIRST, fn);
  // AWS gives no session below 15 minutes; ministack gives the minute that is asked for here.
  let short = true;
  const asked: string[] = [];
  const sts = await stsBefore(stack.aws.gatewayUrl, (body) => {
    asked.push(body);
    return short ? `${body}&DurationSeconds=60` : body;
  });
  process.env.AWS_ENDPOINT_URL_STS = sts.url;
  try {
    const { lambda } = awsClients(REGION, roleIn(FIRST));
    for (const Name of ['one', 'two', 'three', 'four']) {
      short = Name === 'one' || Name === 'two';
      await lambda.send(new CreateAliasCommand({ FunctionName: fn, Name, FunctionVersion: '1' }));
    }
  } finally {
    delete process.env.AWS_ENDPOINT_URL_STS;
    sts.server.close();
  }
  const [one, two, three, four] = writers(fn).slice(-4);
  expect(new Set([one, two, three]).size).toBe(3);
  expect(four).toBe(three);
  expect(asked.every((body) => body.includes('RoleSessionName=sluice'))).toBe(true);
});

test('a role that may not be assumed is a final error that names it and what to do, and is requested once', async () => {
  const fn = 'refused';
  const role = roleIn(SECOND);
  const message = `User: arn:aws:iam::${FIRST}:user/ci is not authorized to perform: sts:AssumeRole on resource: ${role}`;
  await stack.aws.faults.forget();
  await stack.aws.faults.set([
    { service: 'sts', operation: 'AssumeRole', error: { code: 'AccessDenied', status: 403, message } },
  ]);
  const spec = specOf(fn, 'default', role);
  const error: unknown = await platformOf('default')
    .driverFor(spec.target)
    .inspect(context(), spec)
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'SLUICE_PERMISSION' });
  expect(ERRORS.SLUICE_PERMISSION.final).toBe(true);
  const said = (error as Error).message;
  expect(said).toMatch(/^sts:AssumeRole is not allowed: AssumeRole of arn:aws:iam::222222222222:role\/rollouts: /);
  expect(said).toContain("Name the worker's identity in the role's trust policy");
  expect(await stack.aws.faults.fired()).toHaveLength(1);
});

test('a token service that fails for a moment is retried later', async () => {
  await stack.aws.faults.set([
    { service: 'sts', operation: 'AssumeRole', error: { code: 'InternalFailure', status: 500 } },
  ]);
  const spec = specOf('unreached', 'default', roleIn(FIRST));
  const { driverFor } = platformOf('default');
  await expect(driverFor(spec.target).inspect(context(), spec)).rejects.toMatchObject({ code: 'SLUICE_PROVIDER' });
  expect(ERRORS.SLUICE_PROVIDER.final).toBe(false);
});

/** A server before STS that may change what it is asked. */
async function stsBefore(upstream: string, change: (body: string) => string): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    void readBody(request).then(async (body) => {
      const { authorization = '', 'content-type': type = '' } = request.headers;
      const answer = await fetch(upstream, {
        method: 'POST',
        headers: { authorization, 'content-type': type },
        body: change(body.toString()),
        signal: AbortSignal.timeout(NEVER),
      });
      response.writeHead(answer.status, { 'content-type': 'text/xml' });
      response.end(await answer.text());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
