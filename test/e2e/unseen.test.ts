/**
 * Nothing passes unseen: a release that fails a quarter of its users while every probe is well, and a metric of users that
 * says nothing until the test lets it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { lambdaUsers } from '../../src/demo/clouds/lambda.js';
import { Traffic } from '../../src/demo/traffic.js';

import type { RolloutView } from '../../src/model/view.js';
import { serve, type TestServer } from '../health/server.js';
import { until } from '../support/until.js';
import { DIRECT, startWorld, type World } from './target.js';

let world: World;
let counter: TestServer;
/** The users of one function, and whether the counter knows of them. */
const shops = new Map<string, { users: Traffic; speaks: boolean }>();

beforeAll(async () => {
  world = await startWorld('unseen');
  counter = await serve((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://counter');
    const [, app = '', version] = pathname.split('/');
    response.end(JSON.stringify(countsOf(app, version, searchParams)));
  });
});
afterEach(async () => {
  for (const { users } of shops.values()) await users.stop();
  shops.clear();
});
afterAll(async () => {
  await counter?.close();
  await world?.stop();
});

/** Requests and errors of a release in a stretch of seconds; without them the counter says nothing of it. */
function countsOf(app: string, version: string | undefined, stretch: URLSearchParams): object {
  const shop = shops.get(app);
  if (shop?.speaks !== true) return {};
  const [from, to] = ['from', 'to'].map((end) => Number(stretch.get(end)) * 1_000) as [number, number];
  const answers = shop.users.answers.filter((one) => one.version === version && one.at >= from && one.at < to);
  return { requests: answers.length, errors: answers.filter(({ failed }) => failed).length };
}

/** A release of its own each time; `failing` throws for every fourth user, and never for a probe. */
function folderOf(name: string, failing: boolean): string {
  const folder = path.join(world.folder, name);
  mkdirSync(folder, { recursive: true });
  const fault = failing
    ? "if (user !== undefined && Number(user.slice(5)) % 4 === 0) throw new Error('no such user');"
    : '';
  writeFileSync(
    path.join(folder, 'index.mjs'),
    `export const handler = async ({ user }, { functionVersion }) => {
  ${fault}
  return { statusCode: 200, release: functionVersion, total: 1 };
};
// ${name}
`,
  );
  return folder;
}

/** A shop with users and a first release. */
async function open(app: string): Promise<{ users: Traffic; speaks: boolean }> {
  await world.end(app, await world.start(app, 'ann', DIRECT));
  const users = new Traffic(lambdaUsers(world.stack.aws.endpoint, { function: app, alias: 'live' }), 8);
  const shop = { users, speaks: false };
  shops.set(app, shop);
  users.start();
  return shop;
}

function halves(bake: string) {
  return {
    type: 'canary',
    stages: [
      { weight: '50%', bake },
      { weight: '100%', bake },
    ],
  };
}

/** A canary by the default probe and the users' counter. */
function canaryOf(app: string, folder: string, policy: object) {
  return {
    release: { folder },
    strategy: halves('4s'),
    health: {
      judge: policy,
      metrics: [
        {
          name: 'users',
          http: {
            url: `${counter.url}/${app}/{version}?from={from}&to={to}`,
            ...{ requests: '$.requests', errors: '$.errors', every: '1s', window: '1s', delay: '1s' },
          },
        },
      ],
    },
  };
}

const SILENT = /^stage 50%: noData: no request of the candidate was counted by metric users; \d+ probe calls say/;

test('if a quarter of the users fail, the probes pass and the metric is silent, onNoData decides and nothing passes', async () => {
  await open('quarter');
  const spec = canaryOf('quarter', folderOf('quarter-2', true), { onNoData: 'rollback' });
  const view = await world.end('quarter', await world.start('quarter', 'ann', spec));
  expect(view.outcome).toBe('rolledBack');
  expect(view.reason).toMatch(SILENT);
  expect(view.verdict).toMatchObject({ state: 'noData', counted: 'users', candidate: { requests: 0 } });
  expect(view.events.filter(({ text }) => text.startsWith('stage 50%: passed'))).toEqual([]);
});

test('a held rollout rolls back by itself once the metric reports, and nobody sees a healthy verdict meanwhile', async () => {
  const shop = await open('late');
  const answer = await world.start('late', 'ann', canaryOf('late', folderOf('late-2', true), {}));
  const held = await world.phase('late', 'held');
  expect(held.reason).toMatch(SILENT);
  const { out } = await world.cli(['get', 'late/production']);
  expect(out).toMatch(/users +stable \d+ +0 requests/);
  expect(out).toMatch(/probes +stable \d+ +\d+ requests/);
  expect(out).toMatch(
    /judge as of \d\d:\d\d:\d\d UTC: noData: no request of the candidate was counted by metric users/,
  );
  expect(out).toContain('sluice promote late/production');
  shop.speaks = true;
  const view = await world.end('late', answer);
  expect(view).toMatchObject({ outcome: 'rolledBack', verdict: { state: 'unhealthy', counted: 'users' } });
  expect(view.reason).toContain('is unhealthy: metric users: ');
});

test('a held good release passes by itself, and a waiting job exits with its own code', async () => {
  const shop = await open('good');
  const file = world.file('good', canaryOf('good', folderOf('good-2', false), {}));
  const job = await world.cli(['start', file, '--wait', '--until', 'person']);
  expect(job.code).toBe(17);
  expect(job.err).toContain('good/production NEEDS A PERSON: held: a person must decide\n');
  expect(job.err).toMatch(/\n {2}sluice promote good\/production /);
  shop.speaks = true;
  const seen: RolloutView[] = [];
  await until('the end', async () => {
    const { view, ended } = await world.sluice.status(world.at('good'));
    if (view !== null) seen.push(view);
    return ended;
  });
  expect(seen.at(-1)).toMatchObject({ outcome: 'succeeded', verdict: { counted: 'users' } });
  expect(seen.filter((view) => view.phase === 'held' && view.verdict?.state === 'healthy')).toEqual([]);
  expect(seen.at(-1)?.events.some(({ text }) => text.startsWith('stage 50%: passed while held: metric users: '))).toBe(
    true,
  );
});

test('plan refuses a bake that ends before its metric can report, and names the shortest one that works', async () => {
  const file = world.file('short', { strategy: { type: 'direct', bake: '30s' }, health: {} });
  const { code, err } = await world.cli(['plan', file]);
  expect(code).toBe(2);
  expect(err).toContain('strategy.bake: is too short to ever pass: metric "requests" counts by 1m');
  expect(err).toContain('use 125s or longer');
});

test("our own calls in Lambda's log are never users, whichever watcher made them", async () => {
  const role = 'arn:aws:iam::000000000000:role/quiet';
  const configuration = { runtime: 'nodejs20.x', handler: 'index.handler', role, logFormat: 'JSON' };
  const app = 'quiet';
  await world.end(
    app,
    await world.start(app, 'ann', { ...DIRECT, release: { folder: folderOf('quiet-1', false) }, configuration }),
  );
  const view = await world.end(
    app,
    await world.start(app, 'ann', {
      release: { folder: folderOf('quiet-2', false) },
      configuration,
      strategy: halves('6s'),
      health: {
        probes: [{ name: 'often', invoke: { payload: {} }, every: '100ms' }],
        judge: { onNoData: 'rollback', onUndecided: 'rollback' },
        metrics: [{ name: 'logs', lambdaLogs: { every: '1s', window: '1s', delay: '2s' } }],
      },
    }),
  );
  expect(view.events.filter(({ text }) => text.startsWith('baking: baking for another'))).toHaveLength(1);
  expect(view).toMatchObject({ outcome: 'rolledBack', verdict: { state: 'noData', candidate: { requests: 0 } } });
  expect(view.reason).toMatch(/^stage 50%: noData: no request of the candidate was counted by metric logs; /);
});
