/** Checks that a zip can be deployed to its platform. */
import { type Entry, Reader, TextWriter, ZipReader } from '@zip.js/zip.js';
import { SluiceError } from '../model/errors.js';
import { megabytes, type PackingRules } from '../platforms/registry.js';
import { inPlace, insidePackage } from './links.js';

/** Most bytes of where a link in a zip points. */
const LONGEST_LINK = 4096;

/**
 * Refuses a zip that the platform would refuse, or take for something else, after the upload. Those with a zip64 end and those with
 * something before them (a zipapp, a self-extracting one) are zips. Errors: SLUICE_ARTIFACT.
 */
export async function checkZip(bytes: Buffer, file: string, rules: PackingRules): Promise<void> {
  const fail = (why: string) => new SluiceError('SLUICE_ARTIFACT', `${file} cannot be used: ${why}`);
  const reader = new ZipReader(new BytesReader(bytes), { useWebWorkers: false });
  let [files, unzipped] = [0, 0];
  const names: string[] = [];
  const links: string[] = [];
  try {
    // Names that lead out of the folder are refused by the library.
    for await (const entry of reader.getEntriesGenerator()) {
      if (entry.encrypted) throw fail(`"${entry.filename}" is encrypted`);
      unzipped += entry.uncompressedSize;
      names.push(entry.filename);
      if (entry.symlink) links.push(await checkLink(entry, rules, fail));
      if (!entry.directory) files += 1;
    }
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw fail(reasonOf(error));
  } finally {
    await reader.close();
  }
  if (files === 0) throw fail('it contains no file');
  const through = belowOne(names, links);
  if (through !== null) throw fail(`"${through}" is below a link`);
  if (unzipped > rules.mostUnzipped) {
    throw fail(`it unzips to ${megabytes(unzipped)}; ${rules.platform} takes ${megabytes(rules.mostUnzipped)} at most`);
  }
}

/** The link's name. */
async function checkLink(entry: Entry, rules: PackingRules, fail: (why: string) => SluiceError): Promise<string> {
  const name = entry.filename;
  if (rules.links === 'copy') {
    throw fail(
      `"${name}" is a link, and ${rules.platform} would make a text file of it; zip the folder without --symlinks, or give the folder (release.folder), whose links become copies`,
    );
  }
  if (entry.directory || entry.uncompressedSize > LONGEST_LINK) throw fail(`link "${name}" is damaged`);
  const to = await entry.getData(new TextWriter());
  if (insidePackage(name, to) !== null || inPlace(to, rules)) return name;
  throw fail(`link "${name}" points outside it, and not to ${rules.places.join(', ')} of ${rules.platform}`);
}

/** A name that would be written through one of the links. */
function belowOne(names: string[], links: string[]): string | null {
  const known = new Set(links);
  const isBelow = (name: string) =>
    name.split('/').some((_, i, parts) => i > 0 && known.has(parts.slice(0, i).join('/')));
  return links.length === 0 ? null : (names.find(isBelow) ?? null);
}

/** The library's words for what it cannot read, where they say more than that. */
function reasonOf(error: unknown): string {
  const { message = '', filename } = error as Error & { filename?: string };
  if (filename !== undefined) return `"${filename}" would be unpacked outside the folder`;
  return /end of central directory not found/i.test(message)
    ? 'it is not a zip, or is cut off'
    : `its table of contents is damaged (${message.toLowerCase()})`;
}

class BytesReader extends Reader<Buffer> {
  constructor(private readonly bytes: Buffer) {
    super(bytes);
    this.size = bytes.length;
  }

  override async readUint8Array(index: number, length: number): Promise<Uint8Array> {
    return this.bytes.subarray(index, Math.min(index + length, this.size));
  }
}
