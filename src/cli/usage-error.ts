/** The error for a command line that cannot be carried out as written. */
import { SluiceError } from '../model/errors.js';

export function usageError(message: string): SluiceError {
  return new SluiceError('SLUICE_USAGE', message);
}
