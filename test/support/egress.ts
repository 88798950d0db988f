/** What reaches servers and secrets of a test, which live on loopback. */
import { createEgress, type Egress } from '../../src/egress/index.js';

export function egressFor(env: NodeJS.ProcessEnv = {}): Egress {
  return createEgress({ env, allowAddresses: 'loopback' })(null);
}
