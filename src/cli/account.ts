/** Which account and region a command is about. */
import type { PlatformName } from '../model/spec.js';
import { PLATFORMS } from '../model/target.js';
import type { Context } from './command.js';
import { type Given, usage } from './given.js';

export const ACCOUNT_OPTIONS = [
  { flags: '--platform <platform>', means: 'The platform: lambda unless given.', choices: PLATFORMS },
  {
    flags: '--account <name>',
    means: 'The account, by the name the worker serves it under (default); on App Service the id of the subscription.',
  },
  { flags: '--region <region>', means: 'The region; on Lambda AWS_REGION unless given (us-east-1).' },
];

/** Errors: SLUICE_USAGE when App Service is meant and its subscription or region is not given. */
export function givenAccount(
  given: Given,
  { env }: Context,
): { platform: PlatformName; account: string; region: string } {
  const platform = (given.text('platform') ?? 'lambda') as PlatformName;
  const [account, region] = [given.text('account'), given.text('region')];
  if (platform === 'app-service') {
    if (account === undefined) throw usage('on app-service name the subscription: --account <its id>');
    if (region === undefined) throw usage('on app-service name the region: --region westeurope');
    return { platform, account, region };
  }
  return {
    platform,
    account: account ?? 'default',
    region: region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'us-east-1',
  };
}
