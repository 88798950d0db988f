/** Secrets: read from their store inside the activity that uses them, and nowhere else. */
import { createHmac } from 'node:crypto';
import { bounded, TimeOver } from '../health/bounded.js';
import { ERRORS, SluiceError } from '../model/errors.js';
import {
  formatReference,
  type MayUse,
  parseReference,
  type SecretAsk,
  type SecretProvider,
  type SecretReference,
} from '../model/secrets.js';
import { AwsAccess } from './aws.js';
import { awsSecretsManagerStore } from './aws-secretsmanager/index.js';
import { awsSsmStore } from './aws-ssm/index.js';
import { azureKeyVaultStore } from './azure-keyvault/index.js';
import { envStore } from './env/index.js';
import { fileStore } from './file/index.js';
import { type Held, heldHere, noteValue } from './running.js';
import { missing, type SecretStore, type StoredSecret } from './store.js';

export { remembering, scrubbed, scrubText } from './running.js';

/** Longest answer of a store, in ms. */
const READ = 8_000;
/** How much longer than that a caller waits, in ms: the read's own end says more, and may fall back on what was read before. */
const GRACE = 1_000;
/** How long an activity goes on with what it has read, in ms; then a rotated value reaches a watch that lasts for days. */
const FRESH = 5 * 60_000;

export interface Secret {
  value: string;
  /**
   * The reference with the version that was read: changes when the value does, and tells nothing of it. Where the store keeps no
   * versions it changes only on a worker with a key for that (`SLUICE_DIGEST_KEY`).
   */
  identity: string;
}

export interface Secrets {
  /**
   * Reads a value for one use. Errors: SLUICE_SECRET (not there, or not to be used so), SLUICE_PERMISSION, SLUICE_SPEC for a
   * malformed reference, and the provider's; all name the reference, none the value. An AbortError when cancelled.
   */
  resolve(reference: string, ask: Omit<SecretAsk, 'reference'>, signal: AbortSignal): Promise<Secret>;
}

export interface SecretsOptions {
  env: NodeJS.ProcessEnv;
  /** Of AWS' stores, where a reference is no ARN. */
  region: string;
  /** AWS: the role that is assumed to read. */
  roleArn?: string | undefined;
  /** Certificates to trust instead of the system's, for private clouds. */
  ca?: string;
  /** Everything is allowed unless given. */
  mayUse?: MayUse | undefined;
  /** Longest answer of a store, in ms. */
  within?: number;
}

export function createSecrets(options: SecretsOptions): Secrets {
  const { env, mayUse = () => null, within = READ } = options;
  const aws = new AwsAccess(options.region, options.roleArn);
  const stores: Record<SecretProvider, SecretStore> = {
    'aws-secretsmanager': awsSecretsManagerStore(aws),
    'aws-ssm': awsSsmStore(aws),
    'azure-keyvault': azureKeyVaultStore(env, options.ca),
    env: envStore(env),
    file: fileStore(env),
  };
  return {
    async resolve(text, ask, signal) {
      const reference = parseReference(text);
      if ('problem' in reference) throw new SluiceError('SLUICE_SPEC', `the reference ${reference.problem}`);
      const said = formatReference(reference);
      const why = mayUse({ ...ask, reference: said });
      if (why !== null) throw new SluiceError('SLUICE_SECRET', `${said} may not be used here: ${why}`);
      const stored = await waited(signal, within, said, () => read(stores[reference.provider], reference, within));
      const value = memberOf(stored.value, reference);
      noteValue(value);
      return { value, identity: identityOf(reference, stored.version, value, env.SLUICE_DIGEST_KEY) };
    },
  };
}

async function waited<T>(signal: AbortSignal, within: number, said: string, work: () => Promise<T>): Promise<T> {
  try {
    return await bounded(signal, within + GRACE, work);
  } catch (error) {
    throw error instanceof TimeOver ? untold(said, within) : error;
  }
}

function untold(said: string, within: number): SluiceError {
  return new SluiceError('SLUICE_PROVIDER', `${said} did not arrive within ${within} ms`);
}

/** From the store, or what the running activity has read of it lately. */
async function read(store: SecretStore, reference: SecretReference, within: number): Promise<StoredSecret> {
  const ask = async () => {
    // Not the caller's signal: others may wait for the same answer.
    const deadline = AbortSignal.timeout(within);
    try {
      return await store.read(reference, deadline);
    } catch (error) {
      // An aborted call must not be taken for a cancelled activity.
      throw deadline.aborted ? untold(formatReference(reference), within) : error;
    }
  };
  const held = heldHere();
  if (held === null) return ask();
  const key = formatReference({ ...reference, key: null });
  const before = held.get(key);
  if (before !== undefined && Date.now() - before.at < FRESH) return before.read;
  const now: Held = { at: Date.now(), read: ask().catch((error: unknown) => again(error, before)) };
  held.set(key, now);
  now.read.catch(() => held.get(key) === now && held.delete(key));
  return now.read;
}

/** A store that is away for a moment is no reason to forget what it said; one that refuses is. */
function again(error: unknown, before: Held | undefined): Promise<StoredSecret> {
  if (before === undefined || (error instanceof SluiceError && ERRORS[error.code].final)) throw error;
  return before.read;
}

function memberOf(value: string, reference: SecretReference): string {
  const { key } = reference;
  const found = key === null ? value : memberIn(value, reference, key);
  if (found === '') throw missing(reference, 'the value is empty', 'give it one');
  return found;
}

function memberIn(value: string, reference: SecretReference, key: string): string {
  const object = parsed(value);
  if (typeof object !== 'object' || object === null || Array.isArray(object)) {
    throw missing(reference, 'the value is not a JSON object, so it has no keys', 'remove the # from the reference');
  }
  const found: unknown = Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined;
  if (typeof found === 'string') return found;
  if (typeof found === 'number' || typeof found === 'boolean') return String(found);
  const what = found === undefined ? `the value has no key ${key}` : `the value at ${key} is not text`;
  throw missing(reference, what, 'correct the value or the reference');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** By the worker's own key, where there is one, so that who reads the identity cannot try what the value might be. */
function identityOf(reference: SecretReference, version: string | null, value: string, key = ''): string {
  if (version !== null) return formatReference({ ...reference, version });
  if (key === '') return formatReference(reference);
  const said = formatReference(reference);
  return `${said} ${createHmac('sha256', key).update(`${said}\n${value}`).digest('hex').slice(0, 32)}`;
}
