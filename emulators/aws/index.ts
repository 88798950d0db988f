/** Emulated AWS: what the rest of the project may use of it. */
export type { Write } from './logs.js';
export type { FaultRule } from './microburst.js';
export { type EmulatedAws, startAws } from './start.js';
