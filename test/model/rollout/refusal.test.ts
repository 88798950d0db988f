/** Why a message is refused, each rule on its own; and that what is offered is what is accepted. */
import fc from 'fast-check';
import type { GateView } from '../../../src/model/access.js';
import { type Facts, mayNot, nameIn, refusal, unmet, wrongStage } from '../../../src/model/rollout/gate.js';
import { choicesOf, offers, verbsOf } from '../../../src/model/rollout/next.js';
import { VERB_TABLE } from '../../../src/model/verbs.js';
import { type MessageVerb, OUTCOMES, PHASES } from '../../../src/model/words.js';
import { baking } from '../../cli/views.js';

const VERBS = Object.keys(VERB_TABLE) as MessageVerb[];

function gate(over: Partial<GateView> = {}): GateView {
  return {
    ...{ id: 'canary-10.approve', stage: '10%', plan: 'plan', expires: 1_000, people: 2 },
    ...{ approved: [], approvers: [], notStarter: false, comment: false, ...over },
  };
}

function facts(over: Partial<Facts> = {}): Facts {
  return {
    ...{ phase: 'baking', outcome: null, code: null, startedBy: 'ann', leaving: null, kept: false },
    ...{ paused: false, skippable: true, undecided: false, gate: null, part: true, ...over },
  };
}

function open(over: Partial<GateView> = {}, more: Partial<Facts> = {}): Facts {
  const view = gate(over);
  return facts({
    phase: 'awaitingApproval',
    skippable: false,
    gate: { stage: view.stage, decidedBy: null, open: view },
    ...more,
  });
}

const FOREIGN = { phase: 'stuck', code: 'SLUICE_FOREIGN_CHANGE' } as const;
const ANN = { by: 'ann' };

describe('a message is refused', () => {
  test.each<[string, Facts, MessageVerb, unknown, string]>([
    ['if it is not an object', facts(), 'pause', 7, 'the payload must be a JSON object like {"by":"ann"'],
    ['if it is a list', facts(), 'pause', [], 'the payload must be a JSON object'],
    ['if its name is not a string', facts(), 'pause', { by: 7 }, '"by" must be a string'],
    ['if its comment is not a string', facts(), 'pause', { comment: {} }, '"comment" must be a string'],
    ['if its stage is not a string', open(), 'approve', { stage: 10, by: 'ben' }, '"stage" must be a string'],
    ['if its token is not a string', open(), 'approve', { token: 7 }, '"token" must be a string'],
    ...(['full', 'force', 'keep', 'unwatched', 'adopt'] as const).map(
      (flag): [string, Facts, MessageVerb, unknown, string] => [
        `whose ${flag} is neither true nor false`,
        facts(),
        'abort',
        { [flag]: 'yes' },
        `"${flag}" must be true or false`,
      ],
    ),
    ['if it is null', facts(), 'pause', null, 'the payload must be a JSON object'],
    ['in a phase without that verb', facts(), 'resume', ANN, 'resume is not possible while baking: the rollout is not'],
    [
      'after the end',
      facts({ phase: 'done', outcome: 'succeeded' }),
      'abort',
      ANN,
      'abort is not possible while done (succeeded)',
    ],
    [
      'once a change is kept',
      facts({ ...FOREIGN, kept: true, leaving: 'ann kept it' }),
      'abort',
      { force: true },
      'abort comes too late: the rollout is ending (ann kept it)',
    ],
    [
      'while it rolls back',
      facts({ leaving: 'unhealthy' }),
      'skip',
      ANN,
      'skip comes too late: the rollout is rolling back (unhealthy)',
    ],
    ['if it skips and no bake runs', facts({ skippable: false }), 'skip', ANN, 'no bake is running'],
    [
      'if it promotes and no bake runs',
      facts({ skippable: false }),
      'promote',
      ANN,
      'no bake is running; promote once one is',
    ],
    ['if it pauses twice', facts({ paused: true }), 'pause', ANN, 'it is already paused'],
    [
      'if it promotes past an open approval',
      open({}, { phase: 'paused' }),
      'promote',
      ANN,
      'promote cannot pass an open approval',
    ],
    [
      'if it promotes an unhealthy candidate',
      facts({ phase: 'held' }),
      'promote',
      ANN,
      'an unhealthy candidate cannot be promoted',
    ],
    [
      'if it adopts without a foreign change',
      facts({ phase: 'stuck' }),
      'retry',
      { adopt: true },
      'there is no foreign change to adopt',
    ],
    [
      'if it retries after a foreign change',
      facts(FOREIGN),
      'retry',
      ANN,
      'someone else changed the target; retry with {"adopt":true}',
    ],
    [
      'if it retries an approval that timed out',
      open({}, { phase: 'held' }),
      'retry',
      ANN,
      'an approval is open; approve or reject it',
    ],
    [
      'if it aborts after a foreign change without a choice',
      facts(FOREIGN),
      'abort',
      ANN,
      'someone else changed the target; abort with {"keep":true}',
    ],
    ['if it keeps and forces', facts(FOREIGN), 'abort', { keep: true, force: true }, 'not both'],
    ['if it has unwatched without keep', facts(FOREIGN), 'abort', { unwatched: true }, '"unwatched" goes with "keep"'],
    ['if it keeps without a foreign change', facts(), 'abort', { keep: true }, 'there is no foreign change to keep'],
    [
      'if it decides without an open approval',
      facts({ phase: 'awaitingApproval' }),
      'approve',
      { stage: '10%', ...ANN },
      'approve: no approval is open',
    ],
    [
      'if it decides twice',
      facts({ phase: 'awaitingApproval', gate: { stage: '10%', decidedBy: 'cem', open: null } }),
      'reject',
      { stage: '10%', by: 'ben' },
      'stage 10% is already decided, by cem',
    ],
    ['if it names no stage', open(), 'approve', { by: 'ben' }, 'name the stage: {"stage":"10%","by":"you"}'],
    [
      'if it names another stage',
      open(),
      'approve',
      { stage: '50%', by: 'ben' },
      'stage "50%" isn\'t waiting for approval; "10%" is',
    ],
    ['if it does not name who decides', open(), 'approve', { stage: '10%' }, 'name who decides'],
    ['if the name is blank', open(), 'approve', { stage: '10%', by: '  ' }, 'name who decides'],
    [
      'if it lacks a required comment',
      open({ comment: true }),
      'reject',
      { stage: '10%', by: 'ben', comment: ' ' },
      'a comment is needed: -m "why"',
    ],
    [
      'if the starter approves',
      open({ notStarter: true }),
      'approve',
      { stage: '10%', by: 'ann' },
      'ann started this rollout; someone else must approve it',
    ],
    [
      'if the same person approves again',
      open({ approved: ['ben'] }),
      'approve',
      { stage: '10%', by: 'ben' },
      'ben has approved already; 2 different people are needed',
    ],
  ])('%s', (_, of, verb, payload, why) => {
    expect(refusal(of, verb, payload)).toContain(why);
  });

  test.each<[string, Facts, MessageVerb, unknown]>([
    ['an abort during a rollback', facts({ phase: 'restoring', leaving: 'unhealthy' }), 'abort', undefined],
    ['a message that a worker has checked, with nulls', facts(), 'pause', { by: 'ann', comment: null, stage: null }],
    ['a rejection by the starter', open({ notStarter: true }), 'reject', { stage: '10%', by: 'ann' }],
    ['a rejection by someone who approved', open({ approved: ['ben'] }), 'reject', { stage: '10%', by: 'ben' }],
    ['a promotion for lack of evidence', facts({ phase: 'held', undecided: true }), 'promote', ANN],
    ['force without a foreign change', facts(), 'abort', { force: true }],
    ['keep after a foreign change', facts(FOREIGN), 'abort', { keep: true, unwatched: true }],
  ])('but not for %s', (_, of, verb, payload) => {
    expect(refusal(of, verb, payload)).toBeNull();
  });

  test('for a second decision even if it is signed, but not for a missing stage then', () => {
    expect(refusal(open({ comment: true }), 'approve', { token: 'signed' }, true)).toBeNull();
    const decided = facts({ phase: 'awaitingApproval', gate: { stage: '10%', decidedBy: 'cem', open: null } });
    expect(refusal(decided, 'approve', { token: 'signed' }, true)).toContain('already decided');
  });

  test('in the same words by the client and by the worker, whichever checks first', () => {
    expect(unmet('approve', { by: 'ann', comment: '' }, gate({ comment: true }), null)).toContain(
      'a comment is needed',
    );
    expect(wrongStage('10%', gate())).toBeNull();
    expect(mayNot('ann', 'approve', [])).toBe('ann may not approve here; nobody may');
    expect(mayNot('ann', null, ['ben', 'cem'])).toBe('ann may not; ben, cem may');
  });
});

const anyGate = fc.option(
  fc.record({
    comment: fc.boolean(),
    notStarter: fc.boolean(),
    approved: fc.subarray(['ben', 'cem']),
    decided: fc.boolean(),
  }),
);
const anyFacts = fc
  .record({
    phase: fc.constantFrom(...PHASES, 'done' as const),
    outcome: fc.constantFrom(null, ...OUTCOMES),
    code: fc.constantFrom(null, 'SLUICE_FOREIGN_CHANGE' as const, 'SLUICE_PROVIDER' as const),
    leaving: fc.constantFrom(null, 'unhealthy'),
    kept: fc.boolean(),
    paused: fc.boolean(),
    skippable: fc.boolean(),
    undecided: fc.boolean(),
    part: fc.boolean(),
    gate: anyGate,
  })
  .map(({ gate: asked, ...rest }): Facts => {
    if (asked === null) return facts({ ...rest, gate: null });
    const { decided, ...more } = asked;
    const view = gate(more);
    return facts({ ...rest, gate: { stage: '10%', decidedBy: decided ? 'cem' : null, open: decided ? null : view } });
  });

/** All that a person could mean by a verb at this moment. */
function everyWay(verb: MessageVerb): Record<string, unknown>[] {
  const said = { by: 'you', comment: 'why', stage: '10%' };
  switch (verb) {
    case 'promote':
      return [said, { ...said, full: true }];
    case 'retry':
      return [said, { ...said, adopt: true }];
    case 'abort':
      return [said, { ...said, force: true }, { ...said, keep: true }, { ...said, keep: true, unwatched: true }];
    default:
      return [said];
  }
}

describe('an offered command', () => {
  test('is an accepted one: no offer is refused, and what is not offered is', () => {
    fc.assert(
      fc.property(anyFacts, (of) => {
        const offered = offers(of);
        const refused = offered.filter(({ verb, payload }) => refusal(of, verb, payload) !== null);
        const accepted = VERBS.filter((verb) => everyWay(verb).some((payload) => refusal(of, verb, payload) === null));
        expect([refused, verbsOf(offered).toSorted()]).toEqual([[], accepted.toSorted()]);
      }),
      { numRuns: 2_000 },
    );
  });

  test('is what the views print: the same payload, and a command with the same flags', () => {
    fc.assert(
      fc.property(anyFacts, (of) => {
        const offered = offers(of);
        const split = of.part
          ? { stable: '41', candidate: '42', weight: 10 }
          : { stable: '41', candidate: null, weight: 0 };
        const kept = of.kept ? { split, by: 'ann', unwatched: false } : null;
        const view = baking({
          ...{ phase: of.phase, outcome: of.outcome, code: of.code, split, kept },
          waitingFor: {
            ...{ what: 'a person', until: null, otherwise: 'nothing', verbs: verbsOf(offered) },
            ...{ stage: of.gate?.open?.stage ?? null, gate: of.gate?.open ?? null },
          },
        });
        const choices = choicesOf(view);
        const all =
          of.phase === 'baking' ? offered.filter(({ verb }) => ['skip', 'pause', 'abort'].includes(verb)) : offered;
        expect(choices.map(({ verb, payload }) => [verb, JSON.parse(payload)])).toEqual(
          all.map(({ verb, payload }) => [verb, payload]),
        );
        for (const { verb, payload, command } of choices) {
          expect(command).toMatch(new RegExp(`^sluice ${verb} checkout/production`));
          for (const flag of ['keep', 'unwatched', 'force', 'adopt'])
            expect(command.includes(`--${flag}`)).toBe(payload.includes(`"${flag}":true`));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('is never retry in a hold that an approval timed out into', () => {
    expect(verbsOf(offers(open({}, { phase: 'held' })))).toEqual(['approve', 'reject', 'abort']);
    expect(verbsOf(offers(facts({ phase: 'held', undecided: true })))).toEqual(['promote', 'retry', 'abort']);
  });
});

test('a message is not refused if what the rules ask for is there', () => {
  const held = facts({ phase: 'held' });
  const accepted: [Facts, MessageVerb, unknown][] = [
    [facts(), 'skip', ANN],
    [facts(), 'promote', ANN],
    [{ ...held, undecided: true }, 'promote', ANN],
    [facts(FOREIGN), 'retry', { adopt: true }],
    [facts({ phase: 'stuck' }), 'retry', ANN],
    [held, 'retry', ANN],
    [facts({ phase: 'stuck', leaving: 'unhealthy' }), 'retry', ANN],
    [facts({ phase: 'restoring', leaving: 'unhealthy' }), 'abort', ANN],
    [facts(FOREIGN), 'abort', { keep: true }],
    [facts(FOREIGN), 'abort', { force: true }],
    // Somebody else's change that no longer waits for a word is one that an abort outranks.
    [facts({ ...FOREIGN, phase: 'restoring' }), 'abort', ANN],
    [facts({ phase: 'stuck' }), 'abort', ANN],
    [open({ comment: true }), 'approve', { stage: '10%', by: 'ben', comment: 'seen' }],
  ];
  for (const [of, verb, payload] of accepted) expect(refusal(of, verb, payload)).toBeNull();
  const keep = { keep: true };
  expect(refusal(facts({ ...FOREIGN, phase: 'restoring' }), 'abort', keep)).toContain('no foreign change to keep');
  expect(refusal(facts({ phase: 'stuck' }), 'abort', keep)).toContain('no foreign change to keep');
  expect(refusal(open(), 'approve', { stage: '10%' })).toBe('name who decides: {"stage":"10%","by":"you"}');
  expect(refusal(open({ comment: true }), 'approve', { stage: '10%', by: 'ben' })).toContain('a comment is needed');
});

test.each<[unknown, string]>([
  [{ by: 'ann' }, 'ann'],
  [{ by: '  ' }, 'someone'],
  [{ by: 7 }, 'someone'],
  [{}, 'someone'],
  [null, 'someone'],
  [undefined, 'someone'],
  ['ann', 'someone'],
])('the name in %j is %s', (given, name) => {
  expect(nameIn(given)).toBe(name);
});
