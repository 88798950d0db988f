import type { Users } from '../../src/demo/cloud.js';
import { follow } from '../../src/demo/follow.js';
import { Traffic } from '../../src/demo/traffic.js';
import type { RolloutView } from '../../src/model/view.js';
import { until } from '../support/until.js';

const view = (of: Partial<RolloutView>) => ({ weight: 0, reason: null, eventsTotal: 0, ...of }) as RolloutView;

/** Looks that answer one view after the other, the last one for ever. */
function looks(...views: Partial<RolloutView>[]) {
  const approved: string[] = [];
  let at = 0;
  return {
    approved,
    look: async () => view(views[Math.min(at++, views.length - 1)] ?? {}),
    show: () => undefined,
    approve: async (stage: string) => void approved.push(stage),
  };
}

test('a rollout that ends is followed to the end, and each stage is approved once', async () => {
  const waits = (stage: string) =>
    ({ phase: 'awaitingApproval', waitingFor: { stage } }) as unknown as Partial<RolloutView>;
  const following = looks(waits('10%'), waits('10%'), waits('50%'), { phase: 'done', outcome: 'succeeded' });
  expect(await follow(following)).toMatchObject({ view: { outcome: 'succeeded' }, why: null });
  expect(following.approved).toEqual(['10%', '50%']);
});

test.each(['held', 'stuck'] as const)(
  'a rollout that is %s waits for a person, whom the demo does not play',
  async (phase) => {
    const followed = await follow(looks({ phase: 'baking' }, { phase, reason: 'fewer than 20 requests' }));
    expect(followed.why).toBe(`${phase}: fewer than 20 requests`);
  },
);

test('a rollout that stops changing is given up', async () => {
  const followed = await follow(looks({ phase: 'baking' }), 600);
  expect(followed.why).toBe('nothing has changed for 0.6 s; it is baking');
});

test('a rollout that can no longer be read is given up with the reason', async () => {
  const following = { ...looks(), look: () => Promise.reject(new Error('connection refused')) };
  await expect(follow(following, 600)).rejects.toThrow('connection refused');
});

test('users who get no answer do not stop the demo from ending', async () => {
  let closed = 0;
  let asked = 0;
  const users: Users = {
    ask: () => {
      asked += 1;
      return new Promise(() => undefined);
    },
    close: () => {
      closed += 1;
    },
  };
  const traffic = new Traffic(users, 100);
  traffic.start();
  await until('a request', () => asked > 0);
  await Promise.all([traffic.stop(), traffic.stop()]);
  expect(closed).toBe(1);
});
