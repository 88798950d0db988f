/** The text that a target carries: that of its user, and our mark behind it. Pure. */
import { mark, parseMark } from '../../model/ids.js';

/** Longest text that a target carries: a description on Lambda and a tag's value on Azure have 256 characters. */
const LONGEST = 256;

/** What a target carries: the user's own text, cut where it must be, and our mark behind it. */
export function describe(text: string, ours: string): string {
  const room = LONGEST - ours.length - 1;
  const own = text.trim().slice(0, Math.max(0, room)).trimEnd();
  return own === '' ? ours : `${own} ${ours}`;
}

/** A description taken apart: the user's own text, and our mark, whole, where there is one. */
export function readDescription(description: string | undefined): { text: string; mark: string | null } {
  const found = parseMark(description);
  if (description === undefined || found === null) return { text: description?.trim() ?? '', mark: null };
  const whole = mark(found.app, found.environment, found.run, found.step, found.policed);
  return { text: description.replace(whole, '').replace(/\s+/g, ' ').trim(), mark: whole };
}

/** Whether the mark belongs to the same app and environment as `other`. */
export function sameTarget(one: string, other: string): boolean {
  const [a, b] = [parseMark(one), parseMark(other)];
  return a !== null && b !== null && a.app === b.app && a.environment === b.environment;
}

/** Whether both marks were left by the same rollout, whatever the step. */
export function sameRun(one: string | null, other: string): boolean {
  const [a, b] = [parseMark(one ?? undefined), parseMark(other)];
  return a !== null && b !== null && a.app === b.app && a.environment === b.environment && a.run === b.run;
}
