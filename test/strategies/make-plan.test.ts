import type { JudgeRules, Spec, StrategySpec } from '../../src/model/spec.js';
import { parseSpecText } from '../../src/spec/index.js';
import { makePlan } from '../../src/strategies/registry.js';
import type { Plan, Step } from '../../src/strategies/types.js';
import { ONE_PERSON } from '../support/specs.js';

const SPEC = parseSpecText(`
app: shop
environment: production
target: {function: shop, region: eu-central-1}
release: {version: 7}
health:
  probes: [{name: a, invoke: {}}, {name: b, invoke: {}}]
`);
const APPROVAL = { ...ONE_PERSON, within: 60_000, onTimeout: 'hold' } as const;

function planFor(
  strategy: StrategySpec,
  { stable = '1' as string | null, ...change }: Partial<Spec> & { stable?: string | null } = {},
): Plan {
  return makePlan({ ...SPEC, strategy, ...change }, { stable });
}

/** `stage: step step step`, a step with what is special of it. */
function told(plan: Plan): string[] {
  return plan.stages.map(({ name, steps }) => `${name}: ${steps.map(tell).join(' ')}`);
}

function tell(step: Step): string {
  switch (step.kind) {
    case 'deploy':
      return step.into === undefined ? 'deploy' : `deploy>${step.into}`;
    case 'probe':
      return `probe(${step.probes.join()})`;
    case 'shift':
      return `shift(${step.weight})`;
    case 'bake':
      return `${step.warns === true ? 'observe' : 'bake'}(${step.weight},${step.duration / 1000}s)`;
    case 'compare':
      return `compare(${step.weight},${step.duration / 1000}s)`;
    case 'approve':
      return `approve(${step.weight})`;
    case 'warm':
      return step.orGoOn === true ? 'warm?' : 'warm';
    case 'promote':
    case 'finish':
      return step.kind;
  }
}

const stage = (weight: number, more: object = {}) => ({
  name: `${weight}%`,
  weight,
  bake: weight * 1000,
  probes: [],
  ...more,
});

describe('a plan', () => {
  test.each<[string, StrategySpec, string[]]>([
    [
      'for direct gives all traffic at once, after the probes',
      { type: 'direct', bake: 5_000 },
      ['deploy: deploy probe(a,b)', '100%: promote bake(100,5s) finish'],
    ],
    [
      'for direct asks for approval after the bake, while a rollback is possible',
      { type: 'direct', bake: 5_000, approval: APPROVAL },
      ['deploy: deploy probe(a,b)', '100%: promote bake(100,5s) approve(100) finish'],
    ],
    [
      'for blueGreen tests the idle environment and switches in one write',
      { type: 'blueGreen', bake: 5_000, testBake: 0 },
      ['deploy: deploy>idle probe(a,b)', 'switch: promote bake(100,5s) compare(50,5s) finish'],
    ],
    [
      'for blueGreen bakes longer and asks for approval before the switch',
      { type: 'blueGreen', bake: 5_000, testBake: 2_000, approval: APPROVAL },
      [
        'deploy: deploy>idle probe(a,b)',
        'test: bake(0,2s) approve(0)',
        'switch: promote bake(100,5s) compare(50,5s) finish',
      ],
    ],
    [
      'for canary shifts, probes, bakes and asks, weight by weight, and promotes at the last',
      {
        type: 'canary',
        stages: [stage(10, { probes: ['b'] }), stage(50, { approval: APPROVAL }), stage(100, { approval: APPROVAL })],
      },
      [
        'deploy: deploy probe(a,b)',
        '10%: shift(10) probe(b) bake(10,10s)',
        '50%: shift(50) bake(50,50s) approve(50)',
        '100%: promote bake(100,100s) compare(50,100s) approve(100) finish',
      ],
    ],
    [
      'for linear takes equal steps and asks before the last',
      { type: 'linear', step: 25, interval: 1_000, bake: 5_000, approval: APPROVAL },
      [
        'deploy: deploy probe(a,b)',
        '25%: shift(25) bake(25,1s)',
        '50%: shift(50) bake(50,1s)',
        '75%: shift(75) bake(75,1s) approve(75)',
        '100%: promote bake(100,5s) compare(50,5s) finish',
      ],
    ],
    [
      'for linear ends with a smaller step if the step does not divide 100 %',
      { type: 'linear', step: 33.3, interval: 1_000, bake: 5_000 },
      [
        'deploy: deploy probe(a,b)',
        '33.3%: shift(33.3) bake(33.3,1s)',
        '66.6%: shift(66.6) bake(66.6,1s)',
        '99.9%: shift(99.9) bake(99.9,1s)',
        '100%: promote bake(100,5s) compare(50,5s) finish',
      ],
    ],
    [
      'for linear keeps steps of a hundredth of a percent',
      { type: 'linear', step: 33.33, interval: 1_000, bake: 5_000 },
      [
        'deploy: deploy probe(a,b)',
        '33.33%: shift(33.33) bake(33.33,1s)',
        '66.66%: shift(66.66) bake(66.66,1s)',
        '99.99%: shift(99.99) bake(99.99,1s)',
        '100%: promote bake(100,5s) compare(50,5s) finish',
      ],
    ],
    [
      'for linear in one step asks before it',
      { type: 'linear', step: 100, interval: 1_000, bake: 5_000, approval: APPROVAL },
      ['deploy: deploy probe(a,b) approve(0)', '100%: promote bake(100,5s) compare(50,5s) finish'],
    ],
    [
      'for undo gives all traffic to the earlier release without a probe, and bakes',
      { type: 'undo', bake: 1_000 },
      ['deploy: deploy', '100%: promote observe(100,1s) finish'],
    ],
  ])('%s', (_, strategy, expected) => {
    expect(told(planFor(strategy))).toEqual(expected);
  });

  test.each<[StrategySpec, string[]]>([
    [{ type: 'direct', bake: 5_000 }, ['deploy: deploy probe(a,b)', '100%: promote bake(100,5s) finish']],
    [
      { type: 'blueGreen', bake: 5_000, testBake: 2_000, approval: APPROVAL },
      ['deploy: deploy>idle probe(a,b) approve(0)', 'switch: promote bake(100,5s) finish'],
    ],
    [
      { type: 'canary', stages: [stage(10, { approval: APPROVAL }), stage(100)] },
      ['deploy: deploy probe(a,b) approve(0)', '100%: promote bake(100,100s) finish'],
    ],
    [
      { type: 'linear', step: 10, interval: 1_000, bake: 5_000 },
      ['deploy: deploy probe(a,b)', '100%: promote bake(100,5s) finish'],
    ],
  ])('for a first deployment splits nothing: %j', (strategy, expected) => {
    expect(told(planFor(strategy, { stable: null }))).toEqual(expected);
  });

  test.each<[string, boolean, Partial<JudgeRules> | undefined, boolean]>([
    ['as health.judge says', true, undefined, true],
    ['but not if health.judge turns it off', false, undefined, false],
    ["but not if the stage's own health turns it off", true, { probeBack: false }, false],
    ["if the stage's own health turns it on", false, { probeBack: true }, true],
    ["as health.judge says if the stage's own health sets other things", true, { minErrors: 5 }, true],
  ])('compares once more at half the traffic %s', (_, probeBack, health, compares) => {
    const policy = { ...SPEC.health.judge, probeBack };
    const stages = [stage(10), stage(100, { bake: { min: 1_000, max: 9_000 }, ...(health ? { health } : {}) })];
    const plan = planFor({ type: 'canary', stages }, { health: { ...SPEC.health, judge: policy } });
    expect(told(plan)[2]).toBe(`100%: promote bake(100,9s) ${compares ? 'compare(50,9s) ' : ''}finish`);
  });

  test('readies capacity before the probes if the spec has some', () => {
    const plan = planFor({ type: 'direct', bake: 0 }, { configuration: { provisionedConcurrency: 3 } });
    expect(told(plan)[0]).toBe('deploy: deploy warm probe(a,b)');
  });

  test('has no probe step without probes', () => {
    const plan = planFor({ type: 'direct', bake: 0 }, { health: { ...SPEC.health, probes: [] } });
    expect(told(plan)[0]).toBe('deploy: deploy');
  });

  test("gives each step the spec's deadline and an id that says where it is", () => {
    const plan = planFor({ type: 'canary', stages: [stage(10), stage(100)] });
    expect(
      plan.stages.flatMap(({ steps }) => steps.map((step) => [step.id, 'deadline' in step ? step.deadline : null])),
    ).toEqual([
      ['canary-0.deploy', SPEC.deadlines.deploy],
      ['canary-0.probe', SPEC.deadlines.probe],
      ['canary-10.shift', SPEC.deadlines.shift],
      ['canary-10.bake', null],
      ['canary-100.promote', SPEC.deadlines.shift],
      ['canary-100.bake', null],
      ['canary-100.compare', SPEC.deadlines.shift],
      ['canary-100.finish', null],
    ]);
  });
});
