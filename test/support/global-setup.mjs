/** Bundles the workflows once for all suites, from the sources, and only when something they can import has changed: for workers without encryption and with it. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { bundle } from '../../scripts/setup/bundle.mjs';
import { places } from '../../scripts/setup/places.mjs';
import { digestOf, isStamped, putStamp } from '../../scripts/setup/stamp.mjs';

export default async function globalSetup() {
  const at = places();
  const entry = path.join(at.root, 'workflows', 'index.ts');
  const out = path.join(at.home, 'test', 'workflow-bundle.js');
  const encrypted = path.join(at.home, 'test', 'workflow-bundle-encrypted.js');
  // Wider than the layers allow, so that a breach of them never runs on an old bundle.
  const digest = digestOf(at.root, ['workflows', 'src', 'activities', 'package-lock.json']);
  if (existsSync(out) && existsSync(encrypted) && isStamped(at, 'test-bundle', digest)) return;
  await bundle(entry, out);
  await bundle(entry, encrypted, path.join(at.root, 'src', 'codec', 'failure-converter.cts'));
  putStamp(at, 'test-bundle', digest);
}
