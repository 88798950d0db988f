/** An environment with a secret, through both drivers as the activities call them: what is set, what is said, what is new. */
import { createHash } from 'node:crypto';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { MockActivityEnvironment } from '@temporalio/testing';
import { accountActivities } from '../../activities/account.js';
import type { Egress } from '../../src/egress/index.js';
import type { Spec } from '../../src/model/spec.js';
import { createNet } from '../../src/net/index.js';
import type { PlatformDriver } from '../../src/platforms/port.js';
import { createSecrets } from '../../src/secrets/index.js';
import type { Artifacts } from '../../src/store/index.js';
import { ROLE } from '../emulators/aws/functions.js';
import { Stack as AzureStack } from '../platform/app-service/stack.js';
import { type Stack as AwsStack, startStack } from '../platform/lambda/stack.js';
import { OPEN } from '../support/access.js';

const REGION = 'us-east-1';
const [FIRST, SECOND] = ['first-value-1', 'second-value-2'];

/** The activities of one account, as a worker runs them; `all` is all that they have returned. */
function account(driver: PlatformDriver, secrets: Egress['secrets'], artifacts: Artifacts) {
  const all: unknown[] = [];
  const egress: Egress = { net: createNet('loopback'), secrets };
  const activities = accountActivities({
    driverFor: () => driver,
    egressOf: () => egress,
    artifacts,
    access: OPEN,
    sweep: async () => [],
  });
  const run = async <A, R>(activity: (args: A) => Promise<R>, args: A): Promise<R> => {
    const answer = (await new MockActivityEnvironment().run(activity, args)) as R;
    all.push(answer);
    return answer;
  };
  return {
    said: () => JSON.stringify(all),
    plan: (spec: Spec) => run(activities.inspect, { spec, grant: null }),
    deploy: async (spec: Spec, mark: string) => {
      const { before } = await run(activities.inspect, { spec, grant: null });
      return (await run(activities.deploy, { spec, before, mark, grant: null })).release;
    },
    promote: async (spec: Spec, candidate: string, mark: string) => {
      const { before } = await run(activities.inspect, { spec, grant: null });
      const fence = { revision: before.revision, mark };
      await run(activities.promote, { spec, candidate, fence, grant: null, receipts: [], deployed: null });
    },
  };
}

describe('on Lambda', () => {
  let stack: AwsStack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack?.stop());

  test('the function has the value and the history the reference; a rotated value is a new release, the same one is not', async () => {
    const ssm = new SSMClient({ endpoint: stack.aws.gatewayUrl, region: REGION });
    const put = (Value: string) =>
      ssm.send(new PutParameterCommand({ Name: '/shop/key', Value, Type: 'SecureString', Overwrite: true }));
    await put(FIRST);
    const on = account(stack.driver, createSecrets({ env: {}, region: REGION }), stack.artifacts);
    const fn = 'with-a-secret';
    const spec = stack.spec(fn, {
      release: { artifact: await stack.pack('return 1') },
      configuration: {
        role: ROLE,
        runtime: 'nodejs20.x',
        handler: 'index.handler',
        environment: { KEY: 'secret://aws-ssm/shop/key', PLAIN: 'x' },
      },
    });
    const mark = (run: string) => `sluice:${spec.app}/${spec.environment}:${run}:deploy`;
    const environmentOf = async (version: string) =>
      (await stack.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: fn, Qualifier: version })))
        .Environment?.Variables;

    const { findings } = await on.plan(spec);
    expect(findings).toContainEqual({
      level: 'warn',
      code: 'SECRET_FROZEN',
      message: expect.stringMatching(
        /^configuration\.environment\.KEY: the value is written into the release and comes back/,
      ),
    });
    const first = await on.deploy(spec, mark('one'));
    expect(await environmentOf(first.version)).toEqual({ KEY: FIRST, PLAIN: 'x' });
    await on.promote(spec, first.version, mark('one').replace('deploy', 'promote'));
    expect((await on.deploy(spec, mark('two'))).version).toBe(first.version);

    await put(SECOND);
    const second = await on.deploy(spec, mark('three'));
    expect(second.version).not.toBe(first.version);
    expect(await environmentOf(second.version)).toEqual({ KEY: SECOND, PLAIN: 'x' });

    // So it is where the code is only what is live.
    const { environment = {} } = spec.configuration;
    const current: Spec = { ...spec, release: { current: true }, configuration: { environment } };
    await put(FIRST);
    expect((await on.deploy(current, mark('four'))).version).toBe(first.version);
    await put(`${SECOND}, rotated`);
    const third = await on.deploy(current, mark('five'));
    expect([first.version, second.version]).not.toContain(third.version);
    expect(third.digest).toBe(first.digest);
    expect(await environmentOf(third.version)).toEqual({ KEY: `${SECOND}, rotated`, PLAIN: 'x' });
    expect(on.said()).toContain('secret://aws-ssm/shop/key');
    expect(on.said()).not.toMatch(/first-value|second-value/);
  });
});

describe('on App Service', () => {
  let stack: AzureStack;
  beforeAll(async () => {
    stack = await AzureStack.start();
  });
  afterAll(() => stack?.stop());

  test("the slot has the value, and the release id depends on the secret's version, never on its value", async () => {
    const { azure } = stack;
    const uri = 'https://shop.vault.azure.net/secrets/key';
    azure.state.secrets = { [uri]: FIRST };
    const secrets = createSecrets({ env: azure.env, region: REGION, ca: azure.ca });
    const on = account(stack.driver(), secrets, stack.artifacts);
    const site = await stack.site();
    const artifact = await stack.pack('with a secret');
    const reference = 'secret://azure-keyvault/shop/key';
    const spec = stack.spec(site, { release: { artifact }, configuration: { environment: { KEY: reference } } });

    const { findings } = await on.plan(spec);
    expect(findings.find(({ code }) => code === 'SECRET_FROZEN')?.message).toContain(
      `@Microsoft.KeyVault(SecretUri=${uri})`,
    );
    const first = await on.deploy(spec, 'm1');
    expect(site.staging.settings).toMatchObject({ KEY: FIRST, SLUICE_RELEASE: first.version });
    expect((await on.deploy(spec, 'm2')).version).toBe(first.version);

    azure.state.secrets = { [uri]: SECOND };
    const second = await on.deploy(spec, 'm3');
    expect(site.staging.settings).toMatchObject({ KEY: SECOND, SLUICE_RELEASE: second.version });
    expect(second.version).not.toBe(first.version);
    // Who knows the spec cannot try which value gives the id.
    const guess = createHash('sha256')
      .update(JSON.stringify([artifact.sha256, [['KEY', SECOND]]]))
      .digest('hex');
    expect(second.version).not.toBe(`r-${guess.slice(0, 12)}`);
    expect(on.said()).not.toMatch(/first-value|second-value/);
  });

  test("an error that quotes a kept release's settings contains none of their values, even if this worker never read them", async () => {
    const { azure } = stack;
    azure.state.secrets = { 'https://shop.vault.azure.net/secrets/key': FIRST };
    const secrets = createSecrets({ env: azure.env, region: REGION, ca: azure.ca });
    const on = account(stack.driver(), secrets, stack.artifacts);
    const site = await stack.site();
    const spec = stack.spec(site, {
      ...{ strategy: { type: 'direct', bake: 0 }, release: { artifact: await stack.pack('quoted') } },
      configuration: { environment: { KEY: 'secret://azure-keyvault/shop/key' } },
    });
    const mark = (step: string) => `sluice:${spec.app}/${spec.environment}:run:${step}`;
    const { version } = await on.deploy(spec, mark('deploy'));
    const quoted = Buffer.from(`KEY=${FIRST}`).toString('base64');
    const body = { Code: 'BadRequest', Message: `the settings KEY=${FIRST} (${quoted}) are not valid` };
    azure.faults.set([{ operations: ['UpdateApplicationSettings'], times: 1, effect: { status: 400, body } }]);
    const refused = await on.promote(spec, version, mark('promote')).catch(String);
    expect(refused).toContain('BadRequest: the settings KEY=[secret] (');
    expect(refused).not.toContain(FIRST);
    expect(refused).not.toContain(Buffer.from(FIRST.slice(1, 10)).toString('base64'));
  });
});
