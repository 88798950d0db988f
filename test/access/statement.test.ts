/** How long a statement may be valid. */
import { newKey, parsePolicy, read, sign, signerOf, validFor } from '../../src/access/index.js';
import type { StartStatement, Statement, VerbStatement } from '../../src/model/access.js';
import { VERB_TABLE } from '../../src/model/verbs.js';

const ANN = newKey('ann');
const POLICY = parsePolicy(`people: {ann: {keys: ['${ANN.public}']}}\nrules: [{}]`, 'policy.yaml');
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
