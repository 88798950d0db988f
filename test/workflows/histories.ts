/**
 * Histories of real runs, kept in test/histories as Temporal writes them. They stand for the rollouts that are open while
 * the code is replaced: whatever the code becomes, it must still replay them.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { WorkflowClient, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { ROOT } from '../support/tools.js';
import { SCENES } from './scenes.js';
import { onStage } from './stage.js';

const FOLDER = path.join(ROOT, 'test', 'histories');

/** What of a history this code reads. */
interface Event {
  [attributes: string]: unknown;
  workflowExecutionStartedEventAttributes?: { workflowType: { name: string }; workflowId: string };
  workflowExecutionContinuedAsNewEventAttributes?: { newExecutionRunId: string };
}
export interface History {
  events: Event[];
}

/** The files' names, sorted. */
export function historyFiles(): string[] {
  return existsSync(FOLDER) ? readdirSync(FOLDER).sort() : [];
}

export function readText(file: string): string {
  return readFileSync(path.join(FOLDER, file), 'utf8');
}

/** The scene whose history this is; a chain's runs are `<scene>.1.json`, `<scene>.2.json`, … */
export function sceneOf(file: string): string {
  return file.replace(/(\.\d+)?\.json$/, '');
}

export function startedAs(history: History): { type: string; workflowId: string } {
  const started = history.events[0]?.workflowExecutionStartedEventAttributes;
  if (started === undefined) throw new Error('the history does not begin with the start of a workflow');
  return { type: started.workflowType.name, workflowId: started.workflowId };
}

/**
 * Plays scenes and keeps their histories. `1`: the scenes that have none. Otherwise the scenes that are named, with
 * commas between them, and these take the place of what was kept.
 */
export async function capture(asked: string): Promise<void> {
  const kept = new Set(historyFiles().map(sceneOf));
  const names = asked === '1' ? Object.keys(SCENES).filter((name) => !kept.has(name)) : asked.split(',');
  for (const name of names) {
    const scene = SCENES[name];
    if (scene === undefined)
      throw new Error(`UPDATE_HISTORIES: there is no scene "${name}"; there are ${Object.keys(SCENES).join(', ')}`);
    await onStage(async (act) => {
      const handle = await scene.play(act);
      keep(name, await chain(act.env.client.workflow, handle));
    }, scene.options);
  }
}

/** The histories of a run and of all that it continued as. */
async function chain(client: WorkflowClient, begun: WorkflowHandleWithFirstExecutionRunId): Promise<History[]> {
  const { workflowId } = begun;
  const histories: History[] = [];
  for (let run: string | undefined = begun.firstExecutionRunId; run !== undefined; ) {
    const raw = await client.getHandle(workflowId, run).fetchHistory();
    const history: History = JSON.parse(historyToJSON(raw), withoutStacks);
    // The test server leaves out the id, which is the target's name and so part of what is replayed; a real one writes it here.
    const started = history.events[0]?.workflowExecutionStartedEventAttributes;
    if (started !== undefined) started.workflowId = workflowId;
    histories.push(history);
    run = history.events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  return histories;
}

/** A stack names folders of the machine; no replay reads it. */
function withoutStacks(key: string, value: unknown): unknown {
  return key === 'stackTrace' ? undefined : value;
}

function keep(name: string, histories: History[]): void {
  mkdirSync(FOLDER, { recursive: true });
  for (const file of historyFiles()) if (sceneOf(file) === name) rmSync(path.join(FOLDER, file));
  for (const [i, history] of histories.entries()) {
    const file = histories.length === 1 ? `${name}.json` : `${name}.${i + 1}.json`;
    // One event a line: small, and a change can be read in a diff.
    const events = history.events.map((event) => JSON.stringify(event)).join(',\n');
    writeFileSync(path.join(FOLDER, file), `{"events":[\n${events}\n]}\n`);
  }
}
