import { Worker } from '@temporalio/worker';
import * as workflows from '../../workflows/index.js';
import { workflowBundle } from '../support/bundle.js';
import type { History } from './histories.js';
import { capture, historyFiles, readText, sceneOf, startedAs } from './histories.js';
import { SCENES } from './scenes.js';

/** UPDATE_HISTORIES=1 keeps the histories of scenes that have none; UPDATE_HISTORIES=<scene>,<scene> captures these anew. */
const asked = process.env.UPDATE_HISTORIES;
if (asked !== undefined && asked !== '') await capture(asked);

const files = historyFiles();
const LARGEST = 200_000;

describe('a rollout that earlier code started', () => {
  test.each(files)('continues with this code: %s', async (file) => {
    const history: History = JSON.parse(readText(file));
    await Worker.runReplayHistory(workflowBundle(), history, startedAs(history).workflowId);
  });
});

describe('the histories', () => {
  test('are those of the scenes', () => {
    expect([...new Set(files.map(sceneOf))].sort()).toEqual(Object.keys(SCENES).sort());
  });

  test('exist for every workflow type', () => {
    const types = files.map((file) => startedAs(JSON.parse(readText(file))).type);
    expect([...new Set(types)].sort()).toEqual(Object.keys(workflows).sort());
  });

  test.each(files)('are small and do not contain where they were captured: %s', (file) => {
    const text = readText(file);
    expect(text.length).toBeLessThan(LARGEST);
    expect(text).not.toMatch(/"stackTrace"|file:\/\/|node_modules/);
    const identities = [...text.matchAll(/"identity":"([^"]*)"/g)].map(([, identity]) => identity);
    expect(new Set(identities)).toEqual(new Set(['stage']));
  });
});
