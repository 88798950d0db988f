/**
 * One verdict from several sources. Each source has a sequential test of its own, since users, probes and logs are different
 * traffic, or the same traffic counted twice; the mean of their e-values is one again, so one alpha holds for all of them
 * together (Vovk and Wang, "E-values: calibration, combination and applications", 2021).
 */
import { grouped, odds, percent } from '../model/numbers.js';
import { clean } from '../model/text.js';
import { gather, NO_ARMS } from './gather.js';
import { type Evidence, type SequentialJudge, type SequentialVerdict, sequentialJudge } from './judge.js';
import { logSum, settled } from './logs.js';
import { rateOf } from './rates.js';
import { rulesFrom, type SequentialRules } from './rules.js';
import { type Counted, countsOf, headline, requestsOf } from './shown.js';
import { BLIND_AFTER, NO_COUNTS, talliesOf } from './state.js';
import type { AlarmState, Judge, JudgeSetup, JudgeState, SourceState, Tick, Verdict } from './types.js';
import { charge } from './words.js';

/** Evidence of this share of the limit, in nats, is a doubt: too little to roll back, too much to continue. */
const DOUBT = 0.5;
/** Characters kept of why something could not be read; the state travels with every heartbeat. */
const WHY = 160;

const UNHEARD = { gathered: NO_ARMS, stepping: true, read: false, blindWhy: null };

/** One source with its test, and how strongly it speaks against the candidate. */
interface Weighed {
  name: string;
  rules: SequentialRules;
  state: SourceState;
  evidence: Evidence;
}

/** And what it says now. */
interface Heard extends Weighed {
  says: SequentialVerdict;
}

/** The judge of one rollout. Pure: all it knows is in its setup and in the state. */
export function judgeOf(setup: JudgeSetup): Judge {
  const { rules } = setup;
  const limit = -Math.log(rules.alpha);
  const tests = new Map<string, { judge: SequentialJudge; rules: SequentialRules }>();

  function testOf(name: string) {
    const known = tests.get(name);
    if (known !== undefined) return known;
    const choice = sourceRules(setup, name);
    const made = { judge: sequentialJudge(choice), rules: choice };
    tests.set(name, made);
    return made;
  }

  function weighed(state: JudgeState): Weighed[] {
    return setup.sources.flatMap((name) => {
      const source = sourceOf(state, name);
      if (source === undefined) return [];
      const { judge, rules: own } = testOf(name);
      return { name, rules: own, state: source, evidence: judge.evidence(source.counts) };
    });
  }

  function heard(state: JudgeState): Heard[] {
    return weighed(state).map((one) => ({ ...one, says: testOf(one.name).judge.verdict(one.state.counts) }));
  }

  function tick(before: JudgeState, said: Tick): JudgeState {
    const { judge, rules: own } = testOf(said.source);
    const source = sourceOf(before, said.source) ?? { ...UNHEARD, counts: judge.start() };
    if (!(said.id > source.counts.lastId)) return before;
    const { stable, candidate, blind } = said;
    const slow = slowOf(said);
    const these = talliesOf(said);
    const alone = source.counts.step.stable.requests + these.stable.requests === 0;
    const { bet, left } = gather(source.gathered, these, { ceiling: own.ceiling, alone });
    const counts = judge.tick(source.counts, {
      id: said.id,
      stable,
      candidate,
      ceiling: bet,
      ...(slow === null ? {} : { slow }),
      ...(blind === undefined ? {} : { blind }),
      ...(said.seen === true ? { seen: true } : {}),
      stepUp: source.stepping,
    });
    const seen = blind === undefined && (said.seen === true || candidate !== null);
    const next = {
      counts,
      gathered: left,
      stepping: false,
      read: source.read || seen,
      blindWhy: seen ? null : blind === undefined ? source.blindWhy : clean(blind, WHY),
    };
    return decided({ ...before, sources: { ...before.sources, [said.source]: next } });
  }

  /** Once unhealthy, always so: the evidence was over the limit, and that is what alpha is spent on. */
  function decided(state: JudgeState): JudgeState {
    if (state.unhealthy !== null) return state;
    const all = weighed(state);
    const logE = evidenceOf(all, setup.sources.length);
    if (logE < limit) return state;
    const [worst] = byEvidence(all);
    if (worst === undefined || badEvents(worst) < rules.minErrors) return state;
    const alone = all.every(({ state: { counts } }) => counts.step.stable.requests === 0);
    const probeBack = worst.evidence.metric === 'ceiling' && alone;
    const what = charge(worst.evidence.metric, worst.state.counts, worst.rules);
    const why = `${named(worst, all)}${what}, evidence ${odds(logE)}`;
    return { ...state, unhealthy: { why, probeBack } };
  }

  function verdict(state: JudgeState): Verdict {
    const all = heard(state);
    const logE = evidenceOf(all, setup.sources.length);
    const users = usersOf(state);
    const shows = all.filter(({ name }) => users.length === 0 || users.includes(name));
    const needed = shows.length < users.length ? null : neededOf(shows);
    const counted = shows.filter((one) => requestsOf(one, 'candidate') > 0);
    const least = users.length === 0 ? setup.sources.length : users.length;
    const answer = (said: Verdict['state'], why: string): Verdict => ({
      state: said,
      why,
      ...headline(all, users, said === 'unhealthy' ? byEvidence(shows)[0] : undefined),
      sources: countsOf(all, setup.users),
      logE,
      limit,
      needed,
      passes: said === 'healthy' && needed === 0 && counted.length === least,
      probeBack: said === 'unhealthy' && state.unhealthy?.probeBack === true,
      few: (said === 'noData' || said === 'undecided') && onlyFew(all, shows, users, logE),
    });
    if (state.unhealthy !== null) return answer('unhealthy', state.unhealthy.why);
    return doubts(state, { all, users, shows, logE }, answer) ?? answer('healthy', sentence(byEvidence(shows)[0], all));
  }

  /** Before the candidate has traffic it has no users either: then the probes are all there is. */
  function usersOf({ weight }: JudgeState): string[] {
    return weight > 0 ? setup.users : [];
  }

  /** In order: blindness, no data, doubt. Null: none of them. */
  function doubts(
    { sources, alarms }: JudgeState,
    { all, users, shows, logE }: { all: Heard[]; users: string[]; shows: Heard[]; logE: number },
    answer: (said: Verdict['state'], why: string) => Verdict,
  ): Verdict | null {
    const blind = all.find(({ state: { counts } }) => counts.blindTicks >= BLIND_AFTER);
    if (blind !== undefined) {
      const { blindWhy, counts } = blind.state;
      const { blindTicks } = counts;
      return answer(
        'blind',
        `${clean(blind.name)} could not be read ${blindTicks} times in a row: ${blindWhy ?? 'no reason'}`,
      );
    }
    if (alarms.unread >= BLIND_AFTER) {
      return answer(
        'blind',
        `the alarms could not be read ${alarms.unread} times in a row: ${alarms.why ?? 'no reason'}`,
      );
    }
    const unread = all.find(({ state: { read, counts } }) => !read && counts.blindTicks > 0);
    const unreadWhy = unread && `${clean(unread.name)} could not be read yet: ${unread.state.blindWhy ?? 'no reason'}`;
    const spoke = shows.filter((one) => requestsOf(one, 'candidate') > 0).map(({ name }) => name);
    const silent = users.filter((name) => !spoke.includes(name));
    if (silent.length > 0 || spoke.length === 0) {
      return answer(
        'noData',
        unreadWhy ?? nothingCounted(users.length > 0 ? silent : Object.keys(sources), all, users),
      );
    }
    if (unreadWhy !== undefined) return answer('undecided', unreadWhy);
    const few = tooFew(shows, users);
    if (few !== undefined) {
      return answer(
        'undecided',
        `${sentence(few, all)}; fewer than ${grouped(rules.minRequests)} requests of the candidate`,
      );
    }
    if (logE >= DOUBT * limit) {
      return answer('undecided', `${sentence(byEvidence(all)[0], all)}; not enough to roll back, too much to continue`);
    }
    const over = all.find(overCeiling);
    if (over === undefined) return null;
    return answer(
      'undecided',
      `${sentence(over, all)}; over the ceiling of ${percent(over.rules.ceiling)}, and stable is no better`,
    );
  }

  /** Whether more requests like these would settle it: everything was read, and nothing speaks against the candidate. */
  function onlyFew(all: Heard[], shows: Heard[], users: string[], logE: number): boolean {
    const unread = all.some(({ state: { read, counts } }) => !read && counts.blindTicks > 0);
    const doubtful = unread || logE >= DOUBT * limit || all.some(overCeiling);
    return !doubtful && (shows.length === 0 || shows.length < users.length || tooFew(shows, users) !== undefined);
  }

  /**
   * Who has counted too few requests. Each users' metric has to have enough, since two may count the same ones; the
   * probes' calls are all different.
   */
  function tooFew(shows: Heard[], users: string[]): Heard | undefined {
    const enough = (requests: number) => requests >= rules.minRequests;
    if (users.length > 0) return shows.find((one) => !enough(requestsOf(one, 'candidate')));
    const all = shows.reduce((sum, one) => sum + requestsOf(one, 'candidate'), 0);
    return enough(all) ? undefined : byEvidence(shows)[0];
  }

  function overCeiling({ state: { counts }, rules: own }: Heard): boolean {
    const { candidate } = counts.step;
    return candidate.errors >= rules.minErrors && rateOf(candidate) > own.ceiling;
  }

  return {
    start: (weight) => ({
      weight,
      sources: {},
      alarms: {
        states: Object.fromEntries(setup.firing.map((name) => [name, 'before' satisfies AlarmState])),
        unread: 0,
        why: null,
      },
      unhealthy: null,
    }),
    enter: (state, weight) => (state.weight === weight ? state : atWeight(state, weight, testOf)),
    tick,
    alarms: heardAlarms,
    verdict,
  };
}

/**
 * A weight starts: its counts start at zero. A smaller weight tests again a candidate that only crossed a ceiling: that test
 * restarts, now with something to compare with.
 */
function atWeight(state: JudgeState, weight: number, testOf: (name: string) => { judge: SequentialJudge }): JudgeState {
  const back = weight < state.weight;
  const sources = Object.entries(state.sources).map(([name, source]) => {
    const again = back ? { ceiling: testOf(name).judge.start().ceiling, unhealthyBy: null } : {};
    return [
      name,
      { ...source, gathered: NO_ARMS, stepping: true, counts: { ...source.counts, ...again, step: NO_COUNTS } },
    ] as const;
  });
  return { ...state, weight, sources: Object.fromEntries(sources), unhealthy: back ? null : state.unhealthy };
}

/** An alarm that goes off during the rollout makes the candidate unhealthy; one that fired before has to be quiet first. */
function heardAlarms(state: JudgeState, said: Record<string, boolean> | { blind: string }): JudgeState {
  if (typeof said.blind === 'string') {
    return { ...state, alarms: { ...state.alarms, unread: state.alarms.unread + 1, why: clean(said.blind, WHY) } };
  }
  const { states } = state.alarms;
  const now: Record<string, AlarmState> = { ...states };
  for (const [name, firing] of Object.entries(said)) {
    const before = Object.hasOwn(states, name) ? states[name] : 'quiet';
    now[name] = firing ? (before === 'before' ? 'before' : 'fired') : 'quiet';
  }
  const went = Object.keys(now).find((name) => now[name] === 'fired');
  const unhealthy =
    state.unhealthy ??
    (went === undefined ? null : { why: `alarm ${clean(went)} went off during the rollout`, probeBack: false });
  return { ...state, alarms: { states: now, unread: 0, why: null }, unhealthy };
}

/** The input of a source's test: the rules, and the stable release's history before the rollout. */
function sourceRules({ rules, baselines }: JudgeSetup, name: string): SequentialRules {
  const before = Object.hasOwn(baselines, name) ? baselines[name] : undefined;
  const dispersion = rules.dispersion ?? before?.dispersion ?? 1;
  return rulesFrom({
    alpha: rules.alpha,
    beta: rules.beta,
    minRequests: rules.minRequests,
    minErrors: rules.minErrors,
    history: before?.counts ?? null,
    stakes: { dispersion },
    ...(rules.margin === null ? {} : { margin: rules.margin }),
    ...(rules.ceiling === null ? {} : { ceiling: rules.ceiling }),
  });
}

function sourceOf(state: JudgeState, name: string): SourceState | undefined {
  return Object.hasOwn(state.sources, name) ? state.sources[name] : undefined;
}

/** ln of the mean of the sources' e-values; a source that has not reported yet has 1. */
function evidenceOf(all: Weighed[], sources: number): number {
  if (all.length === 0) return 0;
  const silent = sources > all.length ? [Math.log(sources - all.length)] : [];
  return settled(logSum([...all.map(({ evidence }) => evidence.logE), ...silent]) - Math.log(sources));
}

function byEvidence<T extends Weighed>(all: T[]): T[] {
  return [...all].sort((one, other) => other.evidence.logE - one.evidence.logE);
}

function badEvents({ evidence, state: { counts } }: Weighed): number {
  return evidence.metric === 'latency' ? counts.all.candidate.slow : counts.all.candidate.errors;
}

/** The most that any source still needs: each has to be proven. A source that has counted nothing yet needs something. */
function neededOf(all: Heard[]): number | null {
  if (all.length === 0) return null;
  return all.reduce<number | null>(
    (most, { says }) => (most === null || says.needed === null ? null : Math.max(most, says.needed)),
    0,
  );
}

function slowOf({ stable, candidate }: Tick): { stable: number; candidate: number } | null {
  if (stable?.slow === undefined && candidate?.slow === undefined) return null;
  return { stable: stable?.slow ?? 0, candidate: candidate?.slow ?? 0 };
}

/** A source's own sentence, with its name before it when it is one of several. */
function sentence(one: Heard | undefined, all: Heard[]): string {
  return one === undefined ? nothingCounted([], all, []) : `${named(one, all)}${one.says.why}`;
}

function named({ name }: Weighed, all: Weighed[]): string {
  return all.length > 1 ? `${clean(name)}: ` : '';
}

/** `no request of the candidate was counted by metric requests; 240 probe calls say nothing about your users`. */
function nothingCounted(silent: string[], all: Counted[], users: string[]): string {
  const by = silent.length === 0 ? '' : ` by ${silent.map((name) => clean(name, 40)).join(', ')}`;
  const probes = all.filter(({ name }) => !users.includes(name));
  const calls = users.length === 0 ? 0 : probes.reduce((sum, one) => sum + requestsOf(one, 'candidate'), 0);
  const beside = calls === 0 ? '' : `; ${grouped(calls)} probe calls say nothing about your users`;
  return `no request of the candidate was counted${by}${beside}`;
}
