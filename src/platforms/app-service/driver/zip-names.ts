/** The names in a zip. */
import { Uint8ArrayReader, ZipReader } from '@zip.js/zip.js';
import { SluiceError } from '../../../model/errors.js';
import { clean } from '../../../model/text.js';

/** Names of what a zip holds; those of folders end with `/`. Errors: SLUICE_ARTIFACT for what is no zip. */
export async function namesInZip(zip: Uint8Array): Promise<string[]> {
  const reader = new ZipReader(new Uint8ArrayReader(zip), { useWebWorkers: false });
  const names: string[] = [];
  try {
    for await (const { filename } of reader.getEntriesGenerator()) names.push(filename);
  } catch (error) {
    const why = clean(error instanceof Error ? error.message : error, 200);
    throw new SluiceError('SLUICE_ARTIFACT', `what the package holds cannot be read (${why}); pack it again`);
  } finally {
    await reader.close();
  }
  return names;
}
