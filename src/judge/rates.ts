/** Error rates from counts. */
import type { Counts } from './types.js';

/** Share of errors, 0-1; 0 without a request. */
export function rateOf({ requests, errors }: Counts): number {
  return requests > 0 ? errors / requests : 0;
}
