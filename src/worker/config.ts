/** How a worker is configured: which accounts it serves, and the switches of its cluster. */
import { readFileSync } from 'node:fs';
import type { Limits } from '../../activities/types.js';
import { type Policy, parsePolicy } from '../access/index.js';
import { CALL_LIFE } from '../model/call-life.js';
import { SluiceError } from '../model/errors.js';
import { parseRolloutId } from '../model/ids.js';
import { OPEN_TO_ALL } from '../model/rollout/words.js';
import { DEFAULT_PLATFORM, PLATFORMS, type PlatformName } from '../model/target.js';
import { utf8 } from '../model/text.js';
import { accountForms, kitOf } from '../platforms/registry.js';
import { checkStoreSetting, DEFAULT_STORE } from '../store/index.js';

/** An account and region a worker serves, under the name specs use. */
export interface ServedAccount {
  platform: PlatformName;
  /** On App Service the subscription's id. */
  account: string;
  region: string;
  /** Lambda: role assumed for every target of the account that names none itself. */
  roleArn?: string;
}

export interface WorkerConfig {
  accounts: ServedAccount[];
  /** The artifact store: a folder, or an address as `storeSetting` reads it. */
  store: string;
  /** Register or verify the search attributes, and set them. */
  searchAttributes: boolean;
  /** Control-plane calls a second that all workers of an account and region make together. */
  callsPerSecond: number;
  /** Who may do what. Null: everything is open to anyone who reaches the namespace. */
  policy: Policy | null;
  /** Base64 keys that only workers hold: the first one seals grants, all are taken. */
  grantKeys: string[];
  /** Targets written under a policy that a worker without one may write again: `app/environment`. */
  openTargets: string[];
  /** When a rollout continues as new. */
  limits: Limits;
  /** Addresses that specs may reach although they are loopback, link-local or metadata: `loopback`, addresses, ranges. */
  allowAddresses: string;
  /** Port of the health endpoint on loopback; null for none, 0 for a free one. */
  healthPort: number | null;
  /** Interface of the health endpoint. */
  healthHost: string;
}

type Env = Record<string, string | undefined>;

/**
 * From the environment: SLUICE_ACCOUNTS (`name@region[=roleArn]` or `app-service:subscription@region`, comma separated; default `default@$AWS_REGION`),
 * SLUICE_STORE (default `.sluice/artifacts`), SLUICE_SEARCH_ATTRIBUTES (`off`), SLUICE_CALLS_PER_SECOND, SLUICE_CONTINUE_AT (`history,signals`), SLUICE_CALL_LIFE (ms),
 * SLUICE_ALLOW_ADDRESSES (`loopback`, addresses, ranges), SLUICE_HEALTH_PORT, SLUICE_HEALTH_HOST, SLUICE_POLICY (a file, or `open`),
 * SLUICE_OPEN_TARGETS (`app/environment`, comma separated), SLUICE_GRANT_KEY or SLUICE_GRANT_KEY_FILE. Errors: SLUICE_SETUP.
 */
export function workerConfig(env: Env, given: Partial<WorkerConfig> = {}): WorkerConfig {
  const region = env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'us-east-1';
  const accounts = given.accounts ?? parseAccounts(env.SLUICE_ACCOUNTS ?? `default@${region}`);
  const policy = given.policy !== undefined ? given.policy : readPolicy(saidPolicy(env));
  const grantKeys = given.grantKeys ?? grantKeysOf(env);
  if (policy !== null && grantKeys.length === 0) {
    throw new SluiceError(
      'SLUICE_SETUP',
      'there is a policy, but no key to enforce it; set SLUICE_GRANT_KEY (or SLUICE_GRANT_KEY_FILE) to the same `openssl rand -base64 32` on every worker',
    );
  }
  return {
    policy,
    grantKeys,
    openTargets: given.openTargets ?? parseOpenTargets(env.SLUICE_OPEN_TARGETS, policy),
    accounts,
    store: given.store ?? storeOf(env, accounts),
    searchAttributes: given.searchAttributes ?? env.SLUICE_SEARCH_ATTRIBUTES !== 'off',
    callsPerSecond: given.callsPerSecond ?? number(env, 'SLUICE_CALLS_PER_SECOND', 10),
    allowAddresses: given.allowAddresses ?? env.SLUICE_ALLOW_ADDRESSES ?? '',
    limits: given.limits ?? parseLimits(env.SLUICE_CONTINUE_AT, number(env, 'SLUICE_CALL_LIFE', CALL_LIFE)),
    healthPort:
      given.healthPort !== undefined
        ? given.healthPort
        : env.SLUICE_HEALTH_PORT === undefined
          ? null
          : number(env, 'SLUICE_HEALTH_PORT', 0),
    healthHost: given.healthHost ?? env.SLUICE_HEALTH_HOST ?? '127.0.0.1',
  };
}

/** The value of SLUICE_POLICY for a worker that anyone may use. */
export const OPEN = 'open';

/** The file that SLUICE_POLICY names; null: it is not set, or says `open`. Errors: SLUICE_SETUP when it is set and empty. */
export function policyFile(env: Env): string | null {
  const said = filled(env, 'SLUICE_POLICY', `name a file, or write ${OPEN} for a worker that is open to everyone`);
  return said === OPEN ? null : said;
}

/** As above, for a worker: that it is open has to be said, since a setting that got lost would open it. Errors: SLUICE_SETUP. */
function saidPolicy(env: Env): string | null {
  if (env.SLUICE_POLICY !== undefined) return policyFile(env);
  throw new SluiceError(
    'SLUICE_SETUP',
    `SLUICE_POLICY is not set: name the policy's file, or set SLUICE_POLICY=${OPEN} for a worker through which ${OPEN_TO_ALL}`,
  );
}

/** Errors: SLUICE_SETUP for what names no target, and for a worker with a policy, which needs none of them. */
function parseOpenTargets(text: string | undefined, policy: Policy | null): string[] {
  if (text === undefined) return [];
  const targets = text.split(',').map((each) => each.trim());
  const odd = targets.find((each) => parseRolloutId(each) === null);
  if (odd !== undefined) {
    throw new SluiceError('SLUICE_SETUP', `SLUICE_OPEN_TARGETS names "${odd}"; write app/environment, comma separated`);
  }
  if (policy === null) return targets;
  throw new SluiceError('SLUICE_SETUP', 'SLUICE_OPEN_TARGETS is for workers without a policy; unset it here');
}

/**
 * From SLUICE_GRANT_KEY_FILE, or else SLUICE_GRANT_KEY; empty if neither is set. Errors: SLUICE_SETUP if what is set contains
 * none.
 */
export function grantKeysOf(env: Env): string[] {
  const write = 'write one (`openssl rand -base64 32`), or unset it';
  const file = filled(env, 'SLUICE_GRANT_KEY_FILE', 'name a file, or unset it');
  const given = filled(env, 'SLUICE_GRANT_KEY', write);
  const text = file === null ? given : readSetting('SLUICE_GRANT_KEY_FILE', file);
  if (text === null) return [];
  const keys = text
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '');
  if (keys.length > 0) return keys;
  throw new SluiceError(
    'SLUICE_SETUP',
    `there is no key in ${file === null ? 'SLUICE_GRANT_KEY' : `${file}, which SLUICE_GRANT_KEY_FILE names`}; ${write}`,
  );
}

/** What the log says about a worker that anyone may use; null if there is a policy. */
export function openWarning({ policy, grantKeys }: Pick<WorkerConfig, 'policy' | 'grantKeys'>): string | null {
  if (policy !== null) return null;
  const key = grantKeys.length === 0 ? '' : 'there is a grant key and no policy: ';
  return `${key}SLUICE_POLICY is open: ${OPEN_TO_ALL} every rollout of this worker's accounts`;
}

/** A setting that opens when it is not there. What is set and empty is most often a `$NAME` that nobody filled in. */
function filled(env: Env, name: string, cure: string): string | null {
  const text = env[name];
  if (text?.trim() === '') throw new SluiceError('SLUICE_SETUP', `${name} is set but empty; ${cure}`);
  return text ?? null;
}

function readPolicy(file: string | null): Policy | null {
  return file === null ? null : parsePolicy(readSetting('SLUICE_POLICY', file), file);
}

/** A store that no artifact can be read from is reported before the worker takes a task. Errors: SLUICE_SETUP. */
function storeOf({ SLUICE_STORE: setting = DEFAULT_STORE }: Env, accounts: ServedAccount[]): string {
  for (const each of accounts) checkStoreSetting(setting, each);
  return setting;
}

function readSetting(name: string, file: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new SluiceError('SLUICE_SETUP', `${name} names ${file}, which cannot be read (${why})`);
  }
  const text = utf8(bytes);
  if (text === null) throw new SluiceError('SLUICE_SETUP', `${name} names ${file}, which is not UTF-8 text`);
  return text;
}

const ACCOUNT = new RegExp(
  `^\\s*(?:(?<platform>${PLATFORMS.join('|')}):)?(?<account>[A-Za-z0-9][A-Za-z0-9._-]*)@(?<region>[a-z0-9-]+)(?:=(?<roleArn>\\S+))?\\s*$`,
);

interface AccountParts {
  platform?: PlatformName;
  account: string;
  region: string;
  roleArn?: string;
}

/** `prod@eu-west-1=arn:aws:iam::1:role/x,default@us-east-1,app-service:<subscription>@westeurope`. Errors: SLUICE_SETUP. */
export function parseAccounts(text: string): ServedAccount[] {
  return text.split(',').map((entry) => {
    const { platform = DEFAULT_PLATFORM, ...of } = (ACCOUNT.exec(entry)?.groups ?? {}) as Partial<AccountParts>;
    const { account, region, roleArn } = of;
    const served = { account: account ?? '', region: region ?? '', ...(roleArn === undefined ? {} : { roleArn }) };
    if (account !== undefined && kitOf(platform).account.accepts(served)) return { platform, ...served };
    throw new SluiceError(
      'SLUICE_SETUP',
      `"${entry.trim()}" is not a valid account; write ${accountForms()}, comma separated`,
    );
  });
}

function parseLimits(text: string | undefined, callLife: number): Limits {
  const heartbeat = 10_000;
  if (text === undefined) return { history: 4_000, signals: 2_000, heartbeat, callLife };
  const [history, signals] = text.split(',').map(Number);
  if (history === undefined || signals === undefined || !(history >= 20) || !(signals >= 1)) {
    throw new SluiceError('SLUICE_SETUP', `SLUICE_CONTINUE_AT is "${text}"; write events,signals such as 4000,2000`);
  }
  return { history, signals, heartbeat, callLife };
}

function number(env: Env, name: string, otherwise: number): number {
  const text = env[name];
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0)
    throw new SluiceError('SLUICE_SETUP', `${name} is "${text}"; it must be a number`);
  return value;
}
