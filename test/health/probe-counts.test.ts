import { lookEvery, ProbeCounts } from '../../src/health/probe-counts.js';

test('a tick has answers of both releases', () => {
  const counts = new ProbeCounts(['candidate', 'stable']);
  expect(counts.look()).toBeNull();
  counts.add('candidate', false);
  counts.add('stable', true);
  counts.add('candidate', true);
  expect(counts.look()).toEqual({ candidate: { requests: 2, errors: 1 }, stable: { requests: 1, errors: 0 } });
  expect(counts.look()).toBeNull();
});

test('a release that does not answer delays the other by one look at most', () => {
  const counts = new ProbeCounts(['candidate', 'stable']);
  counts.add('stable', true);
  expect(counts.look()).toBeNull();
  expect(counts.look()).toEqual({ candidate: null, stable: { requests: 1, errors: 0 } });
  counts.add('candidate', false);
  counts.add('stable', true);
  expect(counts.look()).toEqual({ candidate: { requests: 1, errors: 1 }, stable: { requests: 1, errors: 0 } });
});

test('a release that is called alone makes a tick alone, and the close takes what is left', () => {
  const counts = new ProbeCounts(['candidate']);
  counts.add('candidate', true);
  expect(counts.look()).toEqual({ candidate: { requests: 1, errors: 0 }, stable: null });
  counts.add('candidate', true);
  expect(counts.close()).toEqual({ candidate: { requests: 1, errors: 0 }, stable: null });
});

test('twenty calls a second need no more than four looks', () => {
  expect([lookEvery(50), lookEvery(1_000)]).toEqual([250, 1_000]);
});
