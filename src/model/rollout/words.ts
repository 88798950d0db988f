/**
 * The words of a rollout: its state, its steps, its traffic, its verdict, its access. Temporal's UI, the command line and the report
 * all take them from here, so that they say the same. Pure.
 */
import { deployWords } from '../bypass.js';
import { environmentsNote } from '../environments.js';
import { shortPolicy } from '../identity.js';
import { estimate } from '../numbers.js';
import type { ApprovalSpec } from '../spec.js';
import { clean, duration, moment } from '../text.js';
import { strange } from '../traffic.js';
import { unreadTraffic } from '../unread-traffic.js';
import type { AccessView, RolloutView, VerdictView } from '../view.js';
import type { Outcome, Phase } from '../words.js';

interface StateWords {
  word: string;
  /** What a person has to know beside the word. */
  hint?: string;
  sign: string;
}

/** Every phase and every outcome in words. */
const STATES: Record<Phase | Outcome, StateWords> = {
  pending: { word: 'pending', sign: '◐' },
  preparing: { word: 'preparing', sign: '◐' },
  deploying: { word: 'deploying', sign: '◐' },
  shifting: { word: 'shifting', sign: '◐' },
  baking: { word: 'baking', sign: '◐' },
  awaitingApproval: { word: 'waiting for approval', sign: '◆' },
  paused: { word: 'paused', sign: '‖' },
  held: { word: 'held', hint: 'a person must decide', sign: '◆' },
  promoting: { word: 'promoting', sign: '◐' },
  restoring: { word: 'rolling back', sign: '↩' },
  stuck: { word: 'stuck', hint: 'needs a person', sign: '⚠' },
  succeeded: { word: 'succeeded', sign: '✔' },
  rolledBack: { word: 'rolled back', sign: '↩' },
  rejected: { word: 'rejected', sign: '✖' },
  superseded: { word: 'superseded', sign: '↷' },
  nothingToRelease: { word: 'nothing to release', sign: '✔' },
  abandoned: { word: 'abandoned', hint: "someone else's change was kept", sign: '⚑' },
  failed: { word: 'failed', sign: '✖' },
};

/** Of a rollout; `phase` null: it runs, and nobody knows more. */
export type State = Pick<RolloutView, 'phase' | 'outcome'> | { phase: null; outcome: null };

function wordsOf({ outcome, phase }: State): StateWords {
  const state = outcome ?? phase;
  if (state === null || state === 'done') return { word: state ?? 'running', sign: '◐' };
  return STATES[state];
}

/** The outcome once there is one, else the phase; with what a person has to know beside it. */
export function stateWord(state: State): string {
  const { word, hint } = wordsOf(state);
  return hint === undefined ? word : `${word}: ${hint}`;
}

/** The same without the hint. */
export function shortWord(state: State): string {
  return wordsOf(state).word;
}

/** `✔`, `↩`, `◐`. */
export function signOf(state: State): string {
  return wordsOf(state).sign;
}

/** A step of a plan, as far as words need it. */
export type Told =
  | { kind: 'deploy'; into?: 'idle'; deadline: number }
  | { kind: 'warm'; deadline: number; orGoOn?: true }
  | { kind: 'probe'; probes: string[]; deadline: number }
  | { kind: 'shift'; weight: number; deadline: number }
  | { kind: 'bake'; duration: number; warns?: true }
  | { kind: 'compare'; weight: number; duration: number }
  | { kind: 'approve'; approval: ApprovalSpec }
  | { kind: 'promote'; deadline: number }
  | { kind: 'finish' };

/** When a comparison is made at all. */
const ONLY_IF = 'only if failures cross the ceiling';

/** What a step does, and how long that may take (empty: no time at all). */
export interface StepWords {
  what: string;
  limit: string;
  note?: string;
}

/** `stage`: the name of the step's stage. `bypass`: someone gets the release as soon as it is deployed. */
export function stepWords(step: Told, stage: string, bypass: boolean): StepWords {
  switch (step.kind) {
    case 'deploy':
      return { what: deployWords(step.into === 'idle', bypass), limit: within(step.deadline) };
    case 'warm':
      return {
        what: 'warm up',
        limit: step.orGoOn === true ? `for ${duration(step.deadline)} at most` : within(step.deadline),
      };
    case 'probe':
      return { what: `probe ${step.probes.join(', ')}`, limit: within(step.deadline) };
    case 'shift':
      return { what: `shift to ${step.weight} %`, limit: within(step.deadline) };
    case 'bake':
      return { what: step.warns === true ? 'watch for' : 'bake', limit: duration(step.duration) };
    case 'compare':
      return { what: `compare at ${step.weight} %`, limit: `for ${duration(step.duration)}`, note: ONLY_IF };
    case 'approve':
      return {
        what: `approval of ${stage}${people(step.approval)}`,
        limit: `${within(step.approval.within)}, else ${step.approval.onTimeout === 'hold' ? 'hold' : 'roll back'}`,
      };
    case 'promote':
      return { what: 'promote to 100 %', limit: within(step.deadline) };
    case 'finish':
      return { what: 'finish', limit: '' };
  }
}

/** A step in one go: with its time where time is what it is about. */
export function stepLine(step: Told, stage: string, bypass: boolean): string {
  const { what, limit, note } = stepWords(step, stage, bypass);
  const { kind } = step;
  const timed =
    kind === 'bake' || kind === 'compare' || kind === 'approve' || (kind === 'warm' && step.orGoOn === true);
  return [timed ? `${what} ${limit}` : what, ...(note === undefined ? [] : [note])].join(', ');
}

function within(ms: number): string {
  return `within ${duration(ms)}`;
}

function people({ people: n, notStarter }: ApprovalSpec): string {
  const by = n === 1 ? '' : ` by ${n} people`;
  return notStarter ? `${by === '' ? ' by' : `${by},`} not the starter` : by;
}

/** Where the traffic is, as far as it is known. */
export type Traffic =
  /** No plan was made; `words` says what is known. */
  | { kind: 'unread'; words: string }
  /** Someone else's split, as last read. */
  | { kind: 'foreign'; words: string }
  | { kind: 'none'; candidate: string | null }
  /** One release has all; `over`: the rollout is over, or has no candidate yet. */
  | { kind: 'all'; release: string; over: boolean }
  | { kind: 'split'; stable: string | null; candidate: string; weight: number };

export function trafficOf(view: RolloutView): Traffic {
  const { outcome, candidate, stable, weight } = view;
  if (outcome === 'succeeded' && candidate !== null) return { kind: 'all', release: candidate, over: true };
  const unread = unreadTraffic(view);
  if (unread !== null) return { kind: 'unread', words: unread };
  const read = strange(view);
  if (read !== null) return { kind: 'foreign', words: read };
  if (stable === null && weight === 0) return { kind: 'none', candidate };
  if (candidate === null) return { kind: 'all', release: stable ?? 'none', over: false };
  return { kind: 'split', stable, candidate, weight };
}

/** That a split is left with nobody watching it; nothing else. */
export function unwatchedNote({ kept }: RolloutView): string {
  return kept?.unwatched === true ? '; nothing watches it' : '';
}

/** One sentence without its dot. */
export function trafficWords(view: RolloutView): string {
  return `${partsOf(trafficOf(view))}${environmentsNote(view)}${unwatchedNote(view)}`;
}

function partsOf(traffic: Traffic): string {
  switch (traffic.kind) {
    case 'unread':
      return traffic.words;
    case 'foreign':
      return `as last read: ${traffic.words}`;
    case 'none':
      return traffic.candidate === null
        ? 'nothing is live yet'
        : `nothing is live yet; candidate ${traffic.candidate} has no traffic`;
    case 'all':
      return `release ${traffic.release} has 100 %`;
    case 'split':
      return splitWords(traffic);
  }
}

function splitWords({ stable, candidate, weight }: Traffic & { kind: 'split' }): string {
  if (weight === 100) {
    const ready = stable === null ? '' : `; stable ${stable} is ready to take over again`;
    return `candidate ${candidate} has 100 %${ready}`;
  }
  if (weight === 0) return `stable ${stable ?? 'none'} has 100 %, candidate ${candidate} 0 %`;
  // 100 - 0.1 is not 99.9.
  const rest = Math.round((100 - weight) * 1e4) / 1e4;
  return stable === null
    ? `candidate ${candidate} has ${weight} %`
    : `stable ${stable} has ${rest} %, candidate ${candidate} ${weight} %`;
}

/**
 * `waiting for …, until 2026-03-01 10:12:03 UTC; then …`. Null if it waits for nobody. `left` gives the time left, for a view
 * that is current.
 */
export function waitingWords({ waitingFor: waits }: RolloutView, left?: (until: number) => string): string | null {
  if (waits === null) return null;
  if (waits.until === null) return `waiting for ${waits.what}; ${waits.otherwise}`;
  const until = moment(waits.until);
  const time = left === undefined ? `until ${until}` : `${left(waits.until)} (until ${until})`;
  return `waiting for ${waits.what}, ${time}; then ${waits.otherwise}`;
}

/** `healthy: 0 % of 60 against 0.6 % of 540`. */
export function verdictWords({ state, why }: Pick<VerdictView, 'state' | 'why'>): string {
  return `${state}: ${why}`;
}

/** When it was counted: ` as of 10:12:03 UTC`; nothing where earlier code has counted. */
export function asOf({ at }: Pick<VerdictView, 'at'>): string {
  return at === undefined ? '' : ` as of ${new Date(at).toISOString().slice(11, 19)} UTC`;
}

/** How many requests it still takes; null: none, or they do not point that way. */
export function neededWords({ verdict, outcome }: RolloutView): string | null {
  const needed = verdict?.needed ?? 0;
  if (needed <= 0 || outcome !== null) return null;
  return `about ${estimate(needed)} more requests needed to rule out a regression`;
}

/** What no policy means. */
export const OPEN_TO_ALL = 'anyone who can reach this namespace can start, approve and abort';
const OPEN = `open: there is no policy; ${OPEN_TO_ALL}`;
/** The short form, shown instead of the policy's digest. */
export const NO_POLICY = 'open: no policy';

/** By which policy it runs, and what that makes of names. Null until a worker has looked. */
export function accessWords({ access, startedBy }: Pick<RolloutView, 'access' | 'startedBy'>): string | null {
  if (access === null) return null;
  if (access.policy === null) return OPEN;
  const by = access.starter === null ? 'started without a signature' : `started by ${clean(startedBy, 60)}, signed`;
  return `policy ${shortPolicy(access.policy)}: ${by}`;
}

/** Of each worker that went by another policy. */
export function otherPolicyWords({ others }: AccessView): string[] {
  return others.map(
    ({ policy, worker }) => `a worker uses a different policy: ${clean(policy, 20)} (${clean(worker, 80)})`,
  );
}

/** The search attributes of a rollout, and what kind each is. */
export const SEARCH_ATTRIBUTES = {
  app: ['SluiceApp', 'KEYWORD'],
  environment: ['SluiceEnvironment', 'KEYWORD'],
  strategy: ['SluiceStrategy', 'KEYWORD'],
  phase: ['SluicePhase', 'KEYWORD'],
  outcome: ['SluiceOutcome', 'KEYWORD'],
  platform: ['SluicePlatform', 'KEYWORD'],
  weight: ['SluiceWeight', 'DOUBLE'],
} as const;
