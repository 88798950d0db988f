/**
 * A failure of Temporal, read for its code and its words: by workflows and by clients alike, so that one event has one name.
 * It is read by its shape. The classes belong to the SDK, whose heavy parts nothing here may load.
 */
import type { ErrorCode } from '../errors.js';
import { ERRORS } from '../errors.js';
import { clean } from '../text.js';
import type { SplitView } from '../view.js';

/** Longest message that is kept, in characters. */
const LONGEST = 1_000;
/** Longest answer of a provider inside of another message. */
const LONGEST_ANSWER = 400;
/** Deeper causes say nothing that is new, and may go in a circle. */
const DEEPEST = 10;

/** Which deadline is over. */
type Deadline = 'SCHEDULE_TO_START' | 'SCHEDULE_TO_CLOSE' | 'START_TO_CLOSE' | 'HEARTBEAT';

/** The fields of the SDK's failures that are read. */
interface Link {
  name?: unknown;
  message?: unknown;
  type?: unknown;
  activityType?: unknown;
  timeoutType?: unknown;
  lastHeartbeatDetails?: unknown;
  details?: unknown;
  cause?: unknown;
}

/** From the failure down to its first cause. */
export function chainOf(error: unknown): Link[] {
  const links: Link[] = [];
  for (let at = error; isLink(at) && links.length < DEEPEST && !links.includes(at); at = at.cause) links.push(at);
  return links;
}

function isLink(value: unknown): value is Link {
  return typeof value === 'object' && value !== null;
}

function isNamed(link: Link, name: string): boolean {
  return link.name === name;
}

/**
 * The stable code and a message for a person. What the provider or an activity has said goes before what Temporal says of it.
 * Code null: nothing in it is Sluice's own.
 */
export function failureOf(error: unknown): { code: ErrorCode | null; message: string } {
  const links = chainOf(error);
  const said = links.findIndex((link) => isNamed(link, 'ApplicationFailure'));
  const late = links.findIndex((link) => isNamed(link, 'TimeoutFailure'));
  if (late >= 0 && (said < 0 || late < said)) return lateOf(links, links.slice(late));
  const last = said < 0 ? links.at(-1) : links[said];
  return { code: codeOf(last), message: clean(last === undefined ? error : (last.message ?? ''), LONGEST) };
}

function codeOf(link: Link | undefined): ErrorCode | null {
  if (link === undefined || !isNamed(link, 'ApplicationFailure') || typeof link.type !== 'string') return null;
  return Object.hasOwn(ERRORS, link.type) ? (link.type as ErrorCode) : null;
}

/** `timeouts`: from the deadline that is over down to what the last try ended with. */
function lateOf(links: Link[], timeouts: Link[]): { code: ErrorCode; message: string } {
  const step = links.find((link) => isNamed(link, 'ActivityFailure'))?.activityType;
  const name = typeof step === 'string' ? clean(step, 60) : 'the workflow';
  const answer = timeouts.find((link) => isNamed(link, 'ApplicationFailure'));
  const lost = timeouts.some((link) => deadlineOf(link) === 'HEARTBEAT');
  const last =
    answer !== undefined
      ? `; the last answer was: ${clean(answer.message, LONGEST_ANSWER)}`
      : lost && deadlineOf(timeouts[0]) !== 'HEARTBEAT'
        ? '; the last worker that ran it stopped responding'
        : '';
  return { code: codeOf(answer) ?? 'SLUICE_DEADLINE', message: `${lateWords(name, timeouts[0])}${last}` };
}

function lateWords(name: string, late: Link | undefined): string {
  switch (deadlineOf(late)) {
    case 'SCHEDULE_TO_START':
      return `no worker took ${name} in time`;
    case 'HEARTBEAT':
      return `the worker that ran ${name} stopped responding, and no attempts are left`;
    case 'START_TO_CLOSE':
    case 'SCHEDULE_TO_CLOSE':
    case null:
      return `${name} did not end before its deadline`;
  }
}

function deadlineOf(link: Link | undefined): Deadline | null {
  if (link === undefined || !isNamed(link, 'TimeoutFailure')) return null;
  const { timeoutType } = link;
  switch (timeoutType) {
    case 'SCHEDULE_TO_START':
    case 'SCHEDULE_TO_CLOSE':
    case 'START_TO_CLOSE':
    case 'HEARTBEAT':
      return timeoutType;
    default:
      return null;
  }
}

/** Someone else changed the target. */
export function isForeign(error: unknown): boolean {
  return failureOf(error).code === 'SLUICE_FOREIGN_CHANGE';
}

/** No worker took the task in time. Whether one lives is another question, for the server: see `untaken` in workers.ts. */
export function isUntaken(error: unknown): boolean {
  return chainOf(error).some((link) => deadlineOf(link) === 'SCHEDULE_TO_START');
}

/** The last heartbeat's details of an activity that timed out, where the server kept them. */
export function lastHeartbeat(error: unknown): unknown {
  return chainOf(error).find((link) => isNamed(link, 'TimeoutFailure'))?.lastHeartbeatDetails;
}

/** Of a foreign change: the traffic that was found instead. Null where the failure does not say it. */
export function foundOf(error: unknown): SplitView | null {
  const said = chainOf(error).find((link) => isNamed(link, 'ApplicationFailure'));
  const [detail]: unknown[] = Array.isArray(said?.details) ? said.details : [];
  const found = isLink(detail)
    ? (Reflect.get(detail, 'found') as Partial<Record<keyof SplitView, unknown>> | null)
    : null;
  if (typeof found?.weight !== 'number') return null;
  return { stable: releaseOf(found.stable), candidate: releaseOf(found.candidate), weight: found.weight };
}

function releaseOf(name: unknown): string | null {
  return typeof name === 'string' ? clean(name, 100) : null;
}
