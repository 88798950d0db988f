/**
 * The edge between Sluice's errors and Temporal's failures. A failure that crosses it has a stable code, a message made for
 * a person, and the provider's hint how long to wait; causes, headers and bodies stay behind, and secrets that the activity has read
 * are taken out of what it says.
 */
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { ERRORS, SluiceError } from '../src/model/errors.js';
import { clean } from '../src/model/text.js';
import { ForeignChange } from '../src/platforms/shared/foreign.js';
import { remembering, scrubbed, scrubText } from '../src/secrets/index.js';

type Activities = Record<string, (...args: never[]) => Promise<unknown>>;

/** Which errors end an activity at once. Restoring tries again on all but a foreign change, and a run that may not write: an abort must land. */
function isFinal(name: string, error: SluiceError): boolean {
  const { code } = error;
  return name === 'restore' ? code === 'SLUICE_FOREIGN_CHANGE' || code === 'SLUICE_ACCESS' : ERRORS[code].final;
}

/** An error as a failure that may be recorded. */
export function toFailure(name: string, error: unknown): Error {
  if (error instanceof CancelledFailure) return error;
  if (error instanceof ApplicationFailure) return withoutCause(error);
  if (error instanceof SluiceError) {
    return ApplicationFailure.create({
      message: said(error.message),
      type: error.code,
      nonRetryable: isFinal(name, error),
      ...(error.retryAfterMs === undefined ? {} : { nextRetryDelay: error.retryAfterMs }),
      ...(error instanceof ForeignChange ? { details: [{ found: error.found }] } : {}),
    });
  }
  if (error instanceof Error && error.name === 'AbortError') return new CancelledFailure('cancelled');
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return ApplicationFailure.create({ message: said(text), type: 'SLUICE_PROVIDER', nonRetryable: false });
}

/** A failure keeps what decides whether it is tried again; its cause and its details may be anything. */
function withoutCause({ message, type, nonRetryable, nextRetryDelay }: ApplicationFailure): ApplicationFailure {
  return ApplicationFailure.create({
    message: said(message),
    ...(type == null ? {} : { type }),
    nonRetryable: nonRetryable === true,
    ...(nextRetryDelay == null ? {} : { nextRetryDelay }),
  });
}

/** First scrubbed, then cut: a cut would leave the beginning of a secret. */
function said(text: string): string {
  return clean(scrubText(text), 1_000);
}

/** The same activities, whose errors are failures with a code, and which keep the secrets they read to themselves. */
export function withFailures<T extends object>(activities: T): T {
  const wrapped = Object.entries(activities as Activities).map(([name, activity]) => [
    name,
    (...args: never[]) =>
      remembering(async () => {
        try {
          return scrubbed(await activity(...args));
        } catch (error) {
          throw toFailure(name, error);
        }
      }),
  ]);
  return Object.fromEntries(wrapped) as T;
}
