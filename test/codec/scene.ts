/** A rollout with marked text in everything that people, the cloud and the judge say, and where the server has that text. */
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { connect } from '../../src/client/index.js';
import { codecOf, type EncryptionCodec } from '../../src/codec/index.js';
import type { SluiceError } from '../../src/model/errors.js';
import { companionId, rolloutId } from '../../src/model/ids.js';
import { inputFor, startWorld, type World } from '../client/world.js';
import { until } from '../support/until.js';

/** What a person wrote, a source was asked and answered, and an error says. */
const MARKS = ['MARKED', 'how many'];
/** In base64 a text looks different at each of three offsets; its ends depend on its neighbours. */
const SPELLINGS = MARKS.flatMap((mark) => [
  mark,
  ...[0, 1, 2].map((offset) => {
    const text = Buffer.from(`${'x'.repeat(offset)}${mark}`).toString('base64');
    return text.slice(offset === 0 ? 0 : 4, -4);
  }),
]);

export const APP = 'under-test';
const TARGET = { app: APP, environment: 'production' };
const ID = rolloutId(APP, 'production');
const { EventType, WorkflowExecutionStatus } = proto.temporal.api.enums.v1;
const { WORKFLOW_EXECUTION_STATUS_COMPLETED: COMPLETED, WORKFLOW_EXECUTION_STATUS_FAILED: FAILED } =
  WorkflowExecutionStatus;

/** Names of the places where the server has a text, as it travels and with every payload decrypted. */
export interface Found {
  sealed: string[];
  opened: string[];
}

export interface Scene {
  /** Where the words of people, sources and errors are. */
  marked: Found;
  /** Where the name of the app is. */
  named: Found;
  /** What a client hears that has another key, and one that has none. */
  strangers: string[][];
}

/** Plays the scene under a key and reads back everything that the server has of it. */
export async function playScene(codecKeys: string): Promise<Scene> {
  const world = await startWorld({ searchAttributes: true, history: 20, codecKeys });
  try {
    const sealed = new Map<string, unknown>();
    await world.withWorkers(() => play(world, sealed));
    const codec = codecOf({ SLUICE_CODEC_KEYS: codecKeys });
    const opened = new Map<string, unknown>();
    for (const [name, value] of sealed) opened.set(name, await open(codec, value));
    const found = (texts: string[]) => ({ sealed: placesOf(sealed, texts), opened: placesOf(opened, texts) });
    const others = [codecKeys.replace(/^[^:]+/, 'other'), undefined];
    const strangers = await Promise.all(others.map((keys) => strangerHears(world.temporal.address, keys)));
    return { marked: found(SPELLINGS), named: found([APP]), strangers };
  } finally {
    await world.stop();
  }
}

async function strangerHears(address: string, codecKeys: string | undefined): Promise<string[]> {
  const sluice = await connect({ env: { TEMPORAL_ADDRESS: address, SLUICE_CODEC_KEYS: codecKeys } });
  try {
    const said = [() => sluice.status(TARGET), () => sluice.list({ all: true }), () => sluice.history(TARGET)];
    const heard = await Promise.all(
      said.map((ask) => ask().catch((error: SluiceError) => `${error.code} ${error.message}`)),
    );
    return heard.map(String);
  } finally {
    await sluice.close();
  }
}

async function play({ sluice, raw }: World, seen: Map<string, unknown>): Promise<void> {
  const { workflowService } = raw;
  const at = { namespace: 'default', execution: { workflowId: ID } };
  const strategy = {
    type: 'canary',
    stages: [
      { weight: '10%', bake: '100ms', approval: { within: '5m' } },
      { weight: '100%', bake: '100ms' },
    ],
  };
  const input = { ...inputFor(APP, strategy), message: 'MARKED spec' };
  const notes = { by: 'MARKED ann', message: 'MARKED why' };
  const started = await sluice.start({ ...TARGET, type: 'canary', input, onNewRelease: 'queue', ...notes });
  await until('the approval', async () => (await sluice.status(TARGET)).view?.phase === 'awaitingApproval');
  // What the workflow knows changes only when a watcher ends; the heartbeats of one at work change all the time.
  const counts = new Set<number>();
  await until('live counts', async () => {
    counts.add((await sluice.status(TARGET)).view?.verdict?.candidate.requests ?? 0);
    return counts.size > 4;
  });
  seen.set('describe, running', await workflowService.describeWorkflowExecution(at));
  for (const queryType of ['status', '__temporal_workflow_metadata']) {
    seen.set(`query ${queryType}`, await workflowService.queryWorkflow({ ...at, query: { queryType } }));
  }
  // The words of a refusal come back through the failure of an update.
  await sluice.verb(TARGET, 'reject', { stage: 'MARKED', by: 'MARKED bob' }).catch((error: unknown) => {
    if (!String(error).includes('MARKED')) throw error;
  });
  // As the UI sends it without a codec server: in clear.
  await workflowService.signalWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: ID },
    signalName: 'approve',
    input: { payloads: [inClear({ stage: '10%', by: 'carl' })] },
  });
  const { view } = await sluice.wait(TARGET, 'done', { run: started.run ?? '' });
  if (view?.outcome !== 'succeeded') throw new Error(`the scene ended as ${view?.outcome}: ${view?.reason}`);

  const refused = { app: 'refused', environment: 'production' };
  await sluice.start({
    ...refused,
    type: 'canary',
    input: { ...input, app: 'refused', MARKED: 1 },
    onNewRelease: 'reject',
  });
  const end = await sluice.wait(refused, 'done');
  if (!end.view?.reason?.includes('MARKED')) throw new Error(`the refusal says ${end.view?.reason}`);

  seen.set('describe, closed', await workflowService.describeWorkflowExecution(at));
  await until('the list', async () => {
    const { executions } = await workflowService.listWorkflowExecutions({ namespace: 'default', query: '' });
    seen.set('list', executions);
    // Both rollouts in their last state.
    return (
      (executions ?? []).filter(
        ({ status, type }) => type?.name === 'canary' && (status === COMPLETED || status === FAILED),
      ).length === 2
    );
  });
  for (const { execution } of seen.get('list') as { execution: { workflowId: string; runId: string } }[]) {
    const { history } = await workflowService.getWorkflowExecutionHistory({ namespace: 'default', execution });
    for (const event of history?.events ?? []) {
      const kind = EventType[event.eventType ?? 0]?.replace('EVENT_TYPE_', '') ?? '';
      seen.set(`${kind} ${execution.workflowId} ${execution.runId} ${event.eventId}`, event);
    }
  }
  if (![...seen.keys()].some((name) => name.includes(companionId(APP, 'production')))) throw new Error('no companion');
}

function inClear(value: unknown) {
  return { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(value)) };
}

/** Names of the fields that hold one of the texts, in any spelling, without numbers and ids. */
function placesOf(seen: Map<string, unknown>, spellings: string[]): string[] {
  const places = new Set<string>();
  for (const [name, value] of seen) {
    const [first = ''] = name.includes(' ') && /^[A-Z_]+ /.test(name) ? name.split(' ') : [name];
    walk(value, [], (path, text) => {
      if (!spellings.some((spelling) => text.includes(spelling))) return;
      const fields = path.filter((part) => !/^\d+$/.test(part) && !/EventAttributes$/.test(part));
      places.add(`${first}: ${fields.join('.').replace(/(?:\.payloads)?\.data$/, '')}`);
    });
  }
  return [...places].sort();
}

/** The same with each payload as it was before it was encrypted. */
async function open(codec: EncryptionCodec, value: unknown): Promise<unknown> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if ('data' in value && 'metadata' in value) return (await codec.decode([value as Payload]))[0];
  if (Array.isArray(value)) return Promise.all(value.map((each) => open(codec, each)));
  const entries = Object.entries(value).map(async ([key, inner]) => [key, await open(codec, inner)]);
  return Object.fromEntries(await Promise.all(entries));
}

function walk(value: unknown, path: string[], see: (path: string[], text: string) => void): void {
  if (typeof value === 'string') see(path, value);
  else if (value instanceof Uint8Array || Buffer.isBuffer(value)) see(path, Buffer.from(value).toString('latin1'));
  else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key], see);
  }
}
