import { isInProgress, isPrepared, refusal, toSluiceError } from '../../../src/platforms/app-service/driver/errors.js';

const answer = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
  status,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { get: (name: string) => headers[name] },
});
const said = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  refusal(answer(status, body, headers), 'SwapSlot', 'checkout/staging');

test("App Service's own error form keeps its code, text and request id", () => {
  const error = said(400, { Code: 'BadRequest', Message: 'The name is taken.' }, { 'x-ms-request-id': 'q-1' });
  expect(error.code).toBe('SLUICE_REFUSED');
  expect(error.message).toBe('SwapSlot of checkout/staging: BadRequest: The name is taken. (400, request q-1)');
});

test.each([
  [409, 'Cannot modify this site because another operation is in progress. Details: SwapSiteSlots', 'SLUICE_BUSY'],
  [409, 'The configuration settings have been prepared for swap', 'SLUICE_BUSY'],
  [400, 'The allocation of VM instances for the slot has changed during the swap. Please retry', 'SLUICE_BUSY'],
  [417, 'Cannot swap: the slot did not respond to http ping', 'SLUICE_REFUSED'],
  [400, 'the application initialization for the slot took too long or failed', 'SLUICE_REFUSED'],
  [400, 'the worker process for the slot could not be started', 'SLUICE_REFUSED'],
])('the response %i "%s" becomes %s, with its own message and what to do', (status, message, code) => {
  const error = said(status, { Code: 'Conflict', Message: message });
  expect(error.code).toBe(code);
  expect(error.message).toContain(message);
  expect(error.message).toContain('; ');
});

test('a conflict with a running operation is distinguished from one with a half-done swap', () => {
  const running = said(409, { Code: 'Conflict', Message: 'another operation is in progress' });
  const prepared = said(409, { Code: 'Conflict', Message: 'settings have been prepared for swap' });
  expect([isInProgress(running), isPrepared(running)]).toEqual([true, false]);
  expect([isInProgress(prepared), isPrepared(prepared)]).toEqual([false, true]);
});

test('a failed operation is reported with its result', () => {
  const ended = answer(200, {
    status: 'Failed',
    error: { code: 'SwapFailed', message: 'did not respond to http ping' },
  });
  const error = toSluiceError(new Error('The long-running operation has failed.'), ended, 'SwapSlot', 'checkout');
  expect(error).toMatchObject({ code: 'SLUICE_REFUSED', message: expect.stringContaining('SwapFailed: did not') });
});

test.each([
  [401, 'SLUICE_CREDENTIALS'],
  [403, 'SLUICE_PERMISSION'],
  [404, 'SLUICE_NOT_FOUND'],
  [408, 'SLUICE_PROVIDER'],
  [409, 'SLUICE_BUSY'],
  [412, 'SLUICE_REFUSED'],
  [429, 'SLUICE_BUSY'],
  [502, 'SLUICE_PROVIDER'],
])('an empty response with status %i becomes %s', (status, code) => {
  // The SDK throws this for an empty body.
  const error = new TypeError("Cannot read properties of undefined (reading 'error')");
  expect(toSluiceError(error, answer(status, ''), 'GetSite', 'checkout')).toMatchObject({ code });
});

test('a throttled call says how long to wait, five minutes at most', () => {
  expect(said(429, '', { 'retry-after': '17' }).retryAfterMs).toBe(17_000);
  expect(said(429, '', { 'retry-after': '9000' }).retryAfterMs).toBe(300_000);
  expect(said(429, '').retryAfterMs).toBeUndefined();
});

test("a missing permission has the provider's name for it", () => {
  const message =
    "The client does not have authorization to perform action 'Microsoft.Web/sites/slots/slotsswap/action' over scope";
  const error = said(403, { error: { code: 'AuthorizationFailed', message } });
  expect(error.message).toMatch(/^Microsoft\.Web\/sites\/slots\/slotsswap\/action is not allowed/);
});

test('no response is a network error, a refused sign-in a credentials error, and a cancel stays a cancel', () => {
  const network = toSluiceError(new Error('read ECONNRESET'), null, 'GetSite', 'checkout');
  expect(network).toMatchObject({ code: 'SLUICE_PROVIDER', message: 'GetSite of checkout: read ECONNRESET' });
  const refused = Object.assign(new Error('invalid_client\ntrace'), { name: 'AuthenticationError', statusCode: 401 });
  const credentials = toSluiceError(refused, null, 'GetSite', 'checkout') as Error;
  expect(credentials).toMatchObject({ code: 'SLUICE_CREDENTIALS' });
  expect(credentials.message).not.toContain('trace');
  const down = Object.assign(new Error('bad gateway'), { name: 'AuthenticationError', statusCode: 502 });
  expect(toSluiceError(down, null, 'GetSite', 'checkout')).toMatchObject({ code: 'SLUICE_PROVIDER' });
  const cancel = Object.assign(new Error('stopped'), { name: 'AbortError' });
  expect(toSluiceError(cancel, null, 'GetSite', 'checkout')).toBe(cancel);
});
