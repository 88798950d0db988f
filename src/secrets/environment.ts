/** The environment of a release with its secrets in place: as values for `deploy` alone. */

import { bounded } from '../health/bounded.js';
import { isReference } from '../model/secrets.js';
import type { Spec } from '../model/spec.js';
import type { Secrets } from './index.js';
import { noteValue } from './running.js';

export interface Filled {
  /** Holds values: it must not leave the activity. */
  spec: Spec;
  /** The environment with each secret's identity in the place of its value: what tells releases apart. */
  identity: Record<string, string>;
}

/** A release that is there already keeps what it has, and nothing is read for it. Errors: those of `resolve`. */
export async function withEnvironment(spec: Spec, secrets: Secrets, signal: AbortSignal): Promise<Filled> {
  const { environment } = spec.configuration;
  if (environment === undefined || 'version' in spec.release) return { spec, identity: environment ?? {} };
  const ask = { app: spec.app, environment: spec.environment, use: 'environment' as const, host: null };
  const entries = Object.entries(environment).map(async ([name, value]) => {
    const secret = isReference(value) ? await secrets.resolve(value, ask, signal) : { value, identity: value };
    return { name, ...secret };
  });
  const filled = await Promise.all(entries);
  const values = Object.fromEntries(filled.map(({ name, value }) => [name, value]));
  return {
    spec: { ...spec, configuration: { ...spec.configuration, environment: values } },
    identity: Object.fromEntries(filled.map(({ name, identity }) => [name, identity])),
  };
}

/** Longest wait for what must be recognized, in ms: as long as a store may take, since nobody's way back waits longer for one. */
const WITHIN = 9_000;
/** Shorter ones, such as `info` or `true`, are words of every text. */
const SHORTEST = 8;

/**
 * Lets an activity that meets a release know its secrets, so that it can take them out of what the release says of itself: those
 * that the spec names, and whatever else the release has in its environment at the platform (`values`), since an older one came
 * with another spec, or before a value was rotated. What the spec says in clear is no secret. What cannot be read now is not
 * known, and is no obstacle.
 */
export async function recognize(
  spec: Spec,
  { secrets, values }: { secrets: Secrets; values: (() => Promise<string[]>)[] },
  signal: AbortSignal,
): Promise<void> {
  const said = JSON.stringify(spec);
  const had = values.map(async (read) => {
    for (const value of await read()) {
      if (value.length >= SHORTEST && !said.includes(JSON.stringify(value))) noteValue(value);
    }
  });
  const all = Promise.allSettled([withEnvironment(spec, secrets, signal), ...had]);
  await bounded(signal, WITHIN, () => all).catch(() => undefined);
}
