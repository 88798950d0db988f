/** The error for a target that someone else has changed. */
import { SluiceError } from '../../model/errors.js';
import type { Split } from '../port.js';

/** Someone else changed the target: SLUICE_FOREIGN_CHANGE, with the split that was found. */
export class ForeignChange extends SluiceError {
  constructor(
    message: string,
    readonly found: Split,
  ) {
    super('SLUICE_FOREIGN_CHANGE', message);
  }
}
