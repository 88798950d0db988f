/**
 * If the SDK cannot decode a start or a message, it fails the workflow task before any handler sees it, and the server
 * retries the task for ever, so not even an abort would get through. So each is checked before the SDK decodes it. An
 * encrypted message reaches its handler as it was sent, whatever keys this worker has: see `unsealing.ts`.
 */
import { defaultPayloadConverter } from '@temporalio/common';
import { ApplicationFailure, type WorkflowInterceptors } from '@temporalio/workflow';
import { SEALED, UNREAD } from '../src/model/sealed.js';

type Activation = Parameters<
  NonNullable<NonNullable<WorkflowInterceptors['internals']>[number]['activate']>
>[0]['activation'];
type Job = NonNullable<Activation['jobs']>[number];
type Signal = NonNullable<Job['signalWorkflow']>;
type Begin = NonNullable<Job['initializeWorkflow']>;
type Payload = NonNullable<Signal['input']>[number];

/** Names that the SDK refuses even if a default handler accepts all others. */
const RESERVED = '__temporal_';
const JSON_PLAIN = defaultPayloadConverter.toPayload('')?.metadata ?? {};

/** The SDK reads this in each bundle of the workflows. */
export function interceptors(): WorkflowInterceptors {
  let refused: string | null = null;
  return {
    internals: [
      {
        activate(input, next) {
          const { jobs, isReplaying } = input.activation;
          for (const { initializeWorkflow, signalWorkflow, doUpdate } of jobs ?? []) {
            if (initializeWorkflow) refused = unread(initializeWorkflow, isReplaying === true);
            if (signalWorkflow) defuse(signalWorkflow);
            if (doUpdate?.input) doUpdate.input = doUpdate.input.map(asSent);
          }
          next(input);
        },
      },
    ],
    inbound: [
      {
        async execute(input, next) {
          if (refused === null) return next(input);
          throw ApplicationFailure.nonRetryable(
            `the workflow's argument or memo cannot be read, so nothing was started: ${refused}. Start it again with one of the workers' keys first in SLUICE_CODEC_KEYS`,
            'SLUICE_SEALED',
          );
        },
      },
    ],
  };
}

/**
 * Why a start is refused; null if it is not. Only a start that no worker has taken yet can be refused. What a run carries on,
 * and a run that started under a key which this worker lacks, wait for a worker with the key. Errors: fail the task, which is
 * then retried.
 */
function unread(begin: Begin, replays: boolean): string | null {
  const payloads = begin.arguments ?? [];
  // A foreign memo would break whoever reads the run.
  const why =
    [...payloads, ...Object.values(begin.memo?.fields ?? {})].map(whyUnread).find((each) => each !== null) ?? null;
  if (why === null) return null;
  if (replays || (begin.continuedFromExecutionRunId ?? '') !== '') throw new Error(why);
  begin.arguments = payloads.map(readable);
  return why;
}

function whyUnread(payload: Payload): string | null {
  const why = payload.metadata?.[UNREAD];
  if (why != null) return String(defaultPayloadConverter.fromPayload({ metadata: JSON_PLAIN, data: why }));
  return isReadable(payload) ? null : 'it cannot be decoded';
}

/** Handlers refuse what is not an object, and the default handler refuses an unknown name. */
function defuse(signal: Signal): void {
  if (signal.signalName?.startsWith(RESERVED)) signal.signalName = ` ${signal.signalName}`;
  if (signal.input) signal.input = signal.input.map(asSent);
}

/** The history shows whether it arrived encrypted, but not whether it can be decrypted. */
function asSent(payload: Payload): Payload {
  const sealed = payload.metadata?.[SEALED];
  return sealed == null ? readable(payload) : { metadata: JSON_PLAIN, data: sealed };
}

function readable(payload: Payload): Payload {
  return isReadable(payload) ? payload : (defaultPayloadConverter.toPayload('cannot be decoded') ?? {});
}

function isReadable(payload: Payload): boolean {
  try {
    defaultPayloadConverter.fromPayload(payload);
    return true;
  } catch {
    return false;
  }
}
