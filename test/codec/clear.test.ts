/** What a Temporal server knows of a rollout under encryption, and what it does not. docs/encryption.md has the same as a table. */
import { randomBytes } from 'node:crypto';
import { playScene, type Scene } from './scene.js';

let scene: Scene;
beforeAll(async () => {
  scene = await playScene(`one:${randomBytes(32).toString('base64')}`);
});

test('no text from people, sources or errors is readable in clear', () => {
  expect(scene.marked.sealed).toEqual([]);
});

test('everything is readable with the key', () => {
  expect(scene.marked.opened).toEqual([
    'ACTIVITY_TASK_COMPLETED: result',
    'ACTIVITY_TASK_FAILED: failure.encodedAttributes',
    'ACTIVITY_TASK_SCHEDULED: input',
    'WORKFLOW_EXECUTION_COMPLETED: result',
    'WORKFLOW_EXECUTION_CONTINUED_AS_NEW: input',
    'WORKFLOW_EXECUTION_FAILED: failure.encodedAttributes',
    'WORKFLOW_EXECUTION_SIGNALED: input',
    'WORKFLOW_EXECUTION_STARTED: input',
    'WORKFLOW_EXECUTION_STARTED: userMetadata.details',
    'WORKFLOW_EXECUTION_UPDATE_ACCEPTED: acceptedRequest.input.args',
    'WORKFLOW_EXECUTION_UPDATE_COMPLETED: outcome.failure.encodedAttributes',
    'WORKFLOW_PROPERTIES_MODIFIED: upsertedMemo.fields.view',
    'describe, closed: workflowExecutionInfo.memo.fields.view',
    'describe, running: pendingActivities.heartbeatDetails',
    'list: memo.fields.view',
    'query __temporal_workflow_metadata: queryResult',
    'query status: queryResult',
  ]);
});

test("the app's name is readable in the workflow id and the search attributes, and nowhere else", () => {
  const fields = scene.named.sealed.map((place) => place.split(/[. ]/).at(-1));
  expect(new Set(fields)).toEqual(new Set(['SluiceApp', 'workflowId']));
  expect(scene.named.opened).toEqual(
    expect.arrayContaining([
      'WORKFLOW_EXECUTION_STARTED: userMetadata.summary',
      'ACTIVITY_TASK_SCHEDULED: userMetadata.summary',
    ]),
  );
});

test('without the key, status, list and history all name the key that is missing', () => {
  const [other, none] = scene.strangers;
  const sealed = 'SLUICE_SETUP a payload is encrypted under the key "one" and this process';
  const cure =
    'add that key to SLUICE_CODEC_KEYS or its file, and keep it as long as Temporal retains runs that used it';
  expect(new Set(other)).toEqual(new Set([`${sealed} has the keys other; ${cure}`]));
  expect(new Set(none)).toEqual(new Set([`${sealed} has no keys; ${cure}`]));
});
