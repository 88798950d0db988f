/** A release that is slow to begin gets the same verdict cold and warm, going forward and going back. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { until } from '../support/until.js';
import { startWorld, type World } from './target.js';

const APP = 'slow-start';
/** Begins in more time than a probe's call may take: a large framework, a model. */
const SLOW_TO_BEGIN = `const end = Date.now() + 4_000;
while (Date.now() < end);
`;
const FIELDS = {
  strategy: { type: 'direct', bake: '1s' },
  configuration: {
    runtime: 'nodejs20.x',
    handler: 'index.handler',
    role: 'arn:aws:iam::000000000000:role/checkout',
    timeout: 30,
  },
  // The probe that a spec has which names none.
  health: { metrics: [], judge: { minRequests: 1, onUndecided: 'promote', onNoData: 'promote' } },
};

let world: World;
beforeAll(async () => {
  world = await startWorld('cold');
});
afterAll(() => world?.stop());

/** Ends the function's processes, as AWS ends idle instances. How many there were. */
function endInstances(): number {
  const lines = execFileSync('ps', ['-Ao', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  const ours = lines.filter((line) => line.includes(world.folder) || line.includes('ministack-lambda-'));
  const pids = ours
    .filter((line) => line.includes(`ministack-lambda-${APP}-`))
    .map((line) => Number.parseInt(line, 10));
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids.length;
}

test('a release with a slow cold start is released at the first attempt, and an undo brings it back cold', async () => {
  for (const [version, begin] of [
    ['1', SLOW_TO_BEGIN],
    ['2', ''],
  ] as const) {
    const folder = path.join(world.folder, version);
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'index.js'), `${begin}exports.handler = async () => ({ statusCode: 200 });`);
    const answer = await world.start(APP, 'ann', { ...FIELDS, release: { folder } });
    expect(await world.end(APP, answer)).toMatchObject({ outcome: 'succeeded', candidate: version });
    await until('the ledger', async () => (await world.ledger(APP))?.releases[0]?.version === version);
  }
  expect(endInstances()).toBeGreaterThan(0);

  const view = await world.undone(APP, await world.undo(APP), ({ verdict }) => verdict !== null);
  expect(view).toMatchObject({ outcome: 'succeeded', candidate: '1' });
  expect(await world.alias(APP)).toMatchObject({ version: '1', weights: {} });
});
