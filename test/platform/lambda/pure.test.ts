import fc from 'fast-check';
import { mark } from '../../../src/model/ids.js';
import { changes, differences, lambdaDigest } from '../../../src/platforms/lambda/driver/configuration.js';
import { place } from '../../../src/platforms/lambda/driver/environments.js';
import { isExplained } from '../../../src/platforms/lambda/driver/restore.js';
import { routing, splitOf } from '../../../src/platforms/lambda/driver/split.js';
import type { BeforeState } from '../../../src/platforms/port.js';
import {
  describe as describeAlias,
  readDescription,
  sameRun,
  sameTarget,
} from '../../../src/platforms/shared/description.js';
import { sample } from '../../../src/platforms/shared/log-lines.js';
import { sameSplit, say } from '../../../src/platforms/shared/splits.js';
import { sha256 } from '../../../src/store/index.js';

const OURS = mark('checkout', 'production', '0190-run', 'canary-10.shift');

describe("the alias's description", () => {
  test("is the owner's text, cut if necessary, followed by our mark", () => {
    expect(describeAlias('of the shop team', OURS)).toBe(`of the shop team ${OURS}`);
    expect(describeAlias('', OURS)).toBe(OURS);
    const long = describeAlias('x'.repeat(400), OURS);
    expect(long).toHaveLength(256);
    expect(readDescription(long).mark).toBe(OURS);
  });

  test('gives back text and mark, even if someone wrote after the mark', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][a-z ]{0,80}[a-z]$/), (text) => {
        const plain = text.replace(/\s+/g, ' ');
        expect(readDescription(describeAlias(plain, OURS))).toEqual({ text: plain, mark: OURS });
      }),
    );
    expect(readDescription(`before ${OURS} after`)).toEqual({ text: 'before after', mark: OURS });
    expect(readDescription(undefined)).toEqual({ text: '', mark: null });
  });

  test('tells whose mark it has', () => {
    expect(sameTarget(OURS, mark('checkout', 'production', 'other', 'x'))).toBe(true);
    expect(sameTarget(OURS, mark('checkout', 'staging', '0190-run', 'x'))).toBe(false);
    expect(sameRun(OURS, mark('checkout', 'production', '0190-run', 'restore'))).toBe(true);
    expect(sameRun(OURS, mark('checkout', 'production', 'other', 'restore'))).toBe(false);
    expect(sameRun(null, OURS)).toBe(false);
  });
});

describe('a split', () => {
  test('can be read back from the weights it is written as, whatever the percentage', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9_999 }), (hundredths) => {
        const split = { stable: '7', candidate: '8', weight: hundredths / 100 };
        expect(splitOf(routing(split))).toEqual(split);
      }),
    );
  });

  test('with weight 0 is the same as none', () => {
    const none = splitOf({ FunctionVersion: '7', RoutingConfig: { AdditionalVersionWeights: { 8: 0 } } });
    expect(none).toEqual({ stable: '7', candidate: null, weight: 0 });
    expect(sameSplit({ stable: '7', candidate: '8', weight: 0 }, none)).toBe(true);
    expect(sameSplit({ stable: '7', candidate: '8', weight: 10 }, none)).toBe(false);
  });

  test('reads as a sentence', () => {
    expect(say({ stable: '7', candidate: '8', weight: 2.5 })).toBe('97.5 % to 7, 2.5 % to 8');
    expect(say({ stable: '7', candidate: null, weight: 0 })).toBe('all to 7');
  });
});

describe('the idle environment', () => {
  const live = (side: 'blue' | 'green', version = '5') => ({ side, version });

  test.each([
    ['both absent: blue becomes live', { blue: null, green: null }, live('blue'), 'green'],
    ['blue is live', { blue: '5', green: '4' }, live('blue'), 'green'],
    ['green is live', { blue: '4', green: '5' }, live('green'), 'blue'],
    ['neither is live, so the older one becomes idle', { blue: '3', green: '4' }, live('green'), 'blue'],
    ['neither is live, and one is missing', { blue: '3', green: null }, live('blue'), 'green'],
    ['ten is newer than nine', { blue: '10', green: '9' }, live('blue'), 'green'],
  ] as const)('%s', (_name, held, wanted, idle) => {
    expect(place(held, '5', '6', null)).toEqual({ live: wanted, idle: { side: idle, version: '6' } });
  });

  test('is blue for the candidate of a first deployment', () => {
    const first = place({ blue: null, green: null }, null, '1', null);
    expect(first).toEqual({ live: null, idle: { side: 'blue', version: '1' } });
  });

  test('is the same again when placing the release is half or completely done', () => {
    const version = fc.option(fc.integer({ min: 1, max: 12 }).map(String));
    const numbers = fc.integer({ min: 1, max: 12 }).map(String);
    fc.assert(
      fc.property(version, version, numbers, numbers, (blue, green, stable, candidate) => {
        fc.pre(stable !== candidate);
        const first = place({ blue, green }, stable, candidate, null);
        const half = { blue, green };
        if (first.live !== null) half[first.live.side] = stable;
        expect(place(half, stable, candidate, null)).toEqual(first);
        expect(place({ ...half, [first.idle.side]: candidate }, stable, candidate, null)).toEqual(first);
      }),
    );
  });
});

describe('the state of the target is explained', () => {
  const stable = { stable: '5', candidate: null, weight: 0 };
  const canary = { stable: '5', candidate: '6', weight: 10 };
  const before: BeforeState = {
    split: stable,
    release: { version: '5', digest: 'd' },
    revision: 'r0',
    description: '',
    mark: null,
    environments: null,
    capacity: 0,
  };
  const known = {
    before,
    attempted: [{ mark: OURS, split: canary }],
    lastRevision: 'r1',
    mark: mark('a', 'b', 'c', 'restore'),
  };

  test.each([
    ['by the revision of our last write', { revision: 'r1', mark: null, split: canary }, true],
    ['by the before-state', { revision: 'r0', mark: null, split: stable }, true],
    ['by a write whose answer was lost', { revision: 'r9', mark: OURS, split: canary }, true],
    ['by an earlier attempt to roll back', { revision: 'r9', mark: known.mark, split: stable }, true],
    ['not by our mark with another split', { revision: 'r9', mark: OURS, split: { ...canary, weight: 90 } }, false],
    ['not by the wanted split without our mark', { revision: 'r9', mark: null, split: stable }, false],
    ['not if it is gone', null, false],
  ])('%s', (_name, now, explained) => {
    expect(isExplained(now, known)).toBe(explained);
  });

  test('by a missing alias, on a first deployment', () => {
    const first = { ...before, split: { stable: null, candidate: null, weight: 0 }, revision: null };
    expect(isExplained(null, { ...known, before: first })).toBe(true);
    expect(
      isExplained({ revision: 'r9', mark: null, split: stable }, { ...known, before: first, lastRevision: null }),
    ).toBe(false);
  });
});

describe('the configuration', () => {
  const latest = { Runtime: 'nodejs20.x', MemorySize: 128, Environment: { Variables: { A: '1', B: '2' } } } as const;

  test('is updated only where it differs', () => {
    expect(changes(latest, {})).toBeNull();
    expect(changes(latest, { memory: 128, environment: { B: '2', A: '1' } })).toBeNull();
    expect(changes(latest, { memory: 256, runtime: 'nodejs20.x' })).toEqual({ MemorySize: 256 });
    expect(changes(latest, { environment: { A: '1' } })).toEqual({ Environment: { Variables: { A: '1' } } });
    expect(changes(latest, { layers: ['arn:1'], description: 'x' })).toEqual({ Layers: ['arn:1'], Description: 'x' });
  });

  test('of two versions is compared without their descriptions', () => {
    expect(differences({ ...latest, Description: 'one' }, { ...latest, Description: 'two' })).toEqual([]);
    expect(differences(latest, { ...latest, MemorySize: 256, Timeout: 9 })).toEqual(['memory', 'timeout']);
  });

  test("has Lambda's digest of a zip", () => {
    expect(lambdaDigest(sha256(Buffer.from('')))).toBe('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');
  });
});

describe('the most frequent errors', () => {
  const id = '0f3b8e9a-1111-2222-3333-444455556666';
  const node = (message: string, request = id) =>
    `2026-11-24T20:00:00.000Z\t${request}\tERROR\tInvoke Error \t{"errorType":"TypeError","errorMessage":"${message}","stack":[]}`;

  test('are grouped by what went wrong, whatever number is in it, three at most', () => {
    const lines = [
      ...['user 17', 'user 18', 'user 19'].map((user) => node(`no price for ${user}`)),
      '[ERROR] ValueError: bad\nTraceback (most recent call last):',
      '[ERROR] ValueError: bad',
      '2026-11-24T20:00:01.000Z 0f3b8e9a-1111-2222-3333-444455556666 Task timed out after 3.00 seconds',
      node('rare'),
      'START RequestId: 0f3b8e9a-1111-2222-3333-444455556666 Version: 7',
    ];
    expect(sample(lines)).toEqual([
      { what: 'TypeError: no price for user 17', count: 3, requestId: id },
      { what: 'ValueError: bad', count: 2 },
      { what: 'Task timed out after 3.00 seconds', count: 1, requestId: id },
    ]);
  });
});

test('errors are found in the log lines of every logging style', () => {
  const json = '{"timestamp":"2026-11-24T20:00:00Z","level":"ERROR","message":"no stock","requestId":"x"}';
  expect(sample([json, 'RangeError: out of range', '    at handler (index.mjs:1:1)']).map(({ what }) => what)).toEqual([
    'no stock',
    'RangeError: out of range',
  ]);
});
