import path from 'node:path';
import { ROOT } from './tools.js';

/** The workflows as jest's global set-up has bundled them. */
export function workflowBundle(): { workflowBundle: { codePath: string } } {
  return { workflowBundle: { codePath: path.join(ROOT, '.sluice', 'test', 'workflow-bundle.js') } };
}
