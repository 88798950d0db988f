/** Emulated Azure: what the rest of the project may use of it. */
export type { Effect } from './faults.js';
export type { Write } from './log.js';
export { releaseIn, rulesOf, type Site, type Slot } from './model.js';
export { type EmulatedAzure, startAzure } from './start.js';
