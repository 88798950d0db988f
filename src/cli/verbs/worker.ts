import { PLATFORMS } from '../../model/target.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { usage } from '../given.js';

export const worker = command({
  name: 'worker',
  does: 'Runs a worker: it executes rollouts and holds the cloud credentials. SIGTERM drains it.',
  more: [
    'Credentials come from the AWS chain (AWS_* and so on), or from a role to assume.',
    'On App Service an account is a subscription, by its id, and credentials come from the environment.',
    'SLUICE_POLICY names the policy that it goes by; `open` stands for none, and has to be written.',
    'Without options: SLUICE_ACCOUNTS (name@region[=role] or app-service:subscription@region, comma separated), else account `default` in AWS_REGION.',
  ].join('\n'),
  args: [],
  options: [
    { flags: '--account <name>', means: 'Serve an account under this name; also name@region[=role].', many: true },
    { flags: '--platform <platform>', means: 'Platform of the accounts: lambda unless given.', choices: PLATFORMS },
    { flags: '--region <region>', means: 'Region of the accounts that name none.' },
    { flags: '--health-port <port>', means: 'Answer /healthz and /readyz on this port of loopback; 0 for a free one.' },
  ],
  examples: [
    'sluice worker',
    'sluice worker --account prod --region eu-west-1 --health-port 8080',
    'sluice worker --account prod@eu-west-1=arn:aws:iam::123456789012:role/sluice',
    'sluice worker --platform app-service --account 00000000-0000-0000-0000-000000000000 --region westeurope',
  ],
  grace: 60_000,
  handler: async (given) => {
    const port = given.port('healthPort');
    const platform = given.text('platform') ?? 'lambda';
    const ofAws = platform === 'lambda' ? (process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION) : undefined;
    const region = given.text('region') ?? ofAws;
    const accounts = accountsToServe(given.texts('account'), platform, region);
    // The worker reads its environment, as the program of its own does.
    if (accounts.length > 0) process.env.SLUICE_ACCOUNTS = accounts.join(',');
    else if (given.text('region') !== undefined) process.env.AWS_REGION = region;
    if (port !== undefined) process.env.SLUICE_HEALTH_PORT = String(port);
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
    throw usage(`--platform ${platform} needs the accounts to serve; add --account`);
  }
  return given.map((account) => {
    const on = PLATFORMS.some((each) => account.startsWith(`${each}:`)) ? '' : `${platform}:`;
    if (account.includes('@')) return `${on}${account}`;
    if (region === undefined)
      throw usage(`--account ${account} has no region; add --region, or write ${account}@REGION`);
    return `${on}${account}@${region}`;
  });
}
