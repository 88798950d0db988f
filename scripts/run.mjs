/**
 * `node scripts/run.mjs TARGET PROGRAM ARGS…`: the set-up for TARGET, then a program of the build in this same process,
 * so that its signals and its exit code are the program's own, whoever sends them.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, ready } from './setup.mjs';

const [target, program, ...args] = process.argv.slice(2);
if (target === undefined || program === undefined) {
  process.stderr.write('usage: node scripts/run.mjs TARGET PROGRAM [ARGS…]\n');
  process.exit(2);
}
if (!(await ready(target))) process.exit(1);
process.chdir(ROOT);
process.setSourceMapsEnabled(true);
// Its versions are pinned, so what later ones will need is nothing a person watching this can act on.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
const file = path.join(ROOT, program);
process.argv.splice(1, Number.POSITIVE_INFINITY, file, ...args);
await import(pathToFileURL(file).href);
