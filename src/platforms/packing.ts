/** What a package may hold on each platform, and how large it may be: whoever packs goes by it, and whoever publishes. */
import type { PlatformName } from '../model/spec.js';

export interface PackingRules {
  /** The platform, as messages name it. */
  platform: string;
  /** Whether a link in a folder stays a link, or is replaced by a copy of what it points to. */
  links: 'keep' | 'copy';
  /** Folders of the platform's own machines that a kept link may point into. */
  places: readonly string[];
  /** Most bytes of a zip. */
  mostZipped: number;
  /** Most bytes of what is in it. */
  mostUnzipped: number;
  /** What to do about a zip that is too large. */
  whenTooLarge: string;
}

const MB = 1024 * 1024;

const PACKING: Record<PlatformName, PackingRules> = {
  // "Lambda quotas": 50 MB for a zip in the call, 250 MB unzipped. Lambda unpacks links as links, below /var/task; layers are in
  // /opt, scratch space is /tmp, file systems are mounted below /mnt.
  lambda: {
    platform: 'Lambda',
    links: 'keep',
    places: ['/opt', '/tmp', '/mnt'],
    mostZipped: 50 * MB,
    mostUnzipped: 250 * MB,
    whenTooLarge:
      "Take files out (.sluiceignore), keep artifacts in S3 in the function's Region (SLUICE_STORE=s3://BUCKET/PREFIX, for who starts and for the workers), or put the zip into S3 yourself (release: {s3: …})",
  },
  // "Deploy files to Azure App Service": 2048 MB for a zip. Kudu writes a link as a text file with its target in it
  // (webapps-deploy#54). A Premium plan stores 250 GB ("App Service limits").
  'app-service': {
    platform: 'App Service',
    links: 'copy',
    places: [],
    mostZipped: 2048 * MB,
    mostUnzipped: 250 * 1024 * MB,
    whenTooLarge: 'Take files out (.sluiceignore)',
  },
};

/** Most bytes of a zip that a call to Lambda carries. A larger one it reads from S3 itself, in its own Region. */
export const MOST_IN_CALL = PACKING.lambda.mostZipped;

/** Where the artifacts of a target are kept, as far as it decides what its platform takes. */
export interface PackingFrom {
  /** In S3, in the target's own Region. */
  s3: boolean;
}

/** The rules of a platform. */
export function packingOf(platform: PlatformName, from: PackingFrom = { s3: false }): PackingRules {
  const rules = PACKING[platform];
  if (platform !== 'lambda' || !from.s3) return rules;
  // From S3 a zip has no limit of its own: what it unzips to has.
  return { ...rules, mostZipped: rules.mostUnzipped, whenTooLarge: 'Take files out (.sluiceignore)' };
}

/** What is wrong with a zip of this size, in a sentence; null when the platform takes it. */
export function tooLarge(bytes: number, { platform, mostZipped, whenTooLarge }: PackingRules): string | null {
  if (bytes <= mostZipped) return null;
  return `the zip has ${megabytes(bytes)}; ${platform} takes ${megabytes(mostZipped)} at most. ${whenTooLarge}`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / MB).toFixed(1)} MB`;
}
