import type { Message } from '../../src/authority/index.js';
import { fitting } from '../../workflows/rollout/checks.js';

const line = (many: number, length: number): Message[] =>
  Array.from({ length: many }, () => ({ verb: 'abort', by: 'dan', token: 'x'.repeat(length) }));

test('an activity checks as many signals as fit into its payload, and at least one', () => {
  expect(fitting(line(1_000, 500))).toHaveLength(400);
  expect(fitting(line(7, 500))).toHaveLength(7);
  const longest = fitting(line(1_000, 8_192));
  expect(longest.length).toBeGreaterThan(100);
  // The server's limit of a payload is 2 MiB.
  expect(JSON.stringify(longest).length).toBeLessThan(2 * 1_024 * 1_024);
  expect(fitting(line(3, 3_000_000))).toHaveLength(1);
});
