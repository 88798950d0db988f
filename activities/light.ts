/** The light activities on task queue `sluice`: parsing, telling the companion and the webhooks. No cloud calls. */
import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { OtherPolicy } from '../src/model/access.js';
import { SluiceError } from '../src/model/errors.js';
import { rolloutId, TASK_QUEUE, targetId } from '../src/model/ids.js';
import type { RolloutInput, Spec } from '../src/model/spec.js';
import { versionOf } from '../src/model/target.js';
import type { RolloutType } from '../src/model/words.js';
import type { WorkersSeen } from '../src/model/workers.js';
import { parseSpecValue } from '../src/spec/index.js';
import type { RolloutEvent, UndoRecord } from '../workflows/messages.js';
import type { Access } from './access/index.js';
import { withFailures } from './failures.js';
import { notify } from './notify/index.js';
import type { Outside } from './outside.js';
import type { LightActivities, Limits } from './types.js';

interface LightOptions {
  client: Client;
  searchAttributes: boolean;
  limits: Limits;
  access: Access;
  /** What reaches webhooks and their secrets. */
  outside: Outside;
  /** Asks the server for the living workers of a queue of activities. */
  workersOf: (queue: string) => Promise<WorkersSeen>;
  /** Living workers that go by another policy than this one: `policy` is the beginning of its digest, or `open`. */
  otherPolicies: () => Promise<OtherPolicy[]>;
}

/** Other policies that a rollout records; one is too many. */
const MOST_OTHERS = 5;

/** The spec of an undo: what was released, back to the version before it. */
function undoInput({ spec, version }: UndoRecord): RolloutInput {
  const { startedBy: _by, message: _why, ...rest } = spec;
  return { ...rest, release: { version: versionOf(version) } };
}

function defined(fields: RolloutInput): RolloutInput {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** A spec that a worker can release: a path is of the machine that it was written on. Errors: SLUICE_SPEC. */
function parsed(input: RolloutInput, of: { app: string; environment: string; type: RolloutType }): Spec {
  const spec = parseSpecValue(input, of);
  if (!('folder' in spec.release) && !('zip' in spec.release)) return spec;
  const [field] = Object.keys(spec.release);
  throw new SluiceError(
    'SLUICE_SPEC',
    `release.${field} is a path of another machine, and a worker packs nothing. Start with \`sluice start\`, or give the argument that \`sluice pack\` prints: it has release: {artifact: {sha256, bytes}}`,
  );
}

export function lightActivities(options: LightOptions): LightActivities {
  const { client, searchAttributes, limits, access, outside } = options;
  /** What a rollout leaves with the companion is believed later only with a worker's seal. */
  const sealed = async (app: string, environment: string, event: RolloutEvent, grant: string | null) => {
    if (event.kind !== 'ended' || event.undo === null || !access.grants.on) return event;
    const { version, spec } = event.undo;
    await access.grants.allowRecord({ grant, app, environment, version, spec });
    const since = Date.now();
    const seal = await access.sealRecord({ app, environment, version, spec, since });
    return { ...event, undo: { ...event.undo, since, seal } };
  };
  return withFailures<LightActivities>({
    parse: async ({ input, app, environment, type, record }) => {
      // Whoever has answered what the companion keeps: a rollout must have written it, and its release is the one to go back to.
      if (type === 'undo' && access.grants.on) {
        await access.believe({ version: '', spec: {}, ...record, app, environment });
        const { token, startedBy, message } = input;
        input = { ...undoInput(record as UndoRecord), ...defined({ token, startedBy, message }) };
      }
      const { token: _proof, ...written } = input;
      const spec = parsed(written, { app, environment, type });
      const version = 'version' in spec.release ? { version: String(spec.release.version) } : {};
      const [begun, others] = await Promise.all([
        access.begin(client, { app, environment, type, input, spec, ...version }),
        options.otherPolicies(),
      ]);
      return { ...begun, access: { ...begun.access, others: others.slice(0, MOST_OTHERS) }, searchAttributes, limits };
    },

    workersOf: ({ queue }) => options.workersOf(queue),

    identity: () => access.identity(),

    decide: (args) => access.decide(client, args),

    renew: async ({ grants }) => Promise.all(grants.map(async (grant) => (await access.renew(client, grant)) ?? '')),

    admit: async (of) => {
      const { token: _proof, ...written } = of.input;
      return { by: await access.admit(client, { ...of, spec: () => parsed(written, of) }) };
    },

    readUndo: async ({ app, environment }) => {
      const record = await client.workflow
        .getHandle(targetId(app, environment))
        .query<UndoRecord | null>('undoRecord')
        .catch((error: unknown) => {
          if (error instanceof WorkflowNotFoundError) return null;
          throw error;
        });
      if (record === null) {
        throw new SluiceError(
          'SLUICE_SPEC',
          `there is nothing to undo at ${app}/${environment}: nothing was replaced, or the rollback window is over. \`sluice releases ${app}\` shows which; start a rollout of the version you want: release: {version: N}`,
        );
      }
      await access.believe({ ...record, app, environment });
      return record;
    },

    notify: async ({ spec, event, grant }) => {
      await access.grants.allow('notify', { spec, grant });
      await notify(spec, event, outside);
    },

    tellTarget: async ({ app, environment, event: said, grant }) => {
      const event = await sealed(app, environment, said, grant);
      await client.workflow.signalWithStart('targetCompanion', {
        workflowId: targetId(app, environment),
        taskQueue: TASK_QUEUE,
        args: [app, environment],
        signal: 'rolloutEvent',
        signalArgs: [event],
        staticSummary: `target ${app}/${environment}: ledger, queue, undo`,
      });
    },

    startRollout: async ({ app, environment, type, input, ticket }) => {
      try {
        const handle = await client.workflow.start(type, {
          workflowId: rolloutId(app, environment),
          taskQueue: TASK_QUEUE,
          args: [input],
          workflowIdConflictPolicy: 'FAIL',
          memo: { ticket },
          staticSummary: `${app} ${environment} ${type}`,
        });
        return { started: handle.firstExecutionRunId };
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        // An earlier try may have started it and died before it could say so.
        const { memo, raw } = await client.workflow.getHandle(rolloutId(app, environment)).describe();
        const run = raw.workflowExecutionInfo?.firstRunId ?? '';
        return memo?.ticket === ticket ? { started: run } : { busy: run };
      }
    },

    supersede: async ({ app, environment, run, by, type, input }) => {
      const { token: _proof, ...written } = input;
      const spec = () => parsed(written, { app, environment, type });
      const signer = await access.admit(client, { app, environment, type, input, mode: 'replace', spec });
      const who = signer ?? by;
      const token = await access.sealSupersede({ app, environment, run, by: who });
      const message = { run, ...(who === null ? {} : { by: who }), ...(token === null ? {} : { token }) };
      await client.workflow
        .getHandle(rolloutId(app, environment))
        .signal('supersede', message)
        .catch((error: unknown) => {
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        });
    },

    isRunning: async ({ app, environment }) => {
      try {
        return (await client.workflow.getHandle(rolloutId(app, environment)).describe()).status.name === 'RUNNING';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },
  });
}
