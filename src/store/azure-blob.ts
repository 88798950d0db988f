/** A container of Azure Blob Storage as a store. */
import { createHash, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { ContainerClient, RestError, type StoragePipelineOptions } from '@azure/storage-blob';
import { credentialOf } from '../cloud/azure-credentials.js';
import { SluiceError } from '../model/errors.js';
import { clean } from '../model/text.js';
import { drained, heard, Late, longest, WAITS, type Waits, within } from './deadline.js';
import { tooLargeToMove } from './files.js';
import type { ObjectStore, Stored } from './port.js';
import { repeated } from './repeat.js';

/** Most bytes that are moved, since they pass through here: as many as the largest artifact has (2 GB). */
const MOST_MOVED = 2 * 1024 ** 3;

/**
 * With the token of AZURE_STORAGE_SAS_TOKEN (a shared access signature), or else with the credential that all other Azure
 * calls use.
 */
export function azureBlobStore(
  { container: url, prefix }: { container: string; prefix: string },
  env: NodeJS.ProcessEnv,
  waits: Waits = WAITS,
): ObjectStore {
  const client = clientOf(url, env);
  const address = `${url}/${prefix}`;
  const blob = (key: string) => client.getBlockBlobClient(prefix + key);
  /** Again when the storage was away; an error in our words, with the right that was missing. `bytes`: so many are carried. */
  const ask = <T>(action: string, work: (abortSignal: AbortSignal) => Promise<T>, bytes = 0): Promise<T> =>
    repeated(() => within(longest(waits, bytes), work), isPassing).catch((error: unknown) => {
      throw asOurs(error, address, action);
    });

  const put = async (key: string, bytes: Uint8Array, abortSignal: AbortSignal): Promise<Put> => {
    try {
      await blob(key).upload(bytes, bytes.length, {
        conditions: { ifNoneMatch: '*' },
        // A broken body is refused; what is stored is checked by its own digest when it is read.
        blobHTTPHeaders: { blobContentMD5: createHash('md5').update(bytes).digest() },
        abortSignal,
      });
      return 'created';
    } catch (error) {
      if (codeOf(error) === 'BlobAlreadyExists' || codeOf(error) === 'ConditionNotMet') return 'there';
      if (codeOf(error) === 'AuthorizationPermissionMismatch') return 'refused';
      throw error;
    }
  };
  /** Where something new could be created, by namespace and app. A refusal is asked for again: the right may be given any time. */
  const tried = new Set<string>();

  return {
    address,

    async create(key, bytes) {
      const made = await ask('blobs/add/action', (signal) => put(key, bytes, signal), bytes.length);
      if (made !== 'refused') return made === 'created';
      // Azure checks the right before the condition: someone who may only create is refused even for what already exists.
      const at = key.split('/').slice(0, 2).join('/');
      const trial = `${key}.used/${randomUUID()}`;
      if (!tried.has(at)) {
        const fresh = await ask('blobs/add/action', (signal) => put(trial, new Uint8Array(), signal));
        if (fresh !== 'created')
          throw refused(address, 'blobs/add/action', 'neither what is there nor anything new may be written');
        tried.add(at);
      }
      return false;
    },

    read: (key, most) =>
      ask(
        'blobs/read',
        async (abortSignal) => {
          try {
            const answer = await within(longest(waits), async () => {
              const got = await blob(key).download(0, undefined, { maxRetryRequests: 3, abortSignal });
              heard(got.readableStreamBody);
              return got;
            });
            const { contentLength: size = 0, etag: tag = '', readableStreamBody: body } = answer;
            const bytes = body === undefined ? Buffer.alloc(0) : await drained(body as Readable, { most, size }, waits);
            return { tag, size, bytes };
          } catch (error) {
            if (codeOf(error) === 'BlobNotFound') return null;
            throw error;
          }
        },
        most,
      ),

    async move(key, to, { tag, size }) {
      if (size > MOST_MOVED) throw tooLargeToMove(address + key, size, MOST_MOVED);
      const found = await this.read(key, size);
      if (found?.bytes == null || found.tag !== tag) return false;
      await this.create(to, found.bytes);
      return ask('blobs/delete', async (abortSignal) => {
        try {
          return (await blob(key).deleteIfExists({ conditions: { ifMatch: tag }, abortSignal })).succeeded;
        } catch (error) {
          if (codeOf(error) === 'ConditionNotMet') return false;
          throw error;
        }
      });
    },

    async *list(from): AsyncGenerator<Stored> {
      let continuationToken: string | undefined;
      do {
        const { blobs, next } = await ask('blobs/read', async (abortSignal) => {
          const pages = client
            .listBlobsFlat({ prefix: prefix + from, abortSignal })
            .byPage(continuationToken === undefined ? {} : { continuationToken });
          const { value } = await pages.next();
          return { blobs: value?.segment.blobItems ?? [], next: value?.continuationToken };
        });
        for (const { name, properties } of blobs) {
          const at = (properties.createdOn ?? properties.lastModified).getTime();
          yield { key: name.slice(prefix.length), bytes: properties.contentLength ?? 0, at };
        }
        continuationToken = next === '' ? undefined : next;
      } while (continuationToken !== undefined);
    },

    async remove(key) {
      await ask('blobs/delete', (abortSignal) => blob(key).deleteIfExists({ abortSignal }));
    },

    inS3: async () => null,
  };
}

/** What became of a blob that was to be created. */
type Put = 'created' | 'there' | 'refused';

function clientOf(url: string, env: NodeJS.ProcessEnv): ContainerClient {
  // What is repeated, and how often, is decided in one place for all stores.
  const options: StoragePipelineOptions = { retryOptions: { maxTries: 1 } };
  const token = env.AZURE_STORAGE_SAS_TOKEN?.replace(/^\?/, '') ?? '';
  return token === ''
    ? new ContainerClient(url, credentialOf(env), options)
    : new ContainerClient(`${url}?${token}`, undefined, options);
}

function isPassing(error: unknown): boolean {
  if (error instanceof SluiceError) return false;
  if (!(error instanceof RestError)) return error instanceof Late || (error as Error | null)?.name === 'AbortError';
  const { statusCode } = error;
  return statusCode === undefined || statusCode === 408 || statusCode === 429 || statusCode >= 500;
}

function asOurs(error: unknown, address: string, action: string): SluiceError {
  if (error instanceof SluiceError) return error;
  // The whole message has the request's address in it, and with it a token.
  const said = clean(error instanceof Error ? (error.message.split('\n')[0] ?? '') : error, 300);
  const status = error instanceof RestError ? error.statusCode : undefined;
  if (codeOf(error) === 'ContainerNotFound')
    return new SluiceError(
      'SLUICE_SETUP',
      `the artifact store ${address} does not exist; create the container, or correct SLUICE_STORE`,
    );
  if (status === 403) return refused(address, action, said);
  if (status === 401 || /CredentialUnavailable|AuthenticationError|AuthenticationRequired/.test((error as Error).name))
    return new SluiceError('SLUICE_CREDENTIALS', `no Azure credentials for the artifact store ${address}: ${said}`);
  return new SluiceError('SLUICE_PROVIDER', `the artifact store ${address} does not answer ${action}: ${said}`);
}

function refused(address: string, action: string, said: string): SluiceError {
  const right = `Microsoft.Storage/storageAccounts/blobServices/containers/${action}`;
  return new SluiceError(
    'SLUICE_PERMISSION',
    `the artifact store ${address} refuses ${action}: ${said.replace(/\.+$/, '')}. Give this identity ${right} there`,
  );
}

function codeOf(error: unknown): string {
  return error instanceof RestError ? (error.code ?? '') : '';
}
