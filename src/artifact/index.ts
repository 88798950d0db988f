/** Packing code on the machine that starts a rollout. Where it is kept is `src/store`'s. */
export type { Packed } from './pack.js';
export { pack, packFolder, packZip } from './pack.js';
export { readRegular } from './regular.js';
export { sha256 } from './sha256.js';
