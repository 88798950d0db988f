/** What the audit tells of histories, also of such as somebody has made who is no worker of ours. */
import { loadDataConverter } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Teller } from '../../src/client/audit.js';
import type { AuditEntry } from '../../src/client/types.js';
import { readText } from '../workflows/histories.js';

interface Attributes {
  [name: string]: object;
}

interface Run {
  runId: string;
  events: object[];
}

/** The entries of runs that came one after the other; each is its events, the first of which is its start. */
function told(...runs: Run[]): Promise<AuditEntry[]> {
  return tell(new Teller('forgery/production', loadDataConverter()), runs);
}

/** The same, of runs of the target's companion. */
function toldOfCompanion(...runs: Run[]): Promise<AuditEntry[]> {
  return tell(new Teller('companion/forgery/production', loadDataConverter(), 'companion'), runs);
}

async function tell(teller: Teller, runs: Run[]): Promise<AuditEntry[]> {
  for (const { runId, events } of runs) {
    const numbered = events.map((event, at) => ({ eventId: String(at + 1), ...event }));
    await teller.tell({ runId, events: historyFromJSON({ events: numbered }).events ?? [] });
  }
  return teller.entries;
}

const json = (value: unknown) => ({
  payloads: [{ metadata: { encoding: b64('json/plain') }, data: b64(JSON.stringify(value)) }],
});
const b64 = (value: string) => Buffer.from(value).toString('base64');

function started(runId: string, over: object = {}): Attributes {
  return {
    workflowExecutionStartedEventAttributes: {
      workflowType: { name: 'canary' },
      taskQueue: { name: 'sluice' },
      input: json({ startedBy: 'ann' }),
      originalExecutionRunId: runId,
      firstExecutionRunId: runId,
      identity: 'mallory@laptop',
      ...over,
    },
  };
}

/** An activity and its answer, as the two events behind event `at`. */
function activity(at: number, name: string, args: unknown, answer: unknown, queue = 'sluice'): Attributes[] {
  const [activityType, taskQueue] = [{ name }, { name: queue }];
  return [
    { activityTaskScheduledEventAttributes: { activityType, taskQueue, input: json(args) } },
    {
      activityTaskCompletedEventAttributes: {
        scheduledEventId: String(at + 1),
        result: json(answer),
        identity: 'mallory@laptop',
      },
    },
  ];
}

const PARSED = { access: { policy: 'd8de', starter: 'ann', open: [], grant: null } };
const PROMOTED = { revision: 'r', split: { stable: '666', candidate: null, weight: 0 } };
const APPROVED = { ok: true, verb: 'approve', by: 'ben', comment: 'fine', stage: '50%' };
const APPROVAL = { messages: [{ verb: 'approve', by: 'ben', token: 'signed' }] };
const FORGED = [
  ...activity(1, 'parse', {}, PARSED),
  ...activity(3, 'decide', APPROVAL, [APPROVED]),
  ...activity(5, 'promote', {}, PROMOTED),
];

describe('what a Sluice worker did not do', () => {
  test.each([
    ['on its own task queue', { taskQueue: { name: 'evil' } }, 'it ran on task queue "evil"'],
    ['on a task queue with a name like ours', { taskQueue: { name: 'sluice-evil' } }, 'task queue "sluice-evil"'],
    ['whose starter took its tasks', { eagerExecutionAccepted: true }, 'bypassing the workers (an eager start)'],
    ['of another type', { workflowType: { name: 'helper' } }, 'its type is not a rollout type'],
  ])('a run %s is one entry, with who started it', async (_, over, why) => {
    const entries = await told({ runId: 'run-1', events: [started('run-1', over), ...FORGED] });
    expect(entries).toMatchObject([
      { kind: 'foreign', why: expect.stringContaining(why), who: null, identity: 'mallory@laptop', event: 'run-1/1' },
    ]);
  });

  test('a run made by Reset is listed with who made it and what came after', async () => {
    const reset = { cause: 'WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW', newRunId: 'run-1', identity: 'eve@desk' };
    const events = [started('run-0'), ...FORGED, { workflowTaskFailedEventAttributes: reset }];
    const entries = await told({ runId: 'run-1', events: [...events, ...activity(8, 'promote', {}, PROMOTED)] });
    expect(entries).toMatchObject([
      {
        kind: 'foreign',
        why: expect.stringContaining('by Reset from run run-0'),
        identity: 'eve@desk',
        event: 'run-1/8',
      },
      { kind: 'change', what: 'promote', event: 'run-1/10' },
    ]);
    expect(await told({ runId: 'run-1', events: [started('run-0'), ...FORGED] })).toMatchObject([{ kind: 'foreign' }]);
  });

  test('an answer from a task queue that is not ours is not listed as an answer', async () => {
    const [begun, parsed, decided, answered] = FORGED;
    const elsewhere = activity(5, 'promote', {}, PROMOTED, 'sluiceevil');
    const events = [started('run-1'), begun, parsed, decided, answered, ...elsewhere].filter((each) => each != null);
    const entries = await told({ runId: 'run-1', events });
    expect(entries.map(({ kind, what }) => [kind, what])).toEqual([
      ['start', 'canary'],
      ['access', 'policy d8de'],
      ['verb', 'approve'],
      ['foreign', 'promote'],
    ]);
    expect(entries.at(-1)).toMatchObject({ after: null, identity: 'mallory@laptop' });
  });

  test('a run that continues such a run says so', async () => {
    const foreign = { runId: 'run-0', events: [started('run-0', { taskQueue: { name: 'evil' } })] };
    const next = started('run-1', { continuedExecutionRunId: 'run-0', firstExecutionRunId: 'run-0' });
    const entries = await told(foreign, { runId: 'run-1', events: [next, ...activity(1, 'promote', {}, PROMOTED)] });
    expect(entries.map(({ kind }) => kind)).toEqual(['foreign', 'foreign', 'change']);
    expect(entries[1]?.why).toBe('it continues run run-0, which is foreign');
  });
});

test.each<[string, object[], string]>([
  ['an answer of null', activity(1, 'parse', {}, null), 'the answer of parse is not an object'],
  ['a plan without stages', activity(1, 'prepare', {}, { plan: {} }), 'the stages of the plan is not a list'],
  ['a verdict of the wrong form', activity(1, 'watch', {}, {}), 'its verdict is not an object'],
  ['messages of the wrong form', activity(1, 'decide', null, []), 'the input of decide is not an object'],
  ['answers of the wrong form', activity(1, 'decide', APPROVAL, 'yes'), 'the answer of decide is not a list'],
  ['an answer of the wrong form', activity(1, 'decide', APPROVAL, [null]), 'an answer of decide is not an object'],
])('%s is listed as unreadable, and the rest is still listed', async (_, events, why) => {
  const change = activity(1 + events.length, 'promote', {}, PROMOTED);
  const entries = await told({ runId: 'run-1', events: [started('run-1'), ...events, ...change] });
  expect(entries).toMatchObject([
    { kind: 'start', who: 'ann' },
    { kind: 'unreadable', what: 'activityTaskCompleted', why },
    { kind: 'change', what: 'promote', after: PROMOTED.split },
  ]);
});

test('the sender of a signed verb is known in the run that decides on it', async () => {
  const said = (by: string) => ({
    principal: { type: 'jwt', name: by },
    workflowExecutionSignaledEventAttributes: { signalName: 'approve', input: json({ token: 'signed', by: 'ben' }) },
  });
  const first = [started('run-1'), ...activity(1, 'parse', {}, PARSED), said('ann'), said('eve')];
  const goesOn = started('run-2', { continuedExecutionRunId: 'run-1', firstExecutionRunId: 'run-1' });
  const second = [goesOn, ...activity(1, 'decide', APPROVAL, [APPROVED]), said('eve')];
  const entries = await told({ runId: 'run-1', events: first }, { runId: 'run-2', events: second });
  expect(entries.map(({ kind, principal, mismatch }) => [kind, principal, mismatch])).toEqual([
    ['start', null, false],
    ['access', null, false],
    ['verb', 'jwt:ann', true],
  ]);
});

test('a continued rollout is listed completely', async () => {
  const runs = [1, 2, 3].map((n): { events: { workflowExecutionStartedEventAttributes?: Attributes }[] } =>
    JSON.parse(readText(`canary-continued.${n}.json`)),
  );
  const entries = await told(
    ...runs.map(({ events }) => ({
      runId: String(events[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId),
      events,
    })),
  );
  expect(entries.filter(({ kind }) => kind === 'foreign' || kind === 'unreadable')).toEqual([]);
  expect(entries[0]).toMatchObject({ kind: 'start', what: 'canary' });
  expect(entries.at(-1)).toMatchObject({ kind: 'end', what: 'succeeded', after: expect.anything() });
});

/** An update and its outcome, as the two events behind event `at`. */
function update(at: number, name: string, args: unknown, outcome: object): Attributes[] {
  return [
    { workflowExecutionUpdateAcceptedEventAttributes: { acceptedRequest: { input: { name, args: json(args) } } } },
    { workflowExecutionUpdateCompletedEventAttributes: { acceptedEventId: String(at + 1), outcome } },
  ];
}

const OPEN = { access: { policy: null, starter: null, open: [], grant: null } };

describe('what was asked for is listed with what was said', () => {
  test.each([
    [
      { to: '2', hold: true },
      { release: '2', hold: true, keepQueue: false },
    ],
    [{ keepQueue: true }, { release: null, hold: false, keepQueue: true }],
    // Anyone can start a workflow with anything.
    [
      { to: 7, hold: 'yes' },
      { release: null, hold: false, keepQueue: false },
    ],
  ])('of an undo with %j', async (asked, after) => {
    const undo = { workflowType: { name: 'undo' }, input: json({ startedBy: 'lee', ...asked }) };
    const entries = await told({ runId: 'run-1', events: [started('run-1', undo)] });
    expect(entries).toMatchObject([{ kind: 'start', what: 'undo', who: 'lee', after }]);
  });

  test('of a verb that needed no signature, as an update and as a signal', async () => {
    const abort = { by: 'ben', comment: 'wrong version', force: true };
    const events = [
      started('run-1'),
      ...activity(1, 'parse', {}, OPEN),
      ...update(3, 'abort', abort, { success: json({ verb: 'abort' }) }),
      { workflowExecutionSignaledEventAttributes: { signalName: 'abort', input: json(abort) } },
    ];
    const entries = await told({ runId: 'run-1', events });
    const said = { what: 'abort', who: 'ben', why: 'wrong version', after: { force: true } };
    expect(entries.slice(2)).toMatchObject([
      { kind: 'verb', ...said },
      { kind: 'signal', ...said },
    ]);
  });
});

describe('of the companion', () => {
  const companion = (runId: string, over: object = {}) =>
    started(runId, { workflowType: { name: 'companion' }, input: json('forgery'), ...over });

  test('it lists who has released a held target, who was refused that, and who has ended it', async () => {
    const no = { failure: { message: 'unhold is refused: eve may not', applicationFailureInfo: {} } };
    const signal = { signalName: 'rolloutEvent', input: json({ kind: 'ended', run: 'run-9' }) };
    const first = [
      companion('run-1'),
      { workflowExecutionSignaledEventAttributes: signal },
      ...update(2, 'submit', { type: 'canary' }, { success: json({ state: 'started' }) }),
      ...update(4, 'unhold', { by: 'eve' }, no),
    ];
    const goesOn = companion('run-2', { continuedExecutionRunId: 'run-1', firstExecutionRunId: 'run-1' });
    const second = [
      goesOn,
      ...update(1, 'unhold', { by: 'somebody', token: 'signed' }, { success: json({ by: 'ann' }) }),
      ...update(3, 'unhold', { by: 'ben' }, { success: json({ by: null }) }),
      { workflowExecutionTerminatedEventAttributes: { reason: 'tidying up', identity: 'eve@desk' } },
    ];
    const entries = await toldOfCompanion({ runId: 'run-1', events: first }, { runId: 'run-2', events: second });
    const place = { rollout: 'companion/forgery/production', run: 'run-1' };
    expect(entries).toMatchObject([
      {
        ...place,
        kind: 'refusal',
        what: 'unhold',
        who: 'eve',
        why: 'unhold is refused: eve may not',
        event: 'run-1/6',
      },
      { ...place, kind: 'verb', what: 'unhold', who: 'ann', proof: 'signed', event: 'run-2/3' },
      { ...place, kind: 'verb', what: 'unhold', who: 'ben', proof: null },
      { ...place, kind: 'end', what: 'terminated', why: 'tidying up', identity: 'eve@desk' },
    ]);
  });

  test.each([
    ['of another type', { workflowType: { name: 'canary' } }, 'its type is not that of a companion'],
    ['on another task queue', { taskQueue: { name: 'evil' } }, 'it ran on task queue "evil"'],
  ])('a run %s is foreign', async (_, over, why) => {
    const unheld = update(1, 'unhold', { by: 'ann' }, { success: json({ by: 'ann' }) });
    const entries = await toldOfCompanion({ runId: 'run-1', events: [companion('run-1', over), ...unheld] });
    expect(entries).toMatchObject([{ kind: 'foreign', why: expect.stringContaining(why) }]);
  });
});
