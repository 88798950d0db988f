import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  holdersOf,
  isHolder,
  namesOf,
  newKey,
  type Policy,
  parsePolicy,
  planFaults,
  type Rule,
  raised,
  ruleFor,
  specFaults,
} from '../../src/access/index.js';
import { makePlan } from '../../src/plan/index.js';
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
    ['rules: [{allow: {start: [bob]}}]', 'policy.yaml:4:26 rules[0].allow.start[0]: bob is nobody here'],
    ["rules: [{allow: {start: ['@ops']}}]", '@ops is nobody here; people: names every person and their groups'],
    ['rules: [{allow: {launch: [ann]}}]', 'launch'],
    ['rules: [{floors: {bake: 5}}]', 'expected a duration such as 500ms'],
    ['rules: [{alow: {}}]', 'unknown key "alow" (did you mean "allow"?)'],
    ['rules: [', 'policy.yaml:4:9'],
    [`rules: [{}]\npeople: {}`, 'Map keys must be unique'],
  ])('with %s is refused with the place', (rules, says) => {
    expect(() => policy(rules)).toThrow(says);
  });

  test('refuses a key that is no key, and one that two people share', () => {
    const of = (key: string) => () =>
      parsePolicy(`people: {ann: {keys: ['${ANN}']}, ben: {keys: ['${key}']}}\nrules: [{}]`, 'p');
    expect(of('ssh-ed25519 AAAA')).toThrow('p:1:');
    // The last character of a key has two bits that no key uses: the same key, spelled otherwise.
    expect(of(respelled(ANN))).toThrow('p:1:93 people.ben.keys[0]: expected ed25519:… as `sluice key` prints it');
    expect(of(ANN)).toThrow("this key is ann's already; a key is one person");
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
      "this login is ann's already; a login is one person",
    ],
    [
      `people: {ann: {keys: ['${ANN}']}}\n${MAPS}`,
      'this person could count twice; give login:, or login: null for none',
    ],
    [`people: {ann: {login: a@b.c}}\n${TWO}`, 'there are several logins; say which: issuer:'],
    [`people: {ann: {login: a@b.c, issuer: 'https://c.example'}}\n${TWO}`, 'no login of logins: has this issuer'],
    ["rules: [{allow: {start: ['robot:ci']}}]", 'robot:ci is nobody here'],
    [`${ROBOT('ref: refs/pull/*')}rules: [{}]`, 'refs/heads/… or refs/tags/…'],
    [`${ROBOT('workflow: release.yml')}rules: [{}]`, '.github/workflows/FILE'],
  ])('with logins or robots like %s is refused', (text, says) => {
    expect(() => parsePolicy(text, 'p')).toThrow(says);
  });

  test('means a robot by its name alone', () => {
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

  test('names the groups that a login maps among who may', () => {
    const found = parsePolicy(`people: {ann: {login: a@b.c, groups: [ops]}}\n${MAPS}`, 'p');
    expect(namesOf(found, ['@ops', '@dev', 'everyone'])).toEqual(['ann', '@dev']);
  });

  test('its digest changes with what it says and not with how it is written', () => {
    const one = policy('rules: [{app: a, environment: b}]');
    expect(policy('rules:\n  - environment: b\n    app: a').digest).toBe(one.digest);
    expect(policy('rules: [{app: a, environment: c}]').digest).not.toBe(one.digest);
  });

  test('the first rule about a target counts, and without one nobody may do anything', () => {
    const found = policy(
      "rules: [{app: 'shop-*', environment: prod, allow: {start: [ann]}}, {environment: staging, allow: {start: [anyone]}}]",
    );
    expect(ruleFor(found, 'shop-a', 'prod')?.allow.start).toEqual(['ann']);
    expect(ruleFor(found, 'shop-a', 'staging')?.allow.start).toEqual(['anyone']);
    expect(ruleFor(found, 'shop', 'prod')).toBeNull();
    expect(ruleFor(found, 'my-shop-a', 'prod')).toBeNull();
    expect(ruleFor(policy('rules: [{app: a.b}]'), 'axb', 'prod')).toBeNull();
  });

  test('what a rule does not list', () => {
    const rule = ruleFor(policy("rules: [{allow: {start: ['@dev'], approve: [ben], pause: [ann]}}]"), 'a', 'b');
    if (rule === null) throw new Error('no rule');
    const may = (right: Parameters<typeof holdersOf>[1]) => holdersOf(rule, right);
    expect([may('plan'), may('adopt'), may('undo')]).toEqual([['@dev'], ['@dev'], ['@dev']]);
    expect([may('reject'), may('resume'), may('abort')]).toEqual([['ben'], ['ann'], ['everyone']]);
    expect([may('promote'), may('skip'), may('retry'), may('override')]).toEqual([[], [], [], []]);
  });

  test('a stage has approvers of its own, who may reject it too', () => {
    const rule = ruleFor(policy('rules: [{allow: {approve: [ann]}, stages: {100%: {approve: [ben]}}}]'), 'a', 'b');
    if (rule === null) throw new Error('no rule');
    expect(['10%', '100%'].map((stage) => holdersOf(rule, 'approve', stage))).toEqual([['ann'], ['ben']]);
    expect(holdersOf(rule, 'reject', '100%')).toEqual(['ben']);
  });

  test('who is meant', () => {
    const ann = { name: 'ann', groups: ['dev'] };
    expect([['ann'], ['@dev'], ['everyone'], ['anyone']].map((list) => isHolder(list, ann))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([['ben'], ['@ops'], ['dev'], []].map((list) => isHolder(list, ann))).toEqual([false, false, false, false]);
    expect([['everyone'], ['anyone']].map((list) => isHolder(list, null))).toEqual([false, true]);
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
  const planned = (spec: Parameters<typeof makePlan>[0], text: string) =>
    planFaults(makePlan(spec, { stable: '1' }), rule(text));

  test('approvals are raised to what is asked for, and never lowered', () => {
    const approval = { ...ONE_PERSON, people: 3, within: 3_600_000, onTimeout: 'hold' as const };
    const strict = rule('approvals: {people: 2, notStarter: true, comment: true, within: 30m, onTimeout: rollback}');
    expect(approvalsOf(specFor({ type: 'direct', bake: 0, approval }), strict)).toEqual([
      { ...approval, notStarter: true, comment: true, within: 1_800_000, onTimeout: 'rollback' },
    ]);
    expect(approvalsOf(canary([], 50), rule('stages: {50%: {approve: [ann], people: 4}}'))).toMatchObject([
      { people: 4 },
    ]);
    expect(approvalsOf(canary([], 50), rule('stages: {10%: {approve: [ann], people: 4}}'))).toMatchObject([
      { people: 1 },
    ]);
  });

  test('a bake of a weight may not be shorter, an early pass neither', () => {
    expect(planned(canary([300_000, 60_000, 300_000]), 'floors: {bake: 5m}')).toEqual([
      'stage 50% bakes for 1m; 5m is the least here',
    ]);
    const early = canary([{ min: 60_000, max: 600_000 }, 300_000, 300_000]);
    expect(planned(early, 'floors: {bake: 5m}')).toEqual(['stage 10% bakes for 1m; 5m is the least here']);
  });

  test('an approval that is required must be in the plan', () => {
    expect(planned(canary([]), 'approvals: {required: true}')).toEqual([
      expect.stringContaining('an approval is needed'),
    ]);
    expect(planned(canary([], 50), 'approvals: {required: true}')).toEqual([]);
    expect(planned(canary([], 50), 'stages: {100%: {approve: [ann]}}')).toEqual([
      'stage 100% needs an approval here; add approval: {} to it',
    ]);
  });

  test('a rule that names its targets is about no others, whatever the spec calls itself', () => {
    const spec = canary([]);
    expect(specFaults(spec, rule("targets: ['default/checkout:*']"))).toEqual([]);
    expect(specFaults(specFor({ type: 'undo', bake: 0 }), rule("targets: ['prod/*']"))).toEqual([
      "target default/checkout:live is not one of this rule's targets",
    ]);
  });

  test('health must be able to stop a release', () => {
    const faults = (spec: Parameters<typeof specFaults>[0]) =>
      specFaults(spec, rule('floors: {health: required, strategies: [canary]}'));
    const spec = canary([]);
    expect(faults(spec)).toEqual([]);
    expect(faults({ ...spec, allowUngated: true })).toHaveLength(1);
    const lax = { ...spec.health, policy: { ...spec.health.policy, onNoData: 'promote' as const } };
    expect(faults({ ...spec, health: lax })).toEqual([expect.stringContaining('must not say promote')]);
    expect(faults(specFor({ type: 'direct', bake: 0 }))).toEqual(['strategy direct is not allowed here; take canary']);
    expect(faults(specFor({ type: 'undo', bake: 0 }))).toEqual([]);
  });
});

test('the policy in the examples is one, and means what its remarks say', () => {
  const found = parsePolicy(readFileSync(path.join(ROOT, 'examples', 'policy.yaml'), 'utf8'), 'policy.yaml');
  const production = ruleFor(found, 'checkout', 'production');
  if (production === null) throw new Error('no rule');
  expect(namesOf(found, holdersOf(production, 'start'))).toEqual(['ann', 'ben', 'robot:checkout-ci']);
  expect(namesOf(found, holdersOf(production, 'approve', '10%'))).toEqual(['ben', 'cem', '@release-managers']);
  expect(namesOf(found, holdersOf(production, 'approve', '100%'))).toEqual(['cem']);
  expect(holdersOf(production, 'undo')).toEqual(['@developers', 'robot:checkout-ci']);
  expect(ruleFor(found, 'other', 'production')).toBeNull();
  expect(ruleFor(found, 'other', 'staging')?.allow.start).toEqual(['anyone']);
});
