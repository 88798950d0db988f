import { readFileSync } from 'node:fs';
import path from 'node:path';
import { cliDocs } from '../../src/cli/docs.js';
import { ROOT } from '../support/tools.js';

test('docs/cli.md matches the commands', async () => {
  // Written anew by `node dist/src/cli/docs.js`.
  expect(readFileSync(path.join(ROOT, 'docs', 'cli.md'), 'utf8')).toBe(await cliDocs());
});
