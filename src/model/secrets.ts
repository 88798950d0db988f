/**
 * References to secrets. A spec holds the reference, history holds the reference, and the value is read inside the activity
 * that uses it. Pure.
 */
import type { Spec } from './spec.js';

export const SECRET_PROVIDERS = ['aws-secretsmanager', 'aws-ssm', 'azure-keyvault', 'env', 'file'] as const;

export type SecretProvider = (typeof SECRET_PROVIDERS)[number];

/** `secret://PROVIDER/NAME[@VERSION][#KEY]`, taken apart. */
export interface SecretReference {
  provider: SecretProvider;
  /** As the store names it, in one spelling: with SSM's leading slash, Key Vault's `vault/secret` in lower case. */
  name: string;
  /** The version that is pinned; null: the newest. */
  version: string | null;
  /** The member of a value that is a JSON object; null: the whole value. */
  key: string | null;
}

/** What the value is for. */
export type SecretUse = 'environment' | 'probe' | 'metric' | 'webhook';

/** Who wants a secret, and where its value would go. */
export interface SecretAsk {
  reference: string;
  app: string;
  environment: string;
  use: SecretUse;
  /**
   * Host that the value is sent to, with its port where that is not HTTPS's own; null: to none, or in `plan` to one that only
   * the platform will know.
   */
  host: string | null;
}

/** Why a secret may not be used so; null when it may. Asked before every read. */
export type MayUse = (ask: SecretAsk) => string | null;

const SCHEME = 'secret://';
const FORM = 'secret://PROVIDER/NAME, optionally with @VERSION and #KEY';

/** Whether a text is meant as a reference, well written or not. */
export function isReference(text: string): boolean {
  return text.startsWith(SCHEME);
}

/** Whether a text has a reference anywhere in it, in letters of either case, or begins as one that was mistyped. */
export function mentionsReference(text: string): boolean {
  return text.toLowerCase().includes(SCHEME) || /^\s*secrets?:\//i.test(text);
}

interface Grammar {
  name: RegExp;
  /** What the name must be, for a person. */
  expected: string;
  /** The one spelling of a name. */
  canonical(name: string): string;
  /** Null: the store keeps no versions. */
  version: RegExp | null;
}

const same = (name: string): string => name;

/** Names as the stores allow them: CreateSecret and PutParameter in AWS' API references, "About keys, secrets, and certificates". */
const GRAMMAR: Record<SecretProvider, Grammar> = {
  'aws-secretsmanager': {
    name: /^(?:[A-Za-z0-9/_+=.@-]{1,512}|arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]{1,519})$/,
    expected: 'the name or the ARN of a secret',
    canonical: same,
    // A staging label, or a version's id.
    version: /^[A-Za-z0-9_.+=/-]{1,256}$/,
  },
  'aws-ssm': {
    name: /^(?:[A-Za-z0-9_./-]{1,1011}|arn:aws[a-z-]*:ssm:[a-z0-9-]+:\d{12}:parameter\/[A-Za-z0-9_./-]{1,1011})$/,
    expected: 'the name or the ARN of a parameter',
    // A name with a path in it must begin with a slash, and has one already in `secret://aws-ssm/shop/token`.
    canonical: (name) => (name.includes('/') && !/^(?:\/|arn:)/.test(name) ? `/${name}` : name),
    version: /^[A-Za-z0-9_.-]{1,100}$/,
  },
  'azure-keyvault': {
    name: /^[A-Za-z](?:-?[A-Za-z0-9]){2,23}\/[A-Za-z0-9-]{1,127}$/,
    expected: 'VAULT/SECRET: the name of the vault, not its host, and of the secret',
    // Neither name tells letters of either case apart.
    canonical: (name) => name.toLowerCase(),
    version: /^[0-9a-fA-F]{32}$/,
  },
  env: {
    name: /^[A-Za-z_][A-Za-z0-9_]{0,255}$/,
    expected: 'the name of an environment variable of the worker',
    canonical: same,
    version: null,
  },
  file: {
    name: /^(?!\.{0,2}(?:\/|$))(?!.*\/\.{0,2}(?:\/|$))[\w.@+=,/-]{1,1024}$/,
    expected: "the path of a file below the worker's folder of secrets",
    canonical: same,
    version: null,
  },
};

/** Parses a reference, or says why it is invalid. `%40`, `%23` and `%25` mean `@`, `#` and `%` in a name. */
export function parseReference(text: string): SecretReference | { problem: string } {
  const [, provider = '', rest = ''] = /^secret:\/\/([^/]*)\/(.*)$/s.exec(text) ?? [];
  if (provider === '' || rest === '') return { problem: `is not valid (write ${FORM})` };
  if (!isProvider(provider)) {
    return { problem: `names the unknown store "${provider.slice(0, 40)}" (one of ${SECRET_PROVIDERS.join(', ')})` };
  }
  const hash = rest.indexOf('#');
  const before = hash === -1 ? rest : rest.slice(0, hash);
  const at = before.lastIndexOf('@');
  const [name, version, key] = [
    decoded(at === -1 ? before : before.slice(0, at)),
    at === -1 ? null : decoded(before.slice(at + 1)),
    hash === -1 ? null : decoded(rest.slice(hash + 1)),
  ];
  const { name: allowed, expected, canonical, version: versions } = GRAMMAR[provider];
  if (name === undefined || version === undefined || key === undefined) {
    return { problem: 'has a % that is not part of %40, %23 or %25' };
  }
  if (!allowed.test(name)) return { problem: `has an invalid name: expected ${expected}` };
  if (version !== null && versions === null) {
    return { problem: `pins a version, but ${provider} keeps none (write %40 for an @ in the name)` };
  }
  if (version !== null && versions?.test(version) === false) {
    return {
      problem: `pins "${version.slice(0, 40)}", which is not a version of ${provider} (write %40 for an @ in the name)`,
    };
  }
  if (key === '') return { problem: 'has nothing after # (name the member of the JSON value, or remove the #)' };
  return { provider, name: canonical(name), version, key };
}

/** A reference in its one spelling, which {@link parseReference} reads again. */
export function formatReference({ provider, name, version, key }: SecretReference): string {
  const said = `${SCHEME}${provider}/${encoded(shortName(provider, name))}`;
  return `${said}${version === null ? '' : `@${encoded(version)}`}${key === null ? '' : `#${encoded(key)}`}`;
}

/** `PROVIDER/NAME`, by which a policy names a secret. */
export function secretName({ provider, name }: SecretReference): string {
  return `${provider}/${shortName(provider, name)}`;
}

/** SSM's leading slash is the one that ends the store's name, where the name has another. */
function shortName(provider: SecretProvider, name: string): string {
  return provider === 'aws-ssm' && /^\/.*\//.test(name) ? name.slice(1) : name;
}

/** Where a spec names secrets. */
export interface SecretPlace {
  /** The place in rollout.yaml, such as `health.probes[0].http.headers.authorization`. */
  path: string;
  reference: string;
  use: SecretUse;
  /** What the value is sent to, as the spec writes it; null: nothing. */
  url: string | null;
}

/**
 * Every place of a spec with a reference. `environment` counts where something is published with it: a release that is there
 * already keeps what it has.
 */
export function secretPlaces({ configuration, release, health, notify }: Spec): SecretPlace[] {
  const environment = 'version' in release ? {} : (configuration.environment ?? {});
  return [
    ...within('configuration.environment', environment, { use: 'environment', url: null }),
    ...health.probes.flatMap(({ headers, url = '' }, i) =>
      within(`health.probes[${i}].http.headers`, headers, { use: 'probe', url }),
    ),
    ...health.metrics.flatMap((metric, i) => {
      if (metric.kind !== 'http' && metric.kind !== 'prometheus') return [];
      const at = `health.metrics[${i}].${metric.kind}`;
      const to = { use: 'metric', url: metric.url } as const;
      const headers = metric.kind === 'http' ? metric.headers : undefined;
      return [...within(`${at}.headers`, headers, to), ...one(`${at}.token`, metric.token, to)];
    }),
    ...notify.flatMap(({ secret, webhook }, i) => one(`notify[${i}].secret`, secret, { use: 'webhook', url: webhook })),
  ];
}

type To = Pick<SecretPlace, 'use' | 'url'>;

function within(path: string, values: Record<string, string> | undefined, to: To): SecretPlace[] {
  return Object.entries(values ?? {}).flatMap(([name, value]) => one(`${path}.${name}`, value, to));
}

function one(path: string, value: string | undefined, to: To): SecretPlace[] {
  return value !== undefined && isReference(value) ? [{ path, reference: value, ...to }] : [];
}

export function isProvider(text: string): text is SecretProvider {
  return (SECRET_PROVIDERS as readonly string[]).includes(text);
}

function decoded(text: string): string | undefined {
  if (/%(?!40|23|25)/.test(text)) return undefined;
  return text.replaceAll('%40', '@').replaceAll('%23', '#').replaceAll('%25', '%');
}

function encoded(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('@', '%40').replaceAll('#', '%23');
}
