/** Reads YAML text into a document with positions. */

import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { Report } from '../model/spec.js';
import { faultsOf, type Problem, problemOf, say } from './problems.js';
import { syntaxFault } from './syntax.js';
import { type Fault, locate, plainOf, treeOfDocument } from './tree.js';

/**
 * Another YAML document than a spec, read by its schema with the same care: every problem has its line. `further` reports
 * what the schema cannot know.
 */
export function readDocument<S extends z.ZodType>(
  text: string,
  file: string,
  schema: S,
  further: (value: z.output<S>, fault: Report) => void,
): { value: z.output<S>; problems: [] } | { value: null; problems: Problem[] } {
  const lines = new LineCounter();
  const faults: Fault[] = [];
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  faults.push(...doc.errors.map((error) => ({ at: error.pos[0], path: [], message: syntaxFault(error) })));
  if (faults.length === 0) {
    const tree = treeOfDocument(doc, faults);
    const read = schema.safeParse(plainOf(tree), { error: say });
    if (!read.success) faults.push(...faultsOf(read.error.issues, tree));
    else {
      further(read.data, (path, message) => faults.push({ at: locate(tree, path), path, message }));
      if (faults.length === 0) return { value: read.data, problems: [] };
    }
  }
  return { value: null, problems: faults.map((fault) => problemOf(fault, file, { lines, text })) };
}
