/** As many forged messages as a run can get, and a person who must be heard. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { newKey, sign, signerOf } from '../../src/access/index.js';
import { QUICK, SLOW, startWorld, type World } from '../e2e/target.js';
import { NEVER, until } from '../support/until.js';

/** At the same time. */
const LANES = 40;

let world: World;

beforeAll(async () => {
  world = await startWorld('flood', (folder) => {
    const key = newKey('dan');
    writeFileSync(path.join(folder, 'dan.json'), JSON.stringify(key), { mode: 0o600 });
    const policy = path.join(folder, 'policy.yaml');
    writeFileSync(policy, `people: {dan: {keys: ['${key.public}']}}\nrules: [{allow: {start: [anyone]}}]\n`);
    return { SLUICE_POLICY: policy, SLUICE_GRANT_KEY: randomBytes(32).toString('base64') };
  });
});

afterAll(() => world?.stop());

test('11,000 forged aborts do not block a signed one', async () => {
  const app = 'flooded';
  const dan = await world.client({ SLUICE_KEY: path.join(world.folder, 'dan.json') });
  await world.end(app, await world.start(app, 'dan', QUICK));
  await world.start(app, 'dan', SLOW);
  const { run } = await world.phase(app, 'baking');
  const handle = world.stack.client.workflow.getHandle(`${app}/production`);
  const statement = { act: 'abort' as const, ...world.at(app), run };
  const forged = await sign(statement, await signerOf(newKey('eve')), {
    audience: 'sluice:default',
    now: Date.now(),
    valid: 60_000,
  });
  let sent = 0;
  const lane = async () => {
    for (let at = 0; at < 11_000 / LANES; at += 1) {
      const token = `${forged.slice(0, -6)}${String(sent).padStart(6, '0')}`;
      sent += 1;
      // The server takes 10,000 signals of a run and refuses the rest.
      const refused = await handle.signal('abort', { by: 'dan', token }).catch((error: unknown) => error);
      if (refused !== undefined) return;
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  expect(sent).toBeGreaterThan(9_000);
  // Answered, or left as a signal that stands in the same line as all the forged ones. While the server takes neither, as long as
  // the workers have not got to the end of the flood, the error says so, and to say it again.
  await until('the abort to be taken', async () => {
    const said = await dan.verb(world.at(app), 'abort', { comment: 'enough' }).catch((error: Error) => error);
    const taken = /rolling back|was delivered as a signal/.test(said.message);
    if (!taken) expect(said.message).toContain('say it again');
    return taken;
  });
  const { view } = await world.sluice.wait(world.at(app), 'done', { run, signal: AbortSignal.timeout(NEVER) });
  expect(view).toMatchObject({ outcome: 'rolledBack', reason: 'aborted by dan: enough' });
  expect(view?.refusalsTotal).toBeGreaterThan(1_000);
});
