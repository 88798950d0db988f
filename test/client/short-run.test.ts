/** What becomes of a short workflow that is not answered: terminated only where no worker has it, and told as what it may have done. */
import { jest } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import { TimeoutFailure } from '@temporalio/common';
import type { Link } from '../../src/client/connect.js';
import { adopt, callers, moveCallers } from '../../src/client/short.js';
import type { MoveRequest } from '../../src/client/types.js';
import type { SluiceError } from '../../src/model/errors.js';

const TARGET = {
  platform: 'lambda' as const,
  account: 'default',
  region: 'us-east-1',
  function: 'shop',
  alias: 'live',
};
const AT = { app: 'shop', environment: 'production' };
const REQUEST: MoveRequest & { shown: string } = {
  ...AT,
  how: { undo: false, publish: false },
  input: { ...AT, target: TARGET, release: { version: 1 } },
  shown: 'digest',
};
const MOVED = { done: [], left: [] };

/** A server without workers. `lengths`: of the history, at each look; `answer` is called when the workflow has started. */
function server(lengths: number[], answer: () => Promise<unknown>) {
  const terminated: string[] = [];
  const limits: unknown[] = [];
  const handle = {
    workflowId: 'moving',
    describe: async () => ({ historyLength: lengths.shift() ?? 2 }),
    result: answer,
    terminate: async (reason: string) => terminated.push(reason),
  };
  const temporal = {
    options: { namespace: 'default' },
    withDeadline: (_: number, work: () => Promise<unknown>) => work(),
    workflowService: {
      describeNamespace: async () => ({ namespaceInfo: { capabilities: { workerHeartbeats: true } } }),
      listWorkers: async () => ({ workersInfo: [], nextPageToken: new Uint8Array() }),
      describeTaskQueue: async () => ({ pollers: [] }),
    },
    workflow: {
      start: async (_: string, { workflowExecutionTimeout }: { workflowExecutionTimeout: unknown }) => {
        limits.push(workflowExecutionTimeout);
        return handle;
      },
      getHandle: () => handle,
    },
  };
  const link = {
    temporal,
    codec: { encrypts: false },
    address: 'here',
    namespace: 'default',
    signer: async () => null,
    login: { when: 'never' },
    robot: null,
  };
  return { link: link as unknown as Link, terminated, limits };
}

describe('a request that no worker has taken at first', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('goes on where a worker has taken it while the server was asked for workers', async () => {
    let end: (moved: typeof MOVED) => void = () => undefined;
    const { link, terminated } = server([2, 5], () => new Promise((resolve) => (end = resolve)));
    const moving = moveCallers(link, REQUEST);
    moving.catch(() => undefined);
    await jest.advanceTimersByTimeAsync(60_000);
    end(MOVED);
    await expect(moving).resolves.toEqual(MOVED);
    expect(terminated).toEqual([]);
  });

  test('is terminated where nobody has', async () => {
    const { link, terminated } = server([2, 2], () => new Promise(() => undefined));
    const moving = moveCallers(link, REQUEST);
    const refused = expect(moving).rejects.toMatchObject({ code: 'SLUICE_NO_WORKER' });
    await jest.advanceTimersByTimeAsync(60_000);
    await refused;
    expect(terminated).toEqual(['no worker took it']);
  });
});

test.each([
  [
    'moveCallers',
    moveCallers,
    'moveCallers did not end within 900 s, and some callers of shop/production may have been moved; run',
  ],
  ['adopt', adopt, 'adoptTarget did not end within 900 s, and shop/production may have been adopted; run'],
])(
  '%s whose time is over says what it may have done, and is not ended before its own calls are',
  async (_, ask, says) => {
    const over = new WorkflowFailedError(
      'Workflow execution failed',
      new TimeoutFailure('over', undefined, 'START_TO_CLOSE'),
      0 as never,
    );
    const { link, terminated, limits } = server([], async () => Promise.reject(over));
    const error = await ask(link, REQUEST).then(
      () => null,
      (failed: SluiceError) => failed,
    );
    expect(error?.message).toContain(says);
    expect(terminated).toEqual([]);
    // Two light activities at 5 minutes, two of the account at 2.
    expect(Number(limits[0])).toBeGreaterThan(14 * 60_000);
  },
);

test('a request that changes nothing says that it did not end, and no more', async () => {
  const over = new WorkflowFailedError(
    'Workflow execution failed',
    new TimeoutFailure('over', undefined, 'START_TO_CLOSE'),
    0 as never,
  );
  const { link } = server([], async () => Promise.reject(over));
  Object.assign(link.temporal.workflow.getHandle(''), { describe: async () => ({ status: { name: 'COMPLETED' } }) });
  await expect(callers(link, REQUEST)).rejects.toThrow(/^lookCallers did not end within 150 s: no worker/);
});
