/** A worker is told to end while the Temporal server is away: with nothing to do, and with a watcher at work. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateAliasCommand } from '@aws-sdk/client-lambda';
import { Client, Connection } from '@temporalio/client';
import { type EmulatedAws, startAws } from '../../emulators/aws/index.js';
import { type LocalTemporal, startTemporal } from '../../emulators/temporal.js';
import { awsEnv } from '../../src/demo/clouds/lambda.js';
import { functionWith, lambdaAt } from '../emulators/aws/functions.js';
import { ROOT } from '../support/tools.js';
import { until } from '../support/until.js';

let folder: string;
let aws: EmulatedAws;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-shutdown-'));
  aws = await startAws();
  const lambda = lambdaAt(aws.endpoint);
  await functionWith(lambda, 'shop', ['return 1', 'return 2']);
  await lambda.send(new CreateAliasCommand({ FunctionName: 'shop', Name: 'live', FunctionVersion: '1' }));
});
afterAll(async () => {
  await aws?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function startWorker(temporal: LocalTemporal) {
  const child = spawn(process.execPath, [path.join(ROOT, 'dist', 'src', 'worker', 'main.js')], {
    env: {
      PATH: process.env.PATH,
      TEMPORAL_ADDRESS: temporal.address,
      SLUICE_POLICY: 'open',
      SLUICE_STORE: path.join(folder, 'artifacts'),
      SLUICE_LOG_LEVEL: 'error',
      ...awsEnv(aws.endpoint),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return { child, ready: once(child.stdout, 'data'), said: () => said };
}

/** Until a watcher is at work. */
async function watching(temporal: LocalTemporal): Promise<void> {
  const connection = await Connection.connect({ address: temporal.address });
  try {
    const client = new Client({ connection });
    const spec = {
      target: { function: 'shop', alias: 'live', region: 'us-east-1' },
      release: { version: 2 },
      strategy: { type: 'direct', bake: '1h' },
      health: { probes: [{ name: 'smoke', invoke: { payload: {} }, every: '10s' }] },
    };
    const handle = await client.workflow.start('direct', {
      workflowId: 'shop/production',
      taskQueue: 'sluice',
      args: [{ app: 'shop', environment: 'production', ...spec }],
    });
    await until('the watcher is at work', async () => {
      const { raw } = await handle.describe();
      return raw.pendingActivities?.some(
        ({ activityType, state }) => activityType?.name === 'watch' && Number(state) === 2,
      );
    });
  } finally {
    await connection.close();
  }
}

test.each([
  ['nothing to do', async () => undefined],
  ['a running watcher', watching],
])('a worker with %s ends cleanly on SIGTERM while the server is down, and says so', async (_, prepare) => {
  const temporal = await startTemporal({ headless: true });
  const worker = startWorker(temporal);
  try {
    await worker.ready;
    await prepare(temporal);
    await temporal.kill9();
    const ended = once(worker.child, 'exit');
    worker.child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(
      worker.said().match(/^the worker is stopping while the Temporal server at \S+ cannot be reached: /gm),
    ).toHaveLength(1);
  } finally {
    worker.child.kill('SIGKILL');
    await temporal.stop();
  }
});
