import path from 'node:path';
import { runAborts } from '../../bench/aborts/run.js';
import { ROOT } from '../support/tools.js';

test('20 simultaneous aborts, through a restart by SIGKILL, all end at the stable release within the call budget', async () => {
  const folder = path.join(ROOT, '.sluice', 'e2e', `aborts-${process.pid}`);
  const result = await runAborts({ aborts: 20, workers: 2, restarts: 1, folder });
  expect(result.toZero).toHaveLength(20);
  expect(result).toMatchObject({ outcomes: ['rolledBack'], astray: [] });
  expect(result.busiest).toBeLessThanOrEqual(15);
});
