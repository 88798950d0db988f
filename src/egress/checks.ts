/** Before a rollout: every secret is read once and forgotten, and every address that a spec names is looked up. */

import { bounded } from '../health/bounded.js';
import { ERRORS, SluiceError } from '../model/errors.js';
import { parseReference, type SecretPlace, secretPlaces } from '../model/secrets.js';
import type { Spec } from '../model/spec.js';
import type { Finding } from '../platforms/port.js';
import { kitOf } from '../platforms/registry.js';
import { refuse, warn } from '../platforms/shared/findings.js';
import { hostOf } from '../secrets/headers.js';
import type { Egress } from './index.js';

/** Longest look-up of a name, in ms; one that is not answered is looked up again when it is used. */
const LOOK_UP = 5_000;

export interface Checked {
  /** The target's own: what its probes and metrics use. */
  egress: Egress;
  /** What webhooks use. */
  own: Egress;
}

/**
 * What may not be read or reached is refused, all of it with its place in the spec; a store that is away is an error, for
 * another try. Errors: those of `resolve` that are not final; an AbortError when cancelled.
 */
export async function checkEgress(spec: Spec, checked: Checked, signal: AbortSignal): Promise<Finding[]> {
  const places = secretPlaces(spec);
  const findings = await Promise.all([
    ...places.map((place) => readOnce(spec, place, checked, signal)),
    ...urlsOf(spec).map((named) => reachable(named, checked.egress, signal)),
  ]);
  return [...findings.flat(), ...frozen(spec, places)];
}

async function readOnce(
  { app, environment }: Spec,
  { path, reference, use, url }: SecretPlace,
  { egress, own }: Checked,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { secrets } = use === 'webhook' ? own : egress;
  try {
    await secrets.resolve(reference, { app, environment, use, host: hostIn(url) }, signal);
    return [];
  } catch (error) {
    if (!(error instanceof SluiceError) || !ERRORS[error.code].final) throw error;
    return [refuse(error.code, `${path}: ${error.message}`)];
  }
}

/** Null where only the platform will know it: then it is asked about when it is. */
function hostIn(url: string | null): string | null {
  const filled = url?.replaceAll(/\{(?:version|from|to)\}/g, '0') ?? '';
  return filled.includes('{host}') ? null : hostOf(filled);
}

interface Named {
  path: string;
  url: string;
}

function urlsOf({ health, notify }: Spec): Named[] {
  return [
    ...health.probes.flatMap(({ url }, i) =>
      url === undefined ? [] : [{ path: `health.probes[${i}].http.url`, url }],
    ),
    ...health.metrics.flatMap((metric, i) =>
      'url' in metric ? [{ path: `health.metrics[${i}].${metric.kind}.url`, url: metric.url }] : [],
    ),
    ...notify.map(({ webhook }, i) => ({ path: `notify[${i}].webhook`, url: webhook })),
  ];
}

async function reachable({ path, url }: Named, { net }: Egress, signal: AbortSignal): Promise<Finding[]> {
  const host = hostIn(url);
  if (host === null) return [];
  try {
    await bounded(signal, LOOK_UP, () => net.check(`http://${host}`));
    return [];
  } catch (error) {
    if (signal.aborted) throw error;
    if (!(error instanceof SluiceError)) return [];
    return [refuse(error.code, `${path}: ${error.message}`)];
  }
}

/** Pure. */
function frozen({ target }: Spec, places: SecretPlace[]): Finding[] {
  const inside = places.filter(({ use }) => use === 'environment');
  if (inside.length === 0) return [];
  const names = inside.map(({ path }) => path).join(', ');
  const [first] = inside.map(({ reference }) => parseReference(reference));
  const known = first === undefined || 'problem' in first ? null : first;
  const better = kitOf(target.platform).insteadOfSecret(known);
  return [
    warn(
      'SECRET_FROZEN',
      `${names}: the value is written into the release and comes back with a rollback, also after it was rotated. Better: ${better}`,
    ),
  ];
}
