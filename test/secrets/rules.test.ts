import { parsePolicy } from '../../src/access/index.js';
import { hostMatches, mayUse, mayUseBy, type SecretRule } from '../../src/access/secrets.js';
import type { SecretAsk } from '../../src/model/secrets.js';

const ask = (more: Partial<SecretAsk> = {}): SecretAsk => ({
  reference: 'secret://aws-ssm/shop/token',
  app: 'shop',
  environment: 'production',
  use: 'probe',
  host: 'api.example.com',
  ...more,
});

const RULES: SecretRule[] = [
  { references: ['aws-ssm/shop/*'], for: ['probe', 'metric'], hosts: ['*.example.com'] },
  { references: ['aws-secretsmanager/shop/**', 'azure-keyvault/Shop/*'], for: ['environment'] },
];

test.each<[string, Partial<SecretAsk>, string | null]>([
  ['a rule allows its name and host', {}, null],
  ['a rule allows a pinned version and a key of it', { reference: 'secret://aws-ssm//shop/token@3#k' }, null],
  ['a rule allows a host that is not known yet', { host: null }, null],
  ['a rule denies another host', { host: 'evil.com' }, 'to be sent to evil.com'],
  [
    'a rule denies another name',
    { reference: 'secret://aws-ssm/other/token' },
    'no rule of shop/production covers aws-ssm/other/token',
  ],
  ['a rule denies a name in a deeper folder', { reference: 'secret://aws-ssm/shop/db/token' }, 'no rule'],
  ['a rule denies another store', { reference: 'secret://env/shop' }, 'no rule'],
  ['a rule denies another use', { use: 'webhook' }, 'as a secret of kind webhook'],
  [
    'a rule allows an environment',
    { reference: 'secret://aws-secretsmanager/shop/a/b', use: 'environment', host: null },
    null,
  ],
  [
    'a rule ignores case in a vault',
    { reference: 'secret://azure-keyvault/SHOP/Db', use: 'environment', host: null },
    null,
  ],
  [
    "a rule denies an environment's secret in a probe",
    { reference: 'secret://aws-secretsmanager/shop/a' },
    'as a secret of kind probe',
  ],
  ['a rule denies a malformed reference', { reference: 'secret://aws-ssm/' }, 'the reference is not valid'],
])('%s', (_, more, why) => {
  const said = mayUse(RULES, ask(more));
  if (why === null) expect(said).toBeNull();
  else expect(said).toContain(why);
});

test('a rule without hosts sends nothing anywhere, and no rules allow nothing', () => {
  expect(mayUse([{ references: ['**'] }], ask())).toContain('to be sent to no host');
  expect(mayUse([{ references: ['**'] }], ask({ host: null }))).toContain('to be sent to no host');
  expect(mayUse([{ references: ['**'] }], ask({ use: 'environment', host: null }))).toBeNull();
  expect(mayUse([], ask())).toContain('no rule');
});

test('one matching host of several is enough', () => {
  const rules: SecretRule[] = [{ references: ['aws-ssm/shop/*'], hosts: ['other.example', 'api.example.com'] }];
  expect(mayUse(rules, ask())).toBeNull();
});

test('names are case-sensitive in every store but a vault', () => {
  expect(mayUse([{ references: ['aws-ssm/Shop/*'], hosts: ['**'] }], ask())).toContain('no rule');
  expect(mayUse([{ references: ['AWS-SSM/shop/*'], hosts: ['**'] }], ask())).toContain('no rule');
});

test("the target's rule applies; without one, or with another policy, nothing may be used, and without any policy everything may", () => {
  const rules = "rules: [{app: shop, secrets: [{references: ['aws-ssm/shop/*'], hosts: ['*.example.com']}]}]";
  const may = mayUseBy(parsePolicy(rules, 'p'));
  expect(may?.(ask())).toBeNull();
  expect(may?.(ask({ host: 'evil.com' }))).toContain('to be sent to evil.com');
  expect(may?.(ask({ app: 'other' }))).toBe('no rule of the policy is about this target');
  expect(mayUseBy(null)).toBeUndefined();
});

test("one rule's hosts do not apply to another rule's secrets", () => {
  const rules = [...RULES, { references: ['aws-ssm/other/*'], hosts: ['evil.com'] }];
  expect(mayUse(rules, ask({ host: 'evil.com' }))).toContain('do not allow');
});

test.each([
  ['api.example.com', 'api.example.com'],
  ['API.example.com', 'api.Example.COM'],
  ['api.example.com', 'api.example.com.'],
  ['*.example.com', 'api.example.com'],
  ['api-*.example.com', 'api-7.example.com'],
  ['**.example.com', 'a.b.example.com'],
  ['api.example.com:8443', 'api.example.com:8443'],
  ['api.example.com:*', 'api.example.com:8443'],
  ['api.example.com:*', 'api.example.com'],
  ['[2001:db8::1]', '[2001:db8::1]'],
])('%s names %s', (glob, host) => {
  expect(hostMatches(glob, host)).toBe(true);
});

test.each([
  ['example.com', 'evil-example.com'],
  ['example.com', 'example.com.evil.com'],
  ['example.com', 'api.example.com'],
  ['*.example.com', 'example.com'],
  ['*.example.com', 'evil.com/.example.com'],
  ['*.example.com', 'evil.com?.example.com'],
  ['*.example.com', 'evil.com#.example.com'],
  ['*.example.com', 'a.b.example.com'],
  ['*.example.com', 'evilexample.com'],
  ['*.example.com', 'user@evil.com:x.example.com'],
  ['**.example.com', 'a@b.example.com'],
  ['**.example.com', 'evil.com\n.example.com'],
  ['api.example.com', 'user:pw@api.example.com'],
  ['api.example.com', 'api.example.com:8443'],
  ['api.example.com:8443', 'api.example.com'],
  ['a.example.com', 'axexample.com'],
  ['api.example.com', 'api.example.com..'],
  ['x/api.example.com', 'api.example.com'],
  ['api.example.com/x', 'api.example.com'],
  ['api.example.com', ''],
  ['', ''],
  ['**', ''],
])('%s does not name %s', (glob, host) => {
  expect(hostMatches(glob, host)).toBe(false);
});

test.each([
  ['https://user:api.example.com@evil.com/', 'evil.com'],
  ['https://evil.com\\@api.example.com/', 'evil.com'],
  ['https://API.EXAMPLE.COM:443/', 'api.example.com'],
])('the host checked for %s is the one that is connected to', (url, host) => {
  expect(new URL(url).host).toBe(host);
  expect(hostMatches('api.example.com', new URL(url).host)).toBe(host === 'api.example.com');
});
