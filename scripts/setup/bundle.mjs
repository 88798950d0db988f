/**
 * `node bundle.mjs ENTRY OUT [FAILURE-CONVERTER]`: the workflows as one file, so that a worker starts in 0.2 s instead of
 * bundling itself. A converter of failures is part of the file, so there is one more for workers that encrypt.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

/** Bundles and puts the file there in one piece: a worker may be starting from the old one. */
export async function bundle(entry, out, failureConverterPath) {
  const { code } = await bundleWorkflowCode({
    workflowsPath: entry,
    workflowInterceptorModules: [path.join(path.dirname(entry), `interceptors${path.extname(entry)}`)],
    logger: new DefaultLogger('WARN'),
    ...(failureConverterPath === undefined ? {} : { failureConverterPath }),
  });
  mkdirSync(path.dirname(out), { recursive: true });
  const part = `${out}.${process.pid}`;
  writeFileSync(part, code);
  renameSync(part, out);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundle(...process.argv.slice(2).map((file) => path.resolve(file)));
}
