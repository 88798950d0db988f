/** Emulated AWS: Lambda's rules for aliases and their weights. */
import { parse } from '../http.js';
import { invalidModel, invalidValue, stale } from './refusal.js';
import type { LambdaRequest } from './route.js';
import type { Alias, Configuration, Store, Where } from './store.js';

/** What an alias would be after a write. */
interface Wanted {
  primary: string;
  weights: Record<string, number>;
}

/**
 * Rules of CreateAlias: a name that is not all digits, and a split that may be.
 * Source of the split's rules: "Implement Lambda canary deployments using a weighted alias"; the model of
 * AliasRoutingConfiguration.
 */
export async function checkCreateAlias(store: Store, request: LambdaRequest, body: Buffer): Promise<void> {
  const asked = parse(body);
  const name = String(asked.Name ?? '');
  if (!/^(?!\d+$)[A-Za-z0-9_-]{1,128}$/.test(name)) {
    throw invalidModel(
      `Value '${name}' at 'name' failed to satisfy constraint: letters, digits, - and _, not digits alone`,
    );
  }
  await checkSplit(store, request, {
    primary: String(asked.FunctionVersion ?? ''),
    weights: weightsOf(asked) ?? {},
  });
}

/** Rules of UpdateAlias: the RevisionId, and a split that may be. What the request omits stays as it is. */
export async function checkUpdateAlias(store: Store, request: LambdaRequest, body: Buffer): Promise<void> {
  const asked = parse(body);
  const now = await store.alias(request, request.qualifier ?? '');
  if (typeof asked.RevisionId === 'string' && asked.RevisionId !== now.RevisionId) throw stale();
  const primary = typeof asked.FunctionVersion === 'string' ? asked.FunctionVersion : now.FunctionVersion;
  await checkSplit(store, request, { primary, weights: weightsOf(asked) ?? splitOf(now) });
}

/** Draws the version that serves one invocation: each extra one with its weight, the primary with the rest. */
export function draw(alias: Alias, random: () => number = Math.random): string {
  let left = random();
  for (const [version, weight] of Object.entries(splitOf(alias))) {
    if (left < weight) return version;
    left -= weight;
  }
  return alias.FunctionVersion;
}

export function splitOf(alias: Alias): Record<string, number> {
  return alias.RoutingConfig?.AdditionalVersionWeights ?? {};
}

/** The weights a request asks for; null when it says nothing of them. */
export function weightsOf(asked: Record<string, unknown>): Record<string, number> | null {
  const routing = asked.RoutingConfig as
    | { AdditionalVersionWeights?: Record<string, number> | null }
    | null
    | undefined;
  if (routing === undefined || routing === null) return null;
  return routing.AdditionalVersionWeights ?? {};
}

async function checkSplit(store: Store, where: Where, { primary, weights }: Wanted): Promise<void> {
  if (!/^(\$LATEST|\d+)$/.test(primary)) {
    throw invalidModel(`Value '${primary}' at 'functionVersion' failed to satisfy constraint: $LATEST or a number`);
  }
  const extra = Object.entries(weights);
  for (const [version, weight] of extra) {
    if (version === '$LATEST')
      throw invalidValue('$LATEST is not supported for an alias pointing to more than 1 version');
    if (!/^\d+$/.test(version))
      throw invalidModel(`Map key '${version}' at 'additionalVersionWeights' is no version number`);
    if (typeof weight !== 'number' || !(weight >= 0 && weight <= 1)) {
      throw invalidModel(
        `Value '${weight}' at 'additionalVersionWeights' failed to satisfy constraint: between 0.0 and 1.0`,
      );
    }
    if (version === primary)
      throw invalidValue(`Function version ${version} is already included in routing configuration`);
  }
  if (extra.length > 1) throw invalidValue('Number of items in AdditionalVersionWeights cannot be greater than 1');
  if (extra.length === 1 && primary === '$LATEST') {
    throw invalidValue('$LATEST is not supported for an alias pointing to more than 1 version');
  }
  // Each is read, so that an absent one is a 404 of the version's own ARN.
  const main = await store.configuration(where, primary);
  for (const [version] of extra) checkSame(main, await store.configuration(where, version));
}

function checkSame(main: Configuration, other: Configuration): void {
  if (main.Role !== other.Role)
    throw invalidValue('Both versions of a weighted alias must have the same execution role');
  if ((main.DeadLetterConfig?.TargetArn ?? null) !== (other.DeadLetterConfig?.TargetArn ?? null)) {
    throw invalidValue('Both versions of a weighted alias must have the same dead-letter queue configuration');
  }
}
