/** Watching a release: probes, metric sources, and the watcher that feeds both to the judge. */
export { healthBefore } from './before.js';
export { runSmoke } from './smoke.js';
export { decidingSources } from './source-names.js';
export { worst } from './tally.js';
export { watch } from './watcher.js';
