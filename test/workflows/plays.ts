/** What may happen to a rollout, as values: a play is drawn, printed, and played again from what was printed. */
import fc from 'fast-check';
import type { Limits } from '../../activities/types.js';
import type { ApprovalSpec, Spec, StrategySpec } from '../../src/model/spec.js';
import type { Strategy, VerdictState } from '../../src/model/words.js';
import type { Split } from '../../src/platforms/port.js';
import { ONE_PERSON, specFor } from '../support/specs.js';

export interface Message {
  name: string;
  payload: unknown;
}

export type Deed = { message: Message } | { foreign: Split } | 'cancel';

/** `ms` after the start, or as the `nth` call of an activity begins. */
export type Moment = { ms: number } | { call: string; nth: number };

/** What the provider does to one call: throttles or fails it, so that it is tried again, refuses it, or does it and loses the answer. */
export type Trouble = 'none' | 'throttles' | 'fails' | 'refuses' | 'answerLost';

export interface Play {
  /** Whether the spec has a probe. */
  probed: boolean;
  gated: ApprovalSpec['onTimeout'] | 'no';
  policy: Pick<Spec['health']['judge'], 'onUnhealthy' | 'onUndecided' | 'onNoData'>;
  /** Longest write, in ms. */
  shiftWithin: number;
  limits: Pick<Limits, 'history' | 'signals'>;
  /** Without traffic, at the first weights, from 50 % on, at 100 %. */
  verdicts: [VerdictState, VerdictState, VerdictState, VerdictState];
  /** Too few requests are the only doubt of a verdict that is none. */
  few: boolean;
  /** Answers of the probe, one call after the other; then it passes. */
  probes: boolean[];
  /** By the calls of the account's activities, in order; the rest are well. */
  troubles: Trouble[];
  /** The first write of this kind comes from a frozen worker: an abort is said meanwhile, and it goes on when all is back. */
  late: 'shift' | 'promote' | 'no';
  /** How long each call takes before it has its effect, in ms: a worker can die meanwhile. */
  callTakes: number;
  moves: { when: Moment; deed: Deed }[];
}

/** A play in which nothing goes wrong and nobody says anything. */
export const QUIET: Play = {
  probed: true,
  gated: 'no',
  policy: { onUnhealthy: 'rollback', onUndecided: 'hold', onNoData: 'hold' },
  shiftWithin: 5_000,
  limits: { history: 4_000, signals: 2_000 },
  verdicts: ['healthy', 'healthy', 'healthy', 'healthy'],
  few: false,
  probes: [],
  troubles: [],
  late: 'no',
  callTakes: 0,
  moves: [],
};

const BY = { by: 'ann' };

export const message = (name: string, payload?: unknown): Message => ({ name, payload });

/** All that can be said: what fits the moment, what does not, and what nobody should send. */
function messages(gate: string): fc.Arbitrary<Message> {
  const says = (weight: number, ...given: Message[]) => ({ weight, arbitrary: fc.constantFrom(...given) });
  const verbs = ['approve', 'reject', 'pause', 'resume', 'promote', 'skip', 'retry', 'abort', 'supersede', 'nonsense'];
  const malformed = [null, 'yes', [1], 7, { by: 7 }, { stage: {} }, { full: 1, force: 1, keep: 1, adopt: 1 }];
  return fc.oneof(
    says(4, message('approve', { stage: gate, ...BY })),
    says(2, message('pause', BY)),
    says(2, message('resume', BY)),
    says(3, message('promote', BY), message('promote', { ...BY, full: true })),
    says(3, message('skip', BY)),
    says(3, message('retry', BY), message('retry', { ...BY, adopt: true })),
    says(1, message('abort', BY), message('abort', { ...BY, force: true }), message('supersede', BY)),
    says(1, message('abort', { ...BY, keep: true }), message('abort', { ...BY, keep: true, unwatched: true })),
    says(1, message('reject', { stage: gate, ...BY })),
    says(1, message('approve', { stage: 'another', ...BY }), message('approve', { stage: gate })),
    {
      weight: 1,
      arbitrary: fc.record({ name: fc.constantFrom(...verbs), payload: fc.constantFrom<unknown>(...malformed) }),
    },
  );
}

const VERDICT = fc.oneof(
  { weight: 7, arbitrary: fc.constant<VerdictState>('healthy') },
  { weight: 2, arbitrary: fc.constantFrom<VerdictState>('unhealthy', 'undecided', 'noData', 'blind') },
);

const TROUBLE = fc.oneof(
  { weight: 24, arbitrary: fc.constant<Trouble>('none') },
  { weight: 6, arbitrary: fc.constantFrom<Trouble>('throttles', 'fails', 'answerLost') },
  { weight: 1, arbitrary: fc.constant<Trouble>('refuses') },
);

const MOMENT: fc.Arbitrary<Moment> = fc.oneof(
  fc.record({ ms: fc.integer({ min: 0, max: 2_000 }) }),
  fc.record({
    call: fc.constantFrom('prepare', 'deploy', 'probe', 'shift', 'promote', 'restore', 'notify'),
    nth: fc.integer({ min: 1, max: 2 }),
  }),
);

const FOREIGN = fc.constantFrom<Deed>(
  { foreign: { stable: '7', candidate: null, weight: 0 } },
  { foreign: { stable: '1', candidate: '2', weight: 33 } },
);

/** Any play of a strategy. */
export function plays(strategy: Strategy): fc.Arbitrary<Play> {
  const { gate } = PIECES[strategy];
  const move = fc.record({
    when: MOMENT,
    deed: fc.oneof(
      { weight: 16, arbitrary: messages(gate).map<Deed>((each) => ({ message: each })) },
      { weight: 2, arbitrary: FOREIGN },
      { weight: 1, arbitrary: fc.constant<Deed>('cancel') },
    ),
  });
  /** Without somebody who answers when asked, hardly a gate would be passed. */
  const approver = fc.constant({
    when: { call: 'notify', nth: 1 },
    deed: { message: message('approve', { stage: gate, ...BY }) },
  });
  return fc.record({
    probed: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)),
    gated: fc.constantFrom<Play['gated']>('no', 'rollback', 'hold'),
    policy: fc.record({
      onUnhealthy: fc.constantFrom('rollback', 'hold'),
      onUndecided: fc.constantFrom('rollback', 'hold'),
      onNoData: fc.constantFrom('rollback', 'hold'),
    }),
    shiftWithin: fc.constantFrom(5_000, 5_000, 300),
    limits: fc.record({ history: fc.constantFrom(4_000, 60), signals: fc.constantFrom(2_000, 2) }),
    verdicts: fc.tuple(VERDICT, VERDICT, VERDICT, VERDICT),
    few: fc.boolean(),
    probes: fc.array(fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)), { maxLength: 3 }),
    troubles: fc.array(TROUBLE, { maxLength: 12 }),
    late: fc.oneof(
      { weight: 12, arbitrary: fc.constant<Play['late']>('no') },
      fc.constantFrom<Play['late']>('shift', 'promote'),
    ),
    callTakes: fc.integer({ min: 0, max: 60 }),
    moves: fc
      .tuple(fc.array(approver, { maxLength: 1 }), fc.array(move, { maxLength: 7 }))
      .map(([answers, others]) => [...answers, ...others]),
  });
}

/** A strategy to play, its gate's stage, and whether the gate stands before the promotion. */
interface Piece {
  gate: string;
  gateFirst: boolean;
  strategy(approval: { approval?: ApprovalSpec }): StrategySpec;
}

/** In ms. Long enough that a watcher is mostly there before it is over. */
const BAKE = 80;

export const PIECES: Record<Strategy, Piece> = {
  direct: {
    gate: '100%',
    gateFirst: false,
    strategy: (approval) => ({ type: 'direct', bake: BAKE, ...approval }),
  },
  blueGreen: {
    gate: 'test',
    gateFirst: true,
    strategy: (approval) => ({ type: 'blueGreen', bake: BAKE, testBake: BAKE, ...approval }),
  },
  canary: {
    gate: '50%',
    gateFirst: true,
    strategy: (approval) => ({
      type: 'canary',
      stages: [
        { name: '10%', weight: 10, bake: BAKE, probes: [] },
        { name: '50%', weight: 50, bake: BAKE, probes: ['smoke'], ...approval },
        { name: '100%', weight: 100, bake: BAKE, probes: [] },
      ],
    }),
  },
  linear: {
    gate: '80%',
    gateFirst: true,
    strategy: (approval) => ({ type: 'linear', step: 40, interval: BAKE, bake: BAKE, ...approval }),
  },
};

/** The spec of a play, complete, with waits of ms. */
export function specOf(strategy: Strategy, play: Play, app: string): Spec {
  const { gated, policy, probed, shiftWithin } = play;
  const approval: ApprovalSpec = { ...ONE_PERSON, within: 300, onTimeout: gated === 'hold' ? 'hold' : 'rollback' };
  const spec = specFor(PIECES[strategy].strategy(gated === 'no' ? {} : { approval }));
  const { health } = spec;
  return {
    ...spec,
    app,
    health: {
      ...health,
      probes: probed ? health.probes : [],
      judge: { ...health.judge, ...policy, maxHold: 300, remindEvery: 80 },
    },
    // Somebody to tell, so that people can answer.
    notify: [{ webhook: 'http://127.0.0.1/' }],
    deadlines: { ...spec.deadlines, shift: shiftWithin, pause: 200, stuckAfter: 200 },
  };
}

/** What the judge says at a weight. */
export function verdictAt({ verdicts: [none, first, half, all] }: Play, weight: number): VerdictState {
  if (weight === 0) return none;
  if (weight === 100) return all;
  return weight < 50 ? first : half;
}
