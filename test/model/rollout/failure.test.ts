import { WorkflowFailedError } from '@temporalio/client';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  RetryState,
  TimeoutFailure,
  TimeoutType,
} from '@temporalio/common';
import { failureOf, isForeign, isUntaken, lastHeartbeat } from '../../../src/model/rollout/failure.js';

const step = (cause: Error) =>
  new ActivityFailure('Activity task failed', 'warm', 'warm-1', RetryState.TIMEOUT, 'worker-1', cause);
const late = (type: TimeoutType, cause?: Error, details?: unknown) =>
  Object.assign(new TimeoutFailure('activity timeout', details, type), { cause });
const busy = ApplicationFailure.create({ message: 'capacity is not ready yet', type: 'SLUICE_BUSY' });
const odd = ApplicationFailure.create({ message: 'odd', type: 'TypeError' });
const ANSWERED = '; the last answer was: capacity is not ready yet';
const { SCHEDULE_TO_START, SCHEDULE_TO_CLOSE, START_TO_CLOSE, HEARTBEAT } = TimeoutType;

test.each([
  [SCHEDULE_TO_START, undefined, 'SLUICE_DEADLINE', 'no worker took warm in time'],
  [SCHEDULE_TO_START, busy, 'SLUICE_BUSY', `no worker took warm in time${ANSWERED}`],
  [SCHEDULE_TO_CLOSE, undefined, 'SLUICE_DEADLINE', 'warm did not end before its deadline'],
  [SCHEDULE_TO_CLOSE, busy, 'SLUICE_BUSY', `warm did not end before its deadline${ANSWERED}`],
  [SCHEDULE_TO_CLOSE, odd, 'SLUICE_DEADLINE', 'warm did not end before its deadline; the last answer was: odd'],
  [START_TO_CLOSE, undefined, 'SLUICE_DEADLINE', 'warm did not end before its deadline'],
  [START_TO_CLOSE, busy, 'SLUICE_BUSY', `warm did not end before its deadline${ANSWERED}`],
  [HEARTBEAT, undefined, 'SLUICE_DEADLINE', 'the worker that ran warm stopped responding, and no attempts are left'],
  [HEARTBEAT, busy, 'SLUICE_BUSY', `the worker that ran warm stopped responding, and no attempts are left${ANSWERED}`],
] as const)('a %s timeout with the last failure %s says: %s', (type, last, code, message) => {
  const failure = step(late(type, last));
  expect(failureOf(failure)).toEqual({ code, message });
  // The same event for a client, one link further out.
  expect(failureOf(new WorkflowFailedError('failed', failure, RetryState.TIMEOUT))).toEqual({ code, message });
  expect(isUntaken(failure)).toBe(type === SCHEDULE_TO_START);
});

test('a timeout after a lost heartbeat names both', () => {
  expect(failureOf(step(late(SCHEDULE_TO_CLOSE, late(HEARTBEAT))))).toEqual({
    code: 'SLUICE_DEADLINE',
    message: 'warm did not end before its deadline; the last worker that ran it stopped responding',
  });
});

test('a run timeout is attributed to the workflow', () => {
  const failure = new WorkflowFailedError('failed', late(START_TO_CLOSE), RetryState.TIMEOUT);
  expect(failureOf(failure)).toEqual({
    code: 'SLUICE_DEADLINE',
    message: 'the workflow did not end before its deadline',
  });
});

test("an activity's own message is used before Temporal's, with its code if it is one of ours", () => {
  expect(failureOf(step(busy))).toEqual({ code: 'SLUICE_BUSY', message: 'capacity is not ready yet' });
  expect(failureOf(step(odd))).toEqual({ code: null, message: 'odd' });
  // A failure of ours that was made of a timeout has words of its own.
  const made = ApplicationFailure.create({
    message: 'all places are taken',
    type: 'SLUICE_WORKERS_BUSY',
    cause: late(SCHEDULE_TO_START),
  });
  expect(failureOf(made)).toEqual({ code: 'SLUICE_WORKERS_BUSY', message: 'all places are taken' });
});

test('without a message of ours the first cause is used', () => {
  expect(failureOf(step(new CancelledFailure('cancelled from outside')))).toEqual({
    code: null,
    message: 'cancelled from outside',
  });
  expect(failureOf(new Error('plain'))).toEqual({ code: null, message: 'plain' });
  expect(failureOf('a text')).toEqual({ code: null, message: 'a text' });
  expect(failureOf(null)).toEqual({ code: null, message: '' });
});

test('circular causes are read once', () => {
  const one = new Error('one');
  one.cause = new Error('two', { cause: one });
  expect(failureOf(one).message).toBe('two');
});

test("a foreign change and a dead watcher's last counts are recognized", () => {
  expect(isForeign(step(ApplicationFailure.create({ message: 'x', type: 'SLUICE_FOREIGN_CHANGE' })))).toBe(true);
  expect(isForeign(step(busy))).toBe(false);
  expect(lastHeartbeat(step(late(HEARTBEAT, undefined, { report: 1 })))).toEqual({ report: 1 });
  expect(lastHeartbeat(step(busy))).toBeUndefined();
});
