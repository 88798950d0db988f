import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { startAws } from '../../emulators/aws/index.js';
import {
  answers,
  freePort,
  listens,
  onFreePorts,
  type Running,
  serves,
  startProcess,
} from '../../emulators/process.js';
import { projectRoot } from '../../emulators/tools.js';
import { until } from '../support/until.js';
import { call, functionWith, lambdaAt } from './aws/functions.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'process-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A server with a child and a file in its temporary folder; deaf to SIGTERM when told. It writes `{pid, child, temp}`. */
async function server(name: string, deaf = false): Promise<{ running: Running; pids: number[]; temp: string }> {
  const port = await freePort();
  const note = join(folder, name);
  const script = `
    const child = require('node:child_process').spawn('sleep', ['600']);
    const temp = require('node:fs').mkdtempSync(require('node:os').tmpdir() + '/left-');
    ${deaf ? "process.on('SIGTERM', () => undefined);" : ''}
    console.log('first line'); console.error('last line');
    require('node:http').createServer((_, r) => r.end()).listen(${port}, '127.0.0.1');
    require('node:fs').writeFileSync(${JSON.stringify(note)}, JSON.stringify({ pids: [process.pid, child.pid], temp }));`;
  const running = await startProcess({
    name,
    command: process.execPath,
    args: ['-e', script],
    grace: deaf ? 300 : 5_000,
    ready: async () => existsSync(note) && (await answers(`http://127.0.0.1:${port}`)),
  });
  return { running, ...(JSON.parse(readFileSync(note, 'utf8')) as { pids: number[]; temp: string }) };
}

/** Whether a process runs; one that has ended and waits for its parent to notice does not. */
function runs(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test('stop ends the process and its children, and removes its temporary folder', async () => {
  const { running, pids, temp } = await server('plain');
  expect(pids.map(runs)).toEqual([true, true]);
  expect(existsSync(temp)).toBe(true);
  await running.stop();
  await running.stop();
  expect(pids.map(runs)).toEqual([false, false]);
  expect(existsSync(temp)).toBe(false);
});

test('a process that ignores SIGTERM is killed after the grace period', async () => {
  const { running, pids } = await server('deaf', true);
  const began = Date.now();
  await running.stop();
  expect(Date.now() - began).toBeGreaterThanOrEqual(290);
  expect(pids.map(runs)).toEqual([false, false]);
});

test('a process that crashes takes its children with it, and leaves no folder', async () => {
  const { running, pids, temp } = await server('crash');
  process.kill(running.pid, 'SIGKILL');
  await until('all is gone', () => !pids.some(runs) && !existsSync(temp));
});

test('a process that ends while starting is an error with its last lines', async () => {
  const failing = startProcess({
    name: 'broken',
    command: process.execPath,
    args: ['-e', "console.log('the port is taken'); process.exit(3)"],
    ready: async () => false,
  });
  await expect(failing).rejects.toMatchObject({
    code: 'SLUICE_SETUP',
    message: expect.stringMatching(/broken ended with code 3[\s\S]*the port is taken/),
  });
});

test('a process that is not ready in time is an error, and is stopped', async () => {
  const note = join(folder, 'slow');
  const failing = startProcess({
    name: 'slow',
    command: process.execPath,
    args: [
      '-e',
      `require('node:fs').writeFileSync(${JSON.stringify(note)}, String(process.pid)); setInterval(() => 0, 1000)`,
    ],
    ready: async () => false,
    within: 500,
  });
  await expect(failing).rejects.toThrow('slow was not ready within 500 ms');
  expect(runs(Number(readFileSync(note, 'utf8')))).toBe(false);
});

test('a program that does not exist is an error that says so', async () => {
  const failing = startProcess({ name: 'absent', command: join(folder, 'absent'), args: [], ready: async () => true });
  await expect(failing).rejects.toThrow(/absent could not be started: .*ENOENT/);
});

test('a free port can be listened on', async () => {
  const port = await freePort();
  const listener = createServer();
  expect(await listens(port)).toBe(false);
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  expect(await listens(port)).toBe(true);
  await new Promise((resolve) => listener.close(resolve));
});

test('the emulated AWS leaves no process and no temporary folder behind', async () => {
  const place = join(projectRoot(), '.sluice', 'tmp');
  const aws = await startAws();
  const lambda = lambdaAt(aws.endpoint);
  await functionWith(lambda, 'short', ['return { pid: process.pid, script: process.argv[1] }']);
  const { pid, script } = (await call(lambda, 'short', '1')).body as { pid: number; script: string };
  expect(runs(pid)).toBe(true);
  // The folder of this stack: other suites have theirs beside it.
  const [mine = ''] = relative(place, script).split('/');
  expect(readdirSync(place)).toContain(mine);
  await aws.stop();
  expect(runs(pid)).toBe(false);
  expect(readdirSync(place)).not.toContain(mine);
  await expect(fetch(aws.ministackUrl)).rejects.toThrow();
  await expect(fetch(aws.endpoint)).rejects.toThrow();
});

/** A program that dies as a Go program does where another one has taken its port, for its first `lost` starts. */
function starter(name: string, lost: number): () => Promise<Running> {
  const note = join(folder, name);
  const script = `
    const fs = require('node:fs');
    const starts = fs.existsSync(${JSON.stringify(note)}) ? Number(fs.readFileSync(${JSON.stringify(note)}, 'utf8')) + 1 : 1;
    fs.writeFileSync(${JSON.stringify(note)}, String(starts));
    if (starts > ${lost}) setInterval(() => undefined, 1_000);
    else {
      console.error('panic: listen tcp 127.0.0.1:41234: bind: address already in use');
      for (let line = 0; line < 60; line += 1) console.error('goroutine stack ' + line);
      process.exitCode = 2;
    }`;
  const ready = async () => existsSync(note) && Number(readFileSync(note, 'utf8')) > lost;
  return () => startProcess({ name, command: process.execPath, args: ['-e', script], ready });
}

test('a process that loses its port to another program is started again', async () => {
  const running = await onFreePorts(starter('lost-twice', 2));
  expect(runs(running.pid)).toBe(true);
  await running.stop();
});

test('a process that keeps losing its port fails, and the message says why before the stack', async () => {
  await expect(onFreePorts(starter('lost-always', 9))).rejects.toThrow(
    /ended with code 2\n {2}panic: listen tcp 127\.0\.0\.1:41234: bind: address already in use\n {2}goroutine stack 20/,
  );
  expect(readFileSync(join(folder, 'lost-always'), 'utf8')).toBe('3');
});

test('a process that has ended is not ready, whoever answers in its place', async () => {
  const note = join(folder, 'gone');
  const script = `require('node:fs').writeFileSync(${JSON.stringify(note)}, String(process.pid)); process.exitCode = 3`;
  // Node has told of the end once it has collected the process.
  const ready = () =>
    until('its end', () => existsSync(note) && !existsSync(`/proc/${readFileSync(note, 'utf8')}`)).then(() => true);
  const start = startProcess({ name: 'gone', command: process.execPath, args: ['-e', script], ready });
  await expect(start).rejects.toThrow('gone ended with code 3');
});

test('a page that does not exist does not prove that the program is alive', async () => {
  const stranger = createServer((socket) => {
    socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  });
  const port = await new Promise<number>((resolve) => {
    stranger.listen(0, '127.0.0.1', () => resolve((stranger.address() as AddressInfo).port));
  });
  const url = `http://127.0.0.1:${port}/_microburst/health`;
  expect([await answers(url), await serves(url)]).toEqual([true, false]);
  stranger.close();
});
