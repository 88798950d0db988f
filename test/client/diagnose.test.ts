/** What `doctor` is told where the server answers with an error: that it is not known, never that nobody is there. */
import { type LocalTemporal, startTemporal } from '../../emulators/temporal.js';
import { diagnoseFrom } from '../../src/client/index.js';

let temporal: LocalTemporal;
beforeAll(async () => {
  temporal = await startTemporal({ headless: true });
});
afterAll(() => temporal?.stop());

const ACCOUNT = { platform: 'lambda', account: 'default', region: 'us-east-1' } as const;
const counts = (namespace: string) =>
  diagnoseFrom({ env: { TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: namespace } }, [ACCOUNT]);

test('a server that refuses to list workers does not count as one without workers', async () => {
  const none = { account: ACCOUNT, calls: null, watch: null, restore: null };
  // It knows no such namespace, and every question about its workers is an error.
  expect(await counts('nowhere')).toMatchObject({ unreachable: null, workers: null, accounts: [none] });
});

test('a server that lists no workers has none', async () => {
  const none = { account: ACCOUNT, calls: 0, watch: 0, restore: 0 };
  expect(await counts('default')).toMatchObject({ unreachable: null, workers: 0, accounts: [none] });
});
