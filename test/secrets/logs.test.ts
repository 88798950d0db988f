/** What a worker prints. */
import { ApplicationFailure } from '@temporalio/common';
import { remembering } from '../../src/secrets/index.js';
import { workerLogger } from '../../src/worker/log.js';
import { egressFor } from '../support/egress.js';

const VALUE = 'correct-horse-battery';
const ASK = { app: 'shop', environment: 'production', use: 'probe', host: 'x' } as const;

function log() {
  const lines: string[] = [];
  return { lines, logger: workerLogger('debug', { write: (line: string) => lines.push(line) }) };
}

test('the log has no headers, bodies, environments or tokens, wherever libraries keep them', () => {
  const { lines, logger } = log();
  const request = { headers: { authorization: VALUE }, body: VALUE };
  logger.warn('a', { request, environment: { A: VALUE }, $response: { body: VALUE }, token: VALUE });
  logger.warn('b', { deep: { request, headers: { key: VALUE }, $response: VALUE }, call: { of: { body: VALUE } } });
  expect(lines).toHaveLength(2);
  expect(lines.join('')).not.toContain(VALUE);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: 'a', request: '[Redacted]' });
});

test('an error is logged as its name, message and stack, without its cause and fields', () => {
  const { lines, logger } = log();
  const sdk = Object.assign(new Error('403 from the store'), {
    code: 'Forbidden',
    request: { headers: VALUE },
    $metadata: VALUE,
  });
  logger.warn('Activity failed', {
    error: ApplicationFailure.create({ message: 'no', type: 'SLUICE_SECRET', cause: sdk }),
  });
  logger.error('broken', { error: Object.assign(sdk, { cause: new Error(VALUE) }) });
  expect(lines.join('')).not.toContain(VALUE);
  expect(lines.map((line) => (JSON.parse(line) as { error: unknown }).error)).toEqual([
    { name: 'ApplicationFailure', message: 'no', type: 'SLUICE_SECRET', stack: expect.any(Array) },
    { name: 'Error', message: '403 from the store', code: 'Forbidden', stack: expect.any(Array) },
  ]);
});

test('a line that an activity logs does not contain the values it has read', async () => {
  const { lines, logger } = log();
  const { secrets } = egressFor({ SLUICE_SECRET_A: VALUE });
  await remembering(async () => {
    await secrets.resolve('secret://env/SLUICE_SECRET_A', ASK, new AbortController().signal);
    logger.info(`sent ${VALUE}`, { as: { json: JSON.stringify({ VALUE }) } });
  });
  expect(lines.join('')).toContain('sent [secret]');
  expect(lines.join('')).not.toContain(VALUE);
});
