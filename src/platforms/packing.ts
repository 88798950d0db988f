/** What a package may contain on each platform, and how large it may be; both packing and publishing use it. */
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

export const MB = 1024 * 1024;

/** The rules of a platform, and where its packages may come from. */
export interface Packing {
  rules: PackingRules;
  /** The rules for a package that the platform reads from S3 in the target's own Region; absent: it reads none from there. */
  fromS3?: PackingRules;
}

/** What is wrong with a zip of this size, in a sentence; null when the platform takes it. */
export function tooLarge(bytes: number, { platform, mostZipped, whenTooLarge }: PackingRules): string | null {
  if (bytes <= mostZipped) return null;
  return `the zip has ${megabytes(bytes)}; ${platform} takes ${megabytes(mostZipped)} at most. ${whenTooLarge}`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / MB).toFixed(1)} MB`;
}
