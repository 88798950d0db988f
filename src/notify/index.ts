/** Telling the outside of every end and every wait. */
import { Context } from '@temporalio/activity';
import type { NotifyEvent } from '../../activities/types.js';
import type { Egress } from '../egress/index.js';
import { ERRORS, SluiceError } from '../model/errors.js';
import type { Spec } from '../model/spec.js';
import { messageOf, type Occasion } from './message.js';
import { post } from './post.js';

export type { NotifyMessage } from './message.js';
export { verifySignature } from './signature.js';

/**
 * Calls every webhook of the spec. One that fails does not stop the others; on a retry all are called again, with the same
 * id. Errors: SLUICE_PROVIDER if one was not reached (retryable), otherwise those of its secret and its address.
 */
export async function notify(
  spec: Pick<Spec, 'app' | 'environment' | 'notify'>,
  event: NotifyEvent,
  egress: Egress,
  occasion: Occasion = occasionOf(event),
): Promise<void> {
  const message = messageOf(event, occasion);
  const results = await Promise.allSettled(spec.notify.map((entry) => post(entry, message, { spec, egress })));
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (failures.length > 0) throw failures.find(worthAnotherTry) ?? failures[0];
}

function worthAnotherTry(error: unknown): boolean {
  return !(error instanceof SluiceError) || !ERRORS[error.code].final;
}

/** Inside an activity its id and time, which all its attempts share; elsewhere what the view itself tells apart. */
function occasionOf({ type, view }: NotifyEvent): Occasion {
  const { run, phase, phaseSince, eventsTotal } = view;
  const fallback: Occasion = {
    at: phaseSince,
    key: JSON.stringify([run, type, phase, phaseSince, eventsTotal]),
  };
  try {
    const { workflowExecution, activityId, scheduledTimestampMs } = Context.current().info;
    if (workflowExecution === undefined) return fallback;
    return { at: scheduledTimestampMs, key: `${workflowExecution.runId}/${activityId}` };
  } catch {
    return fallback;
  }
}
