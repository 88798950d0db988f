/** Bundles the workflows once for all suites, from the sources, and only when something a workflow can import has changed. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { bundle } from '../../scripts/setup/bundle.mjs';
import { places } from '../../scripts/setup/places.mjs';
import { digestOf, isStamped, putStamp } from '../../scripts/setup/stamp.mjs';

export default async function globalSetup() {
  const at = places();
  const entry = path.join(at.root, 'workflows', 'index.ts');
  const out = path.join(at.home, 'test', 'workflow-bundle.js');
  // Wider than the layers allow, so that a breach of them never runs on an old bundle.
  const digest = digestOf(at.root, ['workflows', 'src', 'activities', 'package-lock.json']);
  if (existsSync(out) && isStamped(at, 'test-bundle', digest)) return;
  await bundle(entry, out);
  putStamp(at, 'test-bundle', digest);
}
