/** What is read out of a signed statement, how long it may be valid, and what is none. */
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { newKey, parsePolicy, read, sign, signerOf, statementKey, validFor } from '../../src/access/index.js';
import { LONGEST_TOKEN, type StartStatement, type Statement, type VerbStatement } from '../../src/model/access.js';
import { VERB_TABLE } from '../../src/model/verbs.js';

const ANN = newKey('ann');
const BEN = newKey('ben');
const POLICY = parsePolicy(
  `people: {ann: {keys: ['${ANN.public}'], groups: [dev]}, ben: {keys: ['${BEN.public}']}}\nrules: [{}]`,
  'policy.yaml',
);
const AT = { app: 'checkout', environment: 'production' };
const AUDIENCE = 'sluice:default';
const NOW = Date.UTC(2026, 10, 27);
const MINUTES = 600_000;
const WEEK = 7 * 86_400_000;

const begins = (act: StartStatement['act']): StartStatement => ({
  act,
  ...AT,
  strategy: act === 'undo' ? 'undo' : 'canary',
  spec: null,
  release: null,
});
const says = (act: VerbStatement['act']): VerbStatement => ({ act, ...AT, run: 'run-1' });

async function readOne(statement: Statement, valid: number) {
  const token = await sign(statement, await signerOf(ANN), { audience: AUDIENCE, now: NOW, valid });
  const certify = () => Promise.reject(new Error('it has a key'));
  return read(token, { policy: POLICY, audience: AUDIENCE, now: NOW + valid - 1_000, certify });
}

/** What may have to wait: a release for its place in the queue, an abort for a worker. */
const WAITING: Statement[] = [begins('start'), says('abort')];
const verbs = (Object.keys(VERB_TABLE) as VerbStatement['act'][]).filter((verb) => verb !== 'abort');
const OTHERS: Statement[] = [
  begins('undo'),
  begins('unhold'),
  begins('plan'),
  begins('adopt'),
  begins('moveCallers'),
  ...verbs.map(says),
];

test.each(WAITING)('$act may be valid for a week, and no longer', async (statement) => {
  expect(validFor(statement, true)).toBe(WEEK);
  expect((await readOne(statement, WEEK)).subject.name).toBe('ann');
  await expect(readOne(statement, WEEK + 1_000)).rejects.toThrow(
    `it is valid for longer than 7d, the most for ${statement.act}; sign it anew`,
  );
});

test.each(OTHERS)('$act may be valid for 10 minutes, and no longer', async (statement) => {
  expect(validFor(statement, true)).toBe(MINUTES);
  expect((await readOne(statement, MINUTES)).subject.name).toBe('ann');
  await expect(readOne(statement, MINUTES + 1_000)).rejects.toThrow(
    `it is valid for longer than 10m, the most for ${statement.act}; sign it anew`,
  );
});

describe('a statement', () => {
  const SECOND = 1_000;
  const nobody = () => Promise.reject(new Error('it has a key'));
  const readAt = (token: string, now = NOW) =>
    read(token, { policy: POLICY, audience: AUDIENCE, now, certify: nobody });
  const signedBy = async (key: typeof ANN, statement: Statement, now = NOW) =>
    sign(statement, await signerOf(key), { audience: AUDIENCE, now, valid: MINUTES });
  /** A token of ann's key that says whatever one likes, where `sign` would not. */
  const made = async (change: Record<string, unknown> = {}, header: object = {}) => {
    const { kid, key } = await signerOf(ANN);
    const seconds = NOW / SECOND;
    const good = { iss: 'ann', sub: 'ann', aud: AUDIENCE, iat: seconds, exp: seconds + 60, jti: 'one' };
    return new SignJWT({ ...says('pause'), ...good, ...change })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'sluice+jwt', kid, ...header })
      .sign(key);
  };

  test('names who signed it, with their groups, and what they signed, with an id and an expiry', async () => {
    const gate = { id: 'canary-50.approve', stage: '50%', plan: 'a digest', expires: NOW };
    const flags = { full: true, force: true, keep: true, unwatched: true, adopt: true };
    const verb: VerbStatement = { ...says('approve'), gate, comment: 'looked at it', ...flags };
    const start: StartStatement = { ...begins('start'), replaces: true, hold: true, keepQueue: true };
    for (const statement of [verb, start]) {
      const token = await signedBy(ANN, statement);
      const { jti = '' } = decodeJwt(token);
      expect(jti).not.toBe('');
      expect(await readAt(token)).toEqual({
        subject: { name: 'ann', groups: ['dev'] },
        statement,
        id: jti,
        until: NOW + MINUTES,
      });
    }
  });

  test("is signed for one namespace, with a time, a unique id and the key's id, never the key itself", async () => {
    const [token, again] = [await signedBy(ANN, says('pause')), await signedBy(ANN, says('pause'))];
    expect(decodeProtectedHeader(token)).toEqual({
      alg: 'EdDSA',
      typ: 'sluice+jwt',
      kid: (await signerOf(ANN)).kid,
    });
    const [iat, exp] = [NOW, NOW + MINUTES].map((at) => at / SECOND);
    const claims = { ...says('pause'), iss: 'ann', sub: 'ann', aud: AUDIENCE, iat, exp };
    expect(decodeJwt(token)).toEqual({ ...claims, jti: expect.any(String) });
    expect(decodeJwt(again).jti).not.toBe(decodeJwt(token).jti);
  });

  test.each(['start', 'plan', 'undo'] as const)('%s is valid for 10 minutes unless it may wait', (act) => {
    expect(validFor(begins(act))).toBe(MINUTES);
  });

  test('abort is valid for a week, since it may have to wait for a worker', () => {
    expect(validFor(says('abort'))).toBe(WEEK);
    expect(validFor(says('abort'), true)).toBe(WEEK);
    expect(validFor(says('pause'))).toBe(MINUTES);
  });

  test('from a clock a minute fast is accepted; one from further in the future is not', async () => {
    const minute = 60 * SECOND;
    expect((await readAt(await signedBy(ANN, says('pause'), NOW + minute))).subject.name).toBe('ann');
    const early = await signedBy(ANN, says('pause'), NOW + minute + SECOND);
    await expect(readAt(early)).rejects.toThrow('it was signed in the future; check the clocks');
  });

  test('from a clock a minute slow is accepted; an expired one is not', async () => {
    const minute = 60 * SECOND;
    const token = await signedBy(ANN, says('pause'));
    expect((await readAt(token, NOW + MINUTES + minute - SECOND)).subject.name).toBe('ann');
    await expect(readAt(token, NOW + MINUTES + minute)).rejects.toThrow('it has expired; send it again');
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['without a time', { iat: undefined }, 'its iat is missing or wrong'],
    ['without an end', { exp: undefined }, 'its exp is missing or wrong'],
    ['without an id, so that it could be replayed', { jti: undefined }, 'its jti is missing or wrong'],
    ['for another namespace', { aud: 'sluice:staging' }, 'it is for another namespace'],
    ['for no namespace', { aud: undefined }, 'it is for another namespace'],
    ["issued in someone else's name", { iss: 'ben' }, 'its iss is missing or wrong'],
    ['about someone else', { sub: 'ben' }, 'its sub is missing or wrong'],
    ['of an unknown kind', { act: 'launch' }, 'it lacks fields that a statement of this kind needs'],
  ])('%s is refused', async (_, change, says) => {
    expect((await readAt(await made())).subject.name).toBe('ann');
    await expect(readAt(await made(change))).rejects.toThrow(says);
  });

  test('is refused if the same key signed it as another kind of token', async () => {
    await expect(readAt(await made({}, { typ: 'sluice-audit+jwt' }))).rejects.toThrow('its typ is missing or wrong');
    await expect(readAt(await made({}, { typ: undefined }))).rejects.toThrow('its typ is missing or wrong');
  });

  test("is refused if it carries another key's name", async () => {
    const { kid } = await signerOf(BEN);
    await expect(readAt(await made({ iss: 'ben', sub: 'ben' }, { kid }))).rejects.toThrow('its signature is wrong');
    await expect(readAt(await made({}, { kid: 'unknown' }))).rejects.toThrow(
      'it is signed with a key that the policy does not know',
    );
    await expect(readAt(await signedBy(newKey('ann'), says('pause')))).rejects.toThrow('the policy does not know');
  });

  test('is refused unread if it is longer than the limit', async () => {
    const token = await signedBy(ANN, says('pause'));
    const long = `${token}${'A'.repeat(LONGEST_TOKEN - token.length)}`;
    expect(long).toHaveLength(LONGEST_TOKEN);
    await expect(readAt(long)).rejects.toThrow('it is not a readable token');
    await expect(readAt(`${long}A`)).rejects.toThrow(`the token is longer than ${LONGEST_TOKEN} characters`);
  });

  const without = (...keys: string[]): Record<string, unknown> =>
    Object.fromEntries(keys.map((key) => [key, undefined]));
  const gate = { id: 'x', stage: '50%', plan: 'p', expires: 1 };
  const long = (most: number) => 'a'.repeat(most + 1);
  test.each<[string, Statement, Record<string, unknown>]>([
    ...(['app', 'environment', 'run'] as const).map((key): [string, Statement, Record<string, unknown>] => [
      `a verb without ${key}`,
      says('approve'),
      without(key),
    ]),
    ...(['app', 'environment', 'strategy', 'spec', 'release'] as const).map(
      (key): [string, Statement, Record<string, unknown>] => [`a start without ${key}`, begins('start'), without(key)],
    ),
    ...(['full', 'force', 'keep', 'unwatched', 'adopt'] as const).map(
      (key): [string, Statement, Record<string, unknown>] => [
        `${key} that is neither true nor false`,
        says('abort'),
        { [key]: 'yes' },
      ],
    ),
    ...(['replaces', 'hold', 'keepQueue'] as const).map((key): [string, Statement, Record<string, unknown>] => [
      `${key} that is neither true nor false`,
      begins('start'),
      { [key]: 'yes' },
    ]),
    ...(['id', 'stage', 'plan', 'expires'] as const).map((key): [string, Statement, Record<string, unknown>] => [
      `a gate without ${key}`,
      says('approve'),
      { gate: { ...gate, [key]: undefined } },
    ]),
    ['an unknown strategy', begins('start'), { strategy: 'rush' }],
    ['a name that is too long', says('pause'), { app: long(63) }],
    ['a digest that is too long', begins('start'), { spec: long(200) }],
    ['a run that is too long', says('pause'), { run: long(64) }],
    ['a stage that is too long', says('approve'), { gate: { ...gate, stage: long(60) } }],
    ['a comment that is too long', says('pause'), { comment: long(300) }],
    ['a comment that is not a string', says('pause'), { comment: 7 }],
  ])('with %s is refused', async (_, statement, change) => {
    const good = await made({ ...without('run'), ...statement });
    expect((await readAt(good)).statement).toEqual(statement);
    await expect(readAt(await made({ ...without('run'), ...statement, ...change }))).rejects.toThrow(
      'it lacks fields that a statement of this kind needs',
    );
  });

  test.each(['direct', 'blueGreen', 'canary', 'linear', 'undo'] as const)('may be about %s', async (strategy) => {
    const statement: StartStatement = { ...begins('start'), strategy };
    expect((await readAt(await signedBy(ANN, statement))).statement).toEqual(statement);
  });

  test('signed with its own key needs a certificate and a valid Ed25519 key', async () => {
    const { jwk, key } = statementKey();
    const certified = { jwk, login: 'sealed' };
    const withHeader = (header: object) =>
      new SignJWT({ ...says('pause') }).setProtectedHeader({ alg: 'EdDSA', typ: 'sluice+jwt', ...header }).sign(key);
    for (const header of [
      { ...certified, login: undefined },
      { ...certified, login: 7 },
      { ...certified, jwk: undefined },
      { ...certified, jwk: { ...jwk, kty: 'EC' } },
      { ...certified, jwk: { ...jwk, crv: 'X25519' } },
      { ...certified, jwk: { ...jwk, x: 7 } },
    ]) {
      await expect(readAt(await withHeader(header))).rejects.toThrow('it is not a signed token');
    }
    await expect(readAt(await withHeader({ ...certified, jwk: { ...jwk, x: 'short' } }))).rejects.toThrow(
      'it is signed with an invalid key',
    );
    await expect(readAt('no.token')).rejects.toThrow('it is not a signed token');
  });

  test('signed with a shared secret is refused, and the error names the algorithm', async () => {
    const token = await new SignJWT({ ...says('pause') })
      .setProtectedHeader({ alg: 'HS256', typ: 'sluice+jwt', kid: (await signerOf(ANN)).kid })
      .sign(new Uint8Array(32));
    await expect(readAt(token)).rejects.toThrow('it is signed with HS256; only EdDSA is accepted');
  });

  test('signed with its own key is certified for its key, content, time and namespace, and counts once', async () => {
    const key = { ...statementKey(), certificate: { by: 'login' as const, sealed: 'a login' } };
    const asked: unknown[] = [];
    const certify = (...of: unknown[]) => {
      asked.push(...of);
      return Promise.resolve({ name: 'cem', groups: [] });
    };
    const readOnce = async (statement: Statement) =>
      read(await sign(statement, key, { audience: AUDIENCE, now: NOW, valid: MINUTES }), {
        ...{ policy: POLICY, audience: AUDIENCE, now: NOW, certify },
      });
    const [one, same, other] = [
      await readOnce(says('pause')),
      await readOnce(says('pause')),
      await readOnce(says('resume')),
    ];
    expect(one).toMatchObject({ subject: { name: 'cem' }, statement: says('pause'), until: NOW + MINUTES });
    expect(asked.slice(0, 2)).toEqual([
      { by: 'login', sealed: 'a login' },
      { nonce: one.id, signedAt: NOW, audience: AUDIENCE },
    ]);
    expect(same.id).toBe(one.id);
    expect(other.id).not.toBe(one.id);
  });
});
