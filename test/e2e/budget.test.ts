/** The budget of calls as production has it: worker processes that know of each other by Temporal only. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { CreateAliasCommand } from '@aws-sdk/client-lambda';
import { Client, Connection } from '@temporalio/client';
import { type EmulatedAws, startAws } from '../../emulators/aws/index.js';
import { readBody, send, type Upstream, upstreamOf } from '../../emulators/http.js';
import type { Running } from '../../emulators/process.js';
import { type LocalTemporal, startTemporal } from '../../emulators/temporal.js';
import { awsEnv } from '../../src/demo/clouds/lambda.js';
import { startWorkerProcess } from '../../src/demo/stack.js';
import { accountQueue } from '../../src/model/ids.js';
import { listPollers, livingWorkers } from '../../src/temporal/living-workers.js';
import { functionWith, lambdaAt } from '../emulators/aws/functions.js';
import { ROOT } from '../support/tools.js';
import { until } from '../support/until.js';

/** Calls a second of the account, over all workers. */
const BUDGET = 10;
/** Enough rollouts that each worker always has calls waiting for the budget while it is measured. */
const ROLLOUTS = 120;
const WORKERS = 3;
/** What all of them may make in any second: those that restore too. */
const LIMIT = 15;

let temporal: LocalTemporal;
let aws: EmulatedAws;
let connection: Connection;
let upstream: Upstream;
let counter: Server;
const workers: Running[] = [];
/** When each control-plane call of Lambda came, on a monotonic clock in ms. */
const calls: number[] = [];

beforeAll(async () => {
  const folder = path.join(ROOT, '.sluice', 'e2e', `budget-${process.pid}`);
  temporal = await startTemporal({ headless: true });
  aws = await startAws();
  connection = await Connection.connect({ address: temporal.address });
  upstream = upstreamOf(aws.endpoint);
  counter = createServer((request, response) => {
    const { method = 'GET', url = '/', headers } = request;
    if (/^\/\d{4}-\d\d-\d\d\//.test(url) && !url.includes('/invocations')) calls.push(performance.now());
    void readBody(request)
      .then((body) => upstream.call({ method, path: url, headers, body }))
      .then(
        (answer) => send(response, answer),
        () => response.destroy(),
      );
  });
  await new Promise<void>((resolve) => counter.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(counter.address() as AddressInfo).port}`;
  for (let n = 0; n < WORKERS; n += 1) {
    const env = { ...awsEnv(endpoint), SLUICE_CALLS_PER_SECOND: String(BUDGET) };
    workers.push(await startWorkerProcess({ temporal: temporal.address, folder, env }));
  }
});

afterAll(async () => {
  await Promise.allSettled(workers.map((worker) => worker.stop()));
  counter?.closeAllConnections();
  counter?.close();
  upstream?.close();
  await connection?.close();
  await Promise.allSettled([aws?.stop(), temporal?.stop()]);
});

/** Whether calls come at nearly the rate of the budget since `from`: what one worker of three would make is far less. */
function isUsed(from: number): boolean {
  const seconds = (performance.now() - from) / 1_000;
  return calls.filter((time) => time >= from).length / seconds > BUDGET * 0.7;
}

/** Most calls within any second. */
function busiestSecond(): number {
  return Math.max(...calls.map((from) => calls.filter((time) => time >= from && time < from + 1_000).length));
}

test('calls of all workers together use the budget, stay under 15 a second, and killed workers free their share', async () => {
  const lambda = lambdaAt(aws.endpoint);
  await functionWith(lambda, 'shop', ['return 1', 'return 2']);
  const client = new Client({ connection });
  for (let n = 0; n < ROLLOUTS; n += 1) {
    const alias = `live-${n}`;
    await lambda.send(new CreateAliasCommand({ FunctionName: 'shop', Name: alias, FunctionVersion: '1' }));
    await client.workflow.start('direct', {
      workflowId: `shop/target-${n}`,
      taskQueue: 'sluice',
      args: [
        {
          app: 'shop',
          environment: `target-${n}`,
          target: { function: 'shop', alias, region: 'us-east-1' },
          release: { version: 2 },
          strategy: { type: 'direct', bake: '1h' },
          health: { probes: [{ name: 'smoke', invoke: { payload: {} }, every: '10s' }] },
        },
      ],
    });
  }
  await until('the workers use the budget', () => isUsed(performance.now() - 4_000));

  await Promise.all(workers.slice(1).map((worker) => worker.kill9()));
  const queue = accountQueue({ platform: 'lambda', account: 'default', region: 'us-east-1' }, 'calls');
  const living = async () => (await livingWorkers(client, queue, 'activity')).workers;
  // The server lists their pollers for minutes.
  await until('one worker lives', async () => (await living()) === 1);
  expect((await listPollers(client, queue, 'activity')).size).toBe(WORKERS);
  await until('the last worker uses the budget', () => isUsed(performance.now() - 4_000));
  expect(busiestSecond()).toBeLessThanOrEqual(LIMIT);
});
