/** Moving callers needs a right of its own, and what is signed is what was shown. */

import { newKey, parsePolicy, ruleFor, signerOf, specDigest } from '../../src/access/index.js';
import { checkBeginning } from '../../src/authority/begin.js';
import type { StartStatement } from '../../src/model/access.js';
import { AUDIENCE, signed } from './asking.js';

const [ANN, BEN] = [newKey('ann'), newKey('ben')];
const AT = { app: 'checkout', environment: 'production' };
const policyWith = (allow: string) =>
  parsePolicy(
    `people: {ann: {keys: ['${ANN.public}']}, ben: {keys: ['${BEN.public}']}}\nrules: [{allow: ${allow}}]`,
    'policy.yaml',
  );
const INPUT = { ...AT, release: { version: 1 } };
const STATEMENT: StartStatement = {
  act: 'moveCallers',
  ...AT,
  strategy: 'direct',
  spec: specDigest(INPUT),
  release: 'as shown',
};

async function begins(
  statement: StartStatement,
  { allow = '{moveCallers: [ann]}', key = ANN, shown = 'as shown' } = {},
) {
  const policy = policyWith(allow);
  const token = await signed(statement, await signerOf(key));
  const beginner = {
    ...AT,
    strategy: 'direct',
    act: 'moveCallers',
    input: { ...INPUT, token },
    version: shown,
  } as const;
  const certify = () => Promise.reject(new Error('it has a key'));
  const rule = ruleFor(policy, AT.app, AT.environment);
  return checkBeginning(beginner, { policy, audience: AUDIENCE, now: Date.now(), certify, rule });
}

test('moving callers is allowed if the policy lets the person do it and the plan is the one shown', async () => {
  expect((await begins(STATEMENT))?.subject.name).toBe('ann');
});

test('moving callers is refused to someone who may only start, adopt and override', async () => {
  const allow = '{start: [ann], adopt: [ann], override: [ann]}';
  await expect(begins(STATEMENT, { allow })).rejects.toThrow(
    'moveCallers checkout/production is refused: ann may not; nobody may',
  );
  await expect(begins(STATEMENT, { key: BEN })).rejects.toThrow('ben may not; ann may');
});

test('moving callers is refused for anything other than what was signed', async () => {
  await expect(begins(STATEMENT, { shown: 'something else' })).rejects.toThrow('what ann signed is for another plan');
  await expect(begins({ ...STATEMENT, act: 'adopt', release: null })).rejects.toThrow('is for another verb');
  await expect(begins({ ...STATEMENT, spec: specDigest({}) })).rejects.toThrow('is for another spec');
});
