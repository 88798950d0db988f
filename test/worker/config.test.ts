import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { accountsToServe } from '../../src/cli/verbs/worker.js';
import type { LambdaTarget, PlatformName } from '../../src/model/spec.js';
import { ALONE, createPlatform } from '../../src/platforms/drivers.js';
import { openWarning, parseAccounts, workerConfig } from '../../src/worker/config.js';
import { NO_ARTIFACTS } from '../support/artifacts.js';
import { context } from '../support/context.js';

const SUBSCRIPTION = '01234567-89ab-cdef-0123-456789abcdef';

describe('the accounts of a worker', () => {
  test('are on Lambda by default', () => {
    expect(
      parseAccounts(
        `prod@eu-west-1=arn:aws:iam::1:role/x, lambda:default@us-east-1,app-service:${SUBSCRIPTION}@westeurope`,
      ),
    ).toEqual([
      { platform: 'lambda', account: 'prod', region: 'eu-west-1', roleArn: 'arn:aws:iam::1:role/x' },
      { platform: 'lambda', account: 'default', region: 'us-east-1' },
      { platform: 'app-service', account: SUBSCRIPTION, region: 'westeurope' },
    ]);
  });

  test.each([
    'prod',
    '@us-east-1',
    'azure:prod@westeurope',
    'app-service:prod@westeurope',
    `app-service:${SUBSCRIPTION.toUpperCase()}@westeurope`,
    `app-service:${SUBSCRIPTION}@westeurope=arn:aws:iam::1:role/x`,
  ])('are refused if %s is one', (account) => {
    expect(() => parseAccounts(`default@us-east-1,${account}`)).toThrow(
      `"${account}" is not a valid account; write name@region or name@region=roleArn for Lambda, app-service:subscription@region`,
    );
  });
});

describe('access to a worker', () => {
  test.each([
    [
      { SLUICE_POLICY: '' },
      'SLUICE_POLICY is set but empty; name a file, or write open for a worker that is open to everyone',
    ],
    [{ SLUICE_POLICY: ' ' }, 'SLUICE_POLICY is set but empty'],
    [{}, "SLUICE_POLICY is not set: name the policy's file, or set SLUICE_POLICY=open"],
    [{ SLUICE_POLICY: 'open', SLUICE_GRANT_KEY: '' }, 'SLUICE_GRANT_KEY is set but empty; write one'],
    [{ SLUICE_POLICY: 'open', SLUICE_GRANT_KEY: ' , ' }, 'there is no key in SLUICE_GRANT_KEY'],
    [{ SLUICE_POLICY: 'open', SLUICE_GRANT_KEY_FILE: '' }, 'SLUICE_GRANT_KEY_FILE is set but empty; name a file'],
    [
      { SLUICE_POLICY: 'open', SLUICE_GRANT_KEY_FILE: '/dev/null' },
      'there is no key in /dev/null, which SLUICE_GRANT_KEY_FILE names',
    ],
  ])('is not opened by %j', (env, said) => {
    expect(() => workerConfig(env)).toThrow(said);
  });

  test('is open only if that is set, which a key alone does not do, and the log warns', () => {
    const said = 'anyone who can reach this namespace can start, approve and abort';
    expect(openWarning(workerConfig({ SLUICE_POLICY: 'open' }))).toContain(said);
    const config = workerConfig({ SLUICE_POLICY: 'open', SLUICE_GRANT_KEY: 'one,two' });
    expect(config).toMatchObject({ policy: null, grantKeys: ['one', 'two'] });
    expect(openWarning(config)).toContain('there is a grant key and no policy');
  });

  test('may write again at the targets that the operator names, and no others', () => {
    const named = (SLUICE_OPEN_TARGETS: string) => workerConfig({ SLUICE_POLICY: 'open', SLUICE_OPEN_TARGETS });
    expect(named('shop/production, shop/staging').openTargets).toEqual(['shop/production', 'shop/staging']);
    expect(workerConfig({ SLUICE_POLICY: 'open' }).openTargets).toEqual([]);
    expect(() => named('shop')).toThrow('SLUICE_OPEN_TARGETS names "shop"; write app/environment');
  });

  test('is read only from text', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'sluice-config-'));
    const file = path.join(folder, 'policy.yaml');
    try {
      writeFileSync(file, Buffer.from([0x23, 0xff]));
      expect(() => workerConfig({ SLUICE_POLICY: file })).toThrow('which is not UTF-8 text');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the accounts given to `sluice worker`', () => {
  const served = (given: string[], platform: PlatformName, region?: string) =>
    parseAccounts(accountsToServe(given, platform, () => region).join(','));

  test('use the platform and region given with them, unless they name their own', () => {
    expect(served(['prod', 'other@eu-west-1=arn:aws:iam::1:role/x'], 'lambda', 'us-east-1')).toEqual([
      { platform: 'lambda', account: 'prod', region: 'us-east-1' },
      { platform: 'lambda', account: 'other', region: 'eu-west-1', roleArn: 'arn:aws:iam::1:role/x' },
    ]);
    expect(served([SUBSCRIPTION, 'lambda:default@us-east-1'], 'app-service', 'westeurope')).toEqual([
      { platform: 'app-service', account: SUBSCRIPTION, region: 'westeurope' },
      { platform: 'lambda', account: 'default', region: 'us-east-1' },
    ]);
  });

  test('use the region of their own platform', () => {
    const regionOf = (on: PlatformName) => ({ lambda: 'us-east-1', 'app-service': 'westeurope' })[on];
    expect(accountsToServe(['prod', `app-service:${SUBSCRIPTION}`], 'lambda', regionOf)).toEqual([
      'lambda:prod@us-east-1',
      `app-service:${SUBSCRIPTION}@westeurope`,
    ]);
  });

  test('need a region, and on App Service a name', () => {
    expect(() => served([SUBSCRIPTION], 'app-service')).toThrow(
      `--account ${SUBSCRIPTION} has no region; add --region`,
    );
    expect(() => served([], 'app-service', 'westeurope')).toThrow('--platform app-service needs --account');
    expect(accountsToServe([], 'lambda', () => undefined)).toEqual([]);
  });
});

describe('the platform of a worker', () => {
  const served = { platform: 'lambda', account: 'default', region: 'us-east-1' } as const;
  const platform = createPlatform({ served, artifacts: NO_ARTIFACTS, callsPerSecond: 1, share: () => ALONE });
  const target: LambdaTarget = { ...served, function: 'checkout', alias: 'live' };

  test('has a driver for its own account and region', () => {
    expect(platform.driverFor(target)).toHaveProperty('inspect');
  });

  test.each([
    [{ ...target, account: 'prod' }, 'prod in us-east-1 on lambda'],
    [{ ...target, region: 'eu-west-1' }, 'default in eu-west-1 on lambda'],
    [
      {
        platform: 'app-service' as const,
        site: 'checkout',
        resourceGroup: 'shop',
        account: 'default',
        region: 'us-east-1',
      },
      'default in us-east-1 on app-service',
    ],
  ])('refuses %j', (other, said) => {
    expect(() => platform.driverFor(other)).toThrow(
      `this worker serves account default in us-east-1 on lambda, not ${said}`,
    );
  });

  test('looks for nothing in other accounts', async () => {
    await expect(platform.sweep(context(), { account: 'prod', region: 'us-east-1' })).rejects.toMatchObject({
      code: 'SLUICE_NO_WORKER',
    });
  });
});

test.each([
  ['', 'it is empty'],
  ['s3://artifacts/{stage}', '{stage} is unknown'],
  ['ftp://host/x', 'ftp: is not a supported store'],
])('an invalid store is refused before a task is taken: %j', (SLUICE_STORE, said) => {
  expect(() => workerConfig({ SLUICE_POLICY: 'open', SLUICE_STORE })).toThrow(said);
  expect(workerConfig({ SLUICE_POLICY: 'open', SLUICE_STORE: 's3://artifacts-{region}/sluice' }).store).toBe(
    's3://artifacts-{region}/sluice',
  );
});
