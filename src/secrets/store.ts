/** The port of the stores that hold secrets. */
import { SluiceError } from '../model/errors.js';
import { formatReference, type SecretReference } from '../model/secrets.js';

export interface StoredSecret {
  /** The whole value; a reference's key is looked up in it later. */
  value: string;
  /** The store's own name of this version; null: it keeps none. */
  version: string | null;
}

export interface SecretStore {
  /**
   * Reads a value, and never repeats a call by itself. Errors: SLUICE_SECRET if there is none, SLUICE_PERMISSION if it may
   * not be read, and those of the provider; each names the reference and none contains the value.
   */
  read(reference: SecretReference, signal: AbortSignal): Promise<StoredSecret>;
}

/** There is no such secret, or no such version of it. */
export function missing(reference: SecretReference, what: string, cure: string): SluiceError {
  return new SluiceError('SLUICE_SECRET', `${formatReference(reference)}: ${what}; ${cure}`);
}

/** The worker may not read it. `action` is what the provider calls the permission. */
export function denied(reference: SecretReference, action: string, said: string): SluiceError {
  return new SluiceError(
    'SLUICE_PERMISSION',
    `${action} is not allowed for ${formatReference(reference)}: ${said.replace(/\.$/, '')}. Allow it to the worker's identity, or to the role of the account or the spec`,
  );
}
