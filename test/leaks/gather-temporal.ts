/** What Temporal keeps and shows: looked at all the time while rollouts run, and whole when they have ended. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Gathered, PlaceName } from './gathered.js';
import { bytesIn, Wire } from './wire.js';

/** Milliseconds between two looks at what runs. */
const EVERY = 200;
const namespace = 'default';
/** Queue of workflows that nobody works on: they would answer no query. */
export const NOBODY = 'leak-nobody';

interface Execution {
  workflowId: string;
  runId: string;
  type: string;
  open: boolean;
  /** Somebody works on it. */
  answers: boolean;
}

export class TemporalGatherer {
  #on = true;
  #watching: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly wire: Wire,
    /** Queries have their own: one that waits for a worker must not keep what passes quickly from being seen. */
    private readonly asking: Wire,
    private readonly to: Gathered,
    private readonly looks: (workflowId: string) => boolean,
  ) {}

  /** `looks`: at which workflows; at all unless given. */
  static async start(
    address: string,
    to: Gathered,
    looks: (workflowId: string) => boolean = () => true,
  ): Promise<TemporalGatherer> {
    const gatherer = new TemporalGatherer(await Wire.to(address), await Wire.to(address), to, looks);
    const looking = [
      gatherer.#watch((one) => gatherer.#describe(one)),
      gatherer.#watch((one) => gatherer.#queries(one)),
    ];
    gatherer.#watching = Promise.all(looking);
    return gatherer;
  }

  async close(): Promise<void> {
    this.#on = false;
    await this.#watching;
    await Promise.all([this.wire.close(), this.asking.close()]);
  }

  /** Everything that is kept, of open and closed workflows. */
  async whole(): Promise<void> {
    for (const one of await this.#executions()) {
      await this.#history(one);
      await this.#describe(one);
      await this.#queries(one);
    }
  }

  /** Looks at what is open, again and again. */
  async #watch(look: (one: Execution) => Promise<void>): Promise<void> {
    while (this.#on) {
      for (const one of (await this.#executions()).filter(({ open }) => open)) await look(one);
      await pause(EVERY);
    }
  }

  async #executions(): Promise<Execution[]> {
    const found: Execution[] = [];
    let nextPageToken: Uint8Array = Buffer.alloc(0);
    do {
      const request = { namespace, nextPageToken };
      const { answer, bytes } = await this.wire.ask((service) => service.listWorkflowExecutions(request));
      this.to.add('visibility list', 'list', bytes);
      for (const { execution, type, status, taskQueue } of answer.executions ?? []) {
        const { workflowId = '', runId = '' } = execution ?? {};
        // 1 is "running" (temporal.api.enums.v1.WorkflowExecutionStatus).
        const about = { workflowId: workflowId ?? '', runId: runId ?? '', type: type?.name ?? '' };
        found.push({ ...about, open: status === 1, answers: taskQueue !== NOBODY });
      }
      nextPageToken = answer.nextPageToken ?? Buffer.alloc(0);
    } while (nextPageToken.length > 0);
    return found.filter(({ workflowId }) => this.looks(workflowId));
  }

  async #history({ workflowId, runId }: Execution): Promise<void> {
    let nextPageToken: Uint8Array = Buffer.alloc(0);
    do {
      const request = { namespace, execution: { workflowId, runId }, nextPageToken };
      const { answer, bytes } = await this.wire.ask((service) => service.getWorkflowExecutionHistory(request));
      this.to.add('history', `${workflowId} ${runId}`, bytes);
      nextPageToken = answer.nextPageToken ?? Buffer.alloc(0);
    } while (nextPageToken.length > 0);
  }

  async #describe({ workflowId, runId }: Execution): Promise<void> {
    const request = { namespace, execution: { workflowId, runId } };
    const { answer, bytes } = await this.wire.ask((service) => service.describeWorkflowExecution(request));
    const where = `${workflowId} ${runId}`;
    this.to.add('describe', where, bytes);
    this.to.add('memo', where, bytesIn(answer.workflowExecutionInfo?.memo));
    this.to.add('search attributes', where, bytesIn(answer.workflowExecutionInfo?.searchAttributes));
    for (const { activityType, heartbeatDetails, lastFailure } of answer.pendingActivities ?? []) {
      const which = `${where} ${activityType?.name ?? ''}`;
      if (heartbeatDetails != null) this.to.add('pending heartbeats', which, bytesIn(heartbeatDetails));
      if (lastFailure != null) this.to.add('pending failures', which, bytesIn(lastFailure));
    }
  }

  async #queries({ workflowId, runId, type, answers }: Execution): Promise<void> {
    if (!answers) return;
    const own: [PlaceName, string][] =
      type === 'companion'
        ? [
            ['query companion', 'companion'],
            ['query undoRecord', 'undoRecord'],
          ]
        : [
            ['query status', 'status'],
            ['query plan', 'plan'],
          ];
    for (const [place, queryType] of [...own, ['current details', '__temporal_workflow_metadata'] as const]) {
      const request = { namespace, execution: { workflowId, runId }, query: { queryType } };
      // One that has just begun, or whose worker is being killed, has no answer; the next look has.
      const asked = await this.asking.ask((service) => service.queryWorkflow(request)).catch(() => null);
      if (asked !== null) this.to.add(place, `${workflowId} ${runId}`, asked.bytes);
    }
  }
}
