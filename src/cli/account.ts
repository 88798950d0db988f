/** Which account and region a command is about. */
import type { PlatformName } from '../model/spec.js';
import { PLATFORMS } from '../model/target.js';
import type { Context } from './command.js';
import { choice, type Options, text, type Values } from './inputs.js';
import { usageError } from './usage-error.js';

export const ACCOUNT_OPTIONS = {
  platform: choice('platform', PLATFORMS, 'Platform (default: lambda).'),
  account: text(
    'name',
    'Account, by the name its worker serves it under (default: default); on App Service the subscription id.',
  ),
  region: text('region', 'Region (default on Lambda: $AWS_REGION, then us-east-1).'),
} satisfies Options;

/** Errors: SLUICE_USAGE when App Service is meant and its subscription or region is not given. */
export function accountOf(
  { platform = 'lambda', account, region }: Values<typeof ACCOUNT_OPTIONS>,
  { env }: Context,
): { platform: PlatformName; account: string; region: string } {
  if (platform === 'app-service') {
    if (account === undefined) throw usageError('App Service needs the subscription: add --account SUBSCRIPTION-ID');
    if (region === undefined)
      throw usageError('App Service needs the region: add --region, such as --region westeurope');
    return { platform, account, region };
  }
  return {
    platform,
    account: account ?? 'default',
    region: region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'us-east-1',
  };
}
