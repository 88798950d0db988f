/** The budget's sum while workers come, go and are cut off: who may make calls, by what each of them has seen. */
import fc from 'fast-check';
import { partOf } from '../../src/platforms/drivers.js';
import { Place } from '../../src/worker/shares.js';

const set = (...identities: string[]) => new Set(identities);
const standing = (place: Place, now: number) => place.share(now).standing;

test('a worker that is alone starts at once', () => {
  const place = new Place('a');
  expect(standing(place, 0)).toBe('new');
  place.see({ living: set(), pollers: set('a'), at: 100 });
  expect(place.share(100)).toEqual({ rank: 0, workers: 1, standing: 'known' });
});

test('a worker that joins others waits until all of them know', () => {
  const place = new Place('b');
  place.see({ living: set('a'), pollers: set('a', 'b'), at: 0 });
  expect(standing(place, 0)).toBe('new');
  for (let at = 1_000; at < 4_000; at += 500) {
    place.see({ living: set('a', 'b'), pollers: set('a', 'b'), at });
    expect(standing(place, at)).toBe('new');
  }
  place.see({ living: set('a', 'b'), pollers: set('a', 'b'), at: 4_000 });
  expect(place.share(4_000)).toEqual({ rank: 1, workers: 2, standing: 'known' });
});

test('a killed worker is counted while it is listed as alive, and then its share is free', () => {
  const place = new Place('b');
  place.see({ living: set(), pollers: set('b'), at: 0 });
  place.see({ living: set('a', 'b'), pollers: null, at: 1_000 });
  expect(place.share(1_000)).toMatchObject({ workers: 2 });
  for (let at = 1_500; at < 6_000; at += 500) {
    place.see({ living: set('a', 'b'), pollers: null, at });
    expect(place.share(at)).toMatchObject({ workers: 2 });
  }
  place.see({ living: set('b'), pollers: null, at: 6_000 });
  expect(place.share(6_000)).toEqual({ rank: 0, workers: 1, standing: 'known' });
});

test('a worker without news is cut off, and continues with the next news', () => {
  const place = new Place('a');
  place.see({ living: set('a'), pollers: set('a'), at: 0 });
  expect(standing(place, 2_000)).toBe('known');
  expect(standing(place, 2_001)).toBe('cutOff');
  place.see({ living: set('a'), pollers: null, at: 2_900 });
  expect(standing(place, 3_000)).toBe('known');
});

test.each([
  ['is no longer listed', 1_000, set('b')],
  ['was cut off for a long time', 60_000, set('a', 'b')],
])('a worker that %s joins again, since the others may no longer count it', (_, at, living) => {
  const place = new Place('a');
  place.see({ living: set('a'), pollers: set('a'), at: 0 });
  place.see({ living, pollers: null, at });
  expect(standing(place, at)).toBe('new');
  for (let later = at + 500; later < at + 3_000; later += 500) {
    place.see({ living: set('a', 'b'), pollers: set('a', 'b'), at: later });
    expect(standing(place, later)).toBe('new');
  }
  place.see({ living: set('a', 'b'), pollers: set('a', 'b'), at: at + 3_500 });
  expect(standing(place, at + 3_500)).toBe('known');
});

test('on a server without worker heartbeats it counts pollers', () => {
  const place = new Place('a');
  place.see({ living: null, pollers: set('a', 'dead'), at: 0 });
  expect(place.share(0)).toEqual({ rank: 0, workers: 2, standing: 'new' });
  for (let at = 500; at <= 3_000; at += 500) place.see({ living: null, pollers: set('a', 'dead'), at });
  expect(place.share(3_000)).toEqual({ rank: 0, workers: 2, standing: 'known' });
  place.see({ living: null, pollers: set('a'), at: 3_500 });
  expect(place.share(3_500)).toEqual({ rank: 0, workers: 1, standing: 'known' });
});

/** A worker of the play below, in ms: it polls from `begins`, is listed a second later, and makes calls until it is killed. */
interface Played {
  begins: number;
  killed: number;
  /** Its looks come so much after each other, and some fail. */
  every: number;
  away: [number, number];
}

const LISTED_AFTER = 1_000;
const DEAD_AFTER = 5_000;
const END = 30_000;
const STEP = 100;

const played = fc.record<Played>({
  begins: fc.integer({ min: 0, max: 150 }).map((n) => n * STEP),
  killed: fc.integer({ min: 60, max: 400 }).map((n) => n * STEP),
  every: fc.constantFrom(500, 600, 900),
  away: fc
    .tuple(fc.integer({ min: 0, max: 250 }), fc.integer({ min: 0, max: 80 }))
    .map(([a, b]) => [a * STEP, b * STEP]),
});

test('the shares of all workers never add up to more than 15 calls', () => {
  fc.assert(
    fc.property(fc.array(played, { minLength: 1, maxLength: 6 }), (workers) => {
      const places = workers.map((_, n) => new Place(`w${n}`));
      const looked = workers.map(({ begins }) => begins);
      for (let now = 0; now < END; now += STEP) {
        let sum = 0;
        for (const [n, { begins, killed, every, away }] of workers.entries()) {
          const place = places[n] as Place;
          if (now < begins || now >= killed) continue;
          const isAway = now >= away[0] && now < away[0] + away[1];
          if (!isAway && now >= (looked[n] ?? 0)) {
            looked[n] = now + every;
            place.see({ ...listing(workers, now), at: now });
          }
          const share = place.share(now);
          if (share.standing === 'known') sum += partOf(15, share).calls;
        }
        expect(sum).toBeLessThanOrEqual(15);
      }
    }),
    { numRuns: 60 },
  );
});

/** What the server lists at a moment. One that is away from it shows no signs of life either. */
function listing(workers: Played[], now: number) {
  const living = new Set<string>();
  const pollers = new Set<string>();
  for (const [n, { begins, killed, away }] of workers.entries()) {
    if (now >= begins) pollers.add(`w${n}`);
    const beats = Array.from({ length: 5 }, (_, back) => Math.floor(now / 1_000) * 1_000 - back * 1_000).filter(
      (at) => at >= begins + LISTED_AFTER && at < killed && !(at >= away[0] && at < away[0] + away[1]),
    );
    if (beats.some((at) => now - at < DEAD_AFTER)) living.add(`w${n}`);
  }
  return { living, pollers };
}
