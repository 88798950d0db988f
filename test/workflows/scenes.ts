/**
 * The scenes whose histories are kept in test/histories: each workflow type, and each way that a run can take through its
 * code. A new way gets a new scene.
 */
import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { SluiceError } from '../../src/model/errors.js';
import type { Help } from '../../src/model/helper.js';
import { companionId, movingId } from '../../src/model/ids.js';
import type { Spec } from '../../src/model/spec.js';
import type { CompanionView, RolloutView } from '../../src/model/view.js';
import type { RolloutEvent, Submission } from '../../workflows/messages.js';
import { canary, ONE_PERSON, specFor } from '../support/specs.js';
import { until } from '../support/until.js';
import type { Act, Rolling, StageOptions } from './stage.js';
import { ending, phase } from './stage.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export interface Scene {
  options?: StageOptions;
  /** Plays it to the end of what its history is kept for. The run it began with. */
  play(act: Act): Promise<WorkflowHandleWithFirstExecutionRunId>;
}

const BY = { by: 'ann' };
const WITH_WEBHOOK = { notify: [{ webhook: 'http://127.0.0.1:1/' }] };

/** A scene of one rollout: started, steered, and gone to its end. */
function rolloutScene(
  type: Parameters<Act['start']>[0],
  spec: Spec,
  steer: (act: Act, rolling: Rolling) => Promise<unknown> = async () => undefined,
  set: (act: Act) => void = () => undefined,
): Scene {
  return {
    play: async (act) => {
      set(act);
      const rolling = await act.start(type, spec);
      await steer(act, rolling);
      await ending(rolling);
      return rolling;
    },
  };
}

async function approved(act: Act, rolling: Rolling, stage: string): Promise<void> {
  await phase(act, rolling, 'awaitingApproval');
  await rolling.signal('approve', { stage, ...BY });
}

const MOVE = { input: canary([]), app: 'checkout', environment: 'production', how: { undo: false, publish: false } };

export const SCENES: Record<string, Scene> = {
  direct: rolloutScene('direct', specFor({ type: 'direct', bake: MINUTE })),
  'direct-first': rolloutScene('direct', specFor({ type: 'direct', bake: MINUTE }), undefined, ({ target }) => {
    target.split = { stable: null, candidate: null, weight: 0 };
  }),
  'direct-first-aborted': rolloutScene(
    'direct',
    specFor({ type: 'direct', bake: HOUR }),
    async (act, rolling) => {
      await phase(act, rolling, 'baking');
      await rolling.executeUpdate('abort', { args: [BY] });
    },
    ({ target }) => {
      target.split = { stable: null, candidate: null, weight: 0 };
    },
  ),
  blueGreen: rolloutScene(
    'blueGreen',
    specFor({
      type: 'blueGreen',
      bake: MINUTE,
      testBake: MINUTE,
      approval: { ...ONE_PERSON, within: HOUR, onTimeout: 'hold' },
    }),
    (act, rolling) => approved(act, rolling, 'test'),
  ),
  linear: rolloutScene('linear', specFor({ type: 'linear', step: 40, interval: MINUTE, bake: MINUTE })),
  'canary-approved': rolloutScene('canary', canary([], 10, WITH_WEBHOOK), (act, rolling) =>
    approved(act, rolling, '10%'),
  ),
  'canary-not-approved': rolloutScene('canary', canary([], 10)),
  'canary-unhealthy': rolloutScene('canary', canary([]), undefined, ({ target }) => {
    target.verdict = (weight) => (weight === 50 ? 'unhealthy' : 'healthy');
  }),
  'canary-early': rolloutScene('canary', canary([{ min: MINUTE, max: HOUR }]), undefined, ({ target }) => {
    target.passesFrom = 10;
  }),
  'canary-probe-back': rolloutScene('canary', canary([]), undefined, ({ target }) => {
    target.ceilingOnly = true;
    target.verdict = (weight) => (weight === 100 && target.writes.length === 3 ? 'unhealthy' : 'healthy');
  }),
  'canary-probe-failed': rolloutScene('canary', canary([]), undefined, ({ target }) => {
    target.probePasses = false;
  }),
  'canary-nothing-to-release': rolloutScene('canary', canary([]), undefined, ({ target }) => {
    target.split = { stable: '2', candidate: null, weight: 0 };
  }),
  'canary-aborted': rolloutScene('canary', canary([HOUR]), async (act, rolling) => {
    await phase(act, rolling, 'baking');
    await rolling.executeUpdate('abort', { args: [BY] });
  }),
  'canary-paused': rolloutScene('canary', canary([HOUR]), async (act, rolling) => {
    await phase(act, rolling, 'baking');
    await rolling.signal('pause', BY);
    await phase(act, rolling, 'paused');
    await act.env.sleep(2 * MINUTE);
    await rolling.executeUpdate('resume', { args: [BY] });
  }),
  'canary-promoted': rolloutScene('canary', canary([HOUR]), async (act, rolling) => {
    await phase(act, rolling, 'baking');
    await rolling.signal('promote', { ...BY, full: true });
  }),
  'canary-held': rolloutScene(
    'canary',
    canary([], undefined, WITH_WEBHOOK),
    async (act, rolling) => {
      await phase(act, rolling, 'held');
      await rolling.signal('promote', BY);
    },
    ({ target }) => {
      target.verdict = (weight) => (weight === 10 ? 'undecided' : 'healthy');
    },
  ),
  'canary-foreign-change': rolloutScene('canary', canary([]), async (act, rolling) => {
    await phase(act, rolling, 'baking');
    act.target.foreign({ stable: '1', candidate: '2', weight: 11 });
    await phase(act, rolling, 'stuck');
    await rolling.signal('retry', { ...BY, adopt: true });
  }),
  'canary-abandoned': rolloutScene('canary', canary([]), async (act, rolling) => {
    await phase(act, rolling, 'baking');
    act.target.foreign({ stable: '7', candidate: null, weight: 0 });
    await phase(act, rolling, 'stuck');
    await rolling.executeUpdate('abort', { args: [{ ...BY, keep: true }] });
  }),
  'canary-stuck-restoring': rolloutScene(
    'canary',
    canary([HOUR], undefined, { ...WITH_WEBHOOK, deadlines: { ...canary([]).deadlines, stuckAfter: 2_000 } }),
    async (act, rolling) => {
      await phase(act, rolling, 'baking');
      await rolling.signal('abort', BY);
    },
    ({ target }) => {
      let failures = 0;
      target.fault = (name) =>
        name === 'restore' && ++failures < 7 ? new SluiceError('SLUICE_PROVIDER', '500 ServiceException') : null;
    },
  ),
  'canary-superseded': rolloutScene('canary', canary([HOUR]), async (act, rolling) => {
    await phase(act, rolling, 'baking');
    await rolling.signal('supersede', BY);
  }),
  'canary-canceled': {
    play: async (act) => {
      const rolling = await act.start('canary', canary([HOUR]));
      await phase(act, rolling, 'baking');
      await rolling.cancel();
      await rolling.result().catch(() => undefined);
      return rolling;
    },
  },
  'canary-search-attributes': {
    ...rolloutScene('canary', canary([])),
    options: { searchAttributes: true },
  },
  'canary-continued': {
    options: { limits: { history: 60, signals: 12 } },
    play: async (act) => {
      const rolling = await act.start('canary', canary([HOUR], 10));
      await phase(act, rolling, 'baking');
      for (let i = 0; i < 15; i++) await rolling.signal('nonsense', i);
      const newest = act.env.client.workflow.getHandle(rolling.workflowId) as unknown as Rolling;
      await until('the flood', async () => (await newest.query<RolloutView>('status')).refusalsTotal === 15);
      await act.env.sleep(HOUR + MINUTE);
      await approved(act, newest, '10%');
      await ending(rolling);
      return rolling;
    },
  },
  undo: rolloutScene('undo', specFor({ type: 'undo', bake: MINUTE }), undefined, ({ target }) => {
    target.split = { stable: '2', candidate: null, weight: 0 };
    const spec = { ...specFor({ type: 'undo', bake: MINUTE }), startedBy: 'bob' };
    target.undo = { version: '1', window: 24 * HOUR, spec };
  }),
  companion: { play: companion },
  'companion-late': { play: lateCompanion },
  'helper-planOnly': help('planOnly', {
    input: canary([]),
    app: 'checkout',
    environment: 'production',
    type: 'canary',
  }),
  'helper-sweepAccount': help('sweepAccount', { platform: 'lambda', account: 'default', region: 'us-east-1' }),
  adoptTarget: short('adoptTarget', { input: canary([]), app: 'checkout', environment: 'production' }),
  'helper-lookCallers': help('lookCallers', MOVE),
  moveCallers: short('moveCallers', { ...MOVE, shown: 'shown' }, movingId('checkout', 'production')),
  'helper-usedSignature': help('usedSignature'),
  'helper-workerIdentity': help('workerIdentity'),
};

function help(what: Help, ...more: object[]): Scene {
  return short('helper', [what, ...more], `helper-${what}/checkout/production/scene`);
}

function short(type: string, args: unknown, workflowId = `${type}/checkout/production`): Scene {
  return {
    play: async ({ env }) => {
      const handle = await env.client.workflow.start(type, {
        workflowId,
        taskQueue: 'sluice',
        args: Array.isArray(args) ? args : [args],
      });
      await handle.result().catch(() => undefined);
      return handle;
    },
  };
}

/** A first deployment was taken back; the companion looks for what comes late, and takes it away. */
async function lateCompanion({ env, target }: Act): Promise<WorkflowHandleWithFirstExecutionRunId> {
  const spec = canary([]);
  const { app, environment } = spec;
  const handle = await env.client.workflow.start('companion', {
    workflowId: companionId(app, environment),
    taskQueue: 'sluice',
    args: [app, environment],
  });
  const late = { app, environment, run: 'a', spec, looks: [HOUR / 6, HOUR], seal: null };
  const event: RolloutEvent = { kind: 'ended', run: 'a', at: await env.currentTimeMs(), entry: null, undo: null, late };
  await handle.signal('rolloutEvent', event);
  await env.sleep(2 * HOUR);
  await until('both looks', async () => target.calls.filter((call) => call === 'takeBack').length === 2);
  return handle;
}

/** A release goes live, two more are handed over, the way is taken for a while, and the rollback window ends. */
async function companion({ env, target }: Act): Promise<WorkflowHandleWithFirstExecutionRunId> {
  const spec = canary([]);
  const handle = await env.client.workflow.start('companion', {
    workflowId: companionId('checkout', 'production'),
    taskQueue: 'sluice',
    args: ['checkout', 'production'],
  });
  const at = await env.currentTimeMs();
  const tell = (event: RolloutEvent) => handle.signal('rolloutEvent', event);
  await tell({ kind: 'began', run: 'a', strategy: 'canary', at });
  await tell({ kind: 'ended', run: 'a', at, ...released(at, spec) });
  target.busy = 3;
  const submission: Submission = { type: 'canary', input: { ...spec }, mode: 'queue', by: 'ann', message: null };
  await handle.executeUpdate('submit', { args: [submission] });
  await env.sleep(10_000);
  await handle.executeUpdate('submit', { args: [{ ...submission, mode: 'replace' }] });
  await handle.signal('rolloutEvent', null);
  await handle.signal('nonsense');
  await until('the queue to be empty', async () => {
    await env.sleep('1s');
    return (await handle.query<CompanionView>('companion')).queued === null;
  });
  await env.sleep(2 * HOUR);
  await until('the end of the rollback window', async () => {
    const { undo } = await handle.query<CompanionView>('companion');
    return undo === null && target.calls.includes('retire');
  });
  return handle;
}

function released(at: number, spec: Spec): Pick<Extract<RolloutEvent, { kind: 'ended' }>, 'entry' | 'undo'> {
  return {
    entry: {
      version: '2',
      digest: 'sha-2',
      since: at,
      until: null,
      by: 'ann',
      run: 'a',
      strategy: 'canary',
      message: null,
      replaced: '1',
      undoUntil: null,
      retired: null,
      spec: null,
      seal: null,
    },
    undo: { version: '1', window: HOUR, spec: { ...spec } },
  };
}
