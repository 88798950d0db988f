import type { ErrorCode } from '../../../src/model/errors.js';
import { SluiceError } from '../../../src/model/errors.js';
import { existsAlready, isPrecondition, toSluiceError } from '../../../src/platforms/lambda/driver/errors.js';

/** An error as the SDK throws it, with what must stay behind. */
function sdkError(name: string, status: number | undefined, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), {
    name,
    $metadata: { httpStatusCode: status, requestId: 'r-1' },
    $response: { headers: { authorization: 'Bearer secret-token', ...((more as { headers?: object }).headers ?? {}) } },
    ...more,
  });
}

const mapped = (error: unknown, operation = 'UpdateAlias') =>
  toSluiceError(error, operation, 'checkout:live') as SluiceError;

test.each<[string, number | undefined, ErrorCode]>([
  ['TooManyRequestsException', 429, 'SLUICE_BUSY'],
  ['ThrottlingException', 400, 'SLUICE_BUSY'],
  ['ResourceConflictException', 409, 'SLUICE_BUSY'],
  ['ServiceException', 500, 'SLUICE_PROVIDER'],
  ['Unknown', 502, 'SLUICE_PROVIDER'],
  ['TimeoutError', undefined, 'SLUICE_PROVIDER'],
  ['Error', undefined, 'SLUICE_PROVIDER'],
  ['AccessDeniedException', 403, 'SLUICE_PERMISSION'],
  ['AccessDenied', 403, 'SLUICE_PERMISSION'],
  ['ExpiredTokenException', 403, 'SLUICE_CREDENTIALS'],
  ['ExpiredToken', 400, 'SLUICE_CREDENTIALS'],
  ['UnrecognizedClientException', 403, 'SLUICE_CREDENTIALS'],
  ['InvalidClientTokenId', 403, 'SLUICE_CREDENTIALS'],
  ['CredentialsProviderError', undefined, 'SLUICE_CREDENTIALS'],
  ['ResourceNotFoundException', 404, 'SLUICE_NOT_FOUND'],
  ['InvalidParameterValueException', 400, 'SLUICE_REFUSED'],
  ['CodeStorageExceededException', 400, 'SLUICE_REFUSED'],
  ['PreconditionFailedException', 412, 'SLUICE_REFUSED'],
])('%s (%s) becomes %s', (name, status, code) => {
  expect(mapped(sdkError(name, status, 'said the provider')).code).toBe(code);
});

test("the message has the call, its object and the provider's message, and nothing from headers or bodies", () => {
  const error = mapped(sdkError('InvalidParameterValueException', 400, 'the role cannot be assumed'));
  expect(error.message).toBe(
    'UpdateAlias of checkout:live: InvalidParameterValueException: the role cannot be assumed',
  );
  expect(JSON.stringify({ ...error })).not.toContain('secret');
});

test("a throttled call has the provider's own reason", () => {
  const reason = { Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' };
  expect(mapped(sdkError('TooManyRequestsException', 429, 'Rate Exceeded.', reason), 'Invoke').message).toBe(
    'Invoke of checkout:live: TooManyRequestsException (ReservedFunctionConcurrentInvocationLimitExceeded): Rate Exceeded.',
  );
});

test('a refusal for a missing permission names the action, from the provider or from the operation', () => {
  const said =
    'User: arn:aws:iam::1:user/ci is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/x';
  expect(mapped(sdkError('AccessDenied', 403, said)).message).toMatch(/^sts:AssumeRole is not allowed/);
  expect(mapped(sdkError('AccessDeniedException', 403, 'no')).message).toMatch(/^lambda:UpdateAlias is not allowed/);
  expect(mapped(sdkError('AccessDeniedException', 403, 'no'), 'Invoke').message).toMatch(/^lambda:InvokeFunction/);
  expect(mapped(sdkError('AccessDenied', 403, 'no'), 'GetMetricData').message).toMatch(/^cloudwatch:GetMetricData/);
});

test("the provider's retry hint is kept, in milliseconds", () => {
  expect(mapped(sdkError('TooManyRequestsException', 429, '', { retryAfterSeconds: '7' })).retryAfterMs).toBe(7_000);
  const header = { $response: { headers: { 'retry-after': '3' } } };
  expect(mapped(sdkError('TooManyRequestsException', 429, '', header)).retryAfterMs).toBe(3_000);
  expect(mapped(sdkError('TooManyRequestsException', 429, '')).retryAfterMs).toBeUndefined();
});

test('a conflict on creation means that the thing exists, and any other conflict that something is in progress', () => {
  const conflict = sdkError('ResourceConflictException', 409, 'Alias already exists');
  expect(existsAlready(mapped(conflict, 'CreateAlias'))).toBe(true);
  expect(existsAlready(mapped(conflict, 'UpdateFunctionCode'))).toBe(false);
});

test('a stale revision is distinguished from other refusals', () => {
  expect(isPrecondition(mapped(sdkError('PreconditionFailedException', 412, 'stale')))).toBe(true);
  expect(isPrecondition(mapped(sdkError('InvalidParameterValueException', 400, 'x')))).toBe(false);
});

test('a cancel stays a cancel, and our own error stays as it is', () => {
  const abort = new DOMException('aborted', 'AbortError');
  expect(toSluiceError(abort, 'GetAlias', 'x')).toBe(abort);
  const ours = new SluiceError('SLUICE_ARTIFACT', 'x');
  expect(toSluiceError(ours, 'GetAlias', 'x')).toBe(ours);
});

test('a response that could not be read does not end up in a message', () => {
  const html = Object.assign(new SyntaxError('Unexpected token < in <html>secret page</html>'), { $metadata: {} });
  expect(mapped(html)).toMatchObject({ code: 'SLUICE_PROVIDER' });
  expect(mapped(html).message).not.toContain('secret page');
});
