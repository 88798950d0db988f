import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../support/tools.js';
import { until } from '../support/until.js';

const BIN = path.join(ROOT, 'bin', 'sluice.mjs');

let folder: string;
let child: ChildProcess | null = null;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-up-'));
});
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Ready {
  ready: true;
  ui: string;
  env: Record<string, string>;
}

/** Runs `sluice ARGV` as a program; resolves with its exit code and stdout. */
async function sluice(argv: string[], env: Record<string, string>): Promise<{ code: number | null; out: string }> {
  const run = spawn(process.execPath, [BIN, ...argv], { cwd: folder, env: { ...process.env, ...env } });
  let out = '';
  run.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  const code = await new Promise<number | null>((resolve) => run.once('close', resolve));
  return { code, out };
}

/** `sluice up` with a cloud, when it says that it is ready. */
async function emulating(cloud: string) {
  const started = spawn(process.execPath, [BIN, 'up', '--emulate', cloud, '-o', 'json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = started;
  const exited = new Promise<number | null>((resolve) => started.once('exit', resolve));
  const lines = createInterface({ input: started.stdout });
  const first = await new Promise<string>((resolve) => lines.once('line', resolve));
  return { ...(JSON.parse(first) as Ready), up: { exited, kill: (signal: NodeJS.Signals) => started.kill(signal) } };
}

test('`sluice up` runs everything on loopback, and Ctrl-C ends everything', async () => {
  const { env, ui, up } = await emulating('aws');
  for (const address of [`http://${env.TEMPORAL_ADDRESS}`, env.AWS_ENDPOINT_URL, ui]) {
    expect(new URL(address ?? '').hostname).toBe('127.0.0.1');
  }
  expect((await fetch(ui)).ok).toBe(true);

  const doctor = await sluice(['doctor', '-o', 'json'], env);
  expect(doctor.code).toBe(0);
  expect(JSON.parse(doctor.out)).toContainEqual(
    expect.objectContaining({ name: 'worker', message: '1 on task queue sluice', state: 'ok' }),
  );
  expect(JSON.parse(doctor.out)).toContainEqual(
    expect.objectContaining({ name: 'policy', message: 'open: no policy' }),
  );
  expect((await sluice(['list', '-o', 'json'], env)).out).toBe('[]\n');

  up.kill('SIGINT');
  expect(await up.exited).toBe(0);
  await until('the UI to be gone', () =>
    fetch(ui).then(
      () => false,
      () => true,
    ),
  );
  await expect(fetch(env.AWS_ENDPOINT_URL ?? '')).rejects.toThrow();
  expect(existsSync(path.join(folder, '.sluice', 'up', 'worker.log'))).toBe(true);
  expect((await sluice(['list'], { ...env })).code).toBe(6);
});

test.each(['--port', '--ui-port'])(
  '`sluice up %s` with a taken port fails with a message, and serves nothing',
  async (flag) => {
    const stranger = createServer();
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const { port } = stranger.address() as AddressInfo;
    try {
      const up = await sluice(['up', flag, String(port), '-o', 'json'], {});
      expect(up.code).toBe(13);
      expect(JSON.parse(up.out)).toEqual({
        error: {
          code: 'SLUICE_SETUP',
          message: expect.stringContaining(
            `port ${port} of 127.0.0.1 is taken by another program, so Temporal cannot use it`,
          ),
        },
      });
    } finally {
      stranger.close();
    }
  },
);

test('`sluice up --emulate azure` has a site that can be planned and released to', async () => {
  const { env, up } = await emulating('azure');
  const example = path.join(ROOT, 'examples', 'checkout-app-service', 'direct.yaml');
  const planned = await sluice(['plan', example, '-o', 'json'], env);
  expect([planned.code, planned.out]).toEqual([0, expect.stringContaining('promote')]);
  up.kill('SIGINT');
  expect(await up.exited).toBe(0);
});
