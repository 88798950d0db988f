/**
 * The edge between Sluice's errors and Temporal's failures. A failure that crosses it has a stable code, a message made for
 * a person, and the provider's hint how long to wait; causes, headers and bodies stay behind.
 */
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { ERRORS, SluiceError } from '../src/model/errors.js';
import { clean } from '../src/model/text.js';

type Activities = Record<string, (...args: never[]) => Promise<unknown>>;

/** Which errors end an activity at once. Restoring tries again on all but a foreign change, and a run that may not write: an abort must land. */
function isFinal(name: string, error: SluiceError): boolean {
  const { code } = error;
  return name === 'restore' ? code === 'SLUICE_FOREIGN_CHANGE' || code === 'SLUICE_ACCESS' : ERRORS[code].final;
}

/** An error as a failure that may be recorded. */
export function toFailure(name: string, error: unknown): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  if (error instanceof SluiceError) {
    return ApplicationFailure.create({
      message: clean(error.message, 1_000),
      type: error.code,
      nonRetryable: isFinal(name, error),
      ...(error.retryAfterMs === undefined ? {} : { nextRetryDelay: error.retryAfterMs }),
    });
  }
  if (error instanceof Error && error.name === 'AbortError') return new CancelledFailure('cancelled');
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return ApplicationFailure.create({ message: clean(said, 1_000), type: 'SLUICE_PROVIDER', nonRetryable: false });
}

/** The same activities, whose errors are failures with a code. */
export function withFailures<T extends object>(activities: T): T {
  const wrapped = Object.entries(activities as Activities).map(([name, activity]) => [
    name,
    async (...args: never[]) => {
      try {
        return await activity(...args);
      } catch (error) {
        throw toFailure(name, error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as T;
}
