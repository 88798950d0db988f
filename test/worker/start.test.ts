import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type LocalTemporal, startTemporal } from '../../emulators/temporal.js';
import { ROOT } from '../support/tools.js';
import { NEVER } from '../support/until.js';

let folder: string;
let temporal: LocalTemporal;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-worker-'));
  temporal = await startTemporal({ logFile: path.join(folder, 'temporal.log'), headless: true });
});
afterAll(async () => {
  await temporal?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test.each([
  ['its namespace does not exist', () => ({ TEMPORAL_NAMESPACE: 'nowhere' }), 'nowhere'],
  ['its health port is taken', () => ({ SLUICE_HEALTH_PORT: String(temporal.port) }), 'EADDRINUSE'],
])('a worker that cannot start because %s says so and ends', async (_, env, reason) => {
  const worker = spawn(process.execPath, [path.join(ROOT, 'dist', 'src', 'worker', 'main.js')], {
    env: {
      PATH: process.env.PATH,
      TEMPORAL_ADDRESS: temporal.address,
      SLUICE_POLICY: 'open',
      SLUICE_STORE: path.join(folder, 'artifacts'),
      ...env(),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: string[] = [];
  worker.stderr.on('data', (chunk) => said.push(String(chunk)));
  try {
    const [code] = await once(worker, 'close', { signal: AbortSignal.timeout(NEVER) });
    expect(code).toBe(13);
    expect(said.join('')).toMatch(new RegExp(`^error SLUICE_SETUP: the worker cannot start: .*${reason}`, 'm'));
  } finally {
    worker.kill('SIGKILL');
  }
});
