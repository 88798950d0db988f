/** Artifacts by their digest, in whatever store: `<namespace>/<app>/<sha256>.zip`. */
import { type Packed, sha256 } from '../artifact/index.js';
import { SluiceError } from '../model/errors.js';
import type { Artifact } from '../model/spec.js';
import { folderStore } from './folder.js';
import type { InS3, ObjectStore } from './port.js';
import { KEPT_UNUSED, removeUnused, unusedIn } from './prune.js';
import { DEFAULT_STORE, type StorePlace, type StoreSetting, storeSetting } from './setting.js';

/** Most bytes of an artifact: what App Service takes (2 GB), the largest of all platforms. */
const LARGEST = 2 * 1024 ** 3;
/** Most bytes of a small document. */
const LARGEST_DOCUMENT = 1024 * 1024;

/** How often an object is read that another one takes the place of meanwhile. */
const LOOKS = 3;

/** Whose artifacts, and for which target: each account and Region may have a store of its own. */
interface Owner {
  app: string;
  target: StorePlace;
}

/** What a store keeps of one app. */
interface Shelf {
  /** Where it is, for a person to read. */
  readonly address: string;
  /** Puts a zip there, unless it is there already, and notes that it is used. Needs the right to create alone. */
  put(packed: Packed): Promise<Artifact>;
  /**
   * The artifact's bytes, hashed. Wrong bytes are moved aside, so that it can be stored again. Errors: SLUICE_ARTIFACT if it
   * does not exist, or does not match its digest.
   */
  read(artifact: Artifact): Promise<Buffer>;
  /**
   * Reads the artifact, and keeps it in memory while `work` runs: whoever reads it from this worker's stores meanwhile gets these bytes,
   * and nothing is downloaded twice. Errors: those of `read` and of `work`.
   */
  holding<T>(artifact: Artifact, work: () => Promise<T>): Promise<T>;
  /** The Region of S3 that it is in, for a service that reads from there; null where the store is no S3. */
  regionInS3(): Promise<string | null>;
  /** Where S3 has an artifact; null where the store is no S3. */
  inS3(artifact: Artifact): Promise<InS3 | null>;
  /** Keeps a small text, such as a released spec, and answers its SHA-256 in hex. Errors: SLUICE_ARTIFACT for a large one. */
  putDocument(text: string): Promise<string>;
  /** The text by its digest, hashed. Errors: SLUICE_ARTIFACT when it is not there, or not what its digest says. */
  getDocument(sha256: string): Promise<string>;
}

/** The artifacts of one namespace of Temporal. */
export interface Artifacts {
  /** What an app keeps. Errors: SLUICE_SETUP for an invalid setting. */
  of(owner: Owner): Shelf;
  /** What nothing has put or used for 30 days at this account's store, and is not held. Needs the rights to list and delete. */
  unused(place: StorePlace, held: ReadonlySet<string>): Promise<Removable[]>;
}

/** An artifact that nothing has used for long. */
interface Removable {
  name: string;
  bytes: number;
  /** Ms since the epoch. */
  lastUsed: number;
  /** Deletes it; false when it was used meanwhile. */
  remove(): Promise<boolean>;
}

export interface ArtifactsOptions {
  /** SLUICE_STORE; a folder in `cwd` when it is not set. */
  setting: string | undefined;
  /** Temporal's. */
  namespace: string;
  /** Where credentials of Azure are named. */
  env: Record<string, string | undefined>;
  /** Where a relative folder begins. */
  cwd: string;
}

/** Opens a store when it is first used, so that who releases no code of its own needs none. */
export function openArtifacts({ setting = DEFAULT_STORE, namespace, env, cwd }: ArtifactsOptions): Artifacts {
  const known = new Map<string, Promise<ObjectStore>>();
  const kept = new Kept();
  const opener = (found: StoreSetting) => () => {
    const name = JSON.stringify(found);
    const store = known.get(name) ?? openStore(found, env);
    known.set(name, store);
    // Whoever comes later tries again.
    store.catch(() => known.delete(name));
    return store;
  };
  return {
    async unused(place, held) {
      const store = await opener(storeSetting(setting, place, cwd))();
      const at = { prefix: `${segment(namespace)}/`, before: Date.now() - KEPT_UNUSED, held };
      return (await unusedIn(store, at)).map((one) => ({
        ...{ name: one.name, bytes: one.bytes, lastUsed: one.lastUsed },
        remove: () => removeUnused(store, one),
      }));
    },

    of({ app, target }) {
      const found = storeSetting(setting, target, cwd);
      const open = opener(found);
      return shelf(open, kept, { folder: `${segment(namespace)}/${segment(app)}/`, address: addressOf(found) });
    },
  };
}

/** Bytes that were read and hashed, while someone still works with them. */
class Kept {
  private readonly held = new Map<string, { zip: Buffer; holders: number }>();

  get(key: string): Buffer | undefined {
    return this.held.get(key)?.zip;
  }

  async during<T>(key: string, zip: Buffer, work: () => Promise<T>): Promise<T> {
    const one = this.held.get(key) ?? { zip, holders: 0 };
    this.held.set(key, one);
    one.holders += 1;
    try {
      return await work();
    } finally {
      one.holders -= 1;
      if (one.holders === 0) this.held.delete(key);
    }
  }
}

/** A store by its setting. The clouds' own libraries are loaded only where they are needed. */
export async function openStore(setting: StoreSetting, env: Record<string, string | undefined>): Promise<ObjectStore> {
  switch (setting.kind) {
    case 'folder':
      return folderStore(setting);
    case 's3':
      return (await import('./s3.js')).s3Store(setting);
    case 'azure':
      return (await import('./azure-blob.js')).azureBlobStore(setting, env as NodeJS.ProcessEnv);
  }
}

function addressOf(setting: StoreSetting): string {
  switch (setting.kind) {
    case 'folder':
      return setting.folder;
    case 's3':
      return `s3://${setting.bucket}/${setting.prefix}`;
    case 'azure':
      return `${setting.container}/${setting.prefix}`;
  }
}

function shelf(
  open: () => Promise<ObjectStore>,
  kept: Kept,
  { folder, address }: { folder: string; address: string },
): Shelf {
  /** Creates it, and notes the day on which it was needed: someone who may only create cannot touch existing objects. */
  const put = async (name: string, bytes: Uint8Array) => {
    const store = await open();
    await store.create(folder + name, bytes);
    await note(store, name);
  };
  const note = async (store: ObjectStore, name: string) => {
    await store.create(`${folder}${name}.used/${today()}`, new Uint8Array());
  };
  const read = async (name: string, { most, digest }: { most: number; digest: string }): Promise<Buffer> => {
    const store = await open();
    for (let looks = 1; ; looks += 1) {
      const found = await store.read(folder + name, most);
      if (found === null) throw missing(name, address);
      if (found.bytes !== null && sha256(found.bytes) === digest) {
        await note(store, name);
        return found.bytes;
      }
      // Its key is then free for the right bytes. What it contains instead is not revealed.
      const moved = await store.move(folder + name, `${folder}${name}.wrong/${Date.now()}`, found);
      // Another worker has moved it, and the right bytes may be there already.
      if (!moved && looks < LOOKS) continue;
      throw new SluiceError(
        'SLUICE_ARTIFACT',
        `${name} in the artifact store ${address} does not match its SHA-256, and was moved aside. Start again to upload it again`,
      );
    }
  };
  const keyOf = ({ sha256: digest }: Artifact) => `${address} ${folder}${digest}.zip`;
  const zipOf = async (artifact: Artifact): Promise<Buffer> => {
    const { sha256: digest, bytes } = artifact;
    // Whoever starts says how many bytes it has, and that alone puts nothing aside.
    const zip = kept.get(keyOf(artifact)) ?? (await read(`${digest}.zip`, { most: LARGEST, digest }));
    if (zip.length === bytes) return zip;
    throw new SluiceError(
      'SLUICE_ARTIFACT',
      `release.artifact says that ${digest}.zip has ${bytes} bytes, and it has ${zip.length}; use the argument that \`sluice pack\` prints`,
    );
  };
  return {
    address,
    async put({ zip, artifact }) {
      await put(`${artifact.sha256}.zip`, zip);
      return artifact;
    },
    read: zipOf,
    holding: async (artifact, work) => kept.during(keyOf(artifact), await zipOf(artifact), work),
    regionInS3: async () => (await (await open()).inS3(folder))?.region ?? null,
    inS3: async ({ sha256: digest }) => (await open()).inS3(`${folder}${digest}.zip`),
    async putDocument(text) {
      const bytes = Buffer.from(text);
      if (bytes.length > LARGEST_DOCUMENT) {
        throw new SluiceError('SLUICE_ARTIFACT', `a document of ${bytes.length} bytes is too large to keep`);
      }
      const digest = sha256(bytes);
      await put(`${digest}.json`, bytes);
      return digest;
    },
    getDocument: async (digest) => (await read(`${digest}.json`, { most: LARGEST_DOCUMENT, digest })).toString('utf8'),
  };
}

function missing(name: string, address: string): SluiceError {
  return new SluiceError(
    'SLUICE_ARTIFACT',
    `${name} is not in this worker's artifact store ${address}. Start again with SLUICE_STORE set to that store to upload it`,
  );
}

/** One part of a key: no name leads out of its folder. */
function segment(name: string): string {
  return encodeURIComponent(name).replace(/^\.+$/, (dots) => '%2E'.repeat(dots.length));
}

/** The day by UTC. */
function today(): string {
  return new Date().toISOString().slice(0, 10);
}
