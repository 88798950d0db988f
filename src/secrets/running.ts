/** What the running activity has read of secrets: kept no longer than it runs, and taken out of whatever it says. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Form, formsOf, withoutForms } from './scrub.js';
import type { StoredSecret } from './store.js';

/** A value that was read, and when, in ms since the epoch. */
export interface Held {
  read: Promise<StoredSecret>;
  at: number;
}

interface Running {
  /** By reference without its key. */
  held: Map<string, Held>;
  values: Set<string>;
  /** All that the values may look like. */
  forms: Form[];
}

const running = new AsyncLocalStorage<Running>();

/** Runs an activity with a memory of its own for what it reads, which is empty when it ends. */
export async function remembering<T>(work: () => Promise<T>): Promise<T> {
  const own: Running = { held: new Map(), values: new Set(), forms: [] };
  try {
    return await running.run(own, work);
  } finally {
    // A connection that is kept open keeps what it was opened in, and may outlive the activity.
    own.held.clear();
    own.values.clear();
    own.forms = [];
  }
}

/** What the running activity holds; outside of one nothing is held. */
export function heldHere(): Map<string, Held> | null {
  return running.getStore()?.held ?? null;
}

/** From now on this value is taken out of what the running activity says. */
export function noteValue(value: string): void {
  const here = running.getStore();
  if (here === undefined || here.values.has(value)) return;
  here.values.add(value);
  here.forms.push(...formsOf(value));
}

/** A text without the values that the running activity has read. */
export function scrubText(text: string): string {
  const { forms = [] } = running.getStore() ?? {};
  return forms.length === 0 ? text : withoutForms(text, forms);
}

/**
 * What Sluice itself writes and relies on, whole parts and single words. A value that happens to be the same word (a
 * parameter `production`, `healthy`) must not remove it, and no text from outside is ever listed here.
 */
const PARTS = new Set([
  'spec',
  'plan',
  'before',
  'release',
  'environments',
  'split',
  'revision',
  'deleted',
  'description',
  'states',
  'firing',
  // For access: a MAC with a part removed is not a MAC.
  'access',
  'approvers',
  'deployed',
  'digest',
  'grant',
  'receipt',
  'seal',
]);
const WORDS = new Set(['state', 'version', 'source', 'kind', 'level', 'code', 'target', 'app', 'environment', 'run']);

const isOwn = (key: string, value: unknown): boolean => PARTS.has(key) || (WORDS.has(key) && typeof value === 'string');

/** The same value, without secrets in the texts that came from outside. */
export function scrubbed<T>(value: T): T {
  const { forms = [] } = running.getStore() ?? {};
  return forms.length === 0 ? value : (within(value, forms) as T);
}

function within(value: unknown, forms: Form[]): unknown {
  if (typeof value === 'string') return withoutForms(value, forms);
  if (Array.isArray(value)) return value.map((one) => within(one, forms));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, isOwn(key, inner) ? inner : within(inner, forms)]),
  );
}
