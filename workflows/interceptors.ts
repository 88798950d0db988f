/**
 * What the SDK cannot take from a start or a message fails the workflow task before any handler sees it, and the server gives the
 * task again, for ever: no abort would come through. So each is looked at before the SDK does. What arrived encrypted reaches
 * a handler as it was sent, whatever keys this worker has: see `unsealing.ts`.
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

/** The SDK refuses these names where a default handler takes all others. */
const RESERVED = '__temporal_';
const JSON_PLAIN = defaultPayloadConverter.toPayload('')?.metadata ?? {};

/** Read by the SDK in each bundle of the workflows. */
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
 * Why a start is refused; null when it is not. Only a start that no worker has taken yet is: what a run carries on, and a run that
 * has begun under a key which this worker lacks, waits for a worker that has it. Errors: then the task fails, and is given again.
 */
function unread(begin: Begin, replays: boolean): string | null {
  const payloads = begin.arguments ?? [];
  // What a stranger's memo says would be in the way of whoever looks at the run.
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

/** Handlers refuse what is no object, and the default handler the name. */
function defuse(signal: Signal): void {
  if (signal.signalName?.startsWith(RESERVED)) signal.signalName = ` ${signal.signalName}`;
  if (signal.input) signal.input = signal.input.map(asSent);
}

/** Whether it arrived encrypted is in the history; whether it opens is not. */
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
