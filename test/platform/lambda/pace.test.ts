import { setMaxListeners } from 'node:events';
import { CreateAliasCommand } from '@aws-sdk/client-lambda';
import { mark } from '../../../src/model/ids.js';
import { ALONE, createBudget } from '../../../src/platforms/drivers.js';
import { awsClients, createLambdaDriver } from '../../../src/platforms/lambda/driver/index.js';
import type { CallContext } from '../../../src/platforms/port.js';
import { functionWith } from '../../emulators/aws/functions.js';
import { until } from '../../support/until.js';
import { context, type Stack, startStack } from './stack.js';

const FN = 'paced';
/** Calls a second for the account; the tests hold the driver to it. */
const BUDGET = 10;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
  await functionWith(stack.lambda, FN, ['return 1', 'return 2']);
  await stack.lambda.send(new CreateAliasCommand({ FunctionName: FN, Name: 'live', FunctionVersion: '1' }));
});
afterAll(() => stack?.stop());

test('behind 200 queued deployments an abort reaches weight 0 within 5 seconds, and calls stay near the budget', async () => {
  const clients = awsClients('us-east-1');
  const times: number[] = [];
  clients.lambda.middlewareStack.add(
    (next) => (args) => {
      times.push(performance.now());
      return next(args);
    },
    { step: 'finalizeRequest', name: 'countRequests' },
  );
  const driver = createLambdaDriver({
    clients: () => clients,
    budget: createBudget({ perSecond: BUDGET, share: () => ALONE }),
    artifacts: stack.artifacts,
  });
  const spec = stack.spec(FN, { release: { version: 2 } });
  const { before } = await driver.inspect(context(), spec);
  const fence = { revision: before.revision, mark: mark(spec.app, spec.environment, 'run1', 'shift') };
  const split = { stable: '1', candidate: '2', weight: 50 };
  const shifted = await driver.shift(context(), { spec, ...split, fence });

  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const queued: CallContext = context({ signal: stop.signal });
  const deployments = Array.from({ length: 200 }, (_, n) => {
    const by = mark(spec.app, spec.environment, `run${n + 2}`, 'deploy');
    return driver.deploy(queued, { spec, before, mark: by }).then(
      () => driver.inspect(queued, spec),
      () => null,
    );
  });
  const settledAll = Promise.allSettled(deployments);
  const since = performance.now();
  await until('the deployments are being worked off', () => times.filter((time) => time > since).length >= 10);

  const asked = performance.now();
  const written = await driver.restore(context({ urgent: true }), {
    spec,
    before,
    attempted: [{ mark: fence.mark, split }],
    lastRevision: shifted.revision,
    mark: mark(spec.app, spec.environment, 'run1', 'restore'),
    force: false,
  });
  const took = performance.now() - asked;
  expect(written.split).toEqual({ stable: '1', candidate: null, weight: 0 });
  expect(took).toBeLessThan(5_000);

  await until('some seconds of calls are counted', () => performance.now() - since > 4_000);
  const seconds = (performance.now() - since) / 1_000;
  const rate = times.filter((time) => time > since).length / seconds;
  expect(rate).toBeLessThan(BUDGET * 1.3);
  expect(rate).toBeGreaterThan(BUDGET * 0.7);
  stop.abort();
  await settledAll;
});
