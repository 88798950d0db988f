/** What a release does to the function. Pure. */
import type { FunctionConfiguration, Spec } from '../../../src/model/spec.js';

/** Whether deploying the release changes `$LATEST`, its code or its configuration. */
export function writesLatest({ release }: Pick<Spec, 'release'>): boolean {
  return !('version' in release || 'latest' in release);
}

/** Whether deploying the release gives `$LATEST` code. */
export function writesCode({ release }: Pick<Spec, 'release'>): boolean {
  return writesLatest({ release }) && !('current' in release);
}

/** All that `changes` can set, but for the description, which a version has for itself. */
export const SETTABLE = [
  'runtime',
  'handler',
  'role',
  'memory',
  'timeout',
  'environment',
  'layers',
  'logFormat',
] as const satisfies (keyof FunctionConfiguration)[];

/** Fields of the configuration that deploying the release may write into `$LATEST`. */
export function fieldsWritten({ release, configuration }: Pick<Spec, 'release' | 'configuration'>): string[] {
  if (!writesLatest({ release })) return [];
  const given = Object.keys(configuration);
  return 'current' in release ? [...new Set([...SETTABLE, ...given])] : given;
}
