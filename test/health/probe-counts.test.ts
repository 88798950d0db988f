import { ProbeCounts } from '../../activities/health/probe-counts.js';

test('a tick holds answers of both releases', () => {
  const counts = new ProbeCounts(['candidate', 'stable'], 1_000);
  expect(counts.look()).toBeNull();
  counts.add('candidate', false);
  counts.add('stable', true);
  counts.add('candidate', true);
  expect(counts.look()).toEqual({ candidate: { requests: 2, errors: 1 }, stable: { requests: 1, errors: 0 } });
  expect(counts.look()).toBeNull();
});

test('a release that does not answer does not hide the other for more than one more look', () => {
  const counts = new ProbeCounts(['candidate', 'stable'], 1_000);
  counts.add('stable', true);
  expect(counts.look()).toBeNull();
  expect(counts.look()).toEqual({ candidate: null, stable: { requests: 1, errors: 0 } });
  counts.add('candidate', false);
  counts.add('stable', true);
  expect(counts.look()).toEqual({ candidate: { requests: 1, errors: 1 }, stable: { requests: 1, errors: 0 } });
});

test('a release that is called alone makes a tick alone, and the end takes what there is', () => {
  const counts = new ProbeCounts(['candidate'], 50);
  expect(counts.every).toBe(250);
  counts.add('candidate', true);
  expect(counts.look()).toEqual({ candidate: { requests: 1, errors: 0 }, stable: null });
  counts.add('candidate', true);
  expect(counts.close()).toEqual({ candidate: { requests: 1, errors: 0 }, stable: null });
});
