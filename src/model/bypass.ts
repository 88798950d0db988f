/** Callers that reach a function beside the alias, and so get its code with the deployment, whatever the weight. */

import type { Outcome } from './words.js';

/** One that the spec lets through. */
export interface Bypass {
  /** As `allowBypass` names it: `mapping/UUID`, `url`, `calls`, `calls-until/TIME`. */
  id: string;
  /** In words. */
  what: string;
}

const ID = /^(?:mapping\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|url|calls|calls-until\/(.+))$/;

/** Whether a text can name a caller. */
export function isBypassId(text: string): boolean {
  const found = ID.exec(text);
  return found !== null && (found[1] === undefined || timeOf(found[1]) !== null);
}

/** The id of calls that ended before a time (ms since the epoch): `calls-until/2026-11-30T15:05Z`. A later one is a new caller. */
export function callsUntil(at: number): string {
  return `calls-until/${new Date(at).toISOString().slice(0, 16)}Z`;
}

/** Until when calls are let through, in ms since the epoch. Null for an id of another kind. */
export function untilOf(id: string): number | null {
  const [, text] = /^calls-until\/(.+)$/.exec(id) ?? [];
  return text === undefined ? null : timeOf(text);
}

function timeOf(text: string): number | null {
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}

/** The words over the list of those who were let through, in every view. */
export function bypassHead(outcome: Outcome | null): string {
  switch (outcome) {
    case null:
      return 'Outside the rollout: these callers get the release as soon as it is deployed, whatever the weight';
    case 'abandoned':
      return 'Outside the rollout: these callers may run the release; nothing was rolled back';
    case 'succeeded':
      return 'Outside the rollout: these callers got the release as soon as it was deployed, before any weight';
    default:
      return 'Outside the rollout: these callers may have run the release until it was rolled back';
  }
}

/** What deploying does, in a plan. */
export function deployWords(idle: boolean, bypass: boolean): string {
  if (bypass) return `deploy${idle ? ' into the idle environment' : ''}: callers of the bare name get it`;
  return idle ? 'deploy into the idle environment' : 'deploy without traffic';
}
