/** Emulated AWS: the errors with which AWS refuses a request. */
import { randomUUID } from 'node:crypto';
import { type Answer, json } from '../http.js';

/** A rule of AWS that a request breaks: becomes the error answer that the SDK turns into an exception of that name. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly extra: Record<string, unknown> = {},
  ) {
    super(message);
  }

  answer(): Answer {
    const type = this.status < 500 ? 'User' : 'Service';
    const headers = {
      'x-amzn-errortype': this.code,
      'x-amzn-requestid': randomUUID(),
      ...(this.status === 429 ? { 'retry-after': '1' } : {}),
    };
    return json(this.status, { Type: type, Message: this.message, message: this.message, ...this.extra }, headers);
  }
}

/** Breaks a constraint of the API's own model (a pattern, a range). */
export const invalidModel = (message: string): Refusal =>
  new Refusal(400, 'ValidationException', `1 validation error detected: ${message}`);

/** Breaks a rule between values. */
export const invalidValue = (message: string): Refusal => new Refusal(400, 'InvalidParameterValueException', message);

export const notFound = (message: string): Refusal => new Refusal(404, 'ResourceNotFoundException', message);

/** A RevisionId that is no longer the current one. */
export const stale = (): Refusal =>
  new Refusal(
    412,
    'PreconditionFailedException',
    'The Revision Id provided does not match the latest Revision Id. Read the resource again for the latest one.',
  );

/** Something else is going on at the function. */
export const busy = (message: string): Refusal => new Refusal(409, 'ResourceConflictException', message);
