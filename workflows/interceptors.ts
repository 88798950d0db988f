/**
 * What the SDK cannot take from a signal fails the workflow task before any handler sees it, and the server gives the task
 * again, for ever: no abort would come through. So every signal is looked at before the SDK does.
 */
import { defaultPayloadConverter } from '@temporalio/common';
import type { WorkflowInterceptors } from '@temporalio/workflow';

type Activation = Parameters<
  NonNullable<NonNullable<WorkflowInterceptors['internals']>[number]['activate']>
>[0]['activation'];
type Signal = NonNullable<NonNullable<NonNullable<Activation['jobs']>[number]['signalWorkflow']>>;
type Payload = NonNullable<Signal['input']>[number];

/** The SDK refuses these names where a default handler takes all others. */
const RESERVED = '__temporal_';

/** Read by the SDK in each bundle of the workflows. */
export function interceptors(): WorkflowInterceptors {
  return {
    internals: [
      {
        activate(input, next) {
          for (const { signalWorkflow } of input.activation.jobs ?? []) if (signalWorkflow) defuse(signalWorkflow);
          next(input);
        },
      },
    ],
  };
}

/** Handlers refuse what is no object, and the default handler the name. */
function defuse(signal: Signal): void {
  if (signal.signalName?.startsWith(RESERVED)) signal.signalName = ` ${signal.signalName}`;
  if (signal.input) signal.input = signal.input.map(readable);
}

function readable(payload: Payload): Payload {
  try {
    defaultPayloadConverter.fromPayload(payload);
    return payload;
  } catch {
    return defaultPayloadConverter.toPayload('cannot be decoded');
  }
}
