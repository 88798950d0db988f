import fc from 'fast-check';
import type { Spec } from '../../src/model/spec.js';
import { parseSpecValue } from '../../src/spec/index.js';
import { makePlan } from '../../src/strategies/registry.js';
import { MAX_STAGES, type Plan, type Step } from '../../src/strategies/types.js';

/** What CloudWatch has spoken in; less is refused. */
const duration = fc.integer({ min: 125, max: 3_600 }).map((s) => `${s}s`);
const approval = fc.option(fc.constant({ within: '1h', onTimeout: 'hold' }), { nil: undefined });
const PROBES = ['a', 'b'];

/** Rising weights with two decimals at most, the last one 100. */
const weights = fc
  .uniqueArray(fc.integer({ min: 1, max: 9_999 }), { maxLength: 97 })
  .map((hundredths) => [...hundredths.sort((a, b) => a - b).map((n) => n / 100), 100]);

const stages = weights.chain((rising) =>
  fc.tuple(
    ...rising.map((weight) =>
      fc
        .record({ bake: duration, probes: fc.subarray(PROBES), approval })
        .map((rest) => ({ weight: `${weight}%`, ...rest })),
    ),
  ),
);

const strategy = fc.oneof(
  fc.record({ type: fc.constant('direct'), bake: duration, approval }),
  fc.record({
    type: fc.constant('blueGreen'),
    bake: duration,
    testBake: fc.oneof(fc.constant('0s'), duration),
    approval,
  }),
  fc.record({ type: fc.constant('canary'), stages }),
  fc.record({
    type: fc.constant('linear'),
    step: fc.integer({ min: 103, max: 10_000 }).map((n) => `${n / 100}%`),
    interval: duration,
    bake: duration,
    approval,
  }),
  fc.record({ type: fc.constant('undo'), bake: duration.filter((text) => text !== '3601s') }),
);

/** Any spec that the parser takes. */
const spec = fc
  .record({ strategy, probes: fc.boolean(), capacity: fc.integer({ min: 0, max: 2 }) })
  .map(({ strategy: how, probes, capacity }): Spec => {
    const plain = JSON.parse(JSON.stringify(how));
    if (!probes) {
      for (const stage of plain.stages ?? []) stage.probes = [];
      // Without probes nothing could judge the idle environment.
      delete plain.testBake;
    }
    return parseSpecValue({
      app: 'shop',
      environment: 'production',
      target: { function: 'shop', region: 'eu-central-1' },
      release: { version: 7 },
      configuration: { provisionedConcurrency: capacity },
      strategy: plain,
      health: { probes: probes ? PROBES.map((name) => ({ name, invoke: {} })) : [] },
    });
  });

const stable = fc.option(fc.constant('1'), { nil: null });

function always(holds: (plan: Plan, steps: Step[], of: Spec, before: string | null) => void): void {
  fc.assert(
    fc.property(spec, stable, (of, before) => {
      const plan = makePlan(of, { stable: before });
      holds(
        plan,
        plan.stages.flatMap((stage) => stage.steps),
        of,
        before,
      );
    }),
  );
}

/** The weight the candidate has after each step. */
function weightsOf(steps: Step[]): number[] {
  let weight = 0;
  return steps.map((step) => {
    if (step.kind === 'shift') weight = step.weight;
    if (step.kind === 'promote') weight = 100;
    return weight;
  });
}

describe('every plan', () => {
  test('has weights that never fall and end at 100', () =>
    always((_, steps) => {
      const path = weightsOf(steps);
      expect(path.at(-1)).toBe(100);
      expect(path).toEqual([...path].sort((a, b) => a - b));
    }));

  test('promotes exactly once, never shifts to 0 or 100, and ends with finish', () =>
    always((_, steps) => {
      expect(steps.filter(({ kind }) => kind === 'promote')).toHaveLength(1);
      expect(steps.filter(({ kind }) => kind === 'finish')).toHaveLength(1);
      expect(steps.at(-1)?.kind).toBe('finish');
      for (const step of steps) {
        if (step.kind !== 'shift') continue;
        expect(step.weight).toBeGreaterThan(0);
        expect(step.weight).toBeLessThan(100);
      }
    }));

  test('deploys first, readies capacity, and passes every probe before the first weight', () =>
    always((_, steps, of) => {
      const first = weightsOf(steps).findIndex((weight) => weight > 0);
      const before = steps.slice(0, first);
      expect(before[0]?.kind).toBe('deploy');
      expect(before.some(({ kind }) => kind === 'warm')).toBe((of.configuration.provisionedConcurrency ?? 0) > 0);
      const probed = before.flatMap((step) => (step.kind === 'probe' ? step.probes : []));
      // An undo goes back to what has served all users, and probes nothing before.
      expect(probed).toEqual(of.strategy.type === 'undo' ? [] : of.health.probes.map(({ name }) => name));
    }));

  test("bakes and asks at the candidate's current weight, and bakes after each change of it", () =>
    always((_, steps) => {
      const path = weightsOf(steps);
      for (const [i, step] of steps.entries()) {
        if (step.kind === 'bake' || step.kind === 'approve') expect(step.weight).toBe(path[i]);
        if (step.kind !== 'shift' && step.kind !== 'promote') continue;
        const next = steps.slice(i + 1).find(({ kind }) => kind !== 'probe');
        expect(next?.kind).toBe('bake');
      }
    }));

  test('compares at half the traffic only after the bake at 100 %, and only if a release was live', () =>
    always((plan, steps, _, before) => {
      const compares = before !== null && ['canary', 'linear', 'blueGreen'].includes(plan.strategy);
      const at = steps.findIndex(({ kind }) => kind === 'compare');
      expect(steps.filter(({ kind }) => kind === 'compare')).toHaveLength(compares ? 1 : 0);
      if (compares) expect([steps[at], steps[at - 1]]).toMatchObject([{ weight: 50 }, { kind: 'bake', weight: 100 }]);
    }));

  test('asks for every approval in the spec, or for one on a first deployment', () =>
    always((_, steps, of, before) => {
      const asked = steps.filter(({ kind }) => kind === 'approve').length;
      const wanted =
        of.strategy.type === 'canary'
          ? of.strategy.stages.filter((stage) => stage.approval).length
          : 'approval' in of.strategy && of.strategy.approval
            ? 1
            : 0;
      expect(asked).toBe(before === null ? Math.min(wanted, 1) : wanted);
    }));

  test('has unique ids and stage names, and not too many stages', () =>
    always((plan, steps) => {
      expect(plan.stages.length).toBeLessThanOrEqual(MAX_STAGES);
      expect(new Set(plan.stages.map(({ name }) => name)).size).toBe(plan.stages.length);
      expect(new Set(steps.map(({ id }) => id)).size).toBe(steps.length);
      for (const { id } of steps) expect(id).toMatch(/^[A-Za-z0-9.-]+$/);
      for (const { steps: own } of plan.stages) expect(own.length).toBeGreaterThan(0);
    }));

  test('is the same after a round trip through JSON, and each time it is made', () =>
    always((plan, _, of, before) => {
      expect(JSON.parse(JSON.stringify(plan))).toStrictEqual(plan);
      expect(makePlan(of, { stable: before })).toStrictEqual(plan);
    }));
});
