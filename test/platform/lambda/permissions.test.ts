import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ACTIONS } from '../../../src/platforms/lambda/driver/permissions.js';
import { ROOT } from '../../support/tools.js';

test('the role on docs/platforms.md is the one that the tests run with', () => {
  const page = readFileSync(path.join(ROOT, 'docs/platforms.md'), 'utf8');
  for (const [purpose, actions] of Object.entries(ACTIONS)) {
    expect(page).toContain(`- ${purpose}: ${actions.map((action) => `\`${action}\``).join(', ')}\n`);
  }
});
