/** rollout.yaml: from what people write to the spec that the workflow carries. */
export { readDocument } from './document.js';
export { jsonSchema } from './json-schema.js';
export type { TextOptions } from './parse.js';
export { checkSpecText, parseSpecText, parseSpecValue } from './parse.js';
export { showProblem, writeProblem } from './problems.js';
export { duration, strict } from './schema/parts.js';
