/** Every call to the server has a deadline, and its errors are in our words; a watch goes on while only the workers are silent. */
import { jest } from '@jest/globals';
import { ServiceError } from '@temporalio/client';
import type { Link } from '../../src/client/connect.js';
import { runningRun } from '../../src/client/look.js';
import { prune } from '../../src/client/prune.js';
import { watch } from '../../src/client/watch.js';

const AT = { app: 'shop', environment: 'production' };

function answered(code: number, details: string): Error {
  const grpc = Object.assign(new Error(`${code} X: ${details}`), { code, details, metadata: {} });
  return new ServiceError('Failed to call', { cause: grpc });
}

/** A link whose server hangs up on who asks without a deadline. */
function linkTo(server: {
  describe?: () => Promise<unknown>;
  query?: () => Promise<unknown>;
  history?: () => Promise<unknown>;
}) {
  let bounded = 0;
  const asked = (work: () => Promise<unknown>) => async () => {
    if (bounded === 0) throw new Error('asked without a deadline');
    return work();
  };
  const never = () => Promise.reject(new Error('nobody asks for it'));
  const temporal = {
    options: { namespace: 'default', loadedDataConverter: { payloadCodecs: [] } },
    withDeadline: async (_: number, work: () => Promise<unknown>) => {
      bounded += 1;
      try {
        return await work();
      } finally {
        bounded -= 1;
      }
    },
    withAbortSignal: () => new Promise(() => undefined),
    workflowService: {
      describeNamespace: () => Promise.reject(answered(12, 'it is old')),
      getWorkflowExecutionHistory: asked(server.history ?? never),
    },
    workflow: {
      getHandle: () => ({
        workflowId: 'shop/production',
        describe: asked(server.describe ?? never),
        query: asked(server.query ?? never),
      }),
      async *list({ query }: { query: string }) {
        if (!query.includes('targetCompanion')) yield { workflowId: 'shop/production', runId: 'run' };
      },
    },
  };
  const artifacts = { unused: async () => [] };
  return { temporal, artifacts, address: 'here:7233', namespace: 'default' } as unknown as Link;
}

test('the look whether a rollout runs has a deadline', async () => {
  const running = {
    status: { name: 'RUNNING' },
    runId: 'run-2',
    raw: { workflowExecutionInfo: { firstRunId: 'run-1' } },
  };
  expect(await runningRun(linkTo({ describe: async () => running }), AT)).toBe('run-1');
  const away = linkTo({ describe: () => Promise.reject(answered(4, 'too late')) });
  await expect(runningRun(away, AT)).rejects.toMatchObject({ code: 'SLUICE_UNREACHABLE' });
});

test('a prune whose look into a rollout is not answered says why, and deletes nothing', async () => {
  const of = { account: 'prod', region: 'eu-west-1', remove: true };
  const input = { payloads: [{ data: Buffer.from(`{"sha256":"${'a'.repeat(64)}"}`) }] };
  const events = [{ workflowExecutionStartedEventAttributes: { input } }];
  const link = linkTo({ history: async () => ({ history: { events } }) });
  const unused = jest.spyOn(link.artifacts, 'unused');
  await prune(link, of);
  expect(unused).toHaveBeenCalledWith(expect.anything(), new Set(['a'.repeat(64)]));

  const away = linkTo({ history: () => Promise.reject(answered(4, 'too late')) });
  await expect(prune(away, of)).rejects.toMatchObject({
    code: 'SLUICE_UNREACHABLE',
    message: expect.stringContaining('here:7233'),
  });
});

test('a watch goes on for longer than a server may be away while only nobody answers in time', async () => {
  const link = linkTo({
    describe: async () => ({ status: { name: 'RUNNING' }, workflowId: 'shop/production', runId: 'run', raw: {} }),
    query: () => Promise.reject(answered(4, 'too late')),
  });
  let now = Date.now();
  const clock = jest.spyOn(Date, 'now').mockImplementation(() => now);
  const watching = watch(link, AT);
  try {
    for (let looks = 0; looks < 3; looks += 1) {
      const { value } = await watching.next();
      expect(value).toMatchObject({ ended: false, trouble: expect.stringContaining('did not answer within 5 s') });
      now += 61_000;
    }
  } finally {
    clock.mockRestore();
    await watching.return(undefined);
  }
});
