/** A bucket of S3, or of what speaks as S3 does, as a store. */
import { createHash } from 'node:crypto';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { SluiceError } from '../model/errors.js';
import { clean } from '../model/text.js';
import { tooMuch } from './files.js';
import type { ObjectStore, Stored } from './port.js';
import { repeated } from './repeat.js';

/** Longest silence of S3, in ms. */
const SILENCE = 60_000;
const CONNECT = 5_000;

/** What S3 answers when the key is taken already, and when another upload to it is on its way. */
const TAKEN = 'PreconditionFailed';
const ON_ITS_WAY = 'ConditionalRequestConflict';

/** With the AWS chain's credentials; the region is that of the bucket. */
export function s3Store(of: { bucket: string; prefix: string; region?: string }): ObjectStore {
  const { bucket: Bucket, prefix } = of;
  const client = new S3Client({
    ...(of.region === undefined ? {} : { region: of.region }),
    // An emulator has no names of hosts for its buckets.
    forcePathStyle: process.env.AWS_ENDPOINT_URL_S3 !== undefined || process.env.AWS_ENDPOINT_URL !== undefined,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: CONNECT, requestTimeout: SILENCE, throwOnRequestTimeout: true },
  });
  const address = `s3://${Bucket}/${prefix}`;
  const at = (key: string) => ({ Bucket, Key: prefix + key });
  /** Again when S3 was away; an error in our words, with the right that was missing. */
  const ask = <T>(action: string, work: () => Promise<T>): Promise<T> =>
    repeated(work, isPassing).catch((error: unknown) => {
      throw asOurs(error, address, action);
    });

  return {
    address,

    create: (key, bytes) =>
      ask('s3:PutObject', async () => {
        try {
          await client.send(
            new PutObjectCommand({
              ...at(key),
              Body: bytes,
              ContentLength: bytes.length,
              IfNoneMatch: '*',
              ChecksumSHA256: createHash('sha256').update(bytes).digest('base64'),
            }),
          );
          return true;
        } catch (error) {
          if (nameOf(error) === TAKEN) return false;
          throw error;
        }
      }),

    read: (key, most) =>
      ask('s3:GetObject', async () => {
        try {
          const { Body, ContentLength = 0 } = await client.send(new GetObjectCommand(at(key)));
          if (Body === undefined) return Buffer.alloc(0);
          if (ContentLength > most) {
            (Body as unknown as { destroy?: () => void }).destroy?.();
            throw tooMuch(address + key, most);
          }
          return Buffer.from(await Body.transformToByteArray());
        } catch (error) {
          if (nameOf(error) === 'NoSuchKey') return null;
          throw error;
        }
      }),

    async move(key, to) {
      const source = `${Bucket}/${encodeURIComponent(prefix + key).replaceAll('%2F', '/')}`;
      try {
        await ask('s3:PutObject', () => client.send(new CopyObjectCommand({ ...at(to), CopySource: source })));
      } catch (error) {
        if (error instanceof SluiceError && error.code === 'SLUICE_NOT_FOUND') return;
        throw error;
      }
      await ask('s3:DeleteObject', () => client.send(new DeleteObjectCommand(at(key))));
    },

    async *list(from): AsyncGenerator<Stored> {
      const pages = paginateListObjectsV2({ client }, { Bucket, Prefix: prefix + from });
      try {
        for await (const { Contents = [] } of pages) {
          for (const { Key, Size = 0, LastModified } of Contents) {
            if (Key === undefined || LastModified === undefined) continue;
            yield { key: Key.slice(prefix.length), bytes: Size, at: LastModified.getTime() };
          }
        }
      } catch (error) {
        throw asOurs(error, address, 's3:ListBucket');
      }
    },

    async remove(key) {
      await ask('s3:DeleteObject', () => client.send(new DeleteObjectCommand(at(key))));
    },

    inS3: (key) =>
      ask('s3:GetObject', async () => ({ bucket: Bucket, key: prefix + key, region: await client.config.region() })),
  };
}

/** Whether the same call may be answered otherwise in a moment: S3 was away or busy, or the connection broke. */
function isPassing(error: unknown): boolean {
  if (error instanceof SluiceError) return false;
  const status = statusOf(error);
  if (nameOf(error) === ON_ITS_WAY || status === 429 || (status !== undefined && status >= 500)) return true;
  return status === undefined && !NO_CREDENTIALS.has(nameOf(error));
}

const NO_CREDENTIALS = new Set([
  'CredentialsProviderError',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
]);

function asOurs(error: unknown, address: string, action: string): SluiceError {
  if (error instanceof SluiceError) return error;
  const name = nameOf(error);
  const said = clean(error instanceof Error ? error.message : error, 300);
  if (name === 'NoSuchKey') return new SluiceError('SLUICE_NOT_FOUND', `${address}: ${said}`);
  if (name === 'NoSuchBucket')
    return new SluiceError(
      'SLUICE_SETUP',
      `the artifact store ${address} does not exist; make the bucket, or mend SLUICE_STORE`,
    );
  if (name === 'PermanentRedirect' || name === 'AuthorizationHeaderMalformed')
    return new SluiceError(
      'SLUICE_SETUP',
      `the artifact store ${address} is in another region (${said}); add ?region=REGION to SLUICE_STORE`,
    );
  if (NO_CREDENTIALS.has(name))
    return new SluiceError('SLUICE_CREDENTIALS', `no credentials of AWS for the artifact store ${address}: ${said}`);
  if (statusOf(error) === 403 || name === 'AccessDenied')
    return new SluiceError(
      'SLUICE_PERMISSION',
      `the artifact store ${address} refuses ${action}: ${said}. Give this role ${action} there`,
    );
  return new SluiceError(
    'SLUICE_PROVIDER',
    `the artifact store ${address} does not answer ${action}: ${said === '' ? name : said}`,
  );
}

function nameOf(error: unknown): string {
  return (error as { name?: string } | null)?.name ?? '';
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode;
}
