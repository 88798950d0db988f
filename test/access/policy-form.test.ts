/** What a policy may say and what not: the edges of each field, and faults that only the whole shows. */
import { type Policy, parsePolicy } from '../../src/access/index.js';

/** Bytes of nothing but zeros: a key as far as a policy can see. */
const KEY = `ed25519:${'A'.repeat(43)}`;
const parsed = (text: string): Policy => parsePolicy(text, 'p');
const withRule = (rule: string) => `people: {ann: {keys: ['${KEY}']}}\nrules: [{${rule}}]`;
const withLogin = (login: string) =>
  `logins: [{issuer: 'https://a.example', clientId: c${login === '' ? '' : `, ${login}`}}]\nrules: [{}]`;
const withRobot = (robot: string) => `robots: {ci: {${robot}}}\nrules: [{}]`;
const list = (count: number) => Array.from({ length: count }, (_, at) => at);
const a = (length: number) => 'a'.repeat(length);
const ROBOT = 'repository: acme/shop, ref: refs/heads/main, workflow: .github/workflows/r.yml';

/** The last that is taken, and the first that is not. */
test.each<[string, string, string]>([
  [
    'a name of a person',
    `people: {${a(63)}: {keys: ['${KEY}']}}\nrules: [{}]`,
    `people: {${a(64)}: {keys: ['${KEY}']}}\nrules: [{}]`,
  ],
  [
    'a first letter of a name',
    `people: {a.b: {keys: ['${KEY}']}}\nrules: [{}]`,
    `people: {.b: {keys: ['${KEY}']}}\nrules: [{}]`,
  ],
  ['an app', withRule(`app: ${a(64)}`), withRule(`app: ${a(65)}`)],
  ['letters of an app', withRule('app: a-*'), withRule('app: a/b')],
  ['who may', withRule('allow: {start: [ann]}'), withRule("allow: {start: ['@']}")],
  [
    'a login',
    `people: {ann: {login: ${a(200)}}}\n${withLogin('')}`,
    `people: {ann: {login: ${a(201)}}}\n${withLogin('')}`,
  ],
  [
    'a login that says something',
    `people: {ann: {login: x}}\n${withLogin('')}`,
    `people: {ann: {login: ''}}\n${withLogin('')}`,
  ],
  ['the least of people', withRule('approvals: {people: 1}'), withRule('approvals: {people: 0}')],
  ['the most of people', withRule('approvals: {people: 20}'), withRule('approvals: {people: 21}')],
  ['whole people', withRule('approvals: {people: 2}'), withRule('approvals: {people: 1.5}')],
  ['the shortest approval', withRule('approvals: {within: 60s}'), withRule('approvals: {within: 59s}')],
  ['an approval that times out', withRule('approvals: {onTimeout: hold}'), withRule('approvals: {onTimeout: promote}')],
  ['some strategy', withRule('floors: {strategies: [canary]}'), withRule('floors: {strategies: []}')],
  ['some reference', withRule("secrets: [{references: ['env/X']}]"), withRule('secrets: [{references: []}]')],
  [
    'a reference',
    withRule(`secrets: [{references: ['env/${a(496)}']}]`),
    withRule(`secrets: [{references: ['env/${a(497)}']}]`),
  ],
  ['any store', withRule("secrets: [{references: ['*/X']}]"), withRule("secrets: [{references: ['']}]")],
  [
    'a use',
    withRule("secrets: [{references: ['env/X'], for: [webhook]}]"),
    withRule("secrets: [{references: ['env/X'], for: [log]}]"),
  ],
  [
    'a host',
    withRule(`secrets: [{references: ['env/X'], hosts: [${a(255)}]}]`),
    withRule(`secrets: [{references: ['env/X'], hosts: [${a(256)}]}]`),
  ],
  [
    'some host',
    withRule("secrets: [{references: ['env/X'], hosts: [x]}]"),
    withRule("secrets: [{references: ['env/X'], hosts: ['']}]"),
  ],
  ['a target', withRule(`targets: ['x/${a(298)}']`), withRule(`targets: ['x/${a(299)}']`)],
  ['a target with its account', withRule("targets: ['*']"), withRule("targets: ['**']")],
  ['a role', withRule(`roles: [${a(300)}]`), withRule(`roles: [${a(301)}]`)],
  ['some role', withRule('roles: [x]'), withRule("roles: ['']")],
  ['a stage', withRule(`stages: {${a(40)}: {approve: [ann]}}`), withRule(`stages: {${a(41)}: {approve: [ann]}}`)],
  ['a stage with a name', withRule('stages: {final: {approve: [ann]}}'), withRule("stages: {'': {approve: [ann]}}")],
  [
    'a weight as a stage',
    withRule("stages: {'100%': {approve: [ann]}}"),
    withRule("stages: {'100.01%': {approve: [ann]}}"),
  ],
  ['the least weight', withRule("stages: {'0.5%': {approve: [ann]}}"), withRule("stages: {'0%': {approve: [ann]}}")],
  [
    'a name with a number in it',
    withRule("stages: {'phase 2': {approve: [ann]}}"),
    withRule("stages: {'2': {approve: [ann]}}"),
  ],
  [
    'the least people of a stage',
    withRule('stages: {final: {approve: [ann], people: 1}}'),
    withRule('stages: {final: {approve: [ann], people: 0}}'),
  ],
  [
    'the most people of a stage',
    withRule('stages: {final: {approve: [anyone], people: 20}}'),
    withRule('stages: {final: {approve: [anyone], people: 21}}'),
  ],
  [
    'several logins',
    `logins: [${list(5).map((at) => `{issuer: 'https://${at}.example', clientId: c}`)}]\nrules: [{}]`,
    `logins: [${list(6).map((at) => `{issuer: 'https://${at}.example', clientId: c}`)}]\nrules: [{}]`,
  ],
  [
    'an issuer',
    `logins: [{issuer: 'https://a.example/${a(282)}', clientId: c}]\nrules: [{}]`,
    `logins: [{issuer: 'https://a.example/${a(283)}', clientId: c}]\nrules: [{}]`,
  ],
  [
    "a client's id",
    `logins: [{issuer: 'https://a.example', clientId: ${a(300)}}]\nrules: [{}]`,
    `logins: [{issuer: 'https://a.example', clientId: ${a(301)}}]\nrules: [{}]`,
  ],
  ["some client's id", withLogin(''), `logins: [{issuer: 'https://a.example', clientId: ''}]\nrules: [{}]`],
  ['a claim', withLogin(`name: ${a(100)}`), withLogin(`name: ${a(101)}`)],
  ['some claim', withLogin('groups: x'), withLogin("groups: ''")],
  ["a provider's group", withLogin(`mapGroups: {${a(200)}: dev}`), withLogin(`mapGroups: {${a(201)}: dev}`)],
  ['some group of a provider', withLogin('mapGroups: {x: dev}'), withLogin("mapGroups: {'': dev}")],
  ['a group', withLogin(`mapGroups: {x: ${a(63)}}`), withLogin(`mapGroups: {x: ${a(64)}}`)],
  ['some group', withLogin('mapGroups: {x: y}'), withLogin("mapGroups: {x: ''}")],
  ['a scope', withLogin('scopes: [openid]'), withLogin("scopes: ['two words']")],
  ['a scope in full', withLogin(`scopes: [${a(100)}]`), withLogin(`scopes: [${a(101)}]`)],
  ['a repository', withRobot(ROBOT), withRobot(ROBOT.replace('acme/shop', 'acme/shop/more'))],
  ['an owner', withRobot(ROBOT.replace('acme/', 'a-1/')), withRobot(ROBOT.replace('acme/', '-a/'))],
  [
    'a branch',
    withRobot(ROBOT.replace('heads/main', 'heads/*')),
    withRobot(ROBOT.replace('refs/heads/main', 'x/refs/heads/main')),
  ],
  ['a ref', withRobot(ROBOT.replace('heads/main', 'tags/v1')), withRobot(ROBOT.replace('heads/main', 'heads/a b'))],
  ['a workflow', withRobot(ROBOT.replace('r.yml', 'r.yaml')), withRobot(ROBOT.replace('r.yml', 'r.yml.txt'))],
  [
    "another repository's workflow",
    withRobot(ROBOT.replace('.github', 'acme/shared/.github')),
    withRobot(ROBOT.replace('.github', 'x/acme/shared/.github')),
  ],
])('%s', (_, taken, refused) => {
  expect(() => parsed(taken)).not.toThrow();
  expect(() => parsed(refused)).toThrow('the policy cannot be used');
});

test('a policy gets its defaults', () => {
  const [rule] = parsed(withRule('')).rules;
  expect(rule).toMatchObject({
    ...{ app: '*', environment: '*', allow: {}, stages: {}, secrets: [] },
    approvals: { required: false, people: 1, notStarter: false, comment: false },
    floors: { bake: 0, health: 'optional', bypass: 'allowed' },
  });
  expect(parsed(withLogin('')).logins).toMatchObject([
    { name: 'email', groups: 'groups', mapGroups: {}, scopes: ['openid', 'email', 'profile'] },
  ]);
  expect(parsed(withRobot(ROBOT)).robots.ci?.issuer).toBe('https://token.actions.githubusercontent.com');
});

const TWO = "{issuer: 'https://a.example', clientId: c}, {issuer: 'https://b.example', clientId: c}";
const MAPS = "{issuer: 'https://a.example', clientId: c, mapGroups: {devs: dev}}";

test.each<[string, string]>([
  [`people: {ann: {}}\nrules: [{}]`, 'p:1:10 people.ann: neither a key nor a login'],
  [
    `people: {ann: {keys: ['${KEY}']}, ben: {keys: ['${KEY}']}}\nrules: [{}]`,
    'people.ben.keys[0]: this key already belongs to ann',
  ],
  [
    "logins: [{issuer: 'https://a.example', clientId: c}, {issuer: 'https://a.example', clientId: d}]\nrules: [{}]",
    'logins[1].issuer: this issuer is already listed',
  ],
  [
    `people: {ann: {keys: ['${KEY}'], login: x, issuer: 'https://c.example'}}\nlogins: [${TWO}]\nrules: [{}]`,
    'people.ann.issuer: no login in logins: has this issuer',
  ],
  [
    `people: {ann: {keys: ['${KEY}']}}\nlogins: [${MAPS}]\nrules: [{}]`,
    'people.ann: a login maps groups, so this person could count twice',
  ],
  [`people: {ann: {login: x}}\nrules: [{}]`, 'people.ann.login: there is no login; logins: names where people log in'],
  [
    `people: {ann: {login: x}}\nlogins: [${TWO}]\nrules: [{}]`,
    'people.ann.login: there are several logins; set issuer:',
  ],
  [
    `people: {ann: {login: x}, ben: {login: X}}\nlogins: [${MAPS}]\nrules: [{}]`,
    'people.ben.login: this login already belongs to ann',
  ],
  [
    withRule('stages: {final: {approve: [eve]}}'),
    'rules[0].stages.final.approve[0]: eve is neither a person nor a group in people:',
  ],
  [
    withRule('allow: {approve: [ann]}, approvals: {people: 2}'),
    'rules[0].allow.approve: 2 people must approve here and only 1 can (ann)',
  ],
  [
    withRule('stages: {final: {approve: [ann], people: 2}}'),
    'rules[0].stages.final.approve: 2 people must approve here and only 1 can (ann)',
  ],
  [
    withRule('stages: {final: {approve: [ann]}}, approvals: {people: 2}'),
    'rules[0].stages.final.approve: 2 people must approve here and only 1 can (ann)',
  ],
  [withRule('allow: {approve: [everyone]}, approvals: {people: 2}'), '2 people must approve here and only 1 can (ann)'],
  [
    `people: {ann: {keys: ['${KEY}'], login: null, groups: [ops]}}\nlogins: [${MAPS}]\nrules: [{allow: {approve: ['@ops']}, approvals: {people: 2}}]`,
    '2 people must approve here and only 1 can (ann)',
  ],
])('%s is refused, and the error names the place', (text, says) => {
  expect(() => parsed(text)).toThrow(says);
});

/** How many they are, nobody knows here. */
test.each([
  withRule('allow: {approve: [anyone]}, approvals: {people: 20}'),
  withRule('allow: {approve: [ann, anyone]}, approvals: {people: 20}'),
  `robots: {ci: {${ROBOT}}}\n${withRule("allow: {approve: ['robot:ci']}, approvals: {people: 20}")}`,
  ...["'@dev'", "ann, '@dev'", 'everyone'].map(
    (who) =>
      `people: {ann: {keys: ['${KEY}'], login: null}}\nlogins: [${MAPS}]\nrules: [{allow: {approve: [${who}]}, approvals: {people: 20}}]`,
  ),
  withRule('approvals: {people: 20}'),
])('%s may require any number of people', (text) => {
  expect(() => parsed(text)).not.toThrow();
});

test('a person without a key may have a null login or a named one if the login maps groups', () => {
  for (const login of ['login: null', 'login: x']) {
    expect(() => parsed(`people: {ann: {keys: ['${KEY}'], ${login}}}\nlogins: [${MAPS}]\nrules: [{}]`)).not.toThrow();
  }
});
