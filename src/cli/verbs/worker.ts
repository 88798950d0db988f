import { PLATFORMS } from '../../model/target.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { choice, list, port, text } from '../inputs.js';
import { usageError } from '../usage-error.js';

export const worker = command({
  name: 'worker',
  summary: 'Run a worker, which carries out rollouts.',
  description: [
    'The worker holds the cloud credentials. SIGTERM drains it.',
    'On AWS, credentials come from the usual chain (AWS_* and so on) or from a role to assume.',
    'On App Service an account is a subscription, named by its id; credentials come from the environment.',
    'SLUICE_POLICY names the policy file. It is required; the value `open` means no policy.',
    'Accounts not given as options come from SLUICE_ACCOUNTS (name@region[=role] or app-service:subscription@region, comma-separated), else it is the account `default` in AWS_REGION.',
  ].join('\n'),
  args: {},
  options: {
    account: list('name', 'Account to serve, under this name; also name@region[=role]. May be repeated.'),
    platform: choice('platform', PLATFORMS, 'Platform of the accounts (default: lambda).'),
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
    const { healthPort, platform = 'lambda' } = options;
    const ofAws = platform === 'lambda' ? (process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION) : undefined;
    const region = options.region ?? ofAws;
    const accounts = accountsToServe(options.account, platform, region);
    // The worker reads its environment, as it does when it is started without this command.
    if (accounts.length > 0) process.env.SLUICE_ACCOUNTS = accounts.join(',');
    else if (options.region !== undefined) process.env.AWS_REGION = region;
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
export function accountsToServe(given: string[], platform: string, region: string | undefined): string[] {
  if (platform !== 'lambda' && given.length === 0) {
    throw usageError(`--platform ${platform} needs --account: there is no default account`);
  }
  return given.map((account) => {
    const on = PLATFORMS.some((each) => account.startsWith(`${each}:`)) ? '' : `${platform}:`;
    if (account.includes('@')) return `${on}${account}`;
    if (region === undefined)
      throw usageError(`--account ${account} has no region; add --region, or write ${account}@REGION`);
    return `${on}${account}@${region}`;
  });
}
