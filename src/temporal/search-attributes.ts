/** The search attributes of a rollout, registered or verified before a worker takes its first task. */
import type { NativeConnection } from '@temporalio/worker';
import { SluiceError } from '../model/errors.js';
import { SEARCH_ATTRIBUTES as ATTRIBUTES } from '../model/rollout/words.js';

/** By temporal.api.enums.v1.IndexedValueType. */
const TYPES = { KEYWORD: 2, DOUBLE: 4 } as const;

/** Name and indexed value type. */
export const SEARCH_ATTRIBUTES: Record<string, number> = Object.fromEntries(
  Object.values(ATTRIBUTES).map(([name, type]) => [name, TYPES[type]]),
);

/**
 * Makes sure all are there: an unregistered one would hang the workflow task of every rollout for ever.
 * Errors: SLUICE_SETUP when they are missing and cannot be registered.
 */
export async function ensureSearchAttributes(connection: NativeConnection, namespace: string): Promise<void> {
  const missing = await missingSearchAttributes(connection, namespace);
  if (missing.length === 0) return;
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, SEARCH_ATTRIBUTES[name] as number])),
    });
  } catch (error) {
    const still = await missingSearchAttributes(connection, namespace).catch(() => missing);
    if (still.length === 0) return;
    throw new SluiceError(
      'SLUICE_SETUP',
      `search attributes ${still.join(', ')} are missing in namespace ${namespace} and could not be registered (${error instanceof Error ? error.message : String(error)}). Register them with \`temporal operator search-attribute create\`, or set SLUICE_SEARCH_ATTRIBUTES=off`,
    );
  }
}

async function missingSearchAttributes(connection: NativeConnection, namespace: string): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return Object.keys(SEARCH_ATTRIBUTES).filter((name) => customAttributes?.[name] === undefined);
}
