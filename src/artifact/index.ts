/** Packing code and keeping it by digest. */
export { contentOf, packFolder, packZip } from './pack.js';
export type { Within } from './place.js';
export { readArtifact } from './store.js';
