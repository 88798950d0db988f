/** What a release does to the function. Pure. */
import type { FunctionConfiguration, Spec } from '../../../model/spec.js';
import { MOST_IN_CALL } from '../kit.js';

/** Whether deploying the release changes `$LATEST`, its code or its configuration. */
export function writesLatest({ release }: Pick<Spec, 'release'>): boolean {
  return !('version' in release || 'latest' in release);
}

/** Whether deploying the release gives `$LATEST` code. */
export function writesCode({ release }: Pick<Spec, 'release'>): boolean {
  return writesLatest({ release }) && !('current' in release);
}

/** Whether Lambda reads the code of the release from S3: nobody else knows what it has found there. */
export function readsFromS3({ release }: Pick<Spec, 'release'>): boolean {
  return 's3' in release || ('artifact' in release && release.artifact.bytes > MOST_IN_CALL);
}

/** Whether `$LATEST` keeps a field: the description and the provisioned concurrency are a version's own. */
const IN_LATEST: Record<keyof FunctionConfiguration, boolean> = {
  runtime: true,
  handler: true,
  role: true,
  memory: true,
  timeout: true,
  environment: true,
  layers: true,
  logFormat: true,
  description: false,
  provisionedConcurrency: false,
};
const SETTABLE = Object.entries(IN_LATEST).flatMap(([field, kept]) => (kept ? [field] : []));

/** Fields of the configuration that deploying the release may write into `$LATEST`. */
export function fieldsWritten({ release, configuration }: Pick<Spec, 'release' | 'configuration'>): string[] {
  if (!writesLatest({ release })) return [];
  const given = Object.keys(configuration);
  return 'current' in release ? [...new Set([...SETTABLE, ...given])] : given;
}
