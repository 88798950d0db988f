import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import fc from 'fast-check';
import { accountActivities } from '../../activities/account.js';
import { withFailures } from '../../activities/failures.js';
import { SluiceError } from '../../src/model/errors.js';
import { clean } from '../../src/model/text.js';
import type { PlatformDriver } from '../../src/platforms/port.js';
import { heldHere, remembering } from '../../src/secrets/running.js';
import { formsOf, withoutForms } from '../../src/secrets/scrub.js';
import { OPEN } from '../support/access.js';
import { NO_ARTIFACTS } from '../support/artifacts.js';
import { egressFor } from '../support/egress.js';
import { specFor } from '../support/specs.js';

const VALUE = 'p+w/ "ä"=1';
const forms = formsOf(VALUE);
const said = (text: string) => withoutForms(text, forms);

test.each([
  ['as it is', VALUE],
  ['in JSON', JSON.stringify({ echoed: VALUE })],
  ['in JSON within JSON', JSON.stringify(JSON.stringify({ echoed: VALUE }))],
  ['in a URL', `https://x/?q=${encodeURIComponent(VALUE)}`],
  ['in a form', new URLSearchParams({ q: VALUE }).toString()],
  ['in base64', Buffer.from(VALUE).toString('base64')],
  ['in base64 for URLs', Buffer.from(VALUE).toString('base64url')],
])('a value is removed from a text %s', (_, text) => {
  const left = said(`before ${text} after`);
  expect(left).toContain('[secret]');
  expect(left).not.toContain('p+w');
  expect(left).not.toContain('p%2Bw');
  expect(left).not.toContain(Buffer.from(VALUE).toString('base64').slice(0, 8));
  expect(left).toMatch(/^before .* after$/);
});

const ODD = 'pa+ss/w<rd&é"x€😀';
test.each([
  ['JSON of Go', 'pa+ss/w\\u003crd\\u0026é\\"x€😀'],
  ['JSON of .NET', 'pa\\u002Bss/w\\u003Crd\\u0026\\u00E9\\u0022x\\u20AC\\uD83D\\uDE00'],
  ['JSON of PHP', 'pa+ss\\/w<rd&\\u00e9\\"x\\u20ac\\ud83d\\ude00'],
  ['JSON of PHP in JSON', 'pa+ss\\\\/w<rd&\\\\u00e9\\\\\\"x\\\\u20ac\\\\ud83d\\\\ude00'],
  ['a URL in lower case', encodeURIComponent(ODD).replace(/%../g, (one) => one.toLowerCase())],
  ['HTML', 'pa+ss/w&lt;rd&amp;é&quot;x€😀'],
  ['HTML with numbers', 'pa&#43;ss&#x2F;w&#60;rd&#38;&#233;&#034;x&#8364;&#128512;'],
  ['HTML with names', 'pa&plus;ss&sol;w&lt;rd&amp;&eacute;&quot;x&#x20AC;&#x1F600;'],
  ['hex', Buffer.from(ODD).toString('hex')],
  ['hex in upper case', Buffer.from(ODD).toString('hex').toUpperCase()],
])('a value is removed from %s', (_, text) => {
  expect(withoutForms(`before ${text} after`, formsOf(ODD))).toBe('before [secret] after');
});

test.each([
  ['100%25&amp;', '100%25&amp;'],
  ['100%25&amp;', '100%2525&amp;amp;'],
  ['100%25&amp;', '100%25&#38;amp&#59;'],
  ['a\\u0022\\n', 'a\\u0022\\n'],
  ['a\\u0022\\n', 'a\\\\u0022\\\\n'],
  ['a\\u0022\\n', 'a\\u005cu0022%5cn'],
  ['\\\\srv\\"x"', JSON.stringify(JSON.stringify('\\\\srv\\"x"')).slice(3, -3)],
])('a value that contains an escape itself is removed as it is and escaped: %s in %s', (value, text) => {
  expect(withoutForms(`<${text}>`, formsOf(value))).toMatch(/^<\\*\[secret\]>$/);
});

test('base64 with characters that JSON or a URL escapes is removed', () => {
  const value = '~~~???';
  const base64 = Buffer.from(value).toString('base64');
  expect(base64).toBe('fn5+Pz8/');
  for (const text of ['fn5\\u002BPz8\\/', 'fn5%2bPz8%2f']) {
    expect(withoutForms(`Basic ${text}`, formsOf(value))).toBe('Basic [secret]');
  }
});

const hexed = (code: number, digits: number) => code.toString(16).padStart(digits, '0');
const unitsIn = (text: string) => text.split('').map((one) => `\\u${hexed(one.charCodeAt(0), 4)}`);
const ENCODERS: Record<string, (one: string) => string> = {
  json: (one) => JSON.stringify(one).slice(1, -1),
  units: (one) => unitsIn(one).join(''),
  url: (one) => [...Buffer.from(one)].map((byte) => `%${hexed(byte, 2)}`).join(''),
  html: (one) => `&#x${hexed(one.codePointAt(0) ?? 0, 1)};`,
};
/** What an encoding must write in its own way. */
const OWN: Record<string, RegExp> = { json: /["\\\n]/, units: /["\\\n]/, url: /%/, html: /&/ };

test('whichever characters an encoder changes, in another encoding or not, the whole value is removed', () => {
  const character = fc.oneof(
    fc.constantFrom(...'%25&amp;#38\\u005c"/ é€😀\n'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  );
  const encoder = fc.record({
    name: fc.constantFrom(...Object.keys(ENCODERS)),
    which: fc.infiniteStream(fc.boolean()),
  });
  const value = fc.array(character, { minLength: 4, maxLength: 30 }).map((all) => `x${all.join('')}y`);
  fc.assert(
    fc.property(value, fc.array(encoder, { maxLength: 2 }), (text, encoders) => {
      const encode = (said: string, { name, which }: { name: string; which: Iterator<boolean> }) =>
        [...said]
          .map((one) => {
            if (/[a-z0-9]/i.test(one)) return one;
            return OWN[name]?.test(one) || which.next().value ? ENCODERS[name]?.(one) : one;
          })
          .join('');
      expect(withoutForms(`<${encoders.reduce(encode, text)}>`, formsOf(text))).toBe('<[secret]>');
    }),
    { numRuns: 300 },
  );
});

test('a value and a text made to be slow to search do not take long', () => {
  const turns = ['%25', '&amp;', '\\u005c', '\\"', 'a'];
  for (const one of turns) {
    for (const other of turns) {
      const forms = formsOf(`${`${one}${other}`.repeat(300)}x`);
      const text = `${one}${other}`.repeat(2_000);
      withoutForms(`${text}…${text}x`, forms);
    }
  }
  expect(withoutForms('a"bcd'.repeat(200_000), formsOf('a"bcd'))).toBe('[secret]'.repeat(200_000));
});

test('a value inside the base64 of something longer is removed at any offset', () => {
  for (const before of ['', 'u', 'us', 'usr', 'user:']) {
    const left = said(Buffer.from(`${before}${VALUE}:and more`).toString('base64'));
    expect(left).toContain('[secret]');
    // At its ends a sign tells of the value and of what stands beside it.
    const [begin = ''] = left.split('[secret]');
    expect(Buffer.from(begin, 'base64').length).toBeLessThanOrEqual(before.length + 1);
  }
});

test('what a cut left of a value is removed too', () => {
  const long = 'correct-horse-battery-staple';
  const cut = (limit: number) => withoutForms(clean(`answered ${long} and more`, limit), formsOf(long));
  expect(cut(25)).toBe('answered [secret]…');
  expect(cut(14)).toBe('answered [secret]…');
  // Three signs of it tell too little to take them out of every text.
  expect(cut(13)).toBe('answered cor…');
  expect(cut(100)).toBe('answered [secret] and more');
});

test.each([
  ['as it is', 'p+w/ "…', '[secret]…'],
  ['in JSON', 'p+w/ \\"ä…', '[secret]…'],
  ['in JSON, within an escape', 'p+w/ \\…', '[secret]…'],
  ['in JSON of .NET, within an escape', 'p\\u002B\\u00…', '[secret]…'],
  ['in a URL', 'p%2Bw%2…', '[secret]…'],
  ['in HTML', 'p&#43;w&…', '[secret]…'],
  ['in base64', `${Buffer.from(VALUE).toString('base64').slice(0, 4)}…`, '[secret]…'],
  ['in hex', '702b772f2…', '[secret]…'],
  ['in something else', 'p+x…', 'p+x…'],
  ['and half of something else', 'p&page…', 'p&page…'],
])('what a cut left of a value %s is removed too', (_, text, left) => {
  expect(said(`answered ${text}`)).toBe(`answered ${left}`);
});

test('if two values could be cut at the end of a text, the longer beginning is removed', () => {
  const both = ['abcd-and-very-much-more', 'password-abcde'].flatMap(formsOf);
  expect(withoutForms('is password-abcd…', both)).toBe('is [secret]…');
});

test('a value of several lines is removed from the single line that a message makes of it', () => {
  const key = '-----BEGIN-----\nabcdef\nghijkl\n-----END-----\n';
  expect(withoutForms(clean(`refused: ${key}`), formsOf(key))).toBe('refused: [secret]');
});

test('short values stay, or no text would be readable', () => {
  expect(formsOf('abc')).toEqual([]);
  expect(formsOf('')).toEqual([]);
});

test('no encoding of any value causes an error, and none is left', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 4, maxLength: 30 }), fc.string(), (value, around) => {
      fc.pre(value.trim().length >= 4 && !'[secret]'.includes(value));
      const left = withoutForms(`${around}${value}${around}`, formsOf(value));
      expect(left.replaceAll('[secret]', '')).not.toContain(value);
    }),
    { numRuns: 30 },
  );
});

const REFERENCE = 'secret://env/SLUICE_SECRET_A';
const HIDDEN = 'correct-horse-battery';
const egress = egressFor({ SLUICE_SECRET_A: HIDDEN });
const ASK = { app: 'shop', environment: 'production', use: 'environment', host: null } as const;
const read = async () => {
  return (await egress.secrets.resolve(REFERENCE, ASK, new AbortController().signal)).value;
};

describe('an activity that has read a secret', () => {
  const activities = withFailures({
    answers: async () => ({ lines: [`echoed ${await read()}`], spec: { environment: await read() } }),
    fails: async () => {
      throw new SluiceError('SLUICE_REFUSED', `no such value: ${await read()}`);
    },
    breaks: async () => {
      throw Object.assign(new TypeError(`cannot send ${await read()}`), { cause: { headers: { key: await read() } } });
    },
    gives: async () => {
      const cause = new Error(await read());
      throw ApplicationFailure.create({ message: `up: ${HIDDEN}`, type: 'SLUICE_BUSY', details: [HIDDEN], cause });
    },
    other: async () => ({ lines: [`said ${HIDDEN} by itself`] }),
  });

  test('does not return it in a text, and what Sluice needs stays intact', async () => {
    expect(await activities.answers()).toEqual({ lines: ['echoed [secret]'], spec: { environment: HIDDEN } });
  });

  test.each(['fails', 'breaks', 'gives'] as const)('does not mention it if it %s, and has no cause', async (name) => {
    const failure = await activities[name]().catch((error: unknown) => error as ApplicationFailure);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    const { message, cause, details, stack } = failure as ApplicationFailure;
    expect(message).toContain('[secret]');
    expect([cause, details ?? []]).toEqual([undefined, []]);
    expect(`${message} ${stack}`).not.toContain(HIDDEN);
  });

  test('keeps the words that Sluice needs, whatever the value is', async () => {
    const { secrets } = egressFor({ SLUICE_SECRET_A: 'healthy' });
    const { says } = withFailures({
      says: async () => {
        await secrets.resolve(REFERENCE, ASK, new AbortController().signal);
        const state = { unhealthy: { why: 'not healthy' }, alarms: { states: { a: 'healthy' } } };
        return { verdict: { state: 'healthy', why: 'it is healthy' }, state };
      },
    });
    expect(await says()).toEqual({
      verdict: { state: 'healthy', why: 'it is [secret]' },
      state: { unhealthy: { why: 'not [secret]' }, alarms: { states: { a: 'healthy' } } },
    });
  });

  test('has forgotten it when it ends', async () => {
    let held: ReturnType<typeof heldHere> = null;
    await remembering(async () => {
      await read();
      held = heldHere();
      expect(held?.size).toBe(1);
    });
    expect(held).toEqual(new Map());
  });

  test("does not scrub another activity's values", async () => {
    await activities.answers();
    expect(await activities.other()).toEqual({ lines: [`said ${HIDDEN} by itself`] });
  });
});

const WITH_SECRET = {
  ...specFor({ type: 'direct', bake: 0 }),
  release: { zip: 'x' },
  configuration: { environment: { A: REFERENCE, B: 'plain' } },
};

test("what a release logs of its own environment is removed from the candidate's errors", async () => {
  const errors: PlatformDriver['errors'] = async () => [
    { what: `Error: cannot connect to db:${HIDDEN}@host`, count: 3 },
  ];
  const activities = accountActivities({
    driverFor: () => ({ errors }) as unknown as PlatformDriver,
    egressOf: () => egress,
    artifacts: NO_ARTIFACTS,
    access: OPEN,
    sweep: async () => [],
  });
  const args = { spec: WITH_SECRET, version: '2', from: 0, seen: [], grant: null };
  const answer = await new MockActivityEnvironment().run(activities.errors, args);
  expect(answer).toEqual([{ what: 'Error: cannot connect to db:[secret]@host', count: 3 }]);
});

test('errors of a release that another spec deployed do not contain its environment', async () => {
  const OLDER = 'an-older-value';
  const errors: PlatformDriver['errors'] = async () => [
    { what: `Error: cannot connect to db:${OLDER}@host, level debug, in production`, count: 3 },
  ];
  const values: PlatformDriver['values'] = async () => [OLDER, 'debug', 'production'];
  const activities = accountActivities({
    driverFor: () => ({ errors, values }) as unknown as PlatformDriver,
    egressOf: () => egress,
    artifacts: NO_ARTIFACTS,
    access: OPEN,
    sweep: async () => [],
  });
  const spec = { ...WITH_SECRET, release: { version: '1' } };
  const args = { spec, version: '1', from: 0, seen: [], grant: null };
  const answer = await new MockActivityEnvironment().run(activities.errors, args);
  expect(answer).toEqual([{ what: 'Error: cannot connect to db:[secret]@host, level debug, in production', count: 3 }]);
});

test('a driver gets the values only for deploy, and neither its heartbeats nor its failure contain them', async () => {
  const told: unknown[] = [];
  // The failure is what is wanted here.
  const env = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  env.on('heartbeat', (details: unknown) => told.push(details));
  let given: unknown;
  const deploy: PlatformDriver['deploy'] = async (ctx, { spec, identity }) => {
    given = { environment: spec.configuration.environment, identity };
    ctx.heartbeat({ sent: `A=${HIDDEN}` });
    throw new SluiceError('SLUICE_REFUSED', `Value {A=${HIDDEN}} at 'environment' is too long`);
  };
  const activities = accountActivities({
    driverFor: () => ({ deploy }) as unknown as PlatformDriver,
    egressOf: () => egress,
    artifacts: NO_ARTIFACTS,
    access: OPEN,
    sweep: async () => [],
  });
  const args = {
    spec: WITH_SECRET,
    before: {} as never,
    mark: 'm',
    grant: null,
  };
  await expect(env.run(activities.deploy, args)).rejects.toMatchObject({
    type: 'SLUICE_REFUSED',
    message: "Value {A=[secret]} at 'environment' is too long",
  });
  expect(given).toEqual({
    environment: { A: HIDDEN, B: 'plain' },
    identity: { A: REFERENCE, B: 'plain' },
  });
  expect(told).toEqual([{ sent: 'A=[secret]' }]);
});
