/** What reaches servers and secrets of a test, which live on loopback. */
import { createOutside, type Outside } from '../../src/egress/index.js';

export function outsideFor(env: NodeJS.ProcessEnv = {}): Outside {
  return createOutside({ env, allowAddresses: 'loopback' })(null);
}
