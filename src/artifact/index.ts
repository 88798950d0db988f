/** Packing code and keeping it by digest. */
export { packFolder, packZip } from './pack.js';
export { DEFAULT_STORE, readArtifact } from './store.js';
