/** `sluice worker`: run a worker, which carries out rollouts. */
import { DEFAULT_PLATFORM, PLATFORMS, type PlatformName } from '../../model/target.js';
import { accountForms, allKits, kitOf } from '../../platforms/registry.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { choice, list, port, text } from '../inputs.js';
import { usageError } from '../usage-error.js';

export const worker = command({
  name: 'worker',
  summary: 'Run a worker, which carries out rollouts.',
  description: [
    'The worker holds the cloud credentials. SIGTERM drains it.',
    ...allKits().map(([, { title, account }]) => `On ${title}, ${account.help.credentials}.`),
    'SLUICE_POLICY names the policy file. It is required; the value `open` means no policy.',
    `Accounts not given as options come from SLUICE_ACCOUNTS (${accountForms()}; comma-separated), else it is the account \`default\` in AWS_REGION.`,
  ].join('\n'),
  args: {},
  options: {
    account: list('name', 'Account to serve, under this name; also name@region[=role]. May be repeated.'),
    platform: choice('platform', PLATFORMS, `Platform of the accounts (default: ${DEFAULT_PLATFORM}).`),
    region: text('region', 'Region of accounts given without one.'),
    healthPort: port('Serve /healthz and /readyz on this loopback port; 0 picks a free one.'),
  },
  examples: [
    'sluice worker',
    'sluice worker --account prod --region eu-west-1 --health-port 8080',
    'sluice worker --account prod@eu-west-1=arn:aws:iam::123456789012:role/sluice',
    'sluice worker --platform app-service --account 00000000-0000-0000-0000-000000000000 --region westeurope',
  ],
  grace: 60_000,
  handler: async ({ options }) => {
    const { healthPort, platform = DEFAULT_PLATFORM } = options;
    const regionOf = (on: PlatformName) => options.region ?? kitOf(on).account.regionIn(process.env);
    const accounts = accountsToServe(options.account, platform, regionOf);
    // The worker reads its environment, as it does when it is started without this command.
    if (accounts.length > 0) process.env.SLUICE_ACCOUNTS = accounts.join(',');
    else if (options.region !== undefined) process.env.AWS_REGION = options.region;
    if (healthPort !== undefined) process.env.SLUICE_HEALTH_PORT = String(healthPort);
    const { runWorker } = await import('../../worker/process.js');
    await runWorker();
    return EXIT.succeeded.code;
  },
});

/**
 * What was given by `--account`, as SLUICE_ACCOUNTS has it. Errors: SLUICE_USAGE when an account has no region, or the platform
 * no account by default.
 */
export function accountsToServe(
  given: string[],
  platform: PlatformName,
  regionOf: (platform: PlatformName) => string | undefined,
): string[] {
  if (!kitOf(platform).account.hasDefault && given.length === 0) {
    throw usageError(`--platform ${platform} needs --account: there is no default account`);
  }
  return given.map((account) => {
    const named = PLATFORMS.find((each) => account.startsWith(`${each}:`));
    const on = named === undefined ? `${platform}:` : '';
    if (account.includes('@')) return `${on}${account}`;
    const region = regionOf(named ?? platform);
    if (region === undefined)
      throw usageError(`--account ${account} has no region; add --region, or write ${account}@REGION`);
    return `${on}${account}@${region}`;
  });
}
