/** Which account and region a command is about. */
import { DEFAULT_PLATFORM, PLATFORMS, type PlatformName } from '../model/target.js';
import { allKits, kitOf } from '../platforms/registry.js';
import type { Context } from './command.js';
import { choice, type Options, text, type Values } from './inputs.js';

/** The same of each platform: `on Lambda …; on App Service …`. */
export function onEach(what: (kit: ReturnType<typeof kitOf>) => string): string {
  return allKits()
    .map(([, kit]) => `on ${kit.title} ${what(kit)}`)
    .join('; ');
}

export const ACCOUNT_OPTIONS = {
  platform: choice('platform', PLATFORMS, `Platform (default: ${DEFAULT_PLATFORM}).`),
  account: text('name', `Account: ${onEach(({ account }) => account.help.account)}.`),
  region: text('region', `Region: ${onEach(({ account }) => account.help.region)}.`),
} satisfies Options;

/** Errors: SLUICE_USAGE for what the platform needs and nobody gave. */
export function accountOf(
  { platform = DEFAULT_PLATFORM, account, region }: Values<typeof ACCOUNT_OPTIONS>,
  { env }: Context,
): { platform: PlatformName; account: string; region: string } {
  return { platform, ...kitOf(platform).account.chosen({ account, region }, env) };
}
