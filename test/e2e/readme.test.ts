/**
 * The README and the quickstart, run as they stand: their rollout.yaml, their commands, their program. What differs from a
 * newcomer's day is in this file: TEMPORAL_ADDRESS names the server, and bakes of minutes are ended early by `skip`.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CreateAliasCommand, GetAliasCommand, LambdaClient, UpdateAliasCommand } from '@aws-sdk/client-lambda';
import { toolPath } from '../../emulators/tools.js';
import { connect, resultOf, type Sluice } from '../../src/client/index.js';
import { type Stack, startStack } from '../../src/demo/stack.js';
import type { RolloutView } from '../../src/model/view.js';
import { functionWith } from '../emulators/aws/functions.js';
import { ROOT } from '../support/tools.js';
import { NEVER, until } from '../support/until.js';
import { blocksOf, commandsOf, Project, textsOf } from './newcomer.js';

const README = commandsOf('README.md');
const QUICKSTART = commandsOf('docs/quickstart.md');
const REGION = 'eu-west-1';
const TARGET = { app: 'checkout', environment: 'production' };
/** The version that the README's program releases: the newest one here, and the one before it is live. */
const NAMED = Number(/version: (\d+)/.exec(textsOf('README.md', 'ts')[0] ?? '')?.[1]);
const LIVE = String(NAMED - 1);

const folder = path.join(ROOT, '.sluice', 'e2e', `readme-${process.pid}`);
const projects: Project[] = [];
let stack: Stack;
let sluice: Sluice;
let lambda: LambdaClient;

beforeAll(async () => {
  stack = await startStack(folder, { workerEnv: { AWS_REGION: REGION, SLUICE_CALLS_PER_SECOND: '100' } });
  sluice = await connect({ env: { TEMPORAL_ADDRESS: stack.temporal.address } });
  const credentials = { accessKeyId: 'demo', secretAccessKey: 'demo' };
  lambda = new LambdaClient({ endpoint: stack.aws.endpoint, region: REGION, credentials });
  await functionWith(
    lambda,
    'checkout',
    Array.from({ length: NAMED }, (_, at) => `return { version: ${at + 1} }`),
  );
  await lambda.send(new CreateAliasCommand({ FunctionName: 'checkout', Name: 'live', FunctionVersion: LIVE }));
});

afterAll(async () => {
  lambda?.destroy();
  await sluice?.close();
  await stack?.stop();
});

beforeEach(async () => {
  await lambda.send(new UpdateAliasCommand({ FunctionName: 'checkout', Name: 'live', FunctionVersion: LIVE }));
});

afterEach(async () => {
  for (const project of projects.splice(0)) project.stop();
  const handle = stack.client.workflow.getHandle('checkout/production');
  const status = await handle.describe().then(
    (found) => found.status.name,
    () => 'NEVER_STARTED',
  );
  if (status !== 'RUNNING') return;
  await handle.signal('abort', { by: 'the end of a test', force: true });
  await resultOf(handle);
});

function project(name: string): Project {
  const made = new Project(path.join(folder, name), {
    TEMPORAL_ADDRESS: stack.temporal.address,
    SLUICE_STORE: stack.store,
    AWS_REGION: REGION,
    PATH: `${path.dirname(toolPath('temporal'))}:${process.env.PATH}`,
  });
  projects.push(made);
  return made;
}

/** The one command of a page that begins like this. */
function command(page: string[], begin: string): string {
  const found = page.filter((line) => line.startsWith(begin));
  if (found.length !== 1) throw new Error(`${found.length} commands begin with "${begin}", not one`);
  return found[0] as string;
}

function seen(what: string, looked: (view: RolloutView) => boolean): Promise<RolloutView> {
  return until(what, async () => {
    const { view } = await sluice.status(TARGET);
    return view !== null && looked(view) && view;
  });
}

/** In place of minutes: ends the bake at this weight as soon as the watcher has seen the candidate. */
async function endBake(weight: number): Promise<void> {
  await seen(`the bake at ${weight} %`, (view) => view.phase === 'baking' && view.weight === weight && counted(view));
  await sluice.verb(TARGET, 'skip', { by: 'the test, for time' });
}

/** CloudWatch takes two minutes, the probe a second. */
const counted = (view: RolloutView) => view.verdict?.sources?.some(({ candidate }) => candidate.requests > 0) === true;
const waiting = () => seen('an approval is waited for', (view) => view.phase === 'awaitingApproval');

/** Waits until the rollout is closed: `done` comes a moment earlier, while it still tells others of its end. */
async function ended(): Promise<RolloutView> {
  const last = await sluice.wait(TARGET, 'done', { signal: AbortSignal.timeout(NEVER) });
  if (!last.ended || last.view === null) throw new Error('the rollout never ended');
  return last.view;
}

async function live(): Promise<{ version: string | undefined; split: boolean }> {
  const alias = await lambda.send(new GetAliasCommand({ FunctionName: 'checkout', Name: 'live' }));
  return {
    version: alias.FunctionVersion,
    split: Object.keys(alias.RoutingConfig?.AdditionalVersionWeights ?? {}).length > 0,
  };
}

test("the rollout.yaml in the README can be planned, started, watched and approved with the README's commands", async () => {
  const mine = project('yaml');
  await mine.install('v2');
  mine.write('rollout.yaml', textsOf('README.md', 'yaml').join('\n'));
  const plan = await mine.run(command(README, 'npx sluice plan'));
  expect(plan).toMatch(/10%[\s\S]*50%[\s\S]*100%/);
  expect(await live()).toEqual({ version: LIVE, split: false });

  const watched = mine.begin(command(README, 'npx sluice start'));
  const walk = async () => {
    await endBake(10);
    // Who watches sees it before they approve.
    await until('the approval in the terminal', () => watched.said().includes('approval'));
    await mine.run(command(README, 'npx sluice approve'));
    await endBake(50);
    await endBake(100);
  };
  const [shown] = await Promise.all([watched.ended, walk()]);
  expect(shown).toContain('approval');
  const view = await ended();
  expect(view).toMatchObject({ outcome: 'succeeded', stable: LIVE });
  expect(view.events.filter(({ by }) => by === 'ann')).toHaveLength(1);
  expect(await live()).toEqual({ version: view.candidate, split: false });

  const page = mine.read((await mine.run(command(README, 'npx sluice report'))).trim());
  expect(page).toMatch(/^<!doctype html>/i);
  expect(page).toContain(`Release ${view.candidate}`);
});

test("the README's program starts a rollout and approves it", async () => {
  const mine = project('program');
  const [start = '', approve = ''] = textsOf('README.md', 'ts');
  const here = "new Client({ connection: await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '' }) })";
  const given = start.replace('{ Client }', '{ Client, Connection }').replace('new Client()', here);
  expect(given).toContain(here);
  // Between its two blocks the README says: when stage 10% has baked.
  const wait =
    "while ((await rollout.query('status')).phase !== 'awaitingApproval') await new Promise(setImmediate);\n";
  mine.write('start.mjs', `${given}${wait}${approve}`);
  const walk = async () => {
    await endBake(10);
    await endBake(100);
  };
  await Promise.all([mine.run('node start.mjs'), walk()]);
  expect(await ended()).toMatchObject({ outcome: 'succeeded', candidate: String(NAMED) });
  expect(await live()).toEqual({ version: String(NAMED), split: false });
});

test("the README's temporal commands start a rollout and approve it", async () => {
  const mine = project('temporal');
  await mine.install('v1');
  mine.write('rollout.yaml', textsOf('README.md', 'yaml').join('\n'));
  await mine.run(command(README, 'npx sluice pack'));
  await mine.run(command(README, 'temporal workflow start'));
  await endBake(10);
  await waiting();
  await mine.run(command(README, 'temporal workflow signal'));
  await endBake(50);
  await endBake(100);
  const view = await ended();
  expect(view).toMatchObject({ outcome: 'succeeded', stable: LIVE });
  expect(await live()).toEqual({ version: view.candidate, split: false });
});

test('the quickstart goes from an empty project to a release and back', async () => {
  const mine = project('quickstart');
  await mine.install('v3');
  const say = (begin: string) => mine.run(command(QUICKSTART, begin));
  await say('npx sluice init');
  expect(existsSync(path.join(mine.folder, 'rollout.yaml'))).toBe(true);
  await say('npx sluice plan');
  const walk = async () => {
    await endBake(10);
    await waiting();
    await say('npx sluice approve');
    await endBake(50);
    await endBake(100);
  };
  await Promise.all([say('npx sluice start'), walk()]);
  const released = await live();
  expect(released).toEqual({ version: (await ended()).candidate, split: false });
  await until('the offer to go back', async () =>
    (await say('npx sluice releases')).includes(`undo rolls back to release ${LIVE}`),
  );
  await say('npx sluice undo');
  await seen('the look after the way back', (view) => view.strategy === 'undo' && view.phase === 'baking');
  await sluice.verb(TARGET, 'skip', { by: 'the test, for time' });
  expect(await ended()).toMatchObject({ strategy: 'undo', outcome: 'succeeded' });
  expect(await live()).toEqual({ version: LIVE, split: false });
});

test('every command on both pages is run above, or is a script of the package', () => {
  const named = (page: string[]) => page.map((line) => line.split(/\s+(?:#|--|-\w|rollout\.yaml|checkout\/)/)[0]);
  expect(named(README)).toEqual([
    'npm run demo',
    'npm test',
    'npx sluice plan',
    'npx sluice start',
    'npx sluice approve',
    'npx sluice report',
    'npx sluice pack',
    'temporal workflow start',
    'temporal workflow signal',
  ]);
  expect(named(QUICKSTART)).toEqual([
    'npm run demo',
    'npm run demo',
    'npx sluice init',
    'npx sluice plan',
    'npx sluice start',
    'npx sluice approve',
    'npx sluice releases',
    'npx sluice undo',
  ]);
  const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['demo', 'test']));
});

test('every block on both pages names its language, so that none with commands is overlooked', () => {
  const languages = (page: string) => blocksOf(page).map(({ language }) => language);
  expect(languages('README.md')).toEqual(['text', 'sh', 'yaml', 'sh', 'mermaid', 'ts', 'ts', 'sh']);
  expect(languages('docs/quickstart.md')).toEqual(['sh', 'sh']);
});
