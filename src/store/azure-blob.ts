/** A container of Azure Blob Storage as a store. */
import { createHash, randomUUID } from 'node:crypto';
import { ContainerClient, RestError, type StoragePipelineOptions } from '@azure/storage-blob';
import { credentialOf } from '../cloud/azure-credentials.js';
import { SluiceError } from '../model/errors.js';
import { clean } from '../model/text.js';
import { tooMuch } from './files.js';
import type { ObjectStore, Stored } from './port.js';
import { repeated } from './repeat.js';

/** Longest silence of the storage, in ms. */
const SILENCE = 60_000;

/**
 * With the token of AZURE_STORAGE_SAS_TOKEN (a shared access signature), else with the credential that everything else of Azure
 * goes by.
 */
export function azureBlobStore(
  { container: url, prefix }: { container: string; prefix: string },
  env: NodeJS.ProcessEnv,
): ObjectStore {
  const client = clientOf(url, env);
  const address = `${url}/${prefix}`;
  const blob = (key: string) => client.getBlockBlobClient(prefix + key);
  const ask = <T>(action: string, work: () => Promise<T>): Promise<T> =>
    repeated(work, isPassing).catch((error: unknown) => {
      throw asOurs(error, address, action);
    });

  const put = async (key: string, bytes: Uint8Array): Promise<Put> => {
    try {
      await blob(key).upload(bytes, bytes.length, {
        conditions: { ifNoneMatch: '*' },
        // A broken body is refused; what is stored is checked by its own digest when it is read.
        blobHTTPHeaders: { blobContentMD5: createHash('md5').update(bytes).digest() },
        abortSignal: AbortSignal.timeout(SILENCE + Math.ceil(bytes.length / BYTES_A_MS)),
      });
      return 'created';
    } catch (error) {
      if (codeOf(error) === 'BlobAlreadyExists' || codeOf(error) === 'ConditionNotMet') return 'there';
      if (codeOf(error) === 'AuthorizationPermissionMismatch') return 'refused';
      throw error;
    }
  };
  /** Where something new could be created, by namespace and app; asked once. */
  const tried = new Map<string, Promise<Put>>();

  return {
    address,

    async create(key, bytes) {
      const made = await ask('blobs/add/action', () => put(key, bytes));
      if (made !== 'refused') return made === 'created';
      // Azure looks at the right before it looks at the condition: who may only create is refused for what is there already.
      const at = key.split('/').slice(0, 2).join('/');
      const trial =
        tried.get(at) ?? ask('blobs/add/action', () => put(`${key}.used/${randomUUID()}`, new Uint8Array()));
      tried.set(at, trial);
      if ((await trial) === 'created') return false;
      throw refused(address, 'blobs/add/action', 'neither what is there nor anything new may be written');
    },

    read: (key, most) =>
      ask('blobs/read', async () => {
        try {
          const answer = await blob(key).download(0, undefined, { maxRetryRequests: 3 });
          if ((answer.contentLength ?? 0) > most) {
            (answer.readableStreamBody as { destroy?: () => void } | undefined)?.destroy?.();
            throw tooMuch(address + key, most);
          }
          const parts: Buffer[] = [];
          for await (const part of answer.readableStreamBody ?? []) parts.push(Buffer.from(part));
          return Buffer.concat(parts);
        } catch (error) {
          if (codeOf(error) === 'BlobNotFound') return null;
          throw error;
        }
      }),

    async move(key, to) {
      const bytes = await this.read(key, Number.MAX_SAFE_INTEGER);
      if (bytes === null) return;
      await this.create(to, bytes);
      await this.remove(key);
    },

    async *list(from): AsyncGenerator<Stored> {
      try {
        for await (const { name, properties } of client.listBlobsFlat({ prefix: prefix + from })) {
          const at = (properties.createdOn ?? properties.lastModified).getTime();
          yield { key: name.slice(prefix.length), bytes: properties.contentLength ?? 0, at };
        }
      } catch (error) {
        throw asOurs(error, address, 'blobs/read');
      }
    },

    async remove(key) {
      await ask('blobs/delete', () => blob(key).deleteIfExists());
    },

    inS3: async () => null,
  };
}

/** What became of a blob that was to be created. */
type Put = 'created' | 'there' | 'refused';

/** The slowest upload that is waited for, in bytes a millisecond: 64 kB a second. */
const BYTES_A_MS = 64;

function clientOf(url: string, env: NodeJS.ProcessEnv): ContainerClient {
  // What is repeated, and how often, is said in one place for all stores.
  const options: StoragePipelineOptions = { retryOptions: { maxTries: 1 } };
  const token = env.AZURE_STORAGE_SAS_TOKEN?.replace(/^\?/, '') ?? '';
  return token === ''
    ? new ContainerClient(url, credentialOf(env), options)
    : new ContainerClient(`${url}?${token}`, undefined, options);
}

function isPassing(error: unknown): boolean {
  if (error instanceof SluiceError) return false;
  if (!(error instanceof RestError)) return (error as Error | null)?.name === 'AbortError';
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
      `the artifact store ${address} does not exist; make the container, or mend SLUICE_STORE`,
    );
  if (status === 403) return refused(address, action, said);
  if (status === 401 || /CredentialUnavailable|AuthenticationError|AuthenticationRequired/.test((error as Error).name))
    return new SluiceError('SLUICE_CREDENTIALS', `no credentials of Azure for the artifact store ${address}: ${said}`);
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
