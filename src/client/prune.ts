/** What of the artifact store may go: after all ledgers, queues and running rollouts of the namespace were read, and not before. */
import { decode } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { heldQuery } from '../../workflows/messages.js';
import { SluiceError } from '../model/errors.js';
import { STRATEGIES } from '../model/words.js';
import { listed, OURS } from '../temporal/described.js';
import type { Link } from './connect.js';
import { toSluiceError } from './errors.js';
import type { Pruned } from './types.js';

/** Longest wait for a companion's answer, in ms. */
const ANSWER_WITHIN = 10_000;
const DIGEST = /\b[0-9a-f]{64}\b/g;

/** See `Sluice.prune`. */
export async function prune(
  link: Link,
  { account, region, remove }: { account: string; region: string; remove: boolean },
): Promise<Pruned[]> {
  const held = new Set([...(await heldByCompanions(link)), ...(await heldByRollouts(link))]);
  const unused = await link.artifacts.unused({ account, region }, held);
  const pruned: Pruned[] = [];
  for (const { remove: take, ...one } of unused) pruned.push({ ...one, removed: remove && (await take()) });
  return pruned;
}

/** Digests that a target may still need, of every target. Errors: SLUICE_NO_WORKER when one does not answer: then nothing may go. */
async function heldByCompanions(link: Link): Promise<string[]> {
  const held: string[] = [];
  for await (const { workflowId } of running(link, "WorkflowType = 'companion'")) {
    const handle = link.temporal.workflow.getHandle(workflowId);
    const answer = await link.temporal
      .withDeadline(Date.now() + ANSWER_WITHIN, () => handle.query(heldQuery))
      .catch((error: unknown) => {
        throw new SluiceError(
          'SLUICE_NO_WORKER',
          `nothing was deleted: ${workflowId} does not say what it uses (${toSluiceError(error, link.address).message})`,
        );
      });
    held.push(...answer);
  }
  return held;
}

/** Digests in the argument of every rollout that runs, however old. */
async function heldByRollouts(link: Link): Promise<string[]> {
  const held: string[] = [];
  const types = [...STRATEGIES, 'undo'].map((type) => `'${type}'`).join(', ');
  for await (const { workflowId, runId } of running(link, `WorkflowType IN (${types})`)) {
    const { history } = await link.temporal.workflowService.getWorkflowExecutionHistory({
      namespace: link.namespace,
      execution: { workflowId, runId },
      maximumPageSize: 1,
    });
    const input = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const { payloadCodecs } = link.temporal.options.loadedDataConverter;
    const payloads = await decode(payloadCodecs, input);
    for (const { data } of payloads)
      held.push(
        ...(Buffer.from(data ?? [])
          .toString('utf8')
          .match(DIGEST) ?? []),
      );
  }
  return held;
}

async function* running(link: Link, query: string) {
  try {
    for await (const { info } of listed(link.temporal, `${query} AND ${OURS} AND ExecutionStatus = 'Running'`))
      yield info;
  } catch (error) {
    throw toSluiceError(error, link.address);
  }
}
