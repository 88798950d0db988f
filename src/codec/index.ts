/** Payload encryption: what a worker, a client and the codec server share. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { EncryptionCodec } from './codec.js';
import { codecKeys } from './keys.js';
import { WorkerCodec } from './worker-codec.js';

export type { EncryptionCodec } from './codec.js';
export { serveCodec } from './server.js';
export { unsealerOf } from './worker-codec.js';

/** The codec of an environment: SLUICE_CODEC_KEYS or SLUICE_CODEC_KEYS_FILE; a key means that it encrypts. Errors: SLUICE_SETUP. */
export function codecOf(env: Record<string, string | undefined>): EncryptionCodec {
  return new EncryptionCodec(codecKeys(env));
}

/** What a client gives to Temporal's SDK. Failures are encoded only where they are encrypted then. */
export function converterOf(codec: EncryptionCodec): DataConverter {
  return { payloadCodecs: [codec], ...(codec.encrypts ? { failureConverterPath: failureConverterPath() } : {}) };
}

/** What a worker gives to it: its workflows get messages as they were sent. */
export function workerConverterOf(codec: EncryptionCodec): DataConverter {
  return { ...converterOf(codec), payloadCodecs: [new WorkerCodec(codec)] };
}

/** Of the build, or of the sources. */
function failureConverterPath(): string {
  const built = fileURLToPath(new URL('./failure-converter.cjs', import.meta.url));
  return existsSync(built) ? built : built.replace(/\.cjs$/, '.cts');
}
