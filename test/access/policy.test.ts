import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  holdersOf,
  isHolder,
  namesOf,
  newKey,
  openVerbs,
  type Policy,
  parsePolicy,
  planFaults,
  type Rule,
  raised,
  ruleAt,
  ruleFor,
  specFaults,
} from '../../src/access/index.js';
import type { Bake, Spec, StrategySpec } from '../../src/model/spec.js';
import { makePlan, type TargetState } from '../../src/strategies/registry.js';
import { canary, ONE_PERSON, specFor } from '../support/specs.js';
import { ROOT } from '../support/tools.js';

const ANN = newKey('ann').public;
const BEN = newKey('ben').public;

/** The same key with the other of the spellings that decode to it. */
function respelled(key: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return `${key.slice(0, -1)}${letters[letters.indexOf(key.at(-1) ?? '') + 1]}`;
}

const ONE = "logins: [{issuer: 'https://a.example', clientId: c}]\nrules: [{}]";
const TWO =
  "logins: [{issuer: 'https://a.example', clientId: c}, {issuer: 'https://b.example', clientId: c}]\nrules: [{}]";
const MAPS =
  "logins: [{issuer: 'https://a.example', clientId: c, mapGroups: {devs: dev}}]\nrules: [{allow: {start: ['@dev']}}]";
/** A robot with one pin that is another. */
const ROBOT = (pin: string) => {
  const pins = ['repository: acme/shop', 'ref: refs/heads/main', 'workflow: .github/workflows/release.yml'];
  const [key = ''] = pin.split(':');
  return `robots: {ci: {${pins.map((each) => (each.startsWith(`${key}:`) ? pin : each)).join(', ')}}}\n`;
};

function policy(rules: string): Policy {
  return parsePolicy(
    `people:\n  ann: {keys: ['${ANN}'], groups: [dev]}\n  ben: {keys: ['${BEN}']}\n${rules}`,
    'policy.yaml',
  );
}

describe('a policy', () => {
  test.each([
    ['rules: []', 'policy.yaml:4:1 rules: without a rule nobody may do anything'],
    [
      'rules: [{allow: {start: [bob]}}]',
      'policy.yaml:4:26 rules[0].allow.start[0]: bob is neither a person nor a group in people:',
    ],
    ["rules: [{allow: {start: ['@ops']}}]", '@ops is neither a person nor a group in people:'],
    ['rules: [{allow: {launch: [ann]}}]', 'launch'],
    ['rules: [{floors: {bake: 5}}]', 'expected a duration such as 500ms'],
    ['rules: [{alow: {}}]', 'unknown key "alow" (did you mean "allow"?)'],
    ['rules: [', 'policy.yaml:4:9'],
    [
      'rules: [{allow: {approve: [ben]}, approvals: {people: 2}}]',
      '4:18 rules[0].allow.approve: 2 people must approve here and only 1 can (ben); it could never be approved',
    ],
    [
      'rules: [{allow: {approve: [ann, ben]}, stages: {100%: {approve: [ben]}}, approvals: {people: 2}}]',
      'rules[0].stages["100%"].approve: 2 people must approve here and only 1 can (ben)',
    ],
    ['rules: [{stages: {100: {approve: [ben]}}}]', 'no stage can have this name; write a weight as 100%'],
    ['rules: [{stages: {110%: {approve: [ben]}}}]', 'no stage can have this name'],
    ['rules: [{targets: ["checkout:live"]}]', 'expected ACCOUNT/TARGET, such as default/checkout:live'],
    ['rules: [{secrets: [{references: ["secret://env/X"]}]}]', 'expected STORE/NAME without secret://'],
    ['rules: [{secrets: [{references: ["vault/X"]}]}]', 'stores are aws-secretsmanager, aws-ssm'],
    [`rules: [{}]\npeople: {}`, 'this key appears twice'],
  ])('with %s is refused, and the error names the place', (rules, says) => {
    expect(() => policy(rules)).toThrow(says);
  });

  test.each([
    ['people: {anyone: {keys: [KEY]}}', 'p:1:10 people.anyone: anyone means signed or not'],
    ['people: {Everyone: {keys: [KEY]}}', 'p:1:10 people.Everyone: everyone means all whom the policy knows'],
    ['people: {ann: {keys: [KEY], groups: [anyone]}}', 'p:1:88 people.ann.groups[0]: anyone means signed or not'],
    [
      "logins: [{issuer: 'https://a.example', clientId: c, mapGroups: {devs: everyone}}]",
      'logins[0].mapGroups.devs: everyone means all whom the policy knows',
    ],
  ])('with a reserved name is refused: %s', (text, says) => {
    expect(() => parsePolicy(`${text.replace('KEY', `'${ANN}'`)}\nrules: [{}]`, 'p')).toThrow(says);
    expect(() => parsePolicy(`${text.replace('KEY', `'${ANN}'`)}\nrules: [{}]`, 'p')).toThrow('use another name');
  });

  test.each([
    'rules: [{stages: {__proto__: {approve: [anyone]}}}]',
    'rules: [{allow: {__proto__: [anyone]}}]',
    'rules: [{__proto__: {}}]',
  ])('with %s is refused, since Sluice would ignore it', (rules) => {
    expect(() => policy(rules)).toThrow(/policy\.yaml:4:\d+ rules\[0\]\S*: "__proto__" cannot be a key/);
  });

  test('refuses an invalid key, and one key for two people', () => {
    const of = (key: string) => () =>
      parsePolicy(`people: {ann: {keys: ['${ANN}']}, ben: {keys: ['${key}']}}\nrules: [{}]`, 'p');
    expect(of('ssh-ed25519 AAAA')).toThrow('p:1:');
    // The last character of a key has two bits that no key uses: the same key, spelled otherwise.
    expect(of(respelled(ANN))).toThrow('p:1:93 people.ben.keys[0]: expected ed25519:… as `sluice key` prints it');
    expect(of(ANN)).toThrow('this key already belongs to ann; give each person their own');
  });

  test.each([
    ['people: {ann: {}}\nrules: [{}]', 'neither a key nor a login; give keys: or login:'],
    ['people: {ann: {login: a@b.c}}\nrules: [{}]', 'there is no login; logins: names where people log in'],
    [
      "logins: [{issuer: 'http://idp.example', clientId: c}]\nrules: [{}]",
      'expected https://… (http only for this machine)',
    ],
    [
      `people: {ann: {login: a@b.c}, ben: {login: A@b.c}}\n${ONE}`,
      'this login already belongs to ann; give each person their own',
    ],
    [
      `people: {ann: {keys: ['${ANN}']}}\n${MAPS}`,
      'this person could count twice; set login:, or login: null for none',
    ],
    [`people: {ann: {login: a@b.c}}\n${TWO}`, 'there are several logins; set issuer:'],
    [`people: {ann: {login: a@b.c, issuer: 'https://c.example'}}\n${TWO}`, 'no login in logins: has this issuer'],
    ["rules: [{allow: {start: ['robot:ci']}}]", 'robot:ci is not a robot in robots:'],
    [`${ROBOT('ref: refs/pull/*')}rules: [{}]`, 'refs/heads/… or refs/tags/…'],
    [`${ROBOT('workflow: release.yml')}rules: [{}]`, '.github/workflows/FILE'],
  ])('with logins or robots like %s is refused', (text, says) => {
    expect(() => parsePolicy(text, 'p')).toThrow(says);
  });

  test('means a robot only by its full name', () => {
    const ci: Parameters<typeof isHolder>[1] = { name: 'robot:ci', groups: [], robot: true };
    expect([['robot:ci'], ['anyone'], ['everyone'], ['ci'], ['@dev']].map((list) => isHolder(list, ci))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    const found = parsePolicy(`${ROBOT('ref: refs/heads/main')}rules: [{allow: {start: ['robot:ci']}}]`, 'p');
    expect(namesOf(found, ['robot:ci', 'everyone', 'anyone'])).toEqual(['robot:ci']);
  });

  test('lists the groups that a login maps among those who may act', () => {
    const found = parsePolicy(`people: {ann: {login: a@b.c, groups: [ops]}}\n${MAPS}`, 'p');
    expect(namesOf(found, ['@ops', '@dev', 'everyone'])).toEqual(['ann', '@dev']);
  });

  test('has a digest of its meaning, not of its formatting', () => {
    const one = policy('rules: [{app: a, environment: b}]');
    expect(policy('rules:\n  - environment: b\n    app: a').digest).toBe(one.digest);
    expect(policy('rules: [{app: a, environment: c}]').digest).not.toBe(one.digest);
  });

  test('goes by the first rule that matches the target, and allows nothing without one', () => {
    const found = policy(
      "rules: [{app: 'shop-*', environment: prod, allow: {start: [ann]}}, {environment: staging, allow: {start: [anyone]}}]",
    );
    expect(ruleFor(found, 'shop-a', 'prod')?.allow.start).toEqual(['ann']);
    expect(ruleFor(found, 'shop-a', 'staging')?.allow.start).toEqual(['anyone']);
    expect(ruleFor(found, 'shop', 'prod')).toBeNull();
    expect(ruleFor(found, 'my-shop-a', 'prod')).toBeNull();
    expect(ruleFor(policy('rules: [{app: a.b}]'), 'axb', 'prod')).toBeNull();
  });

  test('gives a right that a rule does not list its default holders', () => {
    const rule = ruleFor(policy("rules: [{allow: {start: ['@dev'], approve: [ben], pause: [ann]}}]"), 'a', 'b');
    if (rule === null) throw new Error('no rule');
    const may = (right: Parameters<typeof holdersOf>[1]) => holdersOf(rule, right);
    expect([may('plan'), may('adopt'), may('undo')]).toEqual([['@dev'], ['@dev'], ['@dev']]);
    expect([may('reject'), may('resume'), may('abort')]).toEqual([['ben'], ['ann'], ['everyone']]);
    expect([may('promote'), may('skip'), may('retry'), may('override')]).toEqual([[], [], [], []]);
    expect(may('moveCallers')).toEqual([]);
  });

  test('may give a stage its own approvers, who may reject it too', () => {
    const rule = ruleFor(policy('rules: [{allow: {approve: [ann]}, stages: {100%: {approve: [ben]}}}]'), 'a', 'b');
    if (rule === null) throw new Error('no rule');
    expect(['10%', '100%'].map((stage) => holdersOf(rule, 'approve', stage))).toEqual([['ann'], ['ben']]);
    expect(holdersOf(rule, 'reject', '100%')).toEqual(['ben']);
  });

  test('lets the approvers of a stage reject it unless the rule lists reject; other rights are the same for all stages', () => {
    const stages = 'stages: {100%: {approve: [ben]}}';
    const by = (allow: string, right: Parameters<typeof holdersOf>[1], stage?: string) => {
      const rule = ruleFor(policy(`rules: [{allow: {${allow}}, ${stages}}]`), 'a', 'b');
      return rule === null ? null : holdersOf(rule, right, stage);
    };
    expect(by('approve: [ann]', 'reject', '10%')).toEqual(['ann']);
    expect(by('approve: [ann], reject: [ann]', 'reject', '100%')).toEqual(['ann']);
    expect(by('approve: [ann], reject: [ann]', 'approve', '100%')).toEqual(['ben']);
    expect(by('approve: [ann]', 'approve')).toEqual(['ann']);
    expect(by('skip: [ann]', 'skip', '100%')).toEqual(['ann']);
    expect(by('', 'skip', '100%')).toEqual([]);
    expect(by('', 'abort', '100%')).toEqual(['everyone']);
  });

  test('may have a stage named like a built-in object property', () => {
    const found = policy('rules: [{allow: {approve: [ann]}}]');
    const rule = ruleFor(found, 'checkout', 'production');
    if (rule === null) throw new Error('no rule');
    expect(holdersOf(rule, 'approve', 'constructor')).toEqual(['ann']);
  });

  test('opens a decision to anyone only if no stage has a stricter list', () => {
    const open = (text: string) => {
      const rule = ruleFor(policy(`rules: [{${text}}]`), 'a', 'b');
      return rule === null ? null : openVerbs(rule);
    };
    const anyone = 'allow: {approve: [anyone], pause: [anyone]}';
    expect(open(anyone)).toEqual(['approve', 'reject', 'pause', 'resume']);
    expect(open(`${anyone}, stages: {final: {approve: [anyone]}}`)).toEqual(['approve', 'reject', 'pause', 'resume']);
    expect(open(`${anyone}, stages: {final: {approve: [ben]}}`)).toEqual(['pause', 'resume']);
    expect(open('allow: {reject: [anyone]}, stages: {final: {approve: [ben]}}')).toEqual(['reject']);
  });

  test('tells whether a person is in a list', () => {
    const ann = { name: 'ann', groups: ['dev'] };
    expect([['ann'], ['@dev'], ['everyone'], ['anyone']].map((list) => isHolder(list, ann))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([['ben'], ['@ops'], ['dev'], []].map((list) => isHolder(list, ann))).toEqual([false, false, false, false]);
    expect([['everyone'], ['anyone']].map((list) => isHolder(list, null))).toEqual([false, true]);
    // A group is meant with its sign alone, whatever stands in the first place of another name.
    expect(isHolder(['xdev'], ann)).toBe(false);
  });

  test('names the people, groups and robots in a list, and nobody for "anyone"', () => {
    const found = parsePolicy(`people: {ann: {login: null, keys: ['${ANN}']}, xdev: {login: x}}\n${MAPS}`, 'p');
    expect(namesOf(found, ['anyone'])).toEqual([]);
    expect(namesOf(found, ['everyone'])).toEqual(['ann', 'xdev']);
    expect(namesOf(found, ['xdev', '@dev'])).toEqual(['xdev', '@dev']);
  });

  test('treats undo as a start, never as a verb open to anyone', () => {
    const rule = ruleFor(policy('rules: [{allow: {undo: [anyone], override: [anyone]}}]'), 'a', 'b');
    expect(rule && openVerbs(rule)).toEqual(['override']);
  });
});

describe('floors', () => {
  const rule = (text: string) => {
    const found = ruleFor(policy(`rules: [{${text}}]`), 'a', 'b');
    if (found === null) throw new Error('no rule');
    return found;
  };
  const approvalsOf = (spec: Parameters<typeof makePlan>[0], by: Rule) =>
    raised(makePlan(spec, { stable: '1' }), by).stages.flatMap(({ steps }) =>
      steps.flatMap((step) => (step.kind === 'approve' ? [step.approval] : [])),
    );
  const planned = (spec: Parameters<typeof makePlan>[0], text: string, before: TargetState = { stable: '1' }) =>
    planFaults(makePlan(spec, before), rule(text), before);

  const gate = { ...ONE_PERSON, within: 3_600_000, onTimeout: 'rollback' as const };
  const stages = (...given: [weight: number, name: string, gated?: boolean][]): Spec =>
    specFor({
      type: 'canary',
      stages: given.map(([weight, name, gated = false]) => ({
        ...{ weight, name, bake: 60_000, probes: [] },
        ...(gated ? { approval: gate } : {}),
      })),
    });
  const linear = (step: number, approval?: typeof gate): StrategySpec => ({
    ...{ type: 'linear', step, interval: 60_000, bake: 60_000 },
    ...(approval === undefined ? {} : { approval }),
  });

  test('raise the approvals of a spec, and never lower them', () => {
    const approval = { ...ONE_PERSON, people: 3, within: 3_600_000, onTimeout: 'hold' as const };
    const strict = rule('approvals: {people: 2, notStarter: true, comment: true, within: 30m, onTimeout: rollback}');
    expect(approvalsOf(specFor({ type: 'direct', bake: 0, approval }), strict)).toEqual([
      { ...approval, notStarter: true, comment: true, within: 1_800_000, onTimeout: 'rollback' },
    ]);
    expect(approvalsOf(canary([], 50), rule('stages: {50%: {approve: [anyone], people: 4}}'))).toMatchObject([
      { people: 4 },
    ]);
    expect(approvalsOf(canary([], 50), rule('stages: {10%: {approve: [anyone], people: 4}}'))).toMatchObject([
      { people: 1 },
    ]);
  });

  test('require as many people as the strictest of the spec, the rule and each of its stages', () => {
    const people = (asked: number, text: string) =>
      approvalsOf(
        specFor({ type: 'linear', step: 50, interval: 60_000, bake: 60_000, approval: { ...gate, people: asked } }),
        rule(text),
      ).map((each) => each.people);
    // The approval before the last step is that of its own weight and of 100%.
    const text = (most: number, half: number, all: number) =>
      `approvals: {people: ${most}}, stages: {50%: {approve: [anyone], people: ${half}}, 100%: {approve: [anyone], people: ${all}}}`;
    expect(people(5, text(2, 3, 4))).toEqual([5]);
    expect(people(1, text(5, 3, 4))).toEqual([5]);
    expect(people(1, text(2, 5, 4))).toEqual([5]);
    expect(people(1, text(2, 3, 5))).toEqual([5]);
  });

  test.each(['notStarter', 'comment'] as const)('leave %s as the spec has it unless the rule requires it', (what) => {
    const asked = (own: boolean, text: string) =>
      approvalsOf(specFor({ type: 'direct', bake: 0, approval: { ...gate, [what]: own } }), rule(text)).map(
        (each) => each[what],
      );
    expect(asked(true, '')).toEqual([true]);
    expect(asked(false, `approvals: {${what}: true}`)).toEqual([true]);
    expect(asked(false, '')).toEqual([false]);
  });

  test("close an approval at the earlier deadline; its onTimeout is the rule's, or else the spec's", () => {
    const times = (text: string) =>
      approvalsOf(canary([], 50), rule(text)).map(({ within, onTimeout }) => [within, onTimeout]);
    const [own = []] = times('approvals: {}');
    expect(times('approvals: {within: 1m}')).toEqual([[60_000, own[1]]]);
    expect(times('approvals: {within: 30d}')).toEqual([own]);
    expect(times('approvals: {onTimeout: hold}')).toEqual([[own[0], 'hold']]);
  });

  test('apply to the bake of a weight, and to a bake that may pass early', () => {
    expect(planned(canary([300_000, 60_000, 300_000]), 'floors: {bake: 5m}')).toEqual([
      'stage 50% bakes for 1m; at least 5m is required here',
    ]);
    const early = canary([{ min: 60_000, max: 600_000 }, 300_000, 300_000]);
    expect(planned(early, 'floors: {bake: 5m}')).toEqual(['stage 10% bakes for 1m; at least 5m is required here']);
  });

  test('do not apply to a bake without traffic or to steps that are not a bake', () => {
    const tried: StrategySpec = { type: 'blueGreen', bake: 600_000, testBake: 1_000 };
    expect(planned(specFor(tried), 'floors: {bake: 5m}')).toEqual([]);
    expect(planned(specFor({ ...tried, bake: 1_000 }), 'floors: {bake: 5m}')).toContainEqual(
      'stage switch bakes for 1s; at least 5m is required here',
    );
    expect(planned(stages([1, '1%'], [100, '100%']), 'floors: {bake: 61s}')).toEqual([
      'stage 1% bakes for 1m; at least 1m1s is required here',
      'stage 100% bakes for 1m; at least 1m1s is required here',
    ]);
  });

  test('refuse a plan that lacks a required approval', () => {
    expect(planned(canary([]), 'approvals: {required: true}')).toEqual([
      'an approval is needed before all users get the release; add approval: {} to a stage below 100%',
    ]);
    expect(planned(specFor(linear(50)), 'approvals: {required: true}')).toEqual([
      'an approval is needed before the release is live for good; add approval: {} to the strategy',
    ]);
    expect(planned(canary([], 50), 'approvals: {required: true}')).toEqual([]);
  });

  const blueGreen = (bake: Bake = 0): StrategySpec => ({ type: 'blueGreen', bake, testBake: 0, approval: gate });

  test('apply to every stage with that weight, whatever the spec calls it', () => {
    const cem = "stages: {'100%': {approve: [ann, ben], people: 2}}, allow: {approve: [ann]}";
    const gates = (spec: Spec, stable: string | null = '1') =>
      raised(makePlan(spec, { stable }), rule(cem)).stages.flatMap(({ name: stage, steps }) =>
        steps.flatMap((step) =>
          step.kind === 'approve'
            ? [
                `${stage} ${holdersOf(ruleAt(rule(cem), { ...step, stage }), 'approve', stage).join()} ${step.approval.people}`,
              ]
            : [],
        ),
      );
    expect(gates(stages([10, '10%', true], [100, 'final', true]))).toEqual(['10% ann 1', 'final ann,ben 2']);
    expect(gates(stages([10, '100%', true], [100, 'constructor', true]))).toEqual([
      '100% ann,ben 2',
      'constructor ann,ben 2',
    ]);
    // The gate before all users is the only one that these have.
    expect(gates(specFor(linear(50, gate)))).toEqual(['50% ann,ben 2']);
    expect(gates(specFor(blueGreen()))).toEqual(['test ann,ben 2']);
    expect(gates(specFor({ type: 'direct', bake: 0, approval: gate }))).toEqual(['100% ann,ben 2']);
    expect(gates(canary([], 50), null)).toEqual(['deploy ann,ben 2']);
  });

  test('refuse a plan that lacks a named stage or its approval', () => {
    const all = "stages: {'100%': {approve: [ann]}}";
    const half = "stages: {'50%': {approve: [ann]}}";
    expect(planned(stages([10, '10%', true], [100, 'final']), all)).toEqual([
      'stage final needs an approval here; add approval: {} to it',
    ]);
    expect(planned(stages([10, '100%', true], [100, 'final']), all)).toEqual([
      'stage final needs an approval here; add approval: {} to it',
    ]);
    expect(planned(specFor(linear(50)), all)).toEqual([
      'stage 100% needs an approval here; add approval: {} to the strategy, or use canary with an approval in this stage',
    ]);
    for (const strategy of [linear(50, gate), blueGreen()]) expect(planned(specFor(strategy), all)).toEqual([]);
    expect(planned(specFor(blueGreen()), 'stages: {switch: {approve: [ann]}}')).toEqual([]);
    expect(planned(specFor({ type: 'blueGreen', bake: 0, testBake: 0 }), 'stages: {switch: {approve: [ann]}}')).toEqual(
      [expect.stringContaining('stage switch needs an approval here; add approval: {} to the strategy')],
    );
    expect(planned(stages([51, '51%', true], [100, '100%']), half)).toEqual([
      'stage 50% must be approved here, and this plan does not have it; use canary with that stage',
    ]);
    expect(planned(specFor(linear(50, gate)), "stages: {'50%': {approve: [ann]}, '100%': {approve: [ben]}}")).toEqual([
      expect.stringContaining('the approval in stage 50% falls under several stages of the policy (50%, 100%)'),
    ]);
  });

  test('do not require a stage for a first deployment or an undo', () => {
    const text = "stages: {'100%': {approve: [ann]}, '50%': {approve: [ann]}}, floors: {strategies: [canary]}";
    expect(planned(canary([]), text, { stable: null })).toEqual([]);
    expect(planned(specFor({ type: 'undo', bake: 0 }), text)).toEqual([]);
    expect(planned(canary([]), 'approvals: {required: true}', { stable: null })).toHaveLength(1);
    expect(planned(canary([], 100), 'approvals: {required: true}', { stable: null })).toEqual([]);
  });

  test('refuse every plan that gives all users the release at once, if direct is not allowed', () => {
    const once = (spec: Spec, text = 'floors: {strategies: [canary, linear, blueGreen]}') => planned(spec, text);
    const refused = [expect.stringContaining('all users would get the release at once')];
    expect(once(stages([100, '100%', true]))).toEqual(refused);
    expect(once(specFor(linear(100, gate)))).toEqual(refused);
    expect(once(specFor(blueGreen()))).toEqual([]);
    const { health } = canary([]);
    expect(once(specFor(blueGreen(), { health: { ...health, probes: [] } }))).toEqual(refused);
    expect(once(stages([1, '1%'], [100, '100%']))).toEqual([]);
    expect(once(stages([100, '100%']), 'floors: {strategies: [canary, direct]}')).toEqual([]);
    expect(once(stages([100, '100%']), 'approvals: {}')).toEqual([]);
  });

  test('require the approval before all users get the release, except for direct', () => {
    const required = 'approvals: {required: true}';
    expect(planned(canary([], 100), required)).toEqual([
      'an approval is needed before all users get the release; add approval: {} to a stage below 100%',
    ]);
    expect(planned(specFor({ type: 'direct', bake: 0, approval: gate }), required)).toEqual([]);
    for (const strategy of [linear(50, gate), blueGreen()]) expect(planned(specFor(strategy), required)).toEqual([]);
  });

  test('apply only to the targets that the rule names, whatever the spec calls itself', () => {
    const spec = canary([]);
    expect(specFaults(spec, rule("targets: ['default/checkout:*']"))).toEqual([]);
    expect(specFaults(spec, rule("targets: ['prod/*', 'default/checkout:*']"))).toEqual([]);
    expect(specFaults(specFor({ type: 'undo', bake: 0 }), rule("targets: ['prod/*']"))).toEqual([
      "target default@us-east-1/checkout:live is not one of this rule's targets",
    ]);
  });

  test('apply only in the region that the rule names with its targets', () => {
    const faults = (targets: string) => specFaults(canary([]), rule(`targets: ['${targets}']`)).length;
    expect(['default@us-*/*', 'default@us-east-1/checkout:live', '*@us-east-1/*', '*'].map(faults)).toEqual([
      0, 0, 0, 0,
    ]);
    expect(['default@eu-*/*', 'prod@us-east-1/*', 'us-east-1/checkout:live'].map(faults)).toEqual([1, 1, 1]);
  });

  test('refuse a role for a target unless the rule lists it', () => {
    const roleArn = 'arn:aws:iam::999999999999:role/deployer';
    const target = { platform: 'lambda', function: 'checkout', alias: 'live', region: 'us-east-1' } as const;
    const spec = canary([], undefined, { target: { ...target, account: 'staging', roleArn } });
    const faults = (text: string) => specFaults(spec, rule(text));
    const refused = [
      `target.roleArn ${roleArn} is not one of this rule's roles; remove it, or have it added to roles:`,
    ];
    expect(faults("targets: ['staging/checkout:live']")).toEqual(refused);
    expect(faults("roles: ['arn:aws:iam::111111111111:*']")).toEqual(refused);
    expect(faults("roles: ['arn:aws:iam::999999999999:role/*']")).toEqual([]);
    expect(faults("roles: ['arn:aws:iam::111111111111:*', 'arn:aws:iam::999999999999:role/*']")).toEqual([]);
    expect(specFaults({ ...spec, strategy: { type: 'undo', bake: 0 } }, rule(''))).toEqual(refused);
  });

  test('allow callers of the bare function unless the policy forbids them', () => {
    const spec = canary([], undefined, { allowBypass: ['url', 'calls'] });
    expect(specFaults(spec, rule('floors: {}'))).toEqual([]);
    expect(specFaults(spec, rule('floors: {bypass: forbidden}'))).toEqual([
      'allowBypass is not allowed here; remove it, and move these callers to the alias: url, calls',
    ]);
    expect(specFaults(canary([]), rule('floors: {bypass: forbidden}'))).toEqual([]);
  });

  test('require that health can stop a release', () => {
    const faults = (spec: Parameters<typeof specFaults>[0]) =>
      specFaults(spec, rule('floors: {health: required, strategies: [canary]}'));
    const spec = canary([]);
    expect(faults(spec)).toEqual([]);
    expect(faults({ ...spec, allowUnjudged: true })).toHaveLength(1);
    const lax = { ...spec.health, judge: { ...spec.health.judge, onNoData: 'promote' as const } };
    expect(faults({ ...spec, health: lax })).toEqual([expect.stringContaining('must not be promote')]);
    const undecided = { ...spec.health, judge: { ...spec.health.judge, onUndecided: 'promote' as const } };
    expect(faults({ ...spec, health: undecided })).toEqual([expect.stringContaining('must not be promote')]);
    expect(faults({ ...spec, health: { ...spec.health, probes: [] } })).toEqual([
      expect.stringContaining('name a probe or a metric that decides'),
    ]);
    // A stage of a canary has limits of its own.
    const [first, ...rest] = spec.strategy.type === 'canary' ? spec.strategy.stages : [];
    if (first === undefined) throw new Error('a canary has stages');
    const laxStage = { ...first, health: { onNoData: 'promote' as const } };
    expect(faults({ ...spec, strategy: { type: 'canary', stages: [laxStage, ...rest] } })).toEqual([
      expect.stringContaining('must not be promote'),
    ]);
    expect(faults(specFor({ type: 'direct', bake: 0 }))).toEqual(['strategy direct is not allowed here; use canary']);
    expect(faults(specFor({ type: 'undo', bake: 0 }))).toEqual([]);
  });
});

test('the example policy is valid and does what its comments say', () => {
  const found = parsePolicy(readFileSync(path.join(ROOT, 'examples', 'policy.yaml'), 'utf8'), 'policy.yaml');
  const production = ruleFor(found, 'checkout', 'production');
  if (production === null) throw new Error('no rule');
  expect(namesOf(found, holdersOf(production, 'start'))).toEqual(['ann', 'ben', 'robot:checkout-ci']);
  expect(namesOf(found, holdersOf(production, 'approve', '10%'))).toEqual(['ben', 'cem', '@release-managers']);
  expect(namesOf(found, holdersOf(production, 'approve', '100%'))).toEqual(['ben', 'cem']);
  expect(holdersOf(production, 'undo')).toEqual(['@developers', 'robot:checkout-ci']);
  expect(ruleFor(found, 'other', 'production')).toBeNull();
  expect(ruleFor(found, 'other', 'staging')?.allow.start).toEqual(['anyone']);
});
