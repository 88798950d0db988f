/** The small parts under every check: digests, keys, and what of a provider is believed. */
import { generateKeyPairSync } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import {
  canonical,
  digestOf,
  isPublicKey,
  isSafe,
  metadataOf,
  newKey,
  sealTo,
  signerOf,
  specDigest,
  wellKnown,
} from '../../src/access/index.js';

describe('a digest', () => {
  test('depends on the content, not on key order or undefined members', () => {
    expect(canonical({ b: [1, { d: 2, c: 3 }], a: null, e: undefined })).toBe('{"a":null,"b":[1,{"c":3,"d":2}]}');
    expect(canonical({ c: 1, a: 2, b: 3 })).toBe('{"a":2,"b":3,"c":1}');
    expect(canonical(undefined)).toBe('null');
    expect(digestOf({ a: 1 })).toBe('015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862');
  });

  test('differs between a list and an object with the same members, and between lists in different orders', () => {
    expect(digestOf(['a', 'b'])).not.toBe(digestOf({ 0: 'a', 1: 'b' }));
    expect(digestOf(['a', 'b'])).not.toBe(digestOf(['b', 'a']));
  });

  test("of a start leaves out the starter's name and the token", () => {
    const spec = { app: 'checkout', environment: 'production' };
    expect(specDigest({ ...spec, token: 'x', startedBy: 'ann' })).toBe(digestOf(spec));
    expect(specDigest({ ...spec, retain: 1 })).not.toBe(digestOf(spec));
  });
});

describe('a key', () => {
  test.each(['', 'x', 'ssh-'])('is refused with %j before it or after it', (more) => {
    const { public: key } = newKey('ann');
    expect([isPublicKey(`${more}${key}`), isPublicKey(`${key}${more}`)]).toEqual([more === '', more === '']);
  });

  test('signs under the name in its file, and is refused without a name or if it is not Ed25519', async () => {
    const file = newKey('ann');
    expect(await signerOf(file)).toMatchObject({ name: 'ann', kid: expect.any(String) });
    await expect(signerOf({ ...file, name: '' })).rejects.toThrow('not an Ed25519 key with a name');
    await expect(signerOf({ ...file, name: 7 as never })).rejects.toThrow('not an Ed25519 key with a name');
    const { privateKey } = generateKeyPairSync('x25519');
    const other = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await expect(signerOf({ ...file, private: other })).rejects.toThrow('not an Ed25519 key with a name');
  });

  test('of the workers is named in what is encrypted to it, if it has a name', async () => {
    const { x = '' } = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' });
    const worker = { kty: 'OKP', crv: 'X25519', x };
    expect(decodeProtectedHeader(await sealTo({ ...worker, kid: 'first' }, 'a login')).kid).toBe('first');
    expect(decodeProtectedHeader(await sealTo(worker, 'a login'))).not.toHaveProperty('kid');
  });
});

describe('a provider', () => {
  test.each([
    'https://idp.example',
    'https://idp.example:8443/a',
    'http://localhost:1',
    'http://127.0.0.1',
    'http://[::1]:2',
  ])('at %s may receive secrets', (address) => expect(isSafe(address)).toBe(true));

  test.each([
    'http://idp.example',
    'http://localhost.evil.example',
    'ftp://localhost',
    'https://ann@idp.example',
    'https://',
    'idp.example',
    7,
    undefined,
    new URL('https://idp.example'),
  ])('at %s may not receive secrets', (address) => expect(isSafe(address)).toBe(false));

  test('has one discovery address, whether or not its issuer ends with a slash', () => {
    for (const issuer of ['https://idp.example/a', 'https://idp.example/a/']) {
      expect(wellKnown(issuer)).toBe('https://idp.example/a/.well-known/openid-configuration');
    }
  });

  test('is taken at its word, except for unsafe addresses', () => {
    const issuer = 'https://idp.example';
    const document = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: 'http://idp.example/token',
      jwks_uri: `${issuer}/keys`,
      claims_parameter_supported: true,
    };
    expect(metadataOf(document, issuer)).toEqual({
      authorize: `${issuer}/authorize`,
      token: '',
      keys: `${issuer}/keys`,
      asksClaims: true,
    });
    expect(metadataOf({ ...document, claims_parameter_supported: 'true' }, issuer).asksClaims).toBe(false);
    for (const other of [{ ...document, issuer: `${issuer}/` }, null, undefined, {}]) {
      expect(() => metadataOf(other, issuer)).toThrow('its configuration names another issuer');
    }
  });
});
