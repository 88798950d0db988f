/** What was started is what is released, whatever becomes of the folder while the release waits. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { inputs } from './people.js';
import { DIRECT, SLOW, startWorld, type World } from './target.js';

let world: World;
beforeAll(async () => {
  world = await startWorld('queue-code');
});
afterAll(() => world?.stop());

const handler = (answer: string) => `export const handler = async () => ({ statusCode: 200, body: '${answer}' });\n`;

test('a queued release is the code as it was at its start, without later edits', async () => {
  const app = 'queued';
  const code = mkdtempSync(path.join(world.folder, 'code-'));
  const write = (answer: string) => writeFileSync(path.join(code, 'index.mjs'), handler(answer));
  const fields = { ...DIRECT, release: { folder: code } };
  write('first');
  await world.end(app, await world.start(app, 'ann', fields));
  write('in the way');
  const running = await world.start(app, 'ann', { ...SLOW, release: { folder: code } });
  await world.phase(app, 'baking');

  write('started');
  const queued = await world.start(app, 'ben', fields, 'queue');
  expect(queued.state).toBe('queued');
  write('edited');
  await world.sluice.verb(world.at(app), 'abort', {});
  await world.end(app, running);

  expect(await world.end(app, queued)).toMatchObject({ outcome: 'succeeded' });
  const answer = await world.lambda.send(new InvokeCommand({ FunctionName: app, Qualifier: 'live' }));
  expect(JSON.parse(Buffer.from(answer.Payload ?? []).toString())).toMatchObject({ body: 'started' });
});

test('deleting the folder after the start breaks nothing, and no history contains its path', async () => {
  const app = 'gone';
  const code = path.join(world.folder, 'soon-gone');
  mkdirSync(code);
  cpSync(path.join(import.meta.dirname, '..', '..', 'examples', 'checkout', 'v1'), code, { recursive: true });
  const answer = await world.start(app, 'ann', { ...DIRECT, release: { folder: code } });
  rmSync(code, { recursive: true });
  expect(await world.end(app, answer)).toMatchObject({ outcome: 'succeeded' });
  const history = await world.stack.client.workflow.getHandle(`${app}/production`).fetchHistory();
  const said = JSON.stringify(inputs(history as { events?: unknown }));
  expect([said.includes('"artifact":{"sha256":'), said.includes('soon-gone')]).toEqual([true, false]);
});
