/** The code of a published version, to be given to `$LATEST` again. */
import { type FunctionCode, GetFunctionCommand } from '@aws-sdk/client-lambda';
import { fetch as plainFetch } from 'undici';
import { SluiceError } from '../../../model/errors.js';
import { createNet } from '../../../net/index.js';
import { sha256 } from '../../../store/index.js';
import { MOST_IN_CALL } from '../kit.js';
import { call, type Session } from './client.js';
import { type LambdaConfiguration, lambdaDigest } from './configuration.js';

/** Longest a download may take, in ms: the link that AWS gives is good for ten minutes. */
const LONGEST_DOWNLOAD = 300_000;

/** Where code is fetched from: the provider's own address, resolved and connected to like any foreign one. */
const guarded = createNet('');

/**
 * The code of a version as `UpdateFunctionCode` takes it: an image by its digest, a zip as its bytes, whose digest is that of
 * the version. Errors: SLUICE_REFUSED where it cannot be had or is another one, SLUICE_PROVIDER where the download failed.
 */
export async function codeOfVersion(session: Session, version: LambdaConfiguration): Promise<FunctionCode> {
  const name = `${session.target.function}:${version.Version}`;
  const asked = new GetFunctionCommand({ FunctionName: session.target.function, Qualifier: version.Version });
  // Whether the endpoint of Lambda itself uses TLS; one on this machine does not, and neither do its links.
  let plain = false;
  asked.middlewareStack.add(
    (next) => (args) => {
      plain = (args.request as { protocol?: string }).protocol === 'http:';
      return next(args);
    },
    { step: 'finalizeRequest', name: 'seeProtocol' },
  );
  const { Code } = await call(session, asked);
  const images = [Code?.ResolvedImageUri, Code?.ImageUri].filter((uri) => uri !== undefined);
  if (images.length > 0) {
    // A tag may have moved since; the digest is what the version runs.
    const image = images.find((uri) => digestIn(uri) === version.CodeSha256);
    if (image !== undefined) return { ImageUri: image };
    throw new SluiceError('SLUICE_REFUSED', `AWS gives no address with its digest for the image of ${name}`);
  }
  if (Code?.Location === undefined) {
    const { ErrorCode, Message } = Code?.Error ?? {};
    const why = [ErrorCode, Message].filter((part) => part !== undefined).join(': ');
    throw new SluiceError('SLUICE_REFUSED', `AWS gives no link to the code of ${name}${why === '' ? '' : `: ${why}`}`);
  }
  const bytes = await download(session, Code.Location, plain, name);
  if (lambdaDigest(sha256(bytes)) !== version.CodeSha256) {
    throw new SluiceError('SLUICE_REFUSED', `the code behind the link to ${name} is not that of the version`);
  }
  const key = Code.SourceKMSKeyArn;
  return { ZipFile: bytes, ...(key === undefined ? {} : { SourceKMSKeyArn: key }) };
}

/** Hex SHA-256 that an image is named by, which is also its CodeSha256. Undefined: it is named by a tag. */
export function digestIn(image: string): string | undefined {
  return image.split('@sha256:')[1];
}

/** The link is a secret for as long as it is good: no message has it. */
async function download(session: Session, location: string, plain: boolean, name: string): Promise<Uint8Array> {
  const signal = AbortSignal.any([session.ctx.signal, AbortSignal.timeout(LONGEST_DOWNLOAD)]);
  const { protocol } = new URL(location);
  if (protocol !== 'https:' && !(plain && protocol === 'http:')) {
    throw new SluiceError('SLUICE_REFUSED', `the link to the code of ${name} is not https`);
  }
  try {
    const answer =
      protocol === 'https:'
        ? await guarded.fetch(location, { signal })
        : await plainFetch(location, { signal, redirect: 'manual' });
    if (answer.status !== 200 || answer.body === null) {
      throw new SluiceError('SLUICE_PROVIDER', `the link to the code of ${name} answered ${answer.status}`);
    }
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength;
      if (bytes > MOST_IN_CALL) throw new SluiceError('SLUICE_REFUSED', `the code of ${name} is larger than 50 MB`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    if (session.ctx.signal.aborted) throw error;
    throw new SluiceError('SLUICE_PROVIDER', `the code of ${name} could not be downloaded`);
  }
}
