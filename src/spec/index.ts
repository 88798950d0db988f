/** rollout.yaml: from what people write to the spec that the workflow carries. */
export { jsonSchema } from './json-schema.js';
export type { TextOptions } from './parse.js';
export { checkSpecText, parseSpecText, parseSpecValue } from './parse.js';
export { writeProblem } from './problems.js';
