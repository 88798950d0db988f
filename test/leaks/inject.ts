/** A leak on purpose at each place: written as a real one would be, by whatever writes there. The search must find every one. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { home } from '../../emulators/tools.js';
import { NEVER } from '../support/until.js';
import { CliGatherer } from './gather-cli.js';
import { gatherFiles } from './gather-files.js';
import { gatherRequests } from './gather-requests.js';
import { NOBODY, TemporalGatherer } from './gather-temporal.js';
import { Gathered, PLACES, type PlaceName } from './gathered.js';
import { letters } from './marks.js';
import { Puppets } from './puppet.js';
import { specOf } from './release.js';
import { planned } from './round.js';
import { Finder, type Mark, markOf } from './search.js';
import type { World } from './world.js';

export interface Injected {
  place: PlaceName;
  /** In which form it was found; null: it was not. */
  form: string | null;
}

/** Places that a rollout tells its app's name: there the app is named by the mark. */
const BY_NAME: PlaceName[] = [
  'sluice get',
  'sluice status',
  'sluice plan',
  'sluice list',
  'sluice history',
  'sluice releases',
  'sluice approvals',
  'sluice report',
  'AWS requests',
  'probe requests',
  'metric requests',
  'webhook requests',
];

/** In a world whose own rollouts have ended. */
export async function inject(world: World): Promise<Injected[]> {
  const to = new Gathered();
  const marks: Mark[] = [];
  /** A value whose mark is the place's own. */
  const value = (place: PlaceName): string => {
    const core = letters();
    marks.push(markOf(place, core));
    return `lk-${core}"/+&=%`;
  };
  const app = `lk-${letters()}`;
  marks.push(markOf('app', app.slice(3)));
  const first = world.calls.length;

  await leakIntoTemporal(world, value);
  const puppets = await Puppets.start(world.temporal.address, {
    queries: {
      status: value('query status'),
      plan: value('query plan'),
      companion: value('query companion'),
      undoRecord: value('query undoRecord'),
      __temporal_workflow_metadata: value('current details'),
    },
    heartbeat: value('pending heartbeats'),
    failure: value('pending failures'),
  });
  const clear = leakIntoFiles(world, value);
  await leakToAzure(world, value('Azure requests'));
  try {
    await leakByName(world, to, app, value('sluice audit'));
    const temporal = await TemporalGatherer.start(world.temporal.address, to, (id) => id.startsWith('leak-'));
    await temporal.whole();
    await temporal.close();
    gatherFiles(world, to);
    gatherRequests({ ...world, calls: world.calls.slice(first) }, to);
  } finally {
    clear();
    await puppets.stop();
  }
  const { leaks } = to.search(new Finder(marks));
  return PLACES.map((place) => {
    const own = BY_NAME.includes(place) ? 'app' : place;
    const found = leaks.find((leak) => leak.place === place && leak.mark === own);
    return { place, form: found?.form ?? null };
  });
}

type ValueFor = (place: PlaceName) => string;

/** Workflows that nobody works on, begun as a careless client would. */
async function leakIntoTemporal({ client }: World, value: ValueFor): Promise<void> {
  const start = (name: string, options: object) =>
    client.workflow.start('canary', { taskQueue: NOBODY, workflowId: `leak-${name}`, args: [], ...options });
  await start('history', { args: [{ environment: { KEY: value('history') } }] });
  await start('database', { args: [Buffer.from(value('server database')).toString('base64')] });
  await start('describe', { staticSummary: `a rollout with ${value('describe')}` });
  await start('memo', { memo: { view: { reason: value('memo') } } });
  await start('attributes', { searchAttributes: { SluiceApp: [value('search attributes')] } });
  await start('list', { memo: { view: value('visibility list') } });
}

/** Answers what takes away again what is not the world's own. */
function leakIntoFiles({ kept }: World, value: ValueFor): () => void {
  appendFileSync(kept.workerLog, `${JSON.stringify({ level: 20, msg: `read ${value('worker log')}` })}\n`);
  appendFileSync(kept.serverLog, `level=warn msg=${JSON.stringify(value('server log'))}\n`);
  mkdirSync(kept.store, { recursive: true });
  writeFileSync(path.join(kept.store, 'leak.gz'), gzipSync(value('artifact store')));
  const parent = path.join(home(), 'tmp');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(path.join(parent, 'worker-leak-'));
  writeFileSync(
    path.join(folder, 'settings.json'),
    Buffer.from(JSON.stringify({ KEY: value('temporary files') }), 'utf16le'),
  );
  return () => rmSync(folder, { recursive: true, force: true });
}

function leakToAzure({ azure }: World, value: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const url = `${azure.endpoint}/subscriptions/${encodeURIComponent(value)}`;
    const sent = request(url, { ca: azure.ca }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve());
    });
    sent.once('error', reject);
    sent.end();
  });
}

/** A whole rollout of an app that is named by the mark and approved with a comment that leaks, asked after while it waits and when it has ended. */
async function leakByName(world: World, to: Gathered, app: string, comment: string): Promise<void> {
  const { people, releases, receiver, azure } = world;
  const cli = new CliGatherer(world, to);
  const at = { app, environment: 'production' };
  const input = specOf({
    ...{ app, platform: 'lambda', strategy: 'canary', bad: false, number: 0, approval: true },
    ...{ releases, receiver: receiver.url, subscription: azure.subscription },
  });
  const answer = await people.ann.start({ ...at, type: 'canary', input, onNewRelease: 'reject', by: 'ann' });
  await people.ann.wait(at, 'approval', { signal: AbortSignal.timeout(NEVER) });
  await cli.waiting(app);
  await people.ben.verb(at, 'approve', { comment });
  const signal = AbortSignal.timeout(NEVER);
  await people.ann.wait(at, 'done', { ...(answer.run === null ? {} : { run: answer.run }), signal });
  await cli.target(app);
  await cli.report({ app, run: answer.run ?? '' });
  await cli.all();
  await cli.plan(planned(world, { app, platform: 'lambda' }));
}
