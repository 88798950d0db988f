/** The artifact store: where code waits, by its digest, between whoever starts a rollout and the worker. */
export { sha256 } from '../artifact/index.js';
export { type Artifacts, openArtifacts } from './artifacts.js';
export { checkStoreSetting, DEFAULT_STORE } from './setting.js';
