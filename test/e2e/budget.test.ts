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
import { functionWith, lambdaAt } from '../emulators/aws/functions.js';
import { ROOT } from '../support/tools.js';
import { until } from '../support/until.js';

/** Calls a second of the account, over all workers. */
const BUDGET = 10;
/** Enough rollouts that each worker always has calls waiting for the budget while it is measured. */
const ROLLOUTS = 60;
const WORKERS = 3;
/** Ms after which each worker has heard of the others: it asks every 10 s. */
const HEARD_AFTER = 12_000;

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

const isNear = (rate: number): boolean => rate > BUDGET * 0.7 && rate < BUDGET * 1.3;

/** Calls a second since `from`. */
function rateSince(from: number): number {
  const seconds = (performance.now() - from) / 1_000;
  return calls.filter((time) => time >= from).length / seconds;
}

test('calls of all workers of an account and region together stay near its budget', async () => {
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
  // Until a worker has heard of the others, every 10 s, it takes the whole budget; what it did before then says nothing.
  const heard = performance.now() + HEARD_AFTER;
  const settled = await until('the workers share the budget', () => {
    const from = performance.now() - 4_000;
    return from > heard && isNear(rateSince(from)) ? performance.now() : null;
  });
  await until('five more seconds of calls are counted', () => performance.now() - settled > 5_000);
  const rate = rateSince(settled);
  expect(rate).toBeLessThan(BUDGET * 1.3);
  expect(rate).toBeGreaterThan(BUDGET * 0.7);
});
