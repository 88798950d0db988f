/** SHA-256 of bytes. */
import { createHash } from 'node:crypto';

/** In hex, as artifacts and documents are named by it. */
export function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}
