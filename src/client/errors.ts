/** Temporal's errors, read as Sluice's own. */
import type { Client } from '@temporalio/client';
import {
  isGrpcDeadlineError,
  isGrpcServiceError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import { SluiceError } from '../model/errors.js';
import { TASK_QUEUE } from '../model/ids.js';
import { chainOf, failureOf } from '../model/rollout/failure.js';
import { clean } from '../model/text.js';
import { livingWorkers } from '../temporal/living-workers.js';

/** gRPC's status codes that are read here. */
const GRPC = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

/**
 * What nobody has answered in time: SLUICE_NO_WORKER where the server lists no living worker, else SLUICE_WORKERS_BUSY, and
 * SLUICE_DEADLINE where it cannot be queried. `what` says what was not answered.
 */
export async function noAnswer({ temporal }: { temporal: Client }, what: string): Promise<SluiceError> {
  const seen = await livingWorkers(temporal, TASK_QUEUE, 'workflow').catch(() => null);
  const look = 'check with `sluice doctor`';
  if (seen === null) {
    return new SluiceError(
      'SLUICE_DEADLINE',
      `${what}, and the server does not report which workers are running; ${look}`,
    );
  }
  if (seen.workers === 0) {
    const start = `no worker answers on task queue ${TASK_QUEUE}; start one with \`sluice worker\``;
    return new SluiceError('SLUICE_NO_WORKER', `${what}: ${start}, or ${look}`);
  }
  const [live, they] = seen.workers === 1 ? ['1 worker runs', 'it is'] : [`${seen.workers} workers run`, 'they are'];
  return new SluiceError(
    'SLUICE_WORKERS_BUSY',
    `${what}: ${live} on task queue ${TASK_QUEUE} but did not answer in time, so ${they} busy; try again, or start another one with \`sluice worker\``,
  );
}

/** Whether an error is one of those: it may be gone at the next try. */
export function isNoAnswer({ code }: SluiceError): boolean {
  return code === 'SLUICE_NO_WORKER' || code === 'SLUICE_WORKERS_BUSY' || code === 'SLUICE_DEADLINE';
}

export function unreachable(address: string, why: string): SluiceError {
  return new SluiceError(
    'SLUICE_UNREACHABLE',
    `no Temporal server answers at ${address} (${clean(why)}); set TEMPORAL_ADDRESS, or start one with \`sluice up\``,
  );
}

/** Status code of a gRPC error somewhere in the chain. */
export function grpcCode(error: unknown): number | null {
  const found = chainOf(error).find((link) => isGrpcServiceError(link));
  return found === undefined ? null : ((found as { code?: number }).code ?? null);
}

/**
 * Whether the call ended because nobody answered in time. No call is cancelled here: CANCELLED is what a server says whose own
 * deadline, or the poll of a worker that goes, ends a moment before ours.
 */
export function isLate(error: unknown): boolean {
  return (
    error instanceof WorkflowUpdateRPCTimeoutOrCancelledError ||
    grpcCode(error) === GRPC.CANCELLED ||
    chainOf(error).some((e) => isGrpcDeadlineError(e))
  );
}

/** Whether the server takes no more messages for this run: it has had as many as a run may have, or too many wait. */
export function isCrowded(error: unknown): boolean {
  const code = grpcCode(error);
  return code === GRPC.RESOURCE_EXHAUSTED || (code === GRPC.FAILED_PRECONDITION && !isFailing(error));
}

/** Whether a worker has the run's tasks and fails them, so that nobody answers: the server says so, and has no code for it. */
export function isFailing(error: unknown): boolean {
  return grpcCode(error) === GRPC.FAILED_PRECONDITION && /task in failed state/i.test(failureOf(error).message);
}

/** Whether nobody can be reached there at all; any other code is the answer of a server. */
export function isAway(error: unknown): boolean {
  return grpcCode(error) === GRPC.UNAVAILABLE;
}

/** Whether the server has no worker to hand a query to. */
export function isUnserved(error: unknown): boolean {
  return isLate(error) || (grpcCode(error) === GRPC.FAILED_PRECONDITION && !isFailing(error));
}

/** What to do about that. */
export function failing(what: string): SluiceError {
  return new SluiceError(
    'SLUICE_NO_WORKER',
    `${what}: a worker is running but fails this rollout's tasks; its log says why. It may lack a key of SLUICE_CODEC_KEYS`,
  );
}

/** Whether the server does not know a search attribute the query names. */
export function isUnknownAttribute(error: unknown): boolean {
  return grpcCode(error) === GRPC.INVALID_ARGUMENT;
}

/**
 * Any error of a call as a SluiceError. `address` is where the call went. Only a server that does not answer is
 * SLUICE_UNREACHABLE: every other status code is the answer of one, and the message repeats it.
 */
export function toSluiceError(error: unknown, address: string): SluiceError {
  if (error instanceof SluiceError) return error;
  if (error instanceof WorkflowUpdateFailedError || error instanceof WorkflowFailedError) {
    const { code, message } = failureOf(error);
    return new SluiceError(code ?? 'SLUICE_PROVIDER', message);
  }
  if (error instanceof WorkflowNotFoundError) return new SluiceError('SLUICE_NO_ROLLOUT', clean(error.message, 500));
  if (error instanceof NamespaceNotFoundError) {
    return new SluiceError(
      'SLUICE_SETUP',
      `the Temporal server at ${address} has no namespace ${clean(error.namespace, 100)}; set TEMPORAL_NAMESPACE to one that exists`,
    );
  }
  const why = failureOf(error).message;
  if (isFailing(error)) return failing(`the rollout cannot answer (${why})`);
  switch (grpcCode(error)) {
    case GRPC.PERMISSION_DENIED:
    case GRPC.UNAUTHENTICATED:
      return new SluiceError('SLUICE_PERMISSION', `the Temporal server at ${address} refused: ${why}`);
    case GRPC.INVALID_ARGUMENT:
      return new SluiceError('SLUICE_REFUSED', `the Temporal server refused: ${why}`);
    case GRPC.UNIMPLEMENTED:
      return new SluiceError(
        'SLUICE_SETUP',
        `the Temporal server at ${address} does not know this call (${why}); upgrade the server`,
      );
    case GRPC.UNAVAILABLE:
    case GRPC.DEADLINE_EXCEEDED:
      return unreachable(address, why);
    case null:
      return new SluiceError('SLUICE_TEMPORAL', `the call to the Temporal server at ${address} failed: ${why}`);
    default:
      return new SluiceError('SLUICE_TEMPORAL', `the Temporal server at ${address} is busy: ${why}. Try again`);
  }
}
