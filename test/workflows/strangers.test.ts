/** What the companion takes of a message, which anyone may have sent: each field at its edge. */
import { LONGEST_TOKEN } from '../../src/model/access.js';
import { LARGEST_SPEC } from '../../src/model/json.js';
import { eventOf } from '../../workflows/companion/events.js';
import { undoingOf, unholdRefusal } from '../../workflows/companion/hold.js';
import { areLooks, untilLook } from '../../workflows/companion/late.js';
import { submissionOf } from '../../workflows/companion/queue.js';

const DAY = 86_400_000;
const TOO_LONG = 'x'.repeat(301);
const PLACE = { platform: 'lambda', account: 'main', region: 'us-east-1' };
const SPEC = { target: PLACE };
const LATE = { app: 'checkout', environment: 'production', run: 'a', spec: SPEC, looks: [1, DAY], seal: 's' };
const ENTRY = {
  ...{ version: '2', digest: 'd', since: 5, until: 9, by: 'ann', run: 'r', strategy: 'canary', message: 'why' },
  ...{ replaced: '1', undoUntil: 7, retired: null, spec: 'a'.repeat(64), seal: 's' },
};
const RECORD = { version: '1', window: DAY, spec: SPEC, since: 5, seal: 's' };
const ENDED = { kind: 'ended', run: 'r', at: 9, entry: ENTRY, undo: RECORD, late: LATE };
const UNDO = { by: 'ann', version: '1', message: 'why', hold: true, keepQueue: false, seal: 's' };
const BEGAN = { kind: 'began', run: 'r', strategy: 'undo', at: 9, undo: UNDO };

/** A spec of that many characters of JSON. */
function sized(length: number): object {
  const empty = JSON.stringify({ ...SPEC, pad: '' }).length;
  return { ...SPEC, pad: 'x'.repeat(length - empty) };
}

describe('an event', () => {
  test('is kept as it is where all of it fits, and without what nobody knows', () => {
    expect(eventOf(ENDED)).toEqual(ENDED);
    expect(eventOf({ ...ENDED, more: 1, late: undefined })).toEqual({ ...ENDED, late: undefined });
    expect(eventOf({ ...ENDED, entry: null, undo: null })).toEqual({ ...ENDED, entry: null, undo: null });
    expect(eventOf(BEGAN)).toEqual(BEGAN);
    const { undo: _, ...canary } = { ...BEGAN, strategy: 'canary' };
    expect(eventOf({ ...canary, undo: UNDO })).toEqual(canary);
  });

  test.each<[string, object]>([
    ['of no kind', { ...ENDED, kind: 'paused' }],
    ['without a run', { ...ENDED, run: null }],
    ['with a run that is too long', { ...ENDED, run: TOO_LONG }],
    ['without a time', { ...ENDED, at: '9' }],
    ['at a time that no date can hold', { ...ENDED, at: 4e15 }],
    ['with neither an entry nor null', { ...ENDED, entry: undefined }],
    ['with neither a record nor null', { ...ENDED, undo: undefined }],
    ['that begins with no known strategy', { ...BEGAN, strategy: 'sideways' }],
    ['with an entry of no version', { ...ENDED, entry: { ...ENTRY, version: 2 } }],
    ['with an entry of no run', { ...ENDED, entry: { ...ENTRY, run: TOO_LONG } }],
    ['with an entry since no time', { ...ENDED, entry: { ...ENTRY, since: null } }],
    ['with an entry until no time', { ...ENDED, entry: { ...ENTRY, until: 'now' } }],
    ['with an entry of no strategy', { ...ENDED, entry: { ...ENTRY, strategy: 'x' } }],
    ['with a record of no version', { ...ENDED, undo: { ...RECORD, version: null } }],
    ['with a record of no window', { ...ENDED, undo: { ...RECORD, window: null } }],
    ['with a record whose window is ten years', { ...ENDED, undo: { ...RECORD, window: 3_650 * DAY } }],
    ['with a record of no spec', { ...ENDED, undo: { ...RECORD, spec: [] } }],
    ['with a record whose spec is too large', { ...ENDED, undo: { ...RECORD, spec: sized(LARGEST_SPEC + 1) } }],
    ...Object.keys(PLACE).map((field): [string, object] => [
      `with a record of no ${field}`,
      { ...ENDED, undo: { ...RECORD, spec: { target: { ...PLACE, [field]: 'a/b' } } } },
    ]),
  ])('%s is none', (_, event) => {
    expect(eventOf(event)).toBeNull();
  });

  test('may be as long as it may be, and no longer', () => {
    const spec = sized(LARGEST_SPEC);
    const longest = {
      ...ENDED,
      ...{ run: 'x'.repeat(300), at: 3.9e15, undo: { ...RECORD, window: 3_650 * DAY - 1, spec } },
      late: { ...LATE, spec, seal: 's'.repeat(LONGEST_TOKEN) },
    };
    expect(eventOf(longest)).toEqual(longest);
  });

  test('keeps of an entry what fits, and something harmless in the place of the rest', () => {
    const entry = (change: object) => {
      const event = eventOf({ ...ENDED, entry: { ...ENTRY, ...change } });
      return event?.kind === 'ended' ? event.entry : null;
    };
    const token = 's'.repeat(LONGEST_TOKEN);
    expect(entry({ digest: TOO_LONG })?.digest).toBe('');
    expect(entry({ until: null })?.until).toBeNull();
    expect([entry({ by: 7 })?.by, entry({ by: TOO_LONG })?.by]).toEqual([null, `${'x'.repeat(299)}…`]);
    expect([entry({ replaced: TOO_LONG })?.replaced, entry({ undoUntil: '7' })?.undoUntil]).toEqual([null, null]);
    expect(entry({ retired: 5 })?.retired).toBeNull();
    for (const spec of ['a'.repeat(63), 'a'.repeat(65), 'A'.repeat(64), `${'a'.repeat(64)}\n`, ['a'.repeat(64)], 7])
      expect(entry({ spec })?.spec).toBeNull();
    expect([entry({ seal: token })?.seal, entry({ seal: `${token}s` })?.seal]).toEqual([token, null]);
    expect(entry({ seal: ['s'] })?.seal).toBeNull();
    expect(entry({})).not.toHaveProperty('kept');
    const kept = { split: { stable: '7', candidate: '8', weight: 10 }, by: 'ann', unwatched: true };
    expect(entry({ kept })?.kept).toEqual(kept);
    expect(entry({ kept: { split: { stable: 7, candidate: TOO_LONG, weight: 1 }, unwatched: 'yes' } })?.kept).toEqual({
      ...{ split: { stable: null, candidate: null, weight: 1 }, by: 'someone', unwatched: false },
    });
    expect(entry({ kept: { ...kept, split: { ...kept.split, weight: '0' } } })).not.toHaveProperty('kept');
  });

  test('keeps of a record no time and no seal that do not fit', () => {
    const { since: _since, seal: _seal, ...record } = RECORD;
    for (const seal of ['s'.repeat(LONGEST_TOKEN + 1), ['s'], null])
      expect(eventOf({ ...ENDED, undo: { ...record, since: 'x', seal } })).toEqual({ ...ENDED, undo: record });
    const longest = { ...record, seal: 's'.repeat(LONGEST_TOKEN) };
    expect(eventOf({ ...ENDED, undo: longest })).toEqual({ ...ENDED, undo: longest });
  });

  test('asks nothing of the queue by an undo that does not fit', () => {
    const { undo: _, ...began } = BEGAN;
    for (const wrong of [{ version: 7 }, { version: TOO_LONG }, { hold: 'yes' }, { keepQueue: undefined }])
      expect(eventOf({ ...BEGAN, undo: { ...UNDO, ...wrong } })).toEqual(began);
    const odd = { by: TOO_LONG, message: 7, seal: 's'.repeat(LONGEST_TOKEN + 1) };
    const none = { by: null, message: null, seal: null };
    expect(eventOf({ ...BEGAN, undo: { ...UNDO, ...odd } })).toEqual({ ...BEGAN, undo: { ...UNDO, ...none } });
    expect(eventOf({ ...BEGAN, undo: { ...UNDO, by: ['ann'] } })).toMatchObject({ undo: { by: null } });
    expect(eventOf({ ...BEGAN, undo: { ...UNDO, by: 'x'.repeat(300) } })).toMatchObject({
      undo: { by: 'x'.repeat(300) },
    });
  });

  test('has nothing looked for late where that does not fit', () => {
    const { late: _, ...ended } = ENDED;
    for (const wrong of [
      ...[{ app: 'a/b' }, { environment: 7 }, { run: TOO_LONG }, { looks: [0] }, { spec: sized(LARGEST_SPEC + 1) }],
      ...Object.keys(PLACE).map((field) => ({ spec: { target: { ...PLACE, [field]: undefined } } })),
    ]) {
      expect(eventOf({ ...ENDED, late: { ...LATE, ...wrong } })).toEqual(ended);
    }
  });
});

test('late looks are two at most, each after the end and within a day', () => {
  expect([[], [1], [1, DAY]].every(areLooks)).toBe(true);
  for (const wrong of [null, 1, [1, 2, 3], [0], [-1], [DAY + 1], ['1'], [1, null]]) expect(areLooks(wrong)).toBe(false);
  expect([null, { record: LATE as never, dues: [] }].map((late) => untilLook({ late } as never))).toEqual([null, null]);
});

test('an undo that says nothing of the queue is no undo that the queue minds', () => {
  const event = { kind: 'began', run: 'r', strategy: 'undo', at: 1 } as const;
  expect(undoingOf(event)).toBeNull();
  expect(undoingOf({ ...event, undo: { ...UNDO, keepQueue: true } })).toEqual({ run: 'r', keepQueue: true });
});

test('a submission is of a known strategy and mode, with a spec that can be kept, and names that are texts', () => {
  const submission = { type: 'canary', input: SPEC, mode: 'queue', by: 'ann', message: 'why' };
  expect(submissionOf(submission)).toEqual(submission);
  expect(submissionOf({ ...submission, mode: 'replace', more: 1 })).toEqual({ ...submission, mode: 'replace' });
  expect(submissionOf({ type: 'canary', input: SPEC, mode: 'queue' })).toMatchObject({ by: null, message: null });
  const long = submissionOf({ ...submission, by: 'x'.repeat(101), message: 'x'.repeat(1_001) });
  expect([long?.by, long?.message]).toEqual([`${'x'.repeat(99)}…`, `${'x'.repeat(999)}…`]);
  expect(submissionOf({ ...submission, input: sized(LARGEST_SPEC) })).not.toBeNull();
  for (const wrong of [
    ...[null, 'submit', [submission]],
    ...[
      { type: 'x' },
      { input: null },
      { input: sized(LARGEST_SPEC + 1) },
      { mode: 'now' },
      { by: 7 },
      { message: {} },
    ].map((change) => ({ ...submission, ...change })),
    { ...submission, more: 'x'.repeat(2 * LARGEST_SPEC) },
  ]) {
    expect(submissionOf(wrong)).toBeNull();
  }
});

test('only a target that is held can be released, by texts', () => {
  const hold = { by: 'ann', since: 1, run: 'r', version: '1', message: null, seal: null };
  expect(unholdRefusal({ hold: null, undoing: null }, {})).toMatch(/not held/);
  const said = (given: unknown) => unholdRefusal({ hold, undoing: null }, given);
  for (const fine of [undefined, null, {}, { by: 'ann' }, { token: 't' }, { by: 'ann', token: 't' }])
    expect(said(fine)).toBeNull();
  for (const wrong of [{ by: 7 }, { token: null }, { by: 'ann', token: {} }])
    expect(said(wrong)).toBe('unhold takes {"by":"ann"}');
});
