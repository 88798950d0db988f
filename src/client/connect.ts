/** The way to the Temporal server. */
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { Signer } from '../access/index.js';
import { codecOf, converterOf, type EncryptionCodec } from '../codec/index.js';
import { readSigner } from '../key-file.js';
import { SluiceError } from '../model/errors.js';
import { failureOf } from '../model/rollout/failure.js';
import { clean } from '../model/text.js';
import { type Artifacts, openArtifacts } from '../store/index.js';
import { toSluiceError, unreachable } from './errors.js';
import type { LoginHost } from './login.js';
import { type RobotHost, robotHost } from './robot.js';
import { tlsTrouble } from './tls.js';

/** Longest wait for the server's first answer, in ms. */
const CONNECT_WITHIN = 5_000;
/** Longest time to find out whether TLS works, in ms. */
const TLS_LOOK_WITHIN = 1_000;

/** Where no person sits. */
const NOBODY: LoginHost = {
  when: 'never',
  issuer: null,
  open: () => Promise.reject(new Error('there is no browser')),
  say: () => undefined,
};

export interface ConnectOptions {
  /** Where TEMPORAL_* are read from; the process's own environment unless given. */
  env?: Record<string, string | undefined>;
  /** Milliseconds until SLUICE_UNREACHABLE. */
  within?: number;
  /** How a person logs in from here; without it nobody does. */
  login?: LoginHost;
  /** Where relative folders begin; the process's own working directory unless given. */
  cwd?: string;
}

/** A connected Temporal client, and where it is connected to. */
export interface Link {
  temporal: Client;
  /** What this client encrypts with. */
  codec: EncryptionCodec;
  address: string;
  namespace: string;
  /** The signer's key; null: there is none. */
  signer(): Promise<Signer | null>;
  /** How a person logs in from here. */
  login: LoginHost;
  /** The CI that runs this; null where none does that has tokens. */
  robot: RobotHost | null;
  /** Where code waits for the worker: SLUICE_STORE. */
  artifacts: Artifacts;
  close(): Promise<void>;
}

/** Where the environment points to, without going there. Errors: SLUICE_SETUP for an unreadable TEMPORAL_* profile. */
export function addressOf(options: ConnectOptions = {}) {
  try {
    const { connectionOptions, namespace = 'default' } = loadClientConnectConfig(
      options.env === undefined ? {} : { overrideEnvVars: defined(options.env) },
    );
    return { connectionOptions, address: connectionOptions.address ?? 'localhost:7233', namespace };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SluiceError('SLUICE_SETUP', `cannot read the TEMPORAL_* settings: ${why}`);
  }
}

/**
 * Connects by TEMPORAL_* (address, namespace, API key, TLS, profile), as Temporal's own tools do, and decrypts with the
 * keys of SLUICE_CODEC_KEYS. Errors: SLUICE_UNREACHABLE, naming the address, after `within`
 * (five seconds unless given); SLUICE_SETUP.
 */
export async function connectLink(options: ConnectOptions = {}): Promise<Link> {
  const { connectionOptions, address, namespace } = addressOf(options);
  const within = options.within ?? CONNECT_WITHIN;
  const codec = codecOf(options.env ?? process.env);
  const { tls } = connectionOptions;
  const connection = lazily({ ...connectionOptions, address, connectTimeout: within });
  const mustAgree = async () => {
    const why = await tlsTrouble(address, tls, TLS_LOOK_WITHIN);
    if (why !== null) throw disagree(address, why);
  };
  try {
    // gRPC would try again until its deadline, and then not know why. In clear there is nothing to see yet.
    if (tls != null && tls !== false) await mustAgree();
    await connection.withDeadline(Date.now() + within, () => connection.ensureConnected());
  } catch (error) {
    await connection.close().catch(() => undefined);
    const found = toSluiceError(error, address);
    if (error instanceof SluiceError || found.code === 'SLUICE_PERMISSION') throw found;
    await mustAgree();
    throw unreachable(address, failureOf(error).message);
  }
  const temporal = new Client({ connection, namespace, dataConverter: converterOf(codec) });
  const env = options.env ?? process.env;
  let key: Promise<Signer | null> | undefined;
  const signer = () => {
    key ??= readSigner(env);
    return key;
  };
  const { login = NOBODY, cwd = process.cwd() } = options;
  const artifacts = openArtifacts({ setting: env.SLUICE_STORE, namespace, env, cwd });
  const robot = robotHost(env);
  return { temporal, codec, address, namespace, signer, login, robot, artifacts, close: () => connection.close() };
}

/** Errors: SLUICE_SETUP for a certificate and a key that do not belong together or are invalid. */
function lazily(options: ConnectionOptions): Connection {
  try {
    return Connection.lazy(options);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SluiceError(
      'SLUICE_SETUP',
      `the certificate and key of TEMPORAL_TLS_CLIENT_* do not work: ${clean(why)}`,
    );
  }
}

function disagree(address: string, why: string): SluiceError {
  return new SluiceError(
    'SLUICE_UNREACHABLE',
    `the Temporal server at ${address} and this client could not set up TLS: ${why}`,
  );
}

function defined(env: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
