/** The front door: a request to a site's host goes to production or to a slot, as the routing rules and the client say. */
import type { Answer, Call } from '../http.js';
import { rulesOf, type Site, type Slot, slotNamed } from './model.js';

/** Cookie and query parameter by which a client is kept at, or asks for, a slot. */
const ROUTE = 'x-ms-routing-name';
/** Seconds for which a client stays where it was sent (azure-docs#92221). */
const PINNED_FOR = 3_600;

/** Where a request to production goes, and the cookie it is given; null: none. */
export interface Routed {
  slot: Slot;
  cookie: string | null;
}

/**
 * "Set up staging environments", route traffic: a query parameter asks for a slot that has a rule, a 0 % rule included; a
 * cookie keeps a client where it was, whatever the rules say now (azure-docs#58514); others are drawn by the percentages.
 */
export function route(site: Site, call: Call, draw: () => number): Routed {
  const rules = rulesOf(site);
  const asked = new URL(call.path, 'http://127.0.0.1').searchParams.get(ROUTE);
  if (asked !== null) {
    const known = asked === 'self' || rules.some((rule) => rule.name === asked);
    const slot = known ? named(site, asked) : undefined;
    if (slot !== undefined) return { slot, cookie: pin(asked) };
  }
  const kept = cookieOf(call);
  const pinned = kept === null ? undefined : named(site, kept);
  if (pinned !== undefined) return { slot: pinned, cookie: null };
  if (rules.length === 0) return { slot: site.production, cookie: null };
  const drawn = drawFrom(site, draw());
  return { slot: drawn, cookie: pin(drawn.name ?? 'self') };
}

function drawFrom(site: Site, share: number): Slot {
  let upTo = 0;
  for (const { name, reroutePercentage } of rulesOf(site)) {
    upTo += reroutePercentage / 100;
    if (share < upTo) return slotNamed(site, name) ?? site.production;
  }
  return site.production;
}

function named(site: Site, name: string): Slot | undefined {
  return name === 'self' ? site.production : slotNamed(site, name);
}

function cookieOf({ headers }: Call): string | null {
  for (const part of (headers.cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=');
    if (name === ROUTE && value !== undefined) return value;
  }
  return null;
}

function pin(name: string): string {
  return `${ROUTE}=${name}; Max-Age=${PINNED_FOR}; Path=/; HttpOnly; Secure`;
}

/** The application's answer with the front door's cookie added to its own. */
export function withCookie(answer: Answer, cookie: string | null): Answer {
  if (cookie === null) return answer;
  const own = answer.headers['set-cookie'] ?? [];
  return { ...answer, headers: { ...answer.headers, 'set-cookie': [...own, cookie] } };
}
