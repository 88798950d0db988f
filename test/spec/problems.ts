import type { Spec } from '../../src/model/spec.js';
import { checkSpecText, parseSpecValue, type TextOptions, writeProblem } from '../../src/spec/index.js';

/** What is wrong with a rollout.yaml, a line each. */
export function problems(text: string, options: TextOptions = {}): string[] {
  return checkSpecText(text, { file: 'rollout.yaml', env: {}, ...options }).problems.map(writeProblem);
}

/** A parsed spec, parsed once more as a workflow hands it on. */
export const again = (spec: Spec) => parseSpecValue(JSON.parse(JSON.stringify(spec)));
