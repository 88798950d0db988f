import path from 'node:path';
import { ROOT } from './tools.js';

/** The workflows as jest's global set-up has bundled them; those of a worker that encrypts are a bundle of their own. */
export function workflowBundle(encrypts = false): { workflowBundle: { codePath: string } } {
  const name = encrypts ? 'workflow-bundle-encrypted.js' : 'workflow-bundle.js';
  return { workflowBundle: { codePath: path.join(ROOT, '.sluice', 'test', name) } };
}
