/** What every store of objects can do: a folder, a bucket of S3, a container of Azure. One conformance suite tests them all. */

/** An object as a listing shows it. */
export interface Stored {
  key: string;
  bytes: number;
  /** When it was created, ms since the epoch, by the store's clock. */
  at: number;
}

/** Which content of an object was read: different content has a different tag. */
export interface Seen {
  tag: string;
  /** Its bytes. */
  size: number;
}

/** An object as it was read. */
export interface Found extends Seen {
  /** Null when it cannot be an artifact: it is larger than it may be, or no plain file. It was not read then. */
  bytes: Buffer | null;
}

/** Where an object is in S3, for a service that reads it there itself. */
export interface InS3 {
  bucket: string;
  key: string;
  region: string;
}

/**
 * Objects by key (`a/b/c`). Clients need `create` alone; workers `create`, `read` and `move`; the sweeper `list` and `remove`.
 * Errors of all: SLUICE_PERMISSION, SLUICE_CREDENTIALS, SLUICE_SETUP (there is no such store), SLUICE_PROVIDER (it is away, or has
 * not answered in time: every call has a deadline).
 */
export interface ObjectStore {
  /** Where it is, for a person to read; it holds no credentials. */
  readonly address: string;
  /**
   * Creates the object whole or not at all, and repeats an upload that broke off. False: something is there already, and it is
   * left as it is.
   */
  create(key: string, bytes: Uint8Array): Promise<boolean>;
  /** The object, of `most` bytes at most; null if there is none. */
  read(key: string, most: number): Promise<Found | null>;
  /**
   * Moves an object aside as it was `seen`, so that its key is free. False: it is another one now and was left, or it is gone. Errors:
   * SLUICE_ARTIFACT for one that is too large to be moved.
   */
  move(key: string, to: string, seen: Seen): Promise<boolean>;
  /** Every object whose key begins with `prefix`, in no order. */
  list(prefix: string): AsyncGenerator<Stored>;
  /** Deletes an object. One that is gone already is no error. */
  remove(key: string): Promise<void>;
  /** Where S3 has it; null for another kind of store. */
  inS3(key: string): Promise<InS3 | null>;
}
