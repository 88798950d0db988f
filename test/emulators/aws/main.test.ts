import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { transformFile } from '@swc/core';
import { projectRoot } from '../../../emulators/tools.js';
import { until } from '../../support/until.js';
import { call, functionWith, lambdaAt } from './functions.js';

const ROOT = projectRoot();
let built: string;
let temp: string;
const children: ChildProcess[] = [];

/** The emulators as plain JavaScript inside the project, so that node can run them as a process of their own. */
beforeAll(async () => {
  const folder = join(ROOT, '.sluice', 'test');
  mkdirSync(folder, { recursive: true });
  built = mkdtempSync(join(folder, 'main-'));
  // A project of its own, so that its temporary folder is apart from that of other tests.
  writeFileSync(join(built, 'package.json'), '{"type":"module"}');
  // Its tools are where those of a clone are.
  writeFileSync(join(built, 'tsconfig.json'), '{}');
  mkdirSync(join(built, '.sluice'));
  symlinkSync(join(ROOT, '.sluice', 'venv'), join(built, '.sluice', 'venv'));
  temp = join(built, '.sluice', 'tmp');
  const sources = ['emulators', 'emulators/aws'].flatMap((each) =>
    readdirSync(join(ROOT, each))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(each, name)),
  );
  for (const source of [...sources, 'src/model/errors.ts']) {
    const { code } = await transformFile(join(ROOT, source), {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'es6' },
    });
    const out = join(built, source.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, code);
  }
});
afterAll(() => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  rmSync(built, { recursive: true, force: true });
});

interface Started {
  child: ChildProcess;
  addresses: { endpoint: string; gatewayUrl: string; ministackUrl: string; pid: number };
}

function run(args: string[]): ChildProcess {
  const child = spawn(process.execPath, [join(built, 'emulators/aws/main.js'), ...args], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

async function start(args: string[] = []): Promise<Started> {
  const child = run(args);
  if (child.stdout === null) throw new Error('no stdout');
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  return { child, addresses: JSON.parse(line) as Started['addresses'] };
}

const answersAt = (url: string) =>
  fetch(url).then(
    () => true,
    () => false,
  );

async function allGone({ ministackUrl, endpoint }: Started['addresses']): Promise<void> {
  await until('nothing listens and no folder is left', async () => {
    const listening = await Promise.all([answersAt(ministackUrl), answersAt(endpoint)]);
    return !listening.some(Boolean) && readdirSync(temp).length === 0;
  });
}

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('the emulated AWS process stops everything it started on %s', async (signal, code) => {
  const log = join(built, `${signal}.ndjson`);
  const { child, addresses } = await start(['--log', log]);
  const lambda = lambdaAt(addresses.endpoint);
  await functionWith(lambda, 'alone', ['return 7']);
  expect((await call(lambda, 'alone', '1')).body).toBe(7);
  expect(existsSync(log)).toBe(true);
  expect(readdirSync(temp)).not.toEqual([]);
  child.kill(signal);
  expect((await once(child, 'exit'))[0]).toBe(code);
  await allGone(addresses);
});

test('everything it started also stops when it is killed with -9', async () => {
  const { child, addresses } = await start();
  await functionWith(lambdaAt(addresses.endpoint), 'alone', ['return 7']);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await allGone(addresses);
});

test('an unknown argument is an error and starts no server', async () => {
  const child = run(['--prot', '80']);
  let said = '';
  child.stderr?.on('data', (text: Buffer) => {
    said += text.toString();
  });
  expect((await once(child, 'close'))[0]).toBe(1);
  expect(said).toContain('--prot');
});
