/** One line of counts. */
import type { Counts, Look } from '../../judge/index.js';
import { clean } from '../../model/text.js';
import { BadLine } from './lines.js';

export interface TickLine {
  run: string;
  /** Null: the next one. */
  id: number | null;
  look: Omit<Look, 'id'>;
}

/**
 * `{"run":"a","nc":25,"ec":1,"nb":225,"eb":0}` with `stepUp`, `slowC` and `slowB`, `id`; or `{"run":"a","blind":"throttled"}`.
 * Errors: BadLine, a sentence that names the field.
 */
export function readTick(line: string): TickLine {
  const value = parsed(line);
  if (typeof value.run !== 'string' || value.run === '') throw wrong('run', 'a name', value.run);
  const id = value.id === undefined ? null : count(value, 'id', Number.MAX_SAFE_INTEGER);
  if (value.stepUp !== undefined && typeof value.stepUp !== 'boolean') {
    throw wrong('stepUp', 'true or false', value.stepUp);
  }
  const stepUp = value.stepUp === true;
  if (value.blind !== undefined) {
    if (typeof value.blind !== 'string') throw wrong('blind', 'the reason why nothing could be read', value.blind);
    return { run: value.run, id, look: { candidate: null, stable: null, stepUp, blind: value.blind } };
  }
  const candidate = counts(value, 'nc', 'ec');
  const stable = counts(value, 'nb', 'eb');
  if (value.slowC === undefined && value.slowB === undefined) {
    return { run: value.run, id, look: { candidate, stable, stepUp } };
  }
  const slow = {
    candidate: count(value, 'slowC', candidate.requests, 'nc'),
    stable: count(value, 'slowB', stable.requests, 'nb'),
  };
  return { run: value.run, id, look: { candidate, stable, slow, stepUp } };
}

function parsed(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new BadLine(`expected one JSON object per line, got ${clean(line, 60)}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new BadLine(`expected an object, got ${clean(line, 60)}`);
}

function counts(value: Record<string, unknown>, requests: string, errors: string): Counts {
  const all = count(value, requests, Number.MAX_SAFE_INTEGER);
  return { requests: all, errors: count(value, errors, all, requests) };
}

function count(value: Record<string, unknown>, field: string, most: number, ofWhat?: string): number {
  const number = value[field];
  if (typeof number === 'number' && number >= 0 && number <= most) return number;
  const limit = ofWhat === undefined ? '0 or more' : `from 0 to ${ofWhat} (${most})`;
  throw wrong(field, `a number, ${limit}`, number);
}

function wrong(field: string, expected: string, got: unknown): BadLine {
  return new BadLine(
    `${field}: expected ${expected}; got ${got === undefined ? 'nothing' : clean(JSON.stringify(got), 60)}`,
  );
}
