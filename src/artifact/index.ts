/** Packing code and keeping it by digest. */
export { contentOf, packFolder, packZip } from './pack.js';
export { readArtifact } from './store.js';
