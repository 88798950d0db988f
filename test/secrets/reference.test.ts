import fc from 'fast-check';
import {
  formatReference,
  parseReference,
  type SecretReference,
  secretName,
  secretPlaces,
} from '../../src/model/secrets.js';
import { parseSpecText } from '../../src/spec/index.js';
import { again, problems } from '../spec/problems.js';

const reference = (provider: string, name: string, version: string | null = null, key: string | null = null) => ({
  provider,
  name,
  version,
  key,
});

const ARN = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-a1B2c3';

test.each<[string, ReturnType<typeof reference>]>([
  ['secret://aws-secretsmanager/shop/db#password', reference('aws-secretsmanager', 'shop/db', null, 'password')],
  ['secret://aws-secretsmanager/shop/db@AWSPREVIOUS', reference('aws-secretsmanager', 'shop/db', 'AWSPREVIOUS')],
  [`secret://aws-secretsmanager/${ARN}@AWSCURRENT#a.b`, reference('aws-secretsmanager', ARN, 'AWSCURRENT', 'a.b')],
  ['secret://aws-secretsmanager/me%40home#a%23b', reference('aws-secretsmanager', 'me@home', null, 'a#b')],
  ['secret://aws-ssm/token', reference('aws-ssm', 'token')],
  ['secret://aws-ssm/shop/token@3', reference('aws-ssm', '/shop/token', '3')],
  ['secret://aws-ssm//token', reference('aws-ssm', '/token')],
  ['secret://azure-keyvault/Shop-Vault/Db', reference('azure-keyvault', 'shop-vault/db')],
  ['secret://env/SLUICE_SECRET_DB', reference('env', 'SLUICE_SECRET_DB')],
  ['secret://file/db/password', reference('file', 'db/password')],
])('%s is read, and written back unchanged', (text, expected) => {
  expect(parseReference(text)).toEqual(expected);
  expect(parseReference(formatReference(expected as SecretReference))).toEqual(expected);
});

test('two spellings of one secret have one name for the policy', () => {
  const name = (text: string) => secretName(parseReference(text) as SecretReference);
  expect(name('secret://aws-ssm//shop/token')).toBe('aws-ssm/shop/token');
  expect(name('secret://aws-ssm/shop/token@2#k')).toBe('aws-ssm/shop/token');
  expect(name('secret://azure-keyvault/SHOP/DB')).toBe('azure-keyvault/shop/db');
});

test('any name, version and key survive, whatever characters they contain', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9/_+=.@-]{1,40}$/);
  const key = fc.option(fc.string({ minLength: 1, maxLength: 20 }));
  const version = fc.option(fc.stringMatching(/^[A-Za-z0-9_.+=/-]{1,20}$/));
  fc.assert(
    fc.property(name, version, key, (...[name, version, key]) => {
      const of: SecretReference = { provider: 'aws-secretsmanager', name, version, key };
      expect(parseReference(formatReference(of))).toEqual(of);
    }),
  );
});

test.each([
  ['secret://vault/x', 'names the unknown store "vault" (one of aws-secretsmanager, aws-ssm'],
  ['secret://env/', 'is not valid (write secret://PROVIDER/NAME'],
  ['secret://env/A-B', 'has an invalid name: expected the name of an environment variable'],
  ['secret://env/A@1', 'pins a version, but env keeps none'],
  ['secret://file/../etc/passwd', 'has an invalid name: expected the path of a file below'],
  ['secret://file//etc/passwd', 'has an invalid name'],
  ['secret://file/a/./b', 'has an invalid name'],
  ['secret://azure-keyvault/shop', 'VAULT/SECRET'],
  ['secret://azure-keyvault/evil.example.com/x', 'VAULT/SECRET'],
  ['secret://azure-keyvault/shop/db@1', 'pins "1", which is not a version'],
  ['secret://aws-secretsmanager/a%41b', 'has a % that is not part of %40'],
  ['secret://aws-secretsmanager/a#', 'has nothing after #'],
])('%s is refused: %s', (text, why) => {
  expect(parseReference(text)).toEqual({ problem: expect.stringContaining(why) });
});

const BASE = `app: checkout
environment: production
target: {function: checkout, region: eu-west-1}
release: {folder: dist}
`;
const at = (line: string) => problems(`${BASE}${line}\n`);

test('a spec keeps references as written, and lists where they are', () => {
  const spec = parseSpecText(`${BASE}configuration:
  environment: {DB: 'secret://aws-secretsmanager/shop/db#password', PLAIN: a}
health:
  probes: [{name: page, http: {url: 'https://{version}.example.com', headers: {authorization: 'secret://env/SLUICE_SECRET_P'}}}]
  metrics:
    - {name: m, http: {url: 'https://m/{version}/{from}/{to}', requests: $.r, errors: $.e, headers: {k: 'secret://file/k'}, token: 'secret://aws-ssm/t'}}
notify: [{webhook: 'https://example.com', secret: 'secret://azure-keyvault/shop/hook'}]
`);
  expect(again(spec)).toEqual(spec);
  expect(secretPlaces(spec).map(({ path, use }) => [path, use])).toEqual([
    ['configuration.environment.DB', 'environment'],
    ['health.probes[0].http.headers.authorization', 'probe'],
    ['health.metrics[0].http.headers.k', 'metric'],
    ['health.metrics[0].http.token', 'metric'],
    ['notify[0].secret', 'webhook'],
  ]);
  expect(secretPlaces({ ...spec, release: { version: 3 } })[0]?.use).toBe('probe');
});

test.each([
  [
    'message: secret://env/SLUICE_SECRET_X',
    'rollout.yaml:5:10 message: a secret reference is not allowed here (allowed in configuration.environment',
  ],
  [
    "health: {probes: [{name: a, http: {url: 'https://{version}.x/?k=SECRET://env/A'}}]}",
    'rollout.yaml:5:41 health.probes[0].http.url: a secret reference is not allowed here',
  ],
  [
    "health: {probes: [{name: a, invoke: {payload: {deep: [{k: 'secret://env/A'}]}}}]}",
    'health.probes[0].invoke.payload.deep[0].k: a secret reference is not allowed here',
  ],
  [
    "health: {probes: [{name: a, http: {url: 'https://{version}.x', headers: {authorization: 'Bearer secret://env/A'}}}]}",
    'health.probes[0].http.headers.authorization: a reference must be the whole value',
  ],
  ['configuration: {environment: {AB: "Secret://env/A"}}', 'must be the whole value and begin with secret://'],
  ...['secret:/env/A', 'secrets://env/A', 'Secrets:/env/A', ' secret:/env/A'].map((text): [string, string] => [
    `configuration: {environment: {AB: "${text}"}}`,
    'configuration.environment.AB: a reference must be the whole value and begin with secret://, such as secret://env/NAME',
  ]),
  [
    'configuration: {environment: {AB: "secret://vault/a"}}',
    'rollout.yaml:5:35 configuration.environment.AB: names the unknown store "vault"',
  ],
  [
    "health: {probes: [{name: a, http: {url: 'https://{version}.x', headers: {HOST: evil.com, key: 'secret://env/A'}}}]}",
    'health.probes[0].http.headers.HOST: names another host than the URL',
  ],
  [
    "health: {metrics: [{name: a, http: {url: 'https://c/{version}/{from}/{to}', requests: $.r, errors: $.e, headers: {host: evil.com}, token: 'secret://env/A'}}]}",
    'health.metrics[0].http.headers.host: names another host',
  ],
  ['notify: [{webhook: "https://x", secret: hunter2}]', 'notify[0].secret: expected a reference to a secret'],
])('%s is refused with its place', (line, said) => {
  const found = at(line);
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(said);
  expect(found[0]).not.toContain('hunter2');
});
