import { Attendance, type ListedWorker, seenOf, untaken } from '../../src/model/workers.js';

const EPOCH = 1_800_000_000_000;
const at = (ms: number) => ({ monotonic: ms, wall: EPOCH + ms });

/** A worker whose last sign of life came at `ms`, by a clock that goes `skew` ms before ours. */
function worker(ms: number, { skew = 0, ...more }: Partial<ListedWorker> & { skew?: number } = {}): ListedWorker {
  const beat = EPOCH + ms + skew;
  return { key: 'k', identity: 'a', queue: 'q', leaving: false, beat, places: 50, taken: 0, ...more };
}

const lives = (attendance: Attendance, listed: ListedWorker, ms: number) =>
  attendance.see([listed], at(ms)).living.length > 0;

test('a worker counts as alive for 5 s after its last sign of life', () => {
  const attendance = new Attendance();
  expect(lives(attendance, worker(0), 100)).toBe(true);
  expect(lives(attendance, worker(1_000), 1_100)).toBe(true);
  expect(lives(attendance, worker(1_000), 6_000)).toBe(true);
  expect(lives(attendance, worker(1_000), 6_200)).toBe(false);
});

test('a worker killed before the first look is dead once it shows no sign of life for 5 s, and for 2.5 s of our time', () => {
  const attendance = new Attendance();
  expect(attendance.see([worker(-60_000)], at(0))).toMatchObject({ living: [{ key: 'k' }], unsure: true });
  expect(attendance.see([worker(-60_000)], at(2_600))).toEqual({ living: [], unsure: false });
});

test.each([60_000, -60_000])('a clock that is %s ms off hides no living worker and keeps no dead one', (skew) => {
  const attendance = new Attendance();
  for (let ms = 0; ms < 10_000; ms += 500) {
    expect(lives(attendance, worker(Math.floor(ms / 1_000) * 1_000, { skew }), ms)).toBe(true);
  }
  expect(lives(attendance, worker(9_000, { skew }), 14_100)).toBe(false);
});

test('a leaving worker is alive as long as it runs something', () => {
  expect(lives(new Attendance(), worker(0, { leaving: true, taken: 1 }), 100)).toBe(true);
  expect(lives(new Attendance(), worker(0, { leaving: true }), 100)).toBe(false);
  expect(lives(new Attendance(), worker(-60_000, { leaving: true, taken: 1 }), 0)).toBe(false);
});

test('workers are counted by process, and free slots by queue', () => {
  const listed = [
    worker(0, { taken: 50 }),
    worker(0, { key: 'k2', identity: 'b', taken: 3 }),
    worker(0, { key: 'k3', identity: 'b', queue: 'other' }),
    worker(0, { key: 'k4', identity: 'c', leaving: true, taken: 1 }),
  ];
  expect(seenOf(listed, 'q')).toEqual({ workers: 2, places: 100, taken: 53 });
});

const ACCOUNT = { platform: 'lambda', account: 'prod', region: 'eu-west-1' };
const TASK = 'no worker took a task from queue sluice-lambda-prod-eu-west-1 within 30s';
const WORKER = '`sluice worker --account prod --region eu-west-1`';

test.each([
  [
    { workers: 0, places: 0, taken: 0 },
    'SLUICE_NO_WORKER',
    `no worker serves account prod in eu-west-1: ${TASK}; start one with ${WORKER}`,
  ],
  [
    { workers: 1, places: 50, taken: 50 },
    'SLUICE_WORKERS_BUSY',
    `all 50 task slots of the worker that serves account prod in eu-west-1 are in use: ${TASK}. It continues when a slot is free; for more slots, start one more worker with ${WORKER}`,
  ],
  [
    { workers: 2, places: 100, taken: 97 },
    'SLUICE_WORKERS_BUSY',
    `97 of 100 task slots of the 2 workers that serve account prod in eu-west-1 are in use: ${TASK}. It continues when a slot is free; for more slots, start one more worker with ${WORKER}`,
  ],
  [
    { workers: 1, places: null, taken: null },
    'SLUICE_WORKERS_BUSY',
    `the worker that serves account prod in eu-west-1 is running but busy: ${TASK}. It continues when a slot is free; for more slots, start one more worker with ${WORKER}`,
  ],
  [
    null,
    'SLUICE_DEADLINE',
    `${TASK}, and the server does not report which workers serve account prod in eu-west-1; check with \`sluice doctor\`, and if there is none, start one with ${WORKER}`,
  ],
])('a task that no worker took, if the server lists %j', (seen, code, message) => {
  expect(untaken(ACCOUNT, 30_000, seen)).toEqual({ code, message });
});
