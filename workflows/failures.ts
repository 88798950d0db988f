/** Failures of activities, read for their code and their words. */
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import type { ErrorCode } from '../src/model/errors.js';
import { ERRORS } from '../src/model/errors.js';
import { clean } from '../src/model/text.js';

function chain(error: unknown): unknown[] {
  const links: unknown[] = [];
  for (let at = error; at instanceof Error && links.length < 10; at = at.cause) links.push(at);
  return links;
}

/** The stable code and a message for a person: what the provider or the activity said last. */
export function failureOf(error: unknown): { code: ErrorCode | null; message: string } {
  const links = chain(error);
  const said = links.find((link): link is ApplicationFailure => link instanceof ApplicationFailure);
  const late = links.find((link): link is TimeoutFailure => link instanceof TimeoutFailure);
  const step = links.find((link): link is ActivityFailure => link instanceof ActivityFailure);
  const code = said?.type != null && Object.hasOwn(ERRORS, said.type) ? (said.type as ErrorCode) : null;
  const name = step?.activityType ?? 'a call';
  if (late !== undefined) {
    const last =
      said === undefined ? 'no worker of the account answered' : `the last answer was: ${clean(said.message, 400)}`;
    return { code: code ?? 'SLUICE_NO_WORKER', message: `${name} did not succeed before its deadline; ${last}` };
  }
  if (said !== undefined) return { code, message: clean(said.message, 500) };
  return { code: null, message: clean(error instanceof Error ? error.message : error, 500) };
}

/** Somebody else changed the target. */
export function isForeign(error: unknown): boolean {
  return failureOf(error).code === 'SLUICE_FOREIGN_CHANGE';
}

/** No worker took the task in time. */
export function nobodyCame(error: unknown): boolean {
  return chain(error).some((link) => link instanceof TimeoutFailure && link.timeoutType === 'SCHEDULE_TO_START');
}

/** The last heartbeat's details of an activity that timed out, where the server kept them. */
export function lastHeartbeat(error: unknown): unknown {
  return chain(error).find((link): link is TimeoutFailure => link instanceof TimeoutFailure)?.lastHeartbeatDetails;
}
