import { ServiceError } from '@temporalio/client';
import { isLate, toSluiceError } from '../../src/client/errors.js';
import type { ErrorCode } from '../../src/model/errors.js';

const AT = 'temporal.example.com:7233';

/** As the SDK passes on what a server has answered. */
function answered(code: number, details: string): Error {
  const grpc = Object.assign(new Error(`${code} X: ${details}`), { code, details, metadata: {} });
  return new ServiceError('Failed to call', { cause: grpc });
}

/** Every status code of gRPC but OK. */
const CODES: [number, string, ErrorCode][] = [
  [1, 'CANCELLED', 'SLUICE_TEMPORAL'],
  [2, 'UNKNOWN', 'SLUICE_TEMPORAL'],
  [3, 'INVALID_ARGUMENT', 'SLUICE_REFUSED'],
  [4, 'DEADLINE_EXCEEDED', 'SLUICE_UNREACHABLE'],
  [5, 'NOT_FOUND', 'SLUICE_TEMPORAL'],
  [6, 'ALREADY_EXISTS', 'SLUICE_TEMPORAL'],
  [7, 'PERMISSION_DENIED', 'SLUICE_PERMISSION'],
  [8, 'RESOURCE_EXHAUSTED', 'SLUICE_TEMPORAL'],
  [9, 'FAILED_PRECONDITION', 'SLUICE_TEMPORAL'],
  [10, 'ABORTED', 'SLUICE_TEMPORAL'],
  [11, 'OUT_OF_RANGE', 'SLUICE_TEMPORAL'],
  [12, 'UNIMPLEMENTED', 'SLUICE_SETUP'],
  [13, 'INTERNAL', 'SLUICE_TEMPORAL'],
  [14, 'UNAVAILABLE', 'SLUICE_UNREACHABLE'],
  [15, 'DATA_LOSS', 'SLUICE_TEMPORAL'],
  [16, 'UNAUTHENTICATED', 'SLUICE_PERMISSION'],
];

test.each(CODES)("status code %i, %s, becomes %s, with the server's message", (code, name, expected) => {
  const error = toSluiceError(answered(code, `words of ${name}`), AT);
  expect(error.code).toBe(expected);
  expect(error.message).toContain(`words of ${name}`);
  // Only nobody's silence is read as nobody being there.
  expect(error.message.includes('no Temporal server answers')).toBe(expected === 'SLUICE_UNREACHABLE');
});

test('failing tasks are reported as a problem of the worker', () => {
  const error = answered(9, 'Unable to perform workflow execution update due to Workflow Task in failed state.');
  expect(toSluiceError(error, AT)).toMatchObject({
    code: 'SLUICE_NO_WORKER',
    message: expect.stringContaining("a worker is running but fails this rollout's tasks"),
  });
});

test('an error that does not come from a server is not reported as a missing server', () => {
  expect(toSluiceError(new TypeError('not a function'), AT)).toMatchObject({
    code: 'SLUICE_TEMPORAL',
    message: expect.stringContaining('not a function'),
  });
});

test('only our own deadline and a call that the server gave up on count as no answer in time', () => {
  const late = CODES.filter(([code, name]) => isLate(answered(code, name))).map(([, name]) => name);
  expect(late).toEqual(['CANCELLED', 'DEADLINE_EXCEEDED']);
});
