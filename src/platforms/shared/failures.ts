/** Errors by their codes, and that of a cancelled call. */
import { SluiceError } from '../../model/errors.js';

/** Whether `error` is one of Sluice's own with one of these codes. */
export function hasCode(error: unknown, ...codes: SluiceError['code'][]): error is SluiceError {
  return error instanceof SluiceError && codes.includes(error.code);
}

/** What a cancelled call rejects with. */
export function cancelled(): Error {
  return Object.assign(new Error('the call was cancelled'), { name: 'AbortError' });
}
