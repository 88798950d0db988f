/**
 * Messages that arrive encrypted. A workflow never learns from the codec whether one opens, since that depends on the keys of the
 * worker that happens to replay it: it gets the message as it was sent, and an activity's recorded answer is what counts.
 */

/** Metadata of a payload that arrived encrypted: the message as workflows get it, in JSON. */
export const SEALED = 'sluice-sealed';
/** Metadata of a payload that no worker could read: why, in JSON. */
export const UNREAD = 'sluice-unread';

/** What a worker found in a sealed message. `late`: its key is not here, and may be on another worker. */
export type Unsealed = { ok: true; value: unknown } | { ok: false; why: string; late: boolean };

/** An encryption key by its id, and what tells it from another key of the same id: a digest, which opens nothing. */
export interface KeyPrint {
  id: string;
  print: string;
}

/** Who opens messages, with the keys of its process. */
export interface Unsealer {
  /** The first one encrypts. */
  keyPrints: KeyPrint[];
  /** Each message in base64. Never throws: what does not open says why. */
  unseal(sealed: string[]): Unsealed[];
}

/** The encrypted message, in base64, that replaces what a person or a worker sent. Null: it was sent unencrypted. */
export function sealedOf(given: unknown): string | null {
  if (typeof given !== 'object' || given === null) return null;
  const { sealed, ...more } = given as Record<string, unknown>;
  return typeof sealed === 'string' && Object.keys(more).length === 0 ? sealed : null;
}
