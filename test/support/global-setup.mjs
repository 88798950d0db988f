// Bundles the workflows once for all suites, and only when they have changed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export default async function globalSetup() {
  const digest = createHash('sha256');
  for (const folder of ['workflows', 'src/model']) {
    for (const name of readdirSync(path.join(ROOT, folder)).sort()) digest.update(readFileSync(path.join(ROOT, folder, name)));
  }
  const folder = path.join(ROOT, '.sluice', 'test');
  const bundle = path.join(folder, 'workflow-bundle.js');
  const stamp = path.join(folder, 'workflow-bundle.stamp');
  const is = digest.digest('hex');
  if (existsSync(bundle) && existsSync(stamp) && readFileSync(stamp, 'utf8') === is) return;
  mkdirSync(folder, { recursive: true });
  const { code } = await bundleWorkflowCode({ workflowsPath: path.join(ROOT, 'workflows', 'index.ts'), logger: new DefaultLogger('WARN') });
  writeFileSync(bundle, code);
  writeFileSync(stamp, is);
}
