import { OwnRequests } from '../../src/health/own-requests.js';

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

describe('our own requests', () => {
  test('are known to whoever gets them handed on, and others are not', () => {
    const first = new OwnRequests();
    first.add(id(1), 1_000);
    first.add(id(2), 2_000);
    const next = new OwnRequests(first.handOn(0));
    expect([1, 2, 3].map((n) => next.has(id(n)))).toEqual([true, true, false]);
    expect(next.since).toBe(0);
  });

  test('are handed on from a moment on, and the next watcher knows which moment that is', () => {
    const first = new OwnRequests();
    first.add(id(1), 1_000);
    first.add(id(2), 2_000);
    expect(first.handOn(1_500)).toEqual({ since: 1_500, sent: [[id(2).slice(-12), 2_000]] });
  });

  test('are handed on again by a watcher that ends soon, as long as a source may still read them', () => {
    const first = new OwnRequests();
    first.add(id(1), 10_000);
    const second = new OwnRequests(first.handOn(5_000));
    const third = new OwnRequests(second.handOn(6_000));
    expect(third.has(id(1))).toBe(true);
    expect(new OwnRequests(third.handOn(11_000)).has(id(1))).toBe(false);
  });

  test('are the last 1,000 at most; what came before is known to be unknown', () => {
    const first = new OwnRequests();
    for (let n = 0; n < 1_500; n += 1) first.add(id(n), n);
    const { since, sent } = first.handOn(0);
    expect([since, sent.length, sent[0]]).toEqual([500, 1_000, [id(500).slice(-12), 500]]);
    expect(new OwnRequests({ since, sent }).handOn(0).since).toBe(500);
  });
});
