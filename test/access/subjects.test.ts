/** Whom a policy means by the claims of a token that was verified. */
import { newKey, parsePolicy, personBy, robotBy } from '../../src/access/index.js';

const ISSUER = 'https://a.example';
const OTHER = 'https://b.example';

function policyOf(people: string, login = '', more = '') {
  const logins = [
    `{issuer: '${ISSUER}', clientId: c, mapGroups: {devs: dev, admins: admin}${login}}`,
    `{issuer: '${OTHER}', clientId: c, name: sub}`,
  ];
  return parsePolicy(`people: {${people}}\nlogins: [${logins.join(', ')}]\n${more}rules: [{}]`, 'p');
}

const PEOPLE = `ann: {login: Ann@shop.example, issuer: '${ISSUER}', groups: [dev]}, bob: {login: B0b, issuer: '${OTHER}'}, Cem: {keys: ['${newKey('x').public}'], login: null}`;
const policy = policyOf(PEOPLE);
const [mail, subs] = policy.logins;
if (mail === undefined || subs === undefined) throw new Error('two logins');
const mailed = (email: unknown, more = {}) => ({ email, email_verified: true, ...more });

describe('a person', () => {
  test('is matched by email address, in upper or lower case', () => {
    expect(personBy(mailed('aNN@shop.example'), mail, policy)).toEqual({ name: 'ann', groups: ['dev'] });
  });

  test('is matched only at their own provider, by the exact id', () => {
    expect(personBy({ sub: 'B0b' }, subs, policy)).toEqual({ name: 'bob', groups: [] });
    expect(() => personBy({ sub: 'b0b' }, subs, policy)).toThrow('the policy does not list b0b of https://b.example');
    expect(() => personBy({ sub: 'ann@shop.example' }, subs, policy)).toThrow('the policy does not list');
    expect(() => personBy(mailed('B0b'), mail, policy)).toThrow('the policy does not list b0b of https://a.example');
  });

  test('matched by id needs no verified email, and the id is case-sensitive', () => {
    const ids = policyOf('', ', name: sub');
    const [login = mail] = ids.logins;
    expect(personBy({ sub: 'Dan', groups: ['devs'] }, login, ids)).toEqual({ name: 'Dan', groups: ['dev'] });
  });

  test('outside the policy has the groups that the login maps, each once', () => {
    const groups = ['devs', 'devs', 'admins', 'others', 7, null];
    expect(personBy(mailed('dan@shop.example', { groups }), mail, policy)).toEqual({
      name: 'dan@shop.example',
      groups: ['dev', 'admin'],
    });
    expect(personBy(mailed('dan@shop.example', { groups: 'devs' }), mail, policy).groups).toEqual(['dev']);
    // One that is no text is not read as one.
    const odd = { groups: [['devs']] };
    expect(() => personBy(mailed('dan@shop.example', odd), mail, policy)).toThrow(
      "none of this login's groups are mapped",
    );
  });

  test('has no groups beyond the first thousand of a token', () => {
    const of = (before: number) => [...Array.from({ length: before }, (_, at) => `g${at}`), 'devs'];
    expect(personBy(mailed('dan@shop.example', { groups: of(999) }), mail, policy).groups).toEqual(['dev']);
    expect(() => personBy(mailed('dan@shop.example', { groups: of(1_000) }), mail, policy)).toThrow(
      "none of this login's groups",
    );
  });

  test.each(['Cem', 'cem', 'anyone', 'Everyone'])(
    'called %s at a provider is not the person of that name in the policy',
    (sub) => {
      const ids = policyOf(PEOPLE, ', name: sub');
      const [login = mail] = ids.logins;
      expect(() => personBy({ sub, groups: ['devs'] }, login, ids)).toThrow(`who is not the ${sub} of the policy`);
    },
  );

  test.each([undefined, 7, '', 'dan\u001b[2J@shop.example', ' dan@shop.example'])(
    'cannot be identified by the email %j',
    (email) => {
      expect(() => personBy(mailed(email), mail, policy)).toThrow('the login does not say who it is');
    },
  );

  test.each([undefined, false, 'true', 1])(
    'is not matched by an email whose email_verified is %j',
    (email_verified) => {
      expect(() => personBy({ email: 'ann@shop.example', email_verified }, mail, policy)).toThrow(
        'https://a.example has not verified the email ann@shop.example',
      );
    },
  );
});

describe('a robot', () => {
  const robots = policyOf(
    '',
    '',
    `robots: {ci: {issuer: '${ISSUER}', repository: acme/shop, ref: refs/heads/release-*, workflow: .github/workflows/release.yml}}\n`,
  );
  const good = {
    iss: ISSUER,
    repository: 'acme/shop',
    ref: 'refs/heads/release-7',
    job_workflow_ref: 'acme/shop/.github/workflows/release.yml@refs/heads/release-7',
  };

  test('is matched by issuer, repository, ref and workflow', () => {
    expect(robotBy(good, robots)).toEqual({ name: 'robot:ci', groups: [], robot: true });
  });

  test.each<[string, object]>([
    ['issuer', { iss: OTHER }],
    ['repository', { repository: 'acme/shop2' }],
    ['ref', { ref: 'refs/heads/main' }],
    ['ref, which is not a string', { ref: ['refs/heads/release-7'] }],
    ['workflow', { job_workflow_ref: 'acme/shop/.github/workflows/test.yml@refs/heads/release-7' }],
    ['workflow, which is not a string', { job_workflow_ref: [good.job_workflow_ref] }],
  ])('is not matched with another %s', (_, change) => {
    expect(() => robotBy({ ...good, ...change }, robots)).toThrow('no robot of the policy is');
  });
});
