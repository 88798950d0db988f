export type { Role } from './actions.js';
export type { Effect, FaultRule } from './faults.js';
export type { Write } from './log.js';
export { releaseIn, rulesOf, type Site, type Slot, slotNamed } from './model.js';
export { type EmulatedAzure, SUBSCRIPTION, startAzure } from './start.js';
