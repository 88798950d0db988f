import { describe, expect, test } from '@jest/globals';
import { falseAlarms } from '../../bench/judge/healthy.js';
import { parseSpecValue } from '../../src/spec/index.js';

const target = { function: 'bench', region: 'us-east-1' };
const { judge: rules } = parseSpecValue({
  app: 'bench',
  environment: 'bench',
  target,
  release: { version: 1 },
}).health;

describe('healthy rollouts on the simulated clock', () => {
  test('are not rolled back', async () => {
    expect(await falseAlarms(4, 1, rules)).toBe(0);
  });

  test('are rolled back by a judge that accepts any evidence, and are counted', async () => {
    expect(await falseAlarms(4, 1, { ...rules, alpha: 0.9, minErrors: 1 })).toBe(2);
  });
});
