/** Every store as it is: AWS and Azure emulated, files and variables of this machine. */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { jest } from '@jest/globals';
import { type EmulatedAws, startAws } from '../../emulators/aws/index.js';
import { type EmulatedAzure, startAzure } from '../../emulators/azure/index.js';
import { createEgress } from '../../src/egress/index.js';
import type { SecretAsk } from '../../src/model/secrets.js';
import { createSecrets, remembering, type Secrets, type SecretsOptions } from '../../src/secrets/index.js';

const REGION = 'eu-west-1';
const ASK = { app: 'shop', environment: 'production', use: 'environment', host: null } as const;

const secretsFrom = (more: Partial<SecretsOptions> = {}) => createSecrets({ env: {}, region: REGION, ...more });
const read = async (secrets: Secrets, reference: string) =>
  secrets.resolve(reference, ASK, new AbortController().signal);

describe('on AWS', () => {
  let aws: EmulatedAws;
  let arn: string;
  let versionId: string;
  const secrets = secretsFrom();
  beforeAll(async () => {
    aws = await startAws({ faults: true });
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: aws.endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    });
    const beside = { region: REGION, endpoint: aws.gatewayUrl };
    const [manager, ssm] = [new SecretsManagerClient(beside), new SSMClient(beside)];
    const first = JSON.stringify({ user: 'shop', password: 'first-one', port: 5432 });
    const created = await manager.send(new CreateSecretCommand({ Name: 'shop/db', SecretString: first }));
    [arn, versionId] = [created.ARN ?? '', created.VersionId ?? ''];
    const second = JSON.stringify({ user: 'shop', password: 'second-one' });
    await manager.send(new PutSecretValueCommand({ SecretId: 'shop/db', SecretString: second }));
    const put = (Value: string) =>
      ssm.send(new PutParameterCommand({ Name: '/shop/token', Value, Type: 'SecureString', Overwrite: true }));
    await put('token-one');
    await put('token-two');
  });
  afterAll(() => aws?.stop());
  afterEach(() => aws.faults.clear());

  test('a secret is read by name or ARN, and by key, in its newest or a pinned version', async () => {
    expect((await read(secrets, 'secret://aws-secretsmanager/shop/db#password')).value).toBe('second-one');
    expect((await read(secrets, 'secret://aws-secretsmanager/shop/db@AWSPREVIOUS#password')).value).toBe('first-one');
    const pinned = await read(secrets, `secret://aws-secretsmanager/shop/db@${versionId}#port`);
    expect(pinned).toEqual({ value: '5432', identity: `secret://aws-secretsmanager/shop/db@${versionId}#port` });
    expect((await read(secretsFrom({ region: 'us-east-1' }), `secret://aws-secretsmanager/${arn}#user`)).value).toBe(
      'shop',
    );
  });

  test('a parameter is decrypted, in its newest or a pinned version, and its identity has the version', async () => {
    expect(await read(secrets, 'secret://aws-ssm/shop/token')).toEqual({
      value: 'token-two',
      identity: 'secret://aws-ssm/shop/token@2',
    });
    expect((await read(secrets, 'secret://aws-ssm//shop/token@1')).value).toBe('token-one');
  });

  test.each([
    [
      'secret://aws-secretsmanager/shop/nothing',
      /^secret:\/\/aws-secretsmanager\/shop\/nothing: .*; create it, or correct/,
    ],
    ['secret://aws-secretsmanager/shop/db@NOSUCH', /^secret:\/\/aws-secretsmanager\/shop\/db@NOSUCH: /],
    [
      'secret://aws-secretsmanager/shop/db#nothing',
      /^secret:\/\/aws-secretsmanager\/shop\/db#nothing: the value has no key/,
    ],
    ['secret://aws-secretsmanager/shop/db#toString', /has no key toString/],
    ['secret://aws-ssm/shop/nothing', /^secret:\/\/aws-ssm\/shop\/nothing: .*; create it, or correct/],
    ['secret://aws-ssm/shop/token@9', /^secret:\/\/aws-ssm\/shop\/token@9: /],
    ['secret://aws-ssm/shop/token#key', /the value is not a JSON object/],
  ])('%s is missing, and the error says what is missing and not the value', async (reference, said) => {
    const failed = read(secrets, reference);
    await expect(failed).rejects.toMatchObject({ code: 'SLUICE_SECRET', message: expect.stringMatching(said) });
    await expect(failed).rejects.not.toMatchObject({ message: expect.stringMatching(/second-one|token-two/) });
  });

  test.each([
    ['secretsmanager', 'GetSecretValue', 'secret://aws-secretsmanager/shop/db', 'secretsmanager:GetSecretValue'],
    ['ssm', 'GetParameter', 'secret://aws-ssm/shop/token', 'ssm:GetParameter'],
  ])('a missing permission of %s is named with the reference', async (service, operation, reference, action) => {
    const error = { code: 'AccessDeniedException', status: 400, message: 'User x is not authorized' };
    await aws.faults.set([{ service, operation, error }]);
    await expect(read(secrets, reference)).rejects.toMatchObject({
      code: 'SLUICE_PERMISSION',
      message: `${action} is not allowed for ${reference}: User x is not authorized. Allow it to the worker's identity, or to the role of the account or the spec`,
    });
  });

  test("the target's role reads, in its own account", async () => {
    const account = '222222222222';
    const there = new SSMClient({
      region: REGION,
      endpoint: aws.gatewayUrl,
      // To ministack twelve digits are an access key of that account.
      credentials: { accessKeyId: account, secretAccessKey: 'test' },
    });
    await there.send(new PutParameterCommand({ Name: '/theirs', Value: 'of the account', Type: 'SecureString' }));
    const egressOf = createEgress({ env: {}, allowAddresses: '', served: { region: REGION } });
    const target = { platform: 'lambda', function: 'f', alias: 'live', region: REGION, account: 'a' } as const;
    const roleArn = `arn:aws:iam::${account}:role/rollouts`;
    const reference = 'secret://aws-ssm//theirs';
    expect((await read(egressOf({ ...target, roleArn }).secrets, reference)).value).toBe('of the account');
    await expect(read(egressOf(target).secrets, reference)).rejects.toMatchObject({ code: 'SLUICE_SECRET' });
  });

  test('a store that is briefly unavailable is retried', async () => {
    const error = { code: 'InternalFailure', status: 500, message: 'no' };
    await aws.faults.set([{ service: 'ssm', operation: 'GetParameter', error }]);
    await expect(read(secrets, 'secret://aws-ssm/shop/token')).rejects.toMatchObject({ code: 'SLUICE_PROVIDER' });
  });

  test('one activity reads a value once however often it needs it, and the next one reads it again', async () => {
    let asked = 0;
    const count = () => {
      asked += 1;
      return null;
    };
    const counting = secretsFrom({ mayUse: count });
    const error = { code: 'InternalFailure', status: 500, message: 'no' };
    const twice = () =>
      remembering(async () => {
        await read(counting, 'secret://aws-secretsmanager/shop/db#user');
        await aws.faults.set([{ service: 'secretsmanager', error }]);
        return read(counting, 'secret://aws-secretsmanager/shop/db#password');
      });
    expect((await twice()).value).toBe('second-one');
    await expect(twice()).rejects.toMatchObject({ code: 'SLUICE_PROVIDER' });
    // The policy is asked every time.
    expect(asked).toBe(3);
  });
});

describe('in Key Vault', () => {
  let azure: EmulatedAzure;
  const from = (more: NodeJS.ProcessEnv = {}) => secretsFrom({ env: { ...azure.env, ...more }, ca: azure.ca });
  const pinned = 'a'.repeat(32);
  beforeAll(async () => {
    azure = await startAzure();
    azure.state.secrets = {
      'https://shop.vault.azure.net/secrets/db': '{"password":"newest-one"}',
      [`https://shop.vault.azure.net/secrets/db/${pinned}`]: '{"password":"older-one"}',
    };
  });
  afterAll(() => azure?.stop());
  afterEach(() => azure.faults.clear());

  test("a secret is read with the driver's credential, in its newest or a pinned version", async () => {
    const newest = await read(from(), 'secret://azure-keyvault/Shop/DB#password');
    expect(newest.value).toBe('newest-one');
    expect(newest.identity).toMatch(/^secret:\/\/azure-keyvault\/shop\/db@[0-9a-f]{32}#password$/);
    const older = await read(from(), `secret://azure-keyvault/shop/db@${pinned}#password`);
    expect(older.value).toBe('older-one');
    expect(azure.actions()).toContain('microsoft.keyvault/vaults/secrets/getsecret/action');
  });

  test('what is missing is named, and what is refused is named with its permission', async () => {
    await expect(read(from(), 'secret://azure-keyvault/shop/nothing')).rejects.toMatchObject({
      code: 'SLUICE_SECRET',
      message: expect.stringMatching(/^secret:\/\/azure-keyvault\/shop\/nothing: .*was not found/),
    });
    const body = { error: { code: 'Forbidden', message: 'Caller is not authorized.' } };
    azure.faults.set([{ operations: ['GetSecret'], times: 1, effect: { status: 403, body } }]);
    await expect(read(from(), 'secret://azure-keyvault/shop/db')).rejects.toMatchObject({
      code: 'SLUICE_PERMISSION',
      message:
        "Microsoft.KeyVault/vaults/secrets/getSecret/action is not allowed for secret://azure-keyvault/shop/db: Forbidden: Caller is not authorized. (403). Allow it to the worker's identity, or to the role of the account or the spec",
    });
  });

  test('an old value is read again; it survives an unavailable store, and not a refusal', async () => {
    const secrets = from();
    const reference = 'secret://azure-keyvault/shop/db#password';
    const fail = (status: number) => azure.faults.set([{ operations: ['GetSecret'], times: 1, effect: { status } }]);
    let now = Date.now();
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => now);
    try {
      await remembering(async () => {
        expect((await read(secrets, reference)).value).toBe('newest-one');
        azure.state.secrets['https://shop.vault.azure.net/secrets/db'] = '{"password":"rotated-one"}';
        expect((await read(secrets, reference)).value).toBe('newest-one');
        now += 6 * 60_000;
        fail(500);
        expect((await read(secrets, reference)).value).toBe('newest-one');
        now += 6 * 60_000;
        expect((await read(secrets, reference)).value).toBe('rotated-one');
        now += 6 * 60_000;
        fail(403);
        await expect(read(secrets, reference)).rejects.toMatchObject({ code: 'SLUICE_PERMISSION' });
      });
    } finally {
      clock.mockRestore();
      azure.state.secrets['https://shop.vault.azure.net/secrets/db'] = '{"password":"newest-one"}';
    }
  });

  test('a store that does not answer is retried, and does not cancel the activity', async () => {
    azure.faults.set([{ operations: ['GetSecret'], times: 1, effect: { heldMs: 3_000 } }]);
    const secrets = secretsFrom({ env: azure.env, ca: azure.ca, within: 100 });
    await expect(read(secrets, 'secret://azure-keyvault/shop/db')).rejects.toMatchObject({
      code: 'SLUICE_PROVIDER',
      message: 'secret://azure-keyvault/shop/db did not arrive within 100 ms',
    });
  });

  test('wrong credentials are reported as such', async () => {
    await expect(read(from({ AZURE_CLIENT_SECRET: 'wrong' }), 'secret://azure-keyvault/shop/db')).rejects.toMatchObject(
      { code: 'SLUICE_CREDENTIALS' },
    );
  });
});

describe('on the worker itself', () => {
  let folder: string;
  let secrets: Secrets;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-secrets-'));
    const below = path.join(folder, 'secrets');
    mkdirSync(path.join(below, '..data', 'db'), { recursive: true });
    writeFileSync(path.join(below, '..data', 'db', 'password'), 'of a file\n\n');
    symlinkSync('..data/db', path.join(below, 'db'));
    writeFileSync(path.join(folder, 'outside'), 'not yours');
    symlinkSync('../outside', path.join(below, 'link'));
    writeFileSync(path.join(below, 'large'), 'x'.repeat(70_000));
    writeFileSync(path.join(below, 'empty'), '\n');
    writeFileSync(path.join(below, 'bytes'), Buffer.from([0x61, 0xff, 0x62]));
    secrets = secretsFrom({
      env: {
        SLUICE_SECRET_DIR: below,
        SLUICE_SECRET_A: 'of a variable',
        SLUICE_SECRET_EMPTY: '',
        AWS_KEY: 'not yours',
      },
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('a file in the folder is read, also through links within it, without its last newline', async () => {
    expect((await read(secrets, 'secret://file/db/password')).value).toBe('of a file\n');
  });

  test('a variable with the prefix is read', async () => {
    expect(await read(secrets, 'secret://env/SLUICE_SECRET_A')).toEqual({
      value: 'of a variable',
      identity: 'secret://env/SLUICE_SECRET_A',
    });
  });

  test.each([
    ['secret://file/link', 'leads out of the secrets folder'],
    ['secret://file/nothing', 'the file does not exist in the secrets folder (ENOENT)'],
    ['secret://file/large', 'the file has 70000 bytes'],
    ['secret://file/empty', 'the value is empty'],
    ['secret://file/db', 'it is a folder; name a file in it'],
    ['secret://file/bytes', 'the file is not UTF-8 text; store it as base64'],
    ['secret://env/AWS_KEY', 'only variables that begin with SLUICE_SECRET_'],
    ['secret://env/SLUICE_SECRET_B', 'the worker has no variable SLUICE_SECRET_B'],
    ['secret://env/SLUICE_SECRET_EMPTY', 'the value is empty'],
  ])('%s is not read: %s', async (reference, said) => {
    const failed = read(secrets, reference);
    await expect(failed).rejects.toMatchObject({ code: 'SLUICE_SECRET', message: expect.stringContaining(said) });
    await expect(failed).rejects.not.toMatchObject({ message: expect.stringContaining('not yours') });
  });

  test('without a folder and with an empty prefix nothing can be read', async () => {
    const bare = secretsFrom({ env: { SLUICE_SECRET_ENV_PREFIX: '', HOME: '/root' } });
    await expect(read(bare, 'secret://file/etc/passwd')).rejects.toMatchObject({ code: 'SLUICE_SECRET' });
    await expect(read(bare, 'secret://env/HOME')).rejects.toMatchObject({ code: 'SLUICE_SECRET' });
  });

  test('with a key of the worker another value has another identity, which does not reveal it', async () => {
    const identity = async (value: string, key: string) => {
      const env = { SLUICE_SECRET_A: value, SLUICE_DIGEST_KEY: key };
      return (await read(secretsFrom({ env }), 'secret://env/SLUICE_SECRET_A')).identity;
    };
    expect(await identity('one', 'k')).toBe(await identity('one', 'k'));
    expect(await identity('two', 'k')).not.toBe(await identity('one', 'k'));
    expect(await identity('one', 'other')).not.toBe(await identity('one', 'k'));
  });

  test('the policy is asked with the reference in its one spelling, and refuses before anything is read', async () => {
    const asked: SecretAsk[] = [];
    const mayUse = (ask: SecretAsk) => {
      asked.push(ask);
      return 'the policy says no';
    };
    await expect(read(secretsFrom({ mayUse }), 'secret://azure-keyvault/SHOP/Db')).rejects.toMatchObject({
      code: 'SLUICE_SECRET',
      message: 'secret://azure-keyvault/shop/db may not be used here: the policy says no',
    });
    expect(asked).toEqual([{ ...ASK, reference: 'secret://azure-keyvault/shop/db' }]);
  });
});
