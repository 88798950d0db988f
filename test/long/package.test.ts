/** The package as its user gets it: packed, installed into an empty project, and used there as one would on the first day. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CreateAliasCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { functionWith } from '../emulators/aws/functions.js';
import { ROOT } from '../support/tools.js';

/** Longest run of one command, in ms: an install on a busy machine. */
const ONE_COMMAND = 5 * 60_000;
const TYPES = `import { connect, type RolloutInput, type RolloutView, SluiceError, type StartRequest } from 'sluice';
const input: RolloutInput = { app: 'shop', environment: 'test', release: { version: 1 } };
const request: StartRequest = { app: 'shop', environment: 'test', type: 'direct', input, onNewRelease: 'reject' };
export async function go(): Promise<RolloutView | null> {
  const sluice = await connect();
  try {
    await sluice.start(request);
    return (await sluice.wait(request, 'done')).view;
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'SLUICE_ALREADY_RUNNING') return null;
    throw error;
  } finally {
    await sluice.close();
  }
}
`;

let folder: string;
let project: string;
let tarball: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  mkdirSync(path.join(ROOT, '.sluice', 'tmp'), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, '.sluice', 'tmp', 'package-'));
  project = path.join(folder, 'shop');
  mkdirSync(project);
  // The clone was built by the set-up that runs before the tests; what prepack does is no part of the package.
  await run(ROOT, 'npm', ['pack', '--ignore-scripts', '--pack-destination', folder]);
  tarball = path.join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'none');
  writeFileSync(path.join(project, 'package.json'), '{ "name": "shop", "private": true, "type": "module" }\n');
  const cache = ['--cache', path.join(ROOT, '.sluice', 'cache', 'npm'), '--prefer-offline'];
  await run(project, 'npm', ['install', ...cache, '--ignore-scripts', '--no-audit', '--no-fund', tarball]);
}, 2 * ONE_COMMAND);

afterAll(async () => {
  for (const child of running) {
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGINT');
    await gone;
  }
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}, ONE_COMMAND);

/** Runs a program to its end and answers what it printed. Rejects with it when the exit code is not 0. */
function run(cwd: string, program: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const child = start(cwd, program, args, env);
  let out = '';
  let all = '';
  child.stdout?.on('data', (text: string) => {
    out += text;
    all += text;
  });
  child.stderr?.on('data', (text: string) => {
    all += text;
  });
  const late = setTimeout(() => child.kill('SIGKILL'), ONE_COMMAND);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(late);
      if (code === 0) resolve(out);
      else reject(new Error(`${program} ${args.join(' ')} ended with ${signal ?? code}:\n${all}`));
    });
  });
}

function start(cwd: string, program: string, args: string[], env: Record<string, string>): ChildProcess {
  const { NODE_OPTIONS: _jests, ...inherited } = process.env;
  const child = spawn(program, args, {
    cwd,
    env: { ...inherited, XDG_CACHE_HOME: path.join(folder, 'cache'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8');
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

const sluice = (args: string[], env: Record<string, string> = {}) =>
  run(project, 'npx', ['--no-install', 'sluice', ...args], env);

test('the package contains what a user runs, and no tests, sources or maps', () => {
  const installed = path.join(project, 'node_modules', 'sluice');
  expect(readdirSync(installed).sort()).toEqual([
    ...['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'package.json', 'page'],
    ...['requirements.txt', 'schema', 'scripts'],
  ]);
  const dist = readdirSync(path.join(installed, 'dist'), { recursive: true }).map(String);
  expect(dist.filter((name) => name.endsWith('.map') || /^(?:test|bench)\b/.test(name))).toEqual([]);
  expect(dist).toContain('workflow-bundle.js');
});

test('the command line runs', async () => {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
  expect(await sluice(['--version'])).toBe(`${version}\n`);
  expect(JSON.parse(await sluice(['schema']))).toMatchObject({ type: 'object' });
});

test('the client can be imported, with the types that a start needs', async () => {
  const program = "import { connect } from 'sluice'; process.stdout.write(typeof connect);";
  expect(await run(project, process.execPath, ['--input-type=module', '-e', program])).toBe('function');
  writeFileSync(path.join(project, 'start.ts'), TYPES);
  const tsc = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023'];
  await run(project, process.execPath, [tsc, '--ignoreConfig', ...options, '--types', 'node', 'start.ts']);
});

test(
  "`sluice up` installs its tools into the user's cache, and a first release goes live",
  async () => {
    await sluice(['init', '--app', 'shop', '--region', 'eu-west-1']);
    expect(readFileSync(path.join(project, '.gitignore'), 'utf8')).toBe('.sluice/\n');
    const up = await ready(
      // Not through npx, which keeps a signal that it gets to itself.
      start(project, path.join(project, 'node_modules', '.bin', 'sluice'), ['up', '--emulate', 'aws', '-o', 'json'], {
        PIP_CACHE_DIR: path.join(ROOT, '.sluice', 'cache', 'pip'),
        AWS_REGION: 'eu-west-1',
      }),
    );
    expect(existsSync(path.join(project, 'node_modules', 'sluice', '.sluice'))).toBe(false);
    await liveFunction(up.AWS_ENDPOINT_URL ?? '');
    mkdirSync(path.join(project, 'dist'));
    writeFileSync(path.join(project, 'dist', 'index.mjs'), "export const handler = async () => ({ shop: 'open' });\n");
    writeFileSync(
      path.join(project, 'rollout.yaml'),
      `app: shop
environment: production
target: { function: shop, alias: live, region: eu-west-1 }
release: { folder: ./dist }
strategy: { type: direct, bake: 1s }
health: { metrics: [], probes: [{ name: smoke, invoke: { payload: {} } }], judge: { minRequests: 1 } }
`,
    );
    const last = (await sluice(['start', 'rollout.yaml', '--wait', '-o', 'json'], up)).trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(last)).toMatchObject({ outcome: 'succeeded' });
  },
  ONE_COMMAND,
);

/** The environment that `sluice up` prints once all of it runs. */
function ready(child: ChildProcess): Promise<Record<string, string>> {
  let out = '';
  let err = '';
  child.stderr?.on('data', (text: string) => {
    err += text;
  });
  return new Promise((resolve, reject) => {
    child.once('close', (code) => reject(new Error(`sluice up ended with ${code}: ${err}`)));
    child.stdout?.on('data', (text: string) => {
      out += text;
      if (out.includes('\n')) resolve((JSON.parse(out) as { env: Record<string, string> }).env);
    });
  });
}

/** Version 1 of a function, live behind its alias. */
async function liveFunction(endpoint: string): Promise<void> {
  const credentials = { accessKeyId: 'sluice', secretAccessKey: 'sluice' };
  const lambda = new LambdaClient({ endpoint, region: 'eu-west-1', credentials });
  try {
    await functionWith(lambda, 'shop', ["return { shop: 'closed' }"]);
    await lambda.send(new CreateAliasCommand({ FunctionName: 'shop', Name: 'live', FunctionVersion: '1' }));
  } finally {
    lambda.destroy();
  }
}
