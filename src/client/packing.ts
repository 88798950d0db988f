/** Code of this machine becomes an artifact before anything is sent: a path never crosses to a worker. */
import { pack } from '../artifact/index.js';
import { DEFAULT_ACCOUNT } from '../model/ids.js';
import type { RolloutInput } from '../model/spec.js';
import { DEFAULT_PLATFORM, isPlatform, type PlatformName } from '../model/target.js';
import { kitOf, packingOf } from '../platforms/registry.js';
import { type Artifacts, openArtifacts } from '../store/index.js';
import { addressOf, type ConnectOptions } from './connect.js';

/**
 * The argument with `release: {artifact}` in place of a folder or zip, which is packed and put into the artifact store; any
 * other release as it is. Errors: SLUICE_NOT_FOUND, SLUICE_ARTIFACT, and the store's.
 */
export async function packed(
  artifacts: Artifacts,
  { app, input }: { app: string; input: RolloutInput },
): Promise<RolloutInput> {
  const source = localCode(input.release);
  if (source === null) return input;
  const { platform, ...target } = placeOf(input.target);
  const shelf = artifacts.of({ app, target });
  const s3 = kitOf(platform).packing.fromS3 !== undefined && (await shelf.regionInS3()) === target.region;
  const made = await pack(source, packingOf(platform, { s3 }), [shelf.address]);
  if (made === null) return input;
  return { ...input, release: { artifact: await shelf.put(made) } };
}

/**
 * The same without a server, for who starts in another way: SLUICE_STORE names the store, TEMPORAL_NAMESPACE the namespace.
 * Errors: SLUICE_NOT_FOUND, SLUICE_ARTIFACT, SLUICE_SETUP, and the store's.
 */
export async function packInput(
  request: { app: string; input: RolloutInput },
  options: ConnectOptions = {},
): Promise<RolloutInput> {
  const { env = process.env, cwd = process.cwd() } = options;
  const { namespace } = addressOf(options);
  return packed(openArtifacts({ setting: env.SLUICE_STORE, namespace, env, cwd }), request);
}

/** The parts of a release on this machine. The worker reports what is wrong with anything else. */
function localCode(release: unknown): { folder: string } | { zip: string } | null {
  if (typeof release !== 'object' || release === null) return null;
  const { folder, zip, ...others } = release as { folder?: unknown; zip?: unknown };
  if (Object.keys(others).length > 0) return null;
  if (typeof folder === 'string' && zip === undefined) return { folder };
  return typeof zip === 'string' && folder === undefined ? { zip } : null;
}

function placeOf(target: unknown): { platform: PlatformName; account: string; region: string } {
  const { platform, account, region } = (target ?? {}) as Record<string, unknown>;
  return {
    platform: isPlatform(platform) ? platform : DEFAULT_PLATFORM,
    account: typeof account === 'string' ? account : DEFAULT_ACCOUNT,
    region: typeof region === 'string' ? region : '',
  };
}
