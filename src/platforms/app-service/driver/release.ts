/** A release's id and its package. */
import { SluiceError } from '../../../model/errors.js';
import type { ReleaseSource, Spec } from '../../../model/spec.js';
import type { Artifacts } from '../../../store/index.js';
import { sha256 } from '../../../store/index.js';
import type { Session } from './client.js';
import { findKept, type ReleaseRecord, readPackage } from './packages.js';
import { type State, slotsOf } from './state.js';

/** A release as it is deployed. */
export interface Package extends ReleaseRecord {
  zip(): Promise<Uint8Array>;
}

/** The same artifact with the same travelling settings is the same release. Pure. */
export function releaseId(artifactSha256: string, environment: Record<string, string> = {}): string {
  const settings = Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1));
  return `r-${sha256(JSON.stringify([artifactSha256, settings])).slice(0, 12)}`;
}

/**
 * What the spec releases, named by its artifact and the `identity` of its settings: an artifact, a release that is kept already, or
 * the package of the `stable` one with other settings. Errors: SLUICE_ARTIFACT, SLUICE_NOT_FOUND.
 */
export async function packageOf(
  session: Session,
  { spec, stable, identity }: { spec: Spec; stable: string | null; identity: Record<string, string> },
  state: State,
  artifacts: Artifacts,
): Promise<Package> {
  const { release, configuration } = spec;
  if ('version' in release) return keptPackage(session, state, String(release.version));
  const settings = configuration.environment ?? {};
  if ('current' in release) {
    const kept = await keptPackage(session, state, stable ?? '');
    return { ...kept, release: releaseId(kept.digest, identity), settings };
  }
  const { artifact } = artifactIn(release);
  return {
    release: releaseId(artifact.sha256, identity),
    digest: artifact.sha256,
    settings,
    // Hashed each time: what is sent is what was started.
    zip: () => artifacts.of(spec).read(artifact),
  };
}

/** A release from the volumes of production and the slot. Errors: SLUICE_NOT_FOUND. */
export async function keptPackage(session: Session, state: State, release: string): Promise<Package> {
  const found = await findKept(session, slotsOf(state), release);
  const gone = () =>
    new SluiceError(
      'SLUICE_NOT_FOUND',
      `release ${release} is kept neither by ${state.production.name} nor by its slot; release its code again`,
    );
  if (found === null) throw gone();
  const { digest, settings } = found;
  return {
    release,
    digest,
    settings,
    zip: async () => {
      const bytes = await readPackage(session, found);
      if (bytes === null) throw gone();
      if (sha256(bytes) === digest) return bytes;
      throw new SluiceError(
        'SLUICE_ARTIFACT',
        `the package of release ${release} that ${found.place.name} keeps was changed: it does not match its SHA-256, and is not published. Release its code again`,
      );
    },
  };
}

function artifactIn(release: ReleaseSource): Extract<ReleaseSource, { artifact: unknown }> {
  if ('artifact' in release) return release;
  throw new SluiceError(
    'SLUICE_SPEC',
    'release: App Service takes a folder, a zip, the version of a release it keeps, or current; a folder or zip must be packed before it can be deployed',
  );
}
