/** Packing code and keeping it by digest. */
export { packFolder, packZip } from './pack.js';
export { readArtifact } from './store.js';
