import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { faultOf, newKey, signerOf, trailOf } from '../../src/access/index.js';

const ANN = newKey('ann');
const NOW = Date.UTC(2026, 10, 27);

async function trail(): Promise<string[]> {
  return trailOf([{ what: 'start' }, { what: 'shift' }, { what: 'end' }], await signerOf(ANN), NOW);
}

test('a trail is valid as exported, even if it is empty', async () => {
  expect(await faultOf(await trail(), ANN.public)).toBeNull();
  expect(await faultOf(await trailOf([], await signerOf(ANN), NOW), ANN.public)).toBeNull();
});

test.each<[string, (lines: string[]) => string[], string]>([
  [
    'a changed line',
    ([a = '', b = '', ...rest]) => [a, b.replace('shift', 'nothing'), ...rest],
    'the line before line 3 was changed',
  ],
  [
    'a changed last line',
    ([a = '', b = '', c = '', head = '']) => [a, b, c.replace('end', 'END'), head],
    'line 3 was changed',
  ],
  ['a removed line', ([a = '', , ...rest]) => [a, ...rest], 'line 2 is missing'],
  ['a missing end', (lines) => lines.slice(0, 2), 'it has no head'],
  ['lines missing before the head', ([a = '', b = '', , head = '']) => [a, b, head], 'it has 2 lines; its head says 3'],
  ['nothing', () => [], 'it has no head'],
  ['a head of null', (lines) => [...lines.slice(0, -1), '{"head":null}'], 'it has no head'],
  ['a head that is not an object', (lines) => [...lines.slice(0, -1), '{"head":7}'], 'it has no head'],
  [
    'another name in the head',
    (lines) => [...lines.slice(0, -1), (lines.at(-1) ?? '').replace('"by":"ann"', '"by":"eve"')],
    'its last line says that eve signed it; the signature says ann',
  ],
  [
    'no name in the head',
    (lines) => [...lines.slice(0, -1), (lines.at(-1) ?? '').replace('"by":"ann",', '')],
    'its last line says that nobody signed it; the signature says ann',
  ],
])('%s is detected', async (_, change, says) => {
  expect(await faultOf(change(await trail()), ANN.public)).toContain(says);
});

test('a trail records when it was exported and by which key, and its first line follows a zero hash', async () => {
  const signer = await signerOf(ANN);
  const lines = await trailOf([{ what: 'start' }], signer, NOW);
  expect(JSON.parse(lines[0] ?? '')).toEqual({ n: 1, what: 'start', prev: '0'.repeat(64) });
  const { signature } = JSON.parse(lines[1] ?? '') as { signature: string };
  expect(decodeProtectedHeader(signature)).toEqual({ alg: 'EdDSA', typ: 'sluice-audit+jwt', kid: signer.kid });
  expect(decodeJwt(signature)).toMatchObject({ iss: 'ann', iat: NOW / 1_000, lines: 1 });
});

test.each<[string, object, string]>([
  ['number of lines', { lines: 2 }, 'its signature is for another trail'],
  ['last line', { digest: 'other' }, 'its signature is for another trail'],
])('a signature for another %s does not count', async (_, change, says) => {
  const { key, kid } = await signerOf(ANN);
  const lines = await trail();
  const last = JSON.parse(lines.at(-1) ?? '') as { head: object };
  const signature = await new SignJWT({ ...last.head, ...change })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'sluice-audit+jwt', kid })
    .setIssuer('ann')
    .sign(key);
  expect(await faultOf([...lines.slice(0, -1), JSON.stringify({ ...last, signature })], ANN.public)).toBe(says);
});

test('a signature that the same key made for another purpose does not count for a trail', async () => {
  const { key, kid } = await signerOf(ANN);
  const lines = await trail();
  const last = JSON.parse(lines.at(-1) ?? '') as { head: object };
  const signature = await new SignJWT({ ...last.head })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'sluice+jwt', kid })
    .setIssuer('ann')
    .sign(key);
  const whole = [...lines.slice(0, -1), JSON.stringify({ ...last, signature })];
  expect(await faultOf(whole, ANN.public)).toBe('its head was signed with another key');
});

test('a head without a number and an invalid key are reported as such', async () => {
  const lines = await trail();
  const last = JSON.parse(lines.at(-1) ?? '') as { head: object };
  const odd = JSON.stringify({ ...last, head: { ...last.head, lines: 'three' } });
  expect(await faultOf([...lines.slice(0, -1), odd], ANN.public)).toBe('it has 3 lines; its head says no number');
  expect(await faultOf(lines, 'ssh-ed25519 AAAA')).toContain('the key is not valid');
  expect(await faultOf([...lines.slice(0, -1), 'null'], ANN.public)).toContain('it has no head');
});

test('a trail is valid only with the key of whoever signed it', async () => {
  expect(await faultOf(await trail(), newKey('eve').public)).toBe('its head was signed with another key');
  expect(await faultOf(await trailOf([], null, NOW), ANN.public)).toBe('its head is not signed');
  // Somebody else's head, made for a trail of his own.
  const [a = '', b = '', c = ''] = await trail();
  const other = (await trailOf([{ what: 'start' }], await signerOf(ANN), NOW)).at(-1) ?? '';
  const forged = JSON.parse((await trail()).at(-1) ?? '') as { signature: string };
  forged.signature = (JSON.parse(other) as { signature: string }).signature;
  expect(await faultOf([a, b, c, JSON.stringify(forged)], ANN.public)).toBe('its signature is for another trail');
});
