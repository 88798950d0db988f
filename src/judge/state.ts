/** What the sequential judge remembers, and how a look changes its counts. Pure. */

import type { Counts } from '../model/counts.js';
import { clean } from '../model/text.js';
import type { Wealth } from './kernel.js';
import type { Metric } from './rules.js';

/** What came since the last look. */
export interface Look {
  /** Rising; a look whose id is not above the last one's changes nothing. */
  id: number;
  /** Null: nothing was said of this release. */
  stable: Counts | null;
  candidate: Counts | null;
  /** Answers slower than the limit. Absent: nothing was timed. */
  slow?: { stable: number; candidate: number };
  /** What the ceiling is held against. Absent: the counts of this look. */
  ceiling?: Arms;
  /** The candidate's weight went up with this look. */
  stepUp?: boolean;
  /** It could be read, whatever it says of the candidate; counts of the candidate show that too. */
  seen?: true;
  /** Why nothing could be read, when it could not. Then the counts are null. */
  blind?: string;
}

/** Requests and errors of both releases, or with slow answers in the place of the errors. */
export interface Arms {
  stable: Counts;
  candidate: Counts;
}

interface Tally extends Counts {
  slow: number;
}

/** Both releases. */
export interface Tallies {
  stable: Tally;
  candidate: Tally;
}

/** Of a fixed size: under 1 KB as JSON while the counts are whole numbers, fractions add some 150 bytes. Reads back as the same numbers. */
export interface SequentialState {
  lastId: number;
  relative: Wealth;
  ceiling: Wealth;
  /** Null until an answer was timed. */
  latency: Wealth | null;
  /** Since the start. */
  all: Tallies;
  /** Since the weight last went up. */
  step: Tallies;
  /** Greatest ln E so far. */
  peak: number;
  /** What made it unhealthy, for ever. */
  unhealthyBy: Metric | null;
  blindTicks: number;
  /** Null while it is seen. */
  blindWhy: string | null;
}

const NONE: Tally = { requests: 0, errors: 0, slow: 0 };
export const NO_COUNTS: Tallies = { stable: NONE, candidate: NONE };
const SEEN = { blindTicks: 0, blindWhy: null };
/** A source is blind when it could not be read this often in a row: once is an accident, three times is a state. */
export const BLIND_AFTER = 3;
/** Characters kept of why it is blind; the state travels with every heartbeat. */
const WHY = 40;

/** What a look says about blindness. Counts of the stable release alone do not prove that the candidate can be seen again. */
export function sight(before: SequentialState, look: Look): Pick<SequentialState, 'blindTicks' | 'blindWhy'> {
  if (look.blind !== undefined) return { blindTicks: before.blindTicks + 1, blindWhy: clean(look.blind, WHY) };
  return look.candidate === null && look.seen !== true ? before : SEEN;
}

export function talliesOf({ stable, candidate, slow }: Look): Tallies {
  return { stable: tally(stable, slow?.stable), candidate: tally(candidate, slow?.candidate) };
}

function tally(counts: Counts | null, slow = 0): Tally {
  return counts === null ? NONE : { requests: counts.requests, errors: counts.errors, slow };
}

/** Slow answers as if they were the errors. */
export function slowOf({ stable, candidate }: Tallies): Arms {
  return {
    stable: { requests: stable.requests, errors: stable.slow },
    candidate: { requests: candidate.requests, errors: candidate.slow },
  };
}

export function plus(one: Tallies, other: Tallies): Tallies {
  return { stable: sum(one.stable, other.stable), candidate: sum(one.candidate, other.candidate) };
}

function sum(one: Tally, other: Tally): Tally {
  return {
    requests: one.requests + other.requests,
    errors: one.errors + other.errors,
    slow: one.slow + other.slow,
  };
}
