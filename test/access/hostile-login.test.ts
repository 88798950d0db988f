/** Providers, clients and tokens that lie: each is refused, and the reason is said. */
import { createPublicKey } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT, UnsecuredJWT } from 'jose';
import { OAuth2Server } from 'oauth2-mock-server';
import {
  newKey,
  nonceOf,
  type Policy,
  parsePolicy,
  robotAudience,
  signerOf,
  statementKey,
} from '../../src/access/index.js';
import { AUDIENCE, approval, certified, said, sealed, signed, UNDO, workerWith } from './asking.js';

const CLIENT = 'sluice-cli';
const ANN = newKey('ann');
const server = new OAuth2Server();
const stops: (() => void)[] = [];
let policy: Policy;
let issuer: string;

beforeAll(async () => {
  await server.issuer.keys.generate('RS256', { kid: 'known' });
  await server.start(0, '127.0.0.1');
  issuer = server.issuer.url ?? '';
  policy = policyOf([issuer]);
});

afterAll(async () => {
  for (const stop of stops) stop();
  await server.stop();
});

function policyOf(issuers: string[]): Policy {
  const logins = issuers.map((each) => `  - {issuer: '${each}', clientId: ${CLIENT}}`).join('\n');
  const ben = issuers.length > 1 ? `, issuer: '${issuers[0]}'` : '';
  return parsePolicy(
    `people:
  ann: {keys: ['${ANN.public}']}
  ben: {login: ben@example.com${ben}}
  dan: {keys: ['${newKey('dan').public}']}
logins:
${logins}
robots:
  checkout-ci:
    issuer: ${issuer}
    repository: acme/checkout
    ref: refs/heads/release-*
    workflow: .github/workflows/release.yml
  shared-ci:
    issuer: ${issuer}
    repository: acme/cart
    ref: refs/heads/main
    workflow: acme/shared/.github/workflows/release.yml@refs/tags/v1*
rules: [{allow: {approve: [ann, ben, 'robot:checkout-ci', 'robot:shared-ci', everyone]}}]`,
    'policy.yaml',
  );
}

/** A token of the provider, good but for what is changed. */
function tokenOf(nonce: string, change: Record<string, unknown> = {}, header: Record<string, unknown> = {}) {
  return server.issuer.buildToken({
    scopesOrTransform: (head, payload) => {
      const good = { aud: CLIENT, nonce, sub: '1', email: 'ben@example.com', email_verified: true };
      Object.assign(payload, good, change);
      Object.assign(head, header);
    },
  });
}

const saying = async (login: (nonce: string) => Promise<string>, statement = approval()) =>
  signed(statement, await certified(statement, login));
const now = () => Math.floor(Date.now() / 1000);
const claims = (nonce: string) => ({
  iss: issuer,
  aud: CLIENT,
  nonce,
  email: 'ben@example.com',
  email_verified: true,
});

test('a valid login is accepted', async () => {
  const [answer] = await workerWith(policy).answers([await saying(tokenOf)]);
  expect(said(answer)).toBe('by ben');
});

test.each<[string, (nonce: string) => Promise<string>, string]>([
  [
    'from another issuer',
    (nonce) => tokenOf(nonce, { iss: 'https://evil.example' }),
    'the policy has no login of https://evil.example',
  ],
  [
    'for a client other than the one in the policy',
    (nonce) => tokenOf(nonce, { aud: 'wiki' }),
    'the login is for a client other than the one in the policy',
  ],
  [
    'for several clients, issued to another one',
    (nonce) => tokenOf(nonce, { aud: [CLIENT, 'wiki'], azp: 'wiki' }),
    'issued to a client other than the one in the policy',
  ],
  [
    'issued to another client',
    (nonce) => tokenOf(nonce, { azp: 'wiki' }),
    'issued to a client other than the one in the policy',
  ],
  [
    'for several clients, issued to none',
    (nonce) => tokenOf(nonce, { aud: [CLIENT, 'wiki'] }),
    'issued to a client other than the one in the policy',
  ],
  ['with another nonce', () => tokenOf('another'), 'the login was for something else, or with another key'],
  ['without a nonce', () => tokenOf('', { nonce: undefined }), 'the login was for something else'],
  [
    'that has expired',
    (nonce) => tokenOf(nonce, { iat: now() - 900, exp: now() - 300 }),
    'the login has expired; log in again',
  ],
  [
    'from this morning, still valid',
    (nonce) => tokenOf(nonce, { iat: now() - 9_000, exp: now() + 9_000 }),
    'it was not signed right after the login',
  ],
  ['that never expires', (nonce) => tokenOf(nonce, { exp: undefined }), "the login's exp is missing or wrong"],
  ['that is not valid yet', (nonce) => tokenOf(nonce, { nbf: now() + 900 }), "the login's nbf is missing or wrong"],
  [
    'with an unverified email',
    (nonce) => tokenOf(nonce, { email_verified: false }),
    'has not verified the email ben@example.com',
  ],
  [
    'that does not say whether the email is verified',
    (nonce) => tokenOf(nonce, { email_verified: 'true' }),
    'has not verified the email',
  ],
  [
    'of a stranger',
    (nonce) => tokenOf(nonce, { email: 'eve@example.com' }),
    'the policy does not list eve@example.com',
  ],
  ['without a name', (nonce) => tokenOf(nonce, { email: undefined }), 'the login does not say who it is'],
  [
    'with control characters in the name',
    (nonce) => tokenOf(nonce, { email: 'ben@example.com\u001b[2J' }),
    'the login does not say who it is',
  ],
  ['signed with an unknown key', (nonce) => tokenOf(nonce, {}, { kid: 'other' }), 'signed with a key that'],
  [
    'without a signature',
    async (nonce) => new UnsecuredJWT(claims(nonce)).setIssuedAt().setExpirationTime('5m').encode(),
    'not signed with one of RS256, PS256, ES256, EdDSA',
  ],
  [
    'signed with the public key as a shared secret',
    (nonce) => byPublicKey(nonce),
    'not signed with one of RS256, PS256, ES256, EdDSA',
  ],
  [
    'that was tampered with',
    async (nonce) => changed(await tokenOf(nonce, { email: 'eve@example.com' })),
    'has not signed the login',
  ],
  ['that is not a token', async () => 'not.a.token', 'not a readable token'],
])('a login %s is refused', async (_, login, says) => {
  const [answer] = await workerWith(policy).answers([await saying(login)]);
  expect(said(answer)).toContain(says);
});

/** The oldest trick: the verifier's public key is everybody's. */
async function byPublicKey(nonce: string): Promise<string> {
  const [key] = server.issuer.keys.toJSON();
  if (key === undefined) throw new Error('the provider has no key');
  const pem = createPublicKey({ key: { ...key }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  return new SignJWT(claims(nonce))
    .setProtectedHeader({ alg: 'HS256', kid: 'known' })
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(Buffer.from(pem));
}

function changed(token: string): string {
  const [head = '', body = '', tail = ''] = token.split('.');
  const text = Buffer.from(body, 'base64url').toString().replace('eve@', 'ben@');
  return [head, Buffer.from(text).toString('base64url'), tail].join('.');
}

test.each<[string, object]>([
  ['for this client in a list', { aud: [CLIENT] }],
  ['issued to this client', { azp: CLIENT }],
  ['for several clients, issued to this one', { aud: [CLIENT, 'wiki'], azp: CLIENT }],
])('a login %s is accepted', async (_, change) => {
  const [answer] = await workerWith(policy).answers([await saying((nonce) => tokenOf(nonce, { ...change }))]);
  expect(said(answer)).toBe('by ben');
});

test('a login that expired after the statement was signed is accepted; one that expired before is not', async () => {
  const ago = (seconds: number) => now() - seconds;
  const signedAgo = async (iat: number, exp: number) => {
    const key = await certified(approval(), (nonce) => tokenOf(nonce, { iat, nbf: iat, exp }));
    return signed(approval(), key, Date.now() - 300_000);
  };
  const tokens = [await signedAgo(ago(310), ago(200)), await signedAgo(ago(500), ago(400))];
  expect((await workerWith(policy).answers(tokens)).map(said)).toEqual([
    'by ben',
    'the login has expired; log in again',
  ]);
});

describe('a good login', () => {
  test('starts what it was made for, if its person may start it', async () => {
    const { begins } = workerWith({
      ...policy,
      rules: policy.rules.map((rule) => ({ ...rule, allow: { undo: ['ben'] } })),
    });
    const key = await certified(UNDO, tokenOf);
    await expect(begins(await signed(UNDO, key))).resolves.toMatchObject({ subject: { name: 'ben' } });
    await expect(begins(await signed({ ...UNDO, release: '2' }, key))).rejects.toThrow(
      'the login was for something else',
    );
  });

  test('is refused for another gate, with another key, or unencrypted', async () => {
    const other = approval({ id: 'canary-100.approve', stage: '100%' });
    const forOther = await certified(other, tokenOf);
    const swapped = { ...statementKey(), certificate: forOther.certificate };
    const mine = await certified(approval(), tokenOf);
    const clear = { ...statementKey() };
    const token = await tokenOf(await nonceOf(clear.jwk, approval()));
    const tokens = [
      await signed(other, forOther),
      await signed(approval(), forOther),
      await signed(other, swapped),
      await signed(approval(), { ...statementKey(), certificate: mine.certificate }),
      // The right key stands in the header, and another one signs.
      await signed(approval(), { ...mine, key: statementKey().key }),
      await signed(approval(), { ...clear, certificate: { by: 'login', sealed: token } }),
      // A robot's it is not.
      await signed(approval(), { ...mine, certificate: { ...mine.certificate, by: 'robot' } }),
    ];
    const wrong = 'the login was for something else, or with another key';
    expect((await workerWith(policy).answers(tokens)).map(said)).toEqual([
      `stage "100%" isn't waiting for approval; "50%" is`,
      wrong,
      wrong,
      wrong,
      'its signature is wrong',
      'its login is not encrypted to these workers; send it again',
      'the login is for a client other than the one in the policy',
    ]);
  });

  test('counts once, however often its key signs', async () => {
    const mine = await certified(approval(), tokenOf);
    const tokens = [await signed(approval(), mine), await signed(approval(), mine)];
    expect(tokens[0]).not.toBe(tokens[1]);
    expect((await workerWith(policy).answers(tokens)).map(said)).toEqual(['by ben', 'it was already used']);
  });

  test('may identify a person of the policy by any id, but a stranger only by a valid name', async () => {
    const id = 'auth0|0123456789';
    const ids = {
      ...policy,
      people: { ...policy.people, ben: { keys: [], groups: [], login: id } },
      logins: policy.logins.map((each) => ({ ...each, name: 'sub' })),
    };
    const tokens = [id, 'auth0|9'].map((sub) => saying((nonce) => tokenOf(nonce, { sub })));
    expect((await workerWith(ids).answers(await Promise.all(tokens))).map(said)).toEqual([
      'by ben',
      'the policy does not list auth0|9, and auth0|9 is not a valid name',
    ]);
  });

  test('does not let a stranger pass as a person of the policy with the same name', async () => {
    const named = { ...policy, logins: policy.logins.map((each) => ({ ...each, name: 'preferred_username' })) };
    const tokens = ['dan', 'Dan', 'everyone'].map((name) =>
      saying((nonce) => tokenOf(nonce, { preferred_username: name })),
    );
    for (const answer of await workerWith(named).answers(await Promise.all(tokens))) {
      expect(said(answer)).toMatch(
        /^it is by \w+ of \S+, who is not the \w+ of the policy; set a login for that person in people:$/,
      );
    }
  });

  test('is only for what is signed right after it', async () => {
    const key = await certified(approval(), (nonce) => tokenOf(nonce, { nbf: undefined }));
    const before = await signed(approval(), key, Date.now() - 5 * 60_000);
    expect((await workerWith(policy).answers([before])).map(said)).toEqual([
      'it was not signed right after the login; log in again',
    ]);
  });
});

describe('a provider', () => {
  /** Answers as it is told. */
  async function answering(listener: RequestListener): Promise<string> {
    const http = createServer(listener);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    stops.push(() => {
      http.close();
      http.closeAllConnections();
    });
    return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  }
  const json =
    (body: object): RequestListener =>
    (_, response) =>
      void response.end(JSON.stringify(body));
  const of = (at: string) => (nonce: string) => tokenOf(nonce, { iss: at });

  test('that never answers for its keys is refused, is asked once, and does not block others', async () => {
    let asked = 0;
    const hanging: string = await answering((request, response) => {
      if (request.url !== '/keys') return json({ issuer: hanging, jwks_uri: `${hanging}/keys` })(request, response);
      asked += 1;
    });
    const worker = workerWith(policyOf([issuer, hanging]), 150);
    const forged = await Promise.all(Array.from({ length: 50 }, () => saying(of(hanging))));
    const key = await signed(approval(), await signerOf(ANN));
    const answers = (await worker.answers([...forged, key, await saying(tokenOf)])).map(said);
    expect(new Set(answers.slice(0, 50))).toEqual(
      new Set([
        `it could not be checked with ${hanging}: it did not answer in time. Send it again, or sign with a key`,
      ]),
    );
    expect(answers.slice(50)).toEqual(['ann started this rollout; someone else must approve it', 'by ben']);
    expect(asked).toBe(1);
    // A start has touched nothing, and is looked at again.
    const start = await signed(UNDO, await certified(UNDO, of(hanging)));
    await expect(worker.begins(start)).rejects.toMatchObject({ code: 'SLUICE_PROVIDER' });
  });

  test('that redirects is refused, and the redirect is not followed', async () => {
    const document = json({ issuer, jwks_uri: `${issuer}/jwks` });
    const followed: string[] = [];
    const moved: string = await answering((request, response) => {
      followed.push(request.url ?? '');
      if (request.url === '/moved') return document(request, response);
      response.writeHead(302, { location: `${moved}/moved` }).end();
    });
    const [answer] = await workerWith(policyOf([issuer, moved])).answers([await saying(of(moved))]);
    expect(said(answer)).toContain('cannot be reached');
    expect(followed).toEqual(['/.well-known/openid-configuration']);
  });

  test('that never answers for its document is refused', async () => {
    const hanging = await answering(() => undefined);
    const [answer] = await workerWith(policyOf([issuer, hanging]), 100).answers([await saying(of(hanging))]);
    expect(said(answer)).toContain('did not answer in time');
  });

  test('that is unreachable, fails, or claims another issuer is refused', async () => {
    const failing = await answering((_, response) => void response.writeHead(500).end());
    const other = await answering(json({ issuer, jwks_uri: `${issuer}/jwks` }));
    const plain: string = await answering((request, response) =>
      json({ issuer: plain, jwks_uri: 'http://keys.example/jwks' })(request, response),
    );
    const gone = 'http://127.0.0.1:1';
    const worker = workerWith(policyOf([failing, other, plain, gone]));
    const answers = await worker.answers(await Promise.all([failing, other, plain, gone].map((at) => saying(of(at)))));
    expect(
      answers.map(said).map((why) => why.replace(/^it could not be checked with \S+: |\. Send it again.*/g, '')),
    ).toEqual([
      'it answers 500 for its configuration',
      'its configuration names another issuer',
      'it names no address for its keys',
      'it cannot be reached',
    ]);
  });
});

describe('the token of a CI job', () => {
  const AT = {
    repository: 'acme/checkout',
    ref: 'refs/heads/release-7',
    job_workflow_ref: 'acme/checkout/.github/workflows/release.yml@refs/heads/release-7',
  };
  const robotSaying = async (change: Record<string, unknown>, by: 'robot' | 'login' = 'robot') => {
    const statement = approval();
    const login = (nonce: string) =>
      tokenOf('', { ...AT, aud: robotAudience(AUDIENCE, nonce), nonce: undefined, ...change });
    return signed(statement, await certified(statement, login, by));
  };

  test.each<[string, Record<string, unknown>, string]>([
    ['is accepted as pinned', {}, 'by robot:checkout-ci'],
    [
      'is accepted with the older claim',
      { job_workflow_ref: undefined, workflow_ref: AT.job_workflow_ref },
      'by robot:checkout-ci',
    ],
    [
      'is accepted for a shared workflow',
      {
        repository: 'acme/cart',
        ref: 'refs/heads/main',
        job_workflow_ref: 'acme/shared/.github/workflows/release.yml@refs/tags/v1.4',
      },
      'by robot:shared-ci',
    ],
    ['is refused for another repository', { repository: 'evil/checkout' }, 'no robot of the policy is evil/checkout'],
    [
      'is refused for another ref',
      { ref: 'refs/pull/7/merge' },
      'no robot of the policy is acme/checkout at refs/pull/7/merge',
    ],
    [
      'is refused for another branch with its own copy of the workflow',
      { ref: 'refs/heads/try', job_workflow_ref: AT.job_workflow_ref.replace('release-7', 'try') },
      'no robot of the policy is acme/checkout at refs/heads/try',
    ],
    [
      'is refused for another workflow',
      { job_workflow_ref: AT.job_workflow_ref.replace('release.yml', 'test.yml') },
      'no robot',
    ],
    [
      'is refused for a workflow from another ref',
      { job_workflow_ref: AT.job_workflow_ref.replace('release-7', 'release-8') },
      'no robot',
    ],
    ['is refused without a workflow', { job_workflow_ref: undefined }, 'no robot'],
    ['is refused for another audience', { aud: AUDIENCE }, 'the login is for a client other than'],
    [
      'is refused from another issuer',
      { iss: 'https://evil.example' },
      'the policy has no robot of https://evil.example',
    ],
    [
      'is refused if it was issued this morning, even if it has not expired',
      { iat: now() - 9_000, exp: now() + 9_000 },
      'it was not signed right after the login',
    ],
    ['is refused without a time', { iat: undefined }, "the login's iat is missing or wrong"],
  ])('%s', async (_, change, says) => {
    const [answer] = await workerWith(policy).answers([await robotSaying(change)]);
    expect(said(answer)).toContain(says);
  });

  test('counts only where the robot is named; "everyone" does not include it', async () => {
    const unnamed = { ...policy, rules: policy.rules.map((rule) => ({ ...rule, allow: { approve: ['everyone'] } })) };
    const [answer] = await workerWith(unnamed).answers([await robotSaying({})]);
    expect(said(answer)).toBe('robot:checkout-ci may not approve here; everyone may');
  });

  test("does not count as a person's login", async () => {
    const [answer] = await workerWith(policy).answers([await robotSaying({}, 'login')]);
    expect(said(answer)).toBe('the login is for a client other than the one in the policy');
  });

  test('is refused if the sealed token is empty', async () => {
    const once = statementKey();
    const key = { ...once, certificate: { by: 'robot' as const, sealed: await sealed('') } };
    const [answer] = await workerWith(policy).answers([await signed(approval(), key)]);
    expect(said(answer)).toBe('its login is not a readable token');
  });
});
