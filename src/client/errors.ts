/** Temporal's errors, read as Sluice's own. */
import {
  isGrpcDeadlineError,
  isGrpcServiceError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, NamespaceNotFoundError, TimeoutFailure } from '@temporalio/common';
import type { ErrorCode } from '../model/errors.js';
import { ERRORS, SluiceError } from '../model/errors.js';
import { clean } from '../model/text.js';

/** gRPC's status codes that are read here. */
const GRPC = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

export function noWorker(what: string): SluiceError {
  return new SluiceError(
    'SLUICE_NO_WORKER',
    `${what}: no worker answers on task queue sluice; start one with \`sluice worker\`, or look at it with \`sluice doctor\``,
  );
}

export function unreachable(address: string, why: string): SluiceError {
  return new SluiceError(
    'SLUICE_UNREACHABLE',
    `no Temporal server answers at ${address} (${clean(why)}); set TEMPORAL_ADDRESS, or start one with \`sluice up\``,
  );
}

/** The links from an error to its first cause. */
function chain(error: unknown): unknown[] {
  const links: unknown[] = [];
  for (let at = error; at instanceof Error && links.length < 10; at = at.cause) links.push(at);
  return links;
}

/** Status code of a gRPC error somewhere in the chain. */
export function grpcCode(error: unknown): number | null {
  const found = chain(error).find((link) => isGrpcServiceError(link));
  return found === undefined ? null : ((found as { code?: number }).code ?? null);
}

/** Whether the call ended because nobody answered in time. */
export function isLate(error: unknown): boolean {
  return error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || chain(error).some((e) => isGrpcDeadlineError(e));
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
    `${what}: a worker is there and fails the tasks of this rollout; its log says why. Often it lacks a key of SLUICE_CODEC_KEYS`,
  );
}

/** Whether the server does not know a search attribute the query names. */
export function isUnknownAttribute(error: unknown): boolean {
  return grpcCode(error) === GRPC.INVALID_ARGUMENT;
}

/** What a failed workflow, activity or update says: its code and words. */
export function failureOf(error: unknown): { code: ErrorCode | null; message: string } {
  const links = chain(error);
  const said = links.find((link): link is ApplicationFailure => link instanceof ApplicationFailure);
  if (said !== undefined) {
    const code = said.type != null && Object.hasOwn(ERRORS, said.type) ? (said.type as ErrorCode) : null;
    return { code, message: clean(said.message, 1_000) };
  }
  const late = links.find((link): link is TimeoutFailure => link instanceof TimeoutFailure);
  if (late !== undefined) {
    const step = links.find((link): link is ActivityFailure => link instanceof ActivityFailure);
    const nobody = late.timeoutType === 'SCHEDULE_TO_START';
    return {
      code: nobody ? 'SLUICE_NO_WORKER' : 'SLUICE_PROVIDER',
      message: nobody
        ? 'no worker serves the account and region of the target; start one with `sluice worker --account NAME --region REGION`'
        : `${step?.activityType ?? 'the workflow'} did not finish before its deadline`,
    };
  }
  const last = links.at(-1);
  return { code: null, message: clean(last instanceof Error ? last.message : error, 1_000) };
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
      `the Temporal server at ${address} has no namespace ${clean(error.namespace, 100)}; set TEMPORAL_NAMESPACE to one that it has`,
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
        `the Temporal server at ${address} does not know this call (${why}); it needs a newer version`,
      );
    case GRPC.UNAVAILABLE:
    case GRPC.DEADLINE_EXCEEDED:
      return unreachable(address, why);
    case null:
      return new SluiceError('SLUICE_TEMPORAL', `the call to the Temporal server at ${address} failed: ${why}`);
    default:
      return new SluiceError(
        'SLUICE_TEMPORAL',
        `the Temporal server at ${address} could not do it now: ${why}. Try again`,
      );
  }
}
