/**
 * What every layer must know of a platform: the form of its targets and of its part of `configuration`, and how people name a
 * target. A new platform begins here (docs/development/add-a-platform.md).
 */

/** By platform: where releases go, and what a release runs with. */
export interface Platforms {
  lambda: { target: LambdaTarget; configuration: FunctionConfiguration };
  'app-service': { target: AppServiceTarget; configuration: SiteConfiguration };
}

export type PlatformName = keyof Platforms;

/** A target of one platform. */
export type TargetOf<P extends PlatformName> = Platforms[P]['target'];

/** What a release runs with on one platform. */
export type ConfigurationOf<P extends PlatformName> = Platforms[P]['configuration'];

/** Where releases go. */
export type Target = TargetOf<PlatformName>;

/** `configuration` with the fields of every platform; only the target's own are set, and the parser refuses the others. */
export type Configuration = All<ConfigurationOf<PlatformName>>;

/** A type that has what each member of a union has. */
type All<U> = (U extends unknown ? (of: U) => void : never) extends (of: infer I) => void ? I : never;

/** The platform of a target that names none. */
export const DEFAULT_PLATFORM = 'lambda' satisfies PlatformName;

/** How people name what a platform has. */
interface Names<P extends PlatformName> {
  /** A target. */
  target(target: TargetOf<P>): string;
  /** An environment of blue-green. */
  environment(target: TargetOf<P>, side: 'blue' | 'green'): string;
}

const NAMES: { readonly [P in PlatformName]: Names<P> } = {
  lambda: {
    target: ({ function: name, alias }) => `${name}:${alias}`,
    // Each has an alias of its own.
    environment: ({ alias }, side) => `${alias}-${side}`,
  },
  'app-service': {
    target: ({ site, slot }) => (slot === undefined ? site : `${site}/${slot}`),
    // Each is what a slot holds.
    environment: (_target, side) => side,
  },
};

export const PLATFORMS = Object.keys(NAMES) as PlatformName[];

export function isPlatform(name: unknown): name is PlatformName {
  return PLATFORMS.some((platform) => platform === name);
}

function namesOf(platform: PlatformName): Names<PlatformName> {
  return NAMES[platform];
}

/** A target as people name it: `function:alias` on Lambda, `site/slot` or `site` on App Service. */
export function targetName(target: Target): string {
  return namesOf(target.platform).target(target);
}

/** An environment of blue-green as people name it: an alias of its own on Lambda, a slot's content on App Service. */
export function environmentName(target: Target, side: 'blue' | 'green'): string {
  return namesOf(target.platform).environment(target, side);
}

/** A Lambda function's alias in an account the worker serves. */
export interface LambdaTarget {
  platform: 'lambda';
  function: string;
  alias: string;
  region: string;
  /** The name under which a worker serves the account. */
  account: string;
  /** Role the worker assumes for this target. */
  roleArn?: string;
}

/** A site of Azure App Service, with the slot beside production that new releases go into. */
export interface AppServiceTarget {
  platform: 'app-service';
  site: string;
  resourceGroup: string;
  /** Without one, `direct` alone is possible. */
  slot?: string;
  region: string;
  /** The subscription's id. */
  account: string;
}

/** Lambda's. */
export interface FunctionConfiguration {
  runtime?: string;
  handler?: string;
  /** Execution role; needed to create a function. */
  role?: string;
  /** MB. */
  memory?: number;
  /** Seconds, Lambda's own unit. */
  timeout?: number;
  /** A value may be a reference to a secret. */
  environment?: Record<string, string>;
  layers?: string[];
  description?: string;
  /** How Lambda writes the function's logs. */
  logFormat?: 'JSON' | 'Text';
  /** Provisioned concurrency of the candidate, ready before it gets weight. */
  provisionedConcurrency?: number;
}

/** App Service's. */
export interface SiteConfiguration {
  /** App settings that travel with the release through a swap. A value may be a reference to a secret. */
  environment?: Record<string, string>;
  description?: string;
  /** Path whose answer holds the release's id: read back after each deployment and swap. */
  marker?: string;
  warmUp?: WarmUp;
  /** What becomes of the slot that holds the replaced release when it is retired. */
  idle?: 'keep' | 'stop';
}

/** The request that must succeed before a swap exchanges the slots. */
interface WarmUp {
  path: string;
  /** HTTP statuses of a release that is ready. */
  statuses: number[];
}
