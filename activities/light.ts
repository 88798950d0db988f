/** The light activities on task queue `sluice`: parsing, telling the companion and the webhooks. No cloud calls. */
import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { SluiceError } from '../src/model/errors.js';
import { rolloutId, TASK_QUEUE, targetId } from '../src/model/ids.js';
import { parseSpecValue } from '../src/spec/index.js';
import type { UndoRecord } from '../workflows/messages.js';
import { withFailures } from './failures.js';
import { notify } from './notify/index.js';
import type { Outside } from './outside.js';
import type { LightActivities, Limits } from './types.js';

interface LightOptions {
  client: Client;
  searchAttributes: boolean;
  limits: Limits;
  /** What reaches webhooks and their secrets. */
  outside: Outside;
}

export function lightActivities({ client, searchAttributes, limits, outside }: LightOptions): LightActivities {
  return withFailures<LightActivities>({
    parse: async ({ input, app, environment, type }) => ({
      spec: parseSpecValue(input, { app, environment, type }),
      searchAttributes,
      limits,
    }),

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
      return record;
    },

    notify: ({ spec, event }) => notify(spec, event, outside),

    tellTarget: async ({ app, environment, event }) => {
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

    supersede: async ({ app, environment, run, by }) => {
      const message = { run, ...(by === null ? {} : { by }) };
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
