import { type Packed, packFolder } from '../../src/artifact/index.js';
import type { Artifact, PlatformName } from '../../src/model/spec.js';
import { packingOf } from '../../src/platforms/registry.js';
import { type Artifacts, openArtifacts } from '../../src/store/index.js';

/** Artifacts in a folder, whatever app and target they are asked for, and a way to put some there. */
export interface TestArtifacts extends Artifacts {
  /** Packs a folder. */
  pack(folder: string, platform: PlatformName): Promise<Artifact>;
  put(packed: Packed): Promise<Artifact>;
  read(artifact: Artifact): Promise<Buffer>;
}

export function artifactsIn(folder: string): TestArtifacts {
  const shelf = openArtifacts({ setting: folder, namespace: 'test', env: {}, cwd: '.' }).of({
    app: 'test',
    target: { account: 'default', region: 'test' },
  });
  return {
    of: () => shelf,
    unused: async () => [],
    pack: async (from, platform) => shelf.put(await packFolder(from, packingOf(platform))),
    put: (packed) => shelf.put(packed),
    read: (artifact) => shelf.read(artifact),
  };
}

/** For what releases no code: whoever asks is told so. */
export const NO_ARTIFACTS: Artifacts = {
  of: () => {
    throw new Error('nothing is released here');
  },
  unused: async () => [],
};
