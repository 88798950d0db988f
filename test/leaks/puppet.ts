/** Workflows that the test decides itself, task by task, so that a value stands wherever a workflow could put one. */
import { Connection } from '@temporalio/client';

const namespace = 'default';
const QUEUE = 'leak-puppets';
const taskQueue = { name: QUEUE };
const payloads = (value: unknown) => ({
  payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(value)) }],
});

export interface Strings {
  /** What each query is answered, by its type. */
  queries: Record<string, string>;
  /** What an activity has told by its heartbeat, and then failed with. */
  heartbeat: string;
  failure: string;
}

export class Puppets {
  #on = true;
  /** Of the poll under way. */
  #poll = new AbortController();
  #playing: Promise<void> = Promise.resolve();
  readonly #ready: Promise<void>;
  #told: () => void = () => undefined;

  private constructor(
    private readonly connection: Connection,
    private readonly strings: Strings,
  ) {
    this.#ready = new Promise((resolve) => {
      this.#told = resolve;
    });
  }

  /** One of a rollout's type and one of a companion's; resolves when the activity has failed and waits for its next try. */
  static async start(address: string, strings: Strings): Promise<Puppets> {
    const puppets = new Puppets(await Connection.connect({ address }), strings);
    for (const name of ['canary', 'companion']) {
      await puppets.connection.workflowService.startWorkflowExecution({
        ...{ namespace, taskQueue, workflowId: `leak-${name}`, requestId: name, workflowType: { name } },
      });
    }
    puppets.#playing = puppets.#play();
    await puppets.#activity();
    await puppets.#ready;
    return puppets;
  }

  async stop(): Promise<void> {
    this.#on = false;
    this.#poll.abort();
    await this.#playing;
    await this.connection.close();
  }

  async #play(): Promise<void> {
    const { workflowService: service } = this.connection;
    while (this.#on) {
      const poll = () => service.pollWorkflowTaskQueue({ namespace, taskQueue });
      this.#poll = new AbortController();
      const { signal } = this.#poll;
      const task = await this.connection
        .withDeadline(Date.now() + 20_000, () => this.connection.withAbortSignal(signal, poll))
        .catch(() => null);
      const taskToken = task?.taskToken ?? Buffer.alloc(0);
      if (task === null || taskToken.length === 0) continue;
      if (task.query != null) {
        const queryResult = payloads(this.strings.queries[task.query.queryType ?? ''] ?? null);
        // 1 is "answered" (temporal.api.enums.v1.QueryResultType).
        await service.respondQueryTaskCompleted({ namespace, taskToken, completedType: 1, queryResult });
        continue;
      }
      const attributes = {
        ...{ activityId: '1', activityType: { name: 'deploy' }, taskQueue },
        ...{ scheduleToCloseTimeout: { seconds: 600 }, heartbeatTimeout: { seconds: 60 } },
        retryPolicy: { initialInterval: { seconds: 300 } },
      } as object;
      const schedules = task.workflowType?.name === 'canary';
      const commands = schedules ? [{ commandType: 1, scheduleActivityTaskCommandAttributes: attributes }] : [];
      await service.respondWorkflowTaskCompleted({ namespace, taskToken, commands });
    }
  }

  async #activity(): Promise<void> {
    const { workflowService: service } = this.connection;
    const { taskToken } = await this.connection.withDeadline(Date.now() + 20_000, () =>
      service.pollActivityTaskQueue({ namespace, taskQueue }),
    );
    await service.recordActivityTaskHeartbeat({ namespace, taskToken, details: payloads(this.strings.heartbeat) });
    await service.respondActivityTaskFailed({
      ...{ namespace, taskToken },
      failure: { message: this.strings.failure, applicationFailureInfo: { type: 'SLUICE_PROVIDER' } },
    });
    this.#told();
  }
}
