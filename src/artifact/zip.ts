import { SluiceError } from '../model/errors.js';
import { MOST_UNZIPPED, megabytes } from './store.js';

/** Signatures and offsets of the zip format (PKWARE's APPNOTE 6.3.10, sections 4.3.12 and 4.3.16). */
const END = 0x06054b50;
const END_SIZE = 22;
const ENTRY = 0x02014b50;
const ENTRY_SIZE = 46;
const LONGEST_COMMENT = 0xffff;

/** Refuses what Lambda would refuse only after the upload. Errors: SLUICE_ARTIFACT. */
export function checkZip(bytes: Buffer, file: string): void {
  const fail = (why: string) => new SluiceError('SLUICE_ARTIFACT', `${file} cannot be used: ${why}`);
  const end = findEnd(bytes);
  if (end === null) throw fail('it is not a zip, or is cut off');
  const entries = bytes.readUInt16LE(end + 10);
  if (entries === 0) throw fail('it holds no file');
  let unzipped = 0;
  let at = bytes.readUInt32LE(end + 16);
  for (let i = 0; i < entries; i += 1) {
    if (at + ENTRY_SIZE > bytes.length || bytes.readUInt32LE(at) !== ENTRY)
      throw fail('its table of contents is damaged');
    unzipped += bytes.readUInt32LE(at + 24);
    at += ENTRY_SIZE + bytes.readUInt16LE(at + 28) + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  if (unzipped > MOST_UNZIPPED) {
    throw fail(`it unzips to ${megabytes(unzipped)}; Lambda takes ${megabytes(MOST_UNZIPPED)} at most`);
  }
}

/** Offset of the end record, which only a comment may follow. */
function findEnd(bytes: Buffer): number | null {
  const first = Math.max(0, bytes.length - END_SIZE - LONGEST_COMMENT);
  for (let at = bytes.length - END_SIZE; at >= first; at -= 1) {
    if (bytes.readUInt32LE(at) === END) return at;
  }
  return null;
}
