import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { type LocalTemporal, startTemporal } from '../../emulators/temporal.js';

let folder: string;
const started: LocalTemporal[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'temporal-test-'));
});
afterAll(async () => {
  await Promise.all(started.map((each) => each.stop()));
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: Parameters<typeof startTemporal>[0]): Promise<LocalTemporal> {
  const temporal = await startTemporal(options);
  started.push(temporal);
  return temporal;
}

async function withClient<T>(temporal: LocalTemporal, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: temporal.address });
  try {
    return await work(new Client({ connection, namespace: temporal.namespace }));
  } finally {
    await connection.close();
  }
}

test('a workflow survives kill -9 and a restart with the same port and file', async () => {
  const dbFile = join(folder, 'kill', 't.db');
  const first = await start({ dbFile, headless: true });
  await withClient(first, (client) =>
    client.workflow.start('nobodyRunsThis', { taskQueue: 'none', workflowId: 'kept' }),
  );
  await first.kill9();
  const second = await start({ dbFile, headless: true, port: first.port });
  expect(second.address).toBe(first.address);
  expect(second.pid).not.toBe(first.pid);
  const description = await withClient(second, (client) => client.workflow.getHandle('kept').describe());
  expect(description.status.name).toBe('RUNNING');
});

test('the web UI answers, and the requested namespace exists', async () => {
  const temporal = await start({ namespace: 'rollouts' });
  const page = await fetch(temporal.uiUrl ?? '');
  expect(page.status).toBe(200);
  const namespace = await withClient(temporal, (client) =>
    client.workflowService.describeNamespace({ namespace: 'rollouts' }),
  );
  expect(namespace.namespaceInfo?.name).toBe('rollouts');
});

test('without the web UI there is no UI address', async () => {
  expect((await start({ headless: true })).uiUrl).toBeNull();
});
