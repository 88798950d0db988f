/** rollout.yaml: from what people write to the spec that the workflow carries. */
export { DEFAULTS } from './defaults.js';
export { jsonSchema } from './json-schema.js';
export type { Checked, TextOptions, ValueOptions } from './parse.js';
export { checkSpecText, parseSpecText, parseSpecValue } from './parse.js';
export type { Problem } from './problems.js';
export { writeProblem } from './problems.js';
export { writeSpec } from './write.js';
