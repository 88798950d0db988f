/** A bucket of S3, or of a server with the S3 API, as a store. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { SluiceError } from '../model/errors.js';
import { clean } from '../model/text.js';
import { drained, heard, longest, WAITS, type Waits, within } from './deadline.js';
import { tooLargeToMove } from './files.js';
import type { ObjectStore, Stored } from './port.js';
import { repeated } from './repeat.js';

const CONNECT = 5_000;
/** Most bytes that S3 copies in one call: 5 GB (CopyObject). */
const MOST_COPIED = 5 * 1024 ** 3;

/** What S3 answers when the key is taken already or has other bytes, and when another call to it is on its way. */
const TAKEN = 'PreconditionFailed';
const CHANGED = TAKEN;
const ON_ITS_WAY = 'ConditionalRequestConflict';

/** With the AWS chain's credentials; the region is that of the bucket. */
export function s3Store(of: { bucket: string; prefix: string; region?: string }, waits: Waits = WAITS): ObjectStore {
  const { bucket: Bucket, prefix } = of;
  const client = new S3Client({
    ...(of.region === undefined ? {} : { region: of.region }),
    // An emulator has no names of hosts for its buckets.
    forcePathStyle: process.env.AWS_ENDPOINT_URL_S3 !== undefined || process.env.AWS_ENDPOINT_URL !== undefined,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: CONNECT, requestTimeout: waits.silence, throwOnRequestTimeout: true },
  });
  const address = `s3://${Bucket}/${prefix}`;
  const at = (key: string) => ({ Bucket, Key: prefix + key });
  /** Again when S3 was away; an error in our words, with the right that was missing. `bytes`: so many are carried. */
  const ask = <T>(action: string, work: (abortSignal: AbortSignal) => Promise<T>, bytes = 0): Promise<T> =>
    repeated(() => within(longest(waits, bytes), work), isPassing).catch((error: unknown) => {
      throw asOurs(error, address, action);
    });
  /** False: the object is another one now than was seen, or it is gone. */
  const unlessChanged = async (work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      if (nameOf(error) === CHANGED || nameOf(error) === 'NoSuchKey') return false;
      throw error;
    }
  };

  return {
    address,

    create: (key, bytes) =>
      ask(
        's3:PutObject',
        async (abortSignal) => {
          try {
            const put = new PutObjectCommand({
              ...at(key),
              Body: bytes,
              ContentLength: bytes.length,
              IfNoneMatch: '*',
              ChecksumSHA256: createHash('sha256').update(bytes).digest('base64'),
            });
            await client.send(put, { abortSignal });
            return true;
          } catch (error) {
            if (nameOf(error) === TAKEN) return false;
            throw error;
          }
        },
        bytes.length,
      ),

    read: (key, most) =>
      ask(
        's3:GetObject',
        async (abortSignal) => {
          try {
            const got = await within(longest(waits), async () => {
              const answer = await client.send(new GetObjectCommand(at(key)), { abortSignal });
              heard(answer.Body);
              return answer;
            });
            const { Body, ContentLength: size = 0, ETag: tag = '' } = got;
            const bytes = Body === undefined ? Buffer.alloc(0) : await drained(Body as Readable, { most, size }, waits);
            return { tag, size, bytes };
          } catch (error) {
            if (nameOf(error) === 'NoSuchKey') return null;
            throw error;
          }
        },
        most,
      ),

    async move(key, to, { tag, size }) {
      if (size > MOST_COPIED) throw tooLargeToMove(address + key, size, MOST_COPIED);
      const source = `${Bucket}/${encodeURIComponent(prefix + key).replaceAll('%2F', '/')}`;
      const copy = new CopyObjectCommand({ ...at(to), CopySource: source, CopySourceIfMatch: tag });
      const copied = await ask(
        's3:PutObject',
        (abortSignal) => unlessChanged(() => client.send(copy, { abortSignal })),
        size,
      );
      if (!copied) return false;
      const remove = new DeleteObjectCommand({ ...at(key), IfMatch: tag });
      return ask('s3:DeleteObject', (abortSignal) => unlessChanged(() => client.send(remove, { abortSignal })));
    },

    async *list(from): AsyncGenerator<Stored> {
      let ContinuationToken: string | undefined;
      do {
        const page = new ListObjectsV2Command({
          ...{ Bucket, Prefix: prefix + from },
          ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
        });
        const answer = await ask('s3:ListBucket', (abortSignal) => client.send(page, { abortSignal }));
        for (const { Key, Size = 0, LastModified } of answer.Contents ?? []) {
          if (Key === undefined || LastModified === undefined) continue;
          yield { key: Key.slice(prefix.length), bytes: Size, at: LastModified.getTime() };
        }
        ContinuationToken = answer.NextContinuationToken;
      } while (ContinuationToken !== undefined);
    },

    async remove(key) {
      await ask('s3:DeleteObject', (abortSignal) => client.send(new DeleteObjectCommand(at(key)), { abortSignal }));
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
      `the artifact store ${address} does not exist; create the bucket, or correct SLUICE_STORE`,
    );
  if (name === 'PermanentRedirect' || name === 'AuthorizationHeaderMalformed')
    return new SluiceError(
      'SLUICE_SETUP',
      `the artifact store ${address} is in another region (${said}); add ?region=REGION to SLUICE_STORE`,
    );
  if (NO_CREDENTIALS.has(name))
    return new SluiceError('SLUICE_CREDENTIALS', `no AWS credentials for the artifact store ${address}: ${said}`);
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
