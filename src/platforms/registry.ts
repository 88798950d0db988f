/**
 * The platforms, each with its kit; the client, the parser, the command line and the worker use them. Loads no SDK and no
 * schema; what a worker serves is in drivers.ts, what a rollout.yaml may contain in specs.ts. Pure.
 */
import { DEFAULT_PLATFORM, isPlatform, type PlatformName } from '../model/target.js';
import { appService } from './app-service/kit.js';
import type { PlatformKit } from './kit.js';
import { lambda } from './lambda/kit.js';
import type { PackingRules } from './packing.js';

export type { TargetField } from './command-line.js';
export { megabytes, type PackingRules, tooLarge } from './packing.js';

const KITS: { readonly [P in PlatformName]: PlatformKit<P> } = { lambda, 'app-service': appService };

/** The rules of a platform. */
export function kitOf(platform: PlatformName): PlatformKit {
  return KITS[platform];
}

/** The rules of every platform, in the order in which people see them. */
export function allKits(): [PlatformName, PlatformKit][] {
  return Object.entries(KITS) as [PlatformName, PlatformKit][];
}

/** How SLUICE_ACCOUNTS writes the accounts of each platform. */
export function accountForms(): string {
  const forms = allKits().map(([platform, { title, account }]) => {
    return `${platform === DEFAULT_PLATFORM ? '' : `${platform}:`}${account.form} for ${title}`;
  });
  return forms.join(', ');
}

/** What a package may hold, and how large it may be. `s3`: the artifacts of the target are in S3, in its own Region. */
export function packingOf(platform: PlatformName, from: { s3: boolean } = { s3: false }): PackingRules {
  const { rules, fromS3 = rules } = kitOf(platform).packing;
  return from.s3 ? fromS3 : rules;
}

/** Whether `text` names a release as this platform does. */
export function isVersion(platform: PlatformName, text: string): boolean {
  return new RegExp(`^(?:${kitOf(platform).version.form})$`).test(text);
}

/** A release's id as `release.version` of a spec has it: a number on Lambda, text elsewhere, on a platform that nobody knows too. */
export function versionOf(platform: unknown, release: string): number | string {
  return isPlatform(platform) ? kitOf(platform).version.written(release) : release;
}
