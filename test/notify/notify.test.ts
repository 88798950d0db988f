import { afterEach, describe, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { NotifyEvent } from '../../activities/types.js';
import type { NotifySpec } from '../../src/model/spec.js';
import type { RolloutView } from '../../src/model/view.js';
import { type NotifyMessage, notify, verifySignature } from '../../src/notify/index.js';
import { post } from '../../src/notify/post.js';
import { serve, type TestServer, textOf } from '../health/server.js';
import { egressFor } from '../support/egress.js';

const SECRET = 'SLUICE_SECRET_HOOK';
const REFERENCE = `secret://env/${SECRET}`;
const SPEC = { app: 'checkout', environment: 'production' };

let secrets: Record<string, string> = {};

const tell = (hooks: NotifySpec[], of: NotifyEvent) => notify({ ...SPEC, notify: hooks }, of, egressFor(secrets));

interface Received {
  headers: Record<string, string | string[] | undefined>;
  body: string;
  message: NotifyMessage;
}

const servers: TestServer[] = [];
afterEach(async () => {
  secrets = {};
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** A receiver that answers with these statuses in turn, the last one for ever. */
async function receiver(statuses: number[] = [204], headers: Record<string, string> = {}) {
  const received: Received[] = [];
  const server = await serve(async (request, response) => {
    const body = await textOf(request);
    received.push({ headers: request.headers, body, message: JSON.parse(body) as NotifyMessage });
    response.writeHead(statuses[Math.min(received.length, statuses.length) - 1] ?? 204, headers).end();
  });
  servers.push(server);
  return { url: `${server.url}/hooks/T0KEN`, received };
}

function event(more: Partial<RolloutView> = {}): NotifyEvent {
  const view: RolloutView = {
    schema: 1,
    app: 'checkout',
    environment: 'production',
    run: 'run-1',
    strategy: 'canary',
    phase: 'awaitingApproval',
    outcome: null,
    reason: null,
    code: null,
    waitingFor: {
      what: 'approval of stage 10%',
      until: 2_000,
      otherwise: 'rolls back',
      verbs: ['approve', 'reject'],
      stage: '10%',
      gate: null,
    },
    target: 'checkout:live',
    platform: 'lambda',
    stable: '6',
    candidate: '7',
    weight: 10,
    split: null,
    kept: null,
    live: null,
    bypass: [],
    stages: [],
    verdict: null,
    series: [],
    errors: [],
    events: [],
    eventsTotal: 4,
    refusals: [],
    refusalsTotal: 0,
    startedBy: null,
    message: null,
    startedAt: 1,
    phaseSince: 1_000,
    endedAt: null,
    warnings: [],
    access: null,
    ...more,
  };
  return { type: 'waiting', view };
}

describe('a webhook', () => {
  test('is sent what happened, in separate fields and as the whole view', async () => {
    const { url, received } = await receiver();
    const { view } = event();
    await tell([{ webhook: url }], event());
    expect(received[0]?.message).toEqual({
      type: 'waiting',
      app: 'checkout',
      environment: 'production',
      run: 'run-1',
      strategy: 'canary',
      phase: 'awaitingApproval',
      waitingFor: view.waitingFor,
      view,
      at: 1_000,
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(received[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-sluice-id': received[0]?.message.id,
      'x-sluice-timestamp': expect.stringMatching(/^\d{13}$/),
    });
    expect(received[0]?.headers['x-sluice-signature']).toBeUndefined();
  });

  test('is sent the outcome and the reason at the end', async () => {
    const { url, received } = await receiver();
    const end = event({ phase: 'done', outcome: 'rolledBack', reason: '7 is unhealthy', waitingFor: null });
    await tell([{ webhook: url }], { ...end, type: 'ended' });
    expect(received[0]?.message).toMatchObject({ type: 'ended', outcome: 'rolledBack', reason: '7 is unhealthy' });
    expect(received[0]?.message).not.toHaveProperty('waitingFor');
  });

  test('gets each attempt under the same id, and another event under another', async () => {
    const { url, received } = await receiver([500, 200]);
    const hooks = [{ webhook: url }];
    await expect(tell(hooks, event())).rejects.toMatchObject({ code: 'SLUICE_PROVIDER' });
    await tell(hooks, event());
    await tell(hooks, event({ eventsTotal: 5 }));
    const ids = received.map(({ message }) => message.id);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  test('gets the id and the time of the activity, which distinguish two reminders', async () => {
    const { url, received } = await receiver();
    const hooks = [{ webhook: url }];
    const workflowExecution = { workflowId: 'checkout/production', runId: 'r' };
    for (const info of [
      { activityId: '5', attempt: 1, scheduledTimestampMs: 5_000, workflowExecution },
      { activityId: '5', attempt: 2, scheduledTimestampMs: 5_000, workflowExecution },
      { activityId: '6', attempt: 1, scheduledTimestampMs: 9_000, workflowExecution },
    ]) {
      await new MockActivityEnvironment(info).run(() => tell(hooks, event()));
    }
    const [first, again, reminder] = received.map(({ message }) => message);
    expect([first?.at, again?.at, reminder?.at]).toEqual([5_000, 5_000, 9_000]);
    expect(again?.id).toBe(first?.id);
    expect(reminder?.id).not.toBe(first?.id);
  });
});

describe('a signature', () => {
  test('is added if the webhook has a secret, and a receiver can verify it', async () => {
    secrets = { [SECRET]: 's3cret' };
    const { url, received } = await receiver();
    await tell([{ webhook: url, secret: REFERENCE }], event());
    const { headers, body } = received[0] as Received;
    expect(headers['x-sluice-signature']).toMatch(/^sha256=[0-9a-f]{64}$/);
    const message = { secret: 's3cret', headers, body };
    expect(verifySignature(message)).toBe(true);
    expect(verifySignature({ ...message, secret: 'other' })).toBe(false);
    expect(verifySignature({ ...message, secret: '' })).toBe(false);
    expect(verifySignature({ ...message, body: `${body} ` })).toBe(false);
    expect(verifySignature({ ...message, headers: {} })).toBe(false);
    expect(verifySignature({ ...message, headers: { ...headers, 'x-sluice-signature': 'sha256=00' } })).toBe(false);
    const timestamp = Number(headers['x-sluice-timestamp']);
    expect(verifySignature({ ...message, headers: { ...headers, 'x-sluice-timestamp': `${timestamp + 1}` } })).toBe(
      false,
    );
    expect(verifySignature({ ...message, now: timestamp + 300_001 })).toBe(false);
  });

  test('is the HMAC of timestamp, dot and body (checked against another implementation)', () => {
    // printf '%s' '1000.{"a":1}' | openssl dgst -sha256 -hmac key
    const headers = {
      'X-Sluice-Timestamp': '1000',
      'X-Sluice-Signature': 'sha256=703e95d4ed8aa99f3cf59728e8680a5aef1eb7fb7c4e4c827051b950902ca353',
    };
    expect(verifySignature({ secret: 'key', headers, body: '{"a":1}', now: 1_000 })).toBe(true);
  });

  test('without its secret is an error that names the reference', async () => {
    const { url, received } = await receiver();
    await expect(tell([{ webhook: url, secret: REFERENCE }], event())).rejects.toMatchObject({
      code: 'SLUICE_SECRET',
      message: expect.stringContaining(REFERENCE),
    });
    expect(received).toEqual([]);
  });
});

describe('a webhook that fails', () => {
  test.each([301, 404, 500])('with status %d is an error', async (status) => {
    const { url } = await receiver([status], { location: '/elsewhere' });
    const told = tell([{ webhook: url }], event());
    await expect(told).rejects.toMatchObject({
      code: 'SLUICE_PROVIDER',
      message: expect.stringContaining(`${status}`),
    });
    // Its path may be its secret.
    await expect(told).rejects.not.toMatchObject({ message: expect.stringContaining('T0KEN') });
  });

  test('may say how long to wait', async () => {
    const { url } = await receiver([429], { 'retry-after': '7' });
    await expect(tell([{ webhook: url }], event())).rejects.toMatchObject({ retryAfterMs: 7_000 });
  });

  test('does not stop the others, and is retried before a missing secret ends everything', async () => {
    const [good, bad] = [await receiver(), await receiver([503])];
    const hooks = [{ webhook: good.url, secret: REFERENCE }, { webhook: bad.url }, { webhook: good.url }];
    await expect(tell(hooks, event())).rejects.toMatchObject({ code: 'SLUICE_PROVIDER' });
    expect(good.received).toHaveLength(1);
  });

  test('because nothing listens or answers is an error', async () => {
    const gone = await serve(() => {});
    await gone.close();
    await expect(tell([{ webhook: gone.url }], event())).rejects.toMatchObject({
      code: 'SLUICE_PROVIDER',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    const silent = await serve(() => {});
    servers.push(silent);
    const message = { id: 'x' } as NotifyMessage;
    await expect(
      post({ webhook: silent.url }, message, { spec: SPEC, egress: egressFor(), timeout: 50 }),
    ).rejects.toMatchObject({
      code: 'SLUICE_PROVIDER',
      message: expect.stringContaining('no answer within 50 ms'),
    });
  });
});
