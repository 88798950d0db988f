/** A management request, as the emulated Azure serves it. */
import type { Answer } from '../http.js';

/** What a request is called in faults and logs. `write`: the site it writes to; null: it writes nothing. */
export interface ArmCall {
  operation: string;
  write: { site: string; slot: string | null } | null;
  serve: () => Promise<Answer>;
}
