/** The core activities on task queue `sluice`: parsing, telling the companion and the webhooks. No cloud calls. */
import { Context, log } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { canonical } from '../src/access/index.js';
import type { Access } from '../src/authority/index.js';
import type { Egress } from '../src/egress/index.js';
import { bounded } from '../src/health/bounded.js';
import type { OtherPolicy } from '../src/model/access.js';
import { SluiceError } from '../src/model/errors.js';
import { HOLD_MEMO, type Hold, heldMessage, holdIn } from '../src/model/hold.js';
import { companionId, movingId, rolloutId, TASK_QUEUE } from '../src/model/ids.js';
import { staticTexts } from '../src/model/rollout/begin.js';
import type { Unsealer } from '../src/model/sealed.js';
import type { RolloutInput, Spec } from '../src/model/spec.js';
import type { RolloutType } from '../src/model/words.js';
import type { WorkersSeen } from '../src/model/workers.js';
import { notify } from '../src/notify/index.js';
import { parseSpecValue } from '../src/spec/index.js';
import type { Artifacts } from '../src/store/index.js';
import { described } from '../src/temporal/described.js';
import type { KeptEntry, LateRecord, RolloutEvent } from '../workflows/messages.js';
import { withFailures } from './failures.js';
import type { CoreActivities, Limits } from './types.js';
import { requestOf, undoOf } from './undo.js';

interface CoreActivityOptions {
  client: Client;
  searchAttributes: boolean;
  limits: Limits;
  access: Access;
  codec: Unsealer;
  /** What reaches webhooks and their secrets. */
  egress: Egress;
  /** Asks the server for the living workers of a queue of activities. */
  workersOf: (queue: string) => Promise<WorkersSeen>;
  /** Living workers with another policy than this one: `policy` is the start of its digest, or `open`. */
  otherPolicies: () => Promise<OtherPolicy[]>;
  /** Where the specs of released releases are kept. */
  artifacts: Artifacts;
}

/** Other policies that a rollout records; one is too many. */
const MOST_OTHERS = 5;

/** Longest wait for the store to keep a spec, in ms: the companion must learn of the end in any case, and waits for it. */
const KEEP = 5_000;

type Told = Parameters<CoreActivities['tellCompanion']>[0];

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
    `release.${field} is a path on another machine, and workers pack nothing. Start with \`sluice start\`, or give the argument that \`sluice pack\` prints: it has release: {artifact: {sha256, bytes}}`,
  );
}

/** What holds a target, by its companion's memo; null when nothing does. */
async function holdOf(client: Client, app: string, environment: string): Promise<Hold | null> {
  const found = await described(client, companionId(app, environment));
  if (found === null || !found.running || found.type !== 'companion') return null;
  return holdIn({ [HOLD_MEMO]: await found.memo(HOLD_MEMO) });
}

/** Nothing is released while callers are moved, which takes a moment. Errors: SLUICE_BUSY, so that it is tried again. */
async function waitForMove(client: Client, app: string, environment: string): Promise<void> {
  const workflowId = movingId(app, environment);
  const found = await described(client, workflowId);
  if (found === null || !found.running || found.type !== 'moveCallers') return;
  throw new SluiceError(
    'SLUICE_BUSY',
    `the callers of ${rolloutId(app, environment)} are being moved (workflow ${workflowId}); the rollout starts after that`,
  );
}

/** What runs in place of a rollout that could not be started: that very one, by an earlier try that died, or another. */
async function inTheWay(
  client: Client,
  { app, environment, type, ticket }: { app: string; environment: string; type: string; ticket: string },
): Promise<{ started: string } | { busy: string }> {
  const found = await described(client, rolloutId(app, environment));
  if (found === null || found.type !== type) return { busy: found?.run ?? '' };
  // What cannot be decoded here was not written by this companion's queue.
  const given = await found.memo('ticket').catch(() => null);
  return given === ticket ? { started: found.run } : { busy: found.run };
}

export function coreActivities(options: CoreActivityOptions): CoreActivities {
  const { client, searchAttributes, limits, access, codec, egress, artifacts } = options;
  /** What a rollout leaves with the companion is believed later only with a worker's seal. */
  const kept = async ({ app, environment, event, grant, deployed, spec }: Told): Promise<RolloutEvent> => {
    if (event.kind === 'began') {
      return event.undo === undefined ? event : { ...event, undo: await access.sealUndo(grant, event.undo) };
    }
    const entry = event.entry === null ? null : await entryOf({ app, environment, grant, deployed, spec }, event.entry);
    const { late: left, ...rest } = event;
    const told = { ...rest, ...(left === undefined ? {} : await lateOf(grant, left)), entry };
    if (event.undo === null || !access.grants.on) return told;
    const { version, spec: own } = event.undo;
    await access.grants.allowRecord({ grant, app, environment, version, spec: own });
    const since = Date.now();
    const seal = await access.sealRecord({ app, environment, version, spec: own, since });
    return { ...told, undo: { ...event.undo, since, seal } };
  };
  /** Sealed. The companion learns of the end in any case: without this it does not look again. */
  const lateOf = async (grant: string | null, late: LateRecord): Promise<{ late?: LateRecord }> => {
    try {
      return { late: await access.sealLate(grant, late) };
    } catch (error) {
      log.warn('the companion will not check for late calls of a first deployment', { why: String(error) });
      return {};
    }
  };
  /** An entry with its spec in the artifact store. Without the store a release is still in the ledger. */
  const entryOf = async (told: Omit<Told, 'event'>, entry: KeptEntry): Promise<KeptEntry> => {
    const { app, environment, grant, deployed, spec } = told;
    // None of our specs made live what someone else has put there.
    if (entry.kept !== undefined) return { ...entry, spec: null, seal: null };
    const { version, run } = entry;
    if (access.grants.on) await access.grants.allowEntry({ grant, app, environment, version, spec, deployed });
    const sha256 = spec === undefined ? null : await keep(spec);
    const seal = await access.sealEntry({ app, environment, version, run, spec: sha256 });
    return { ...entry, spec: sha256, seal };
  };
  const keep = async (spec: Spec): Promise<string | null> => {
    try {
      return await bounded(new AbortController().signal, KEEP, () => artifacts.of(spec).putDocument(canonical(spec)));
    } catch (error) {
      log.warn('the spec of a release could not be stored for undo', { why: String(error) });
      return null;
    }
  };
  /** The memo alone, which needs no worker. Errors: SLUICE_HELD. */
  const refuseHeld = async (app: string, environment: string) => {
    const hold = await holdOf(client, app, environment);
    if (hold === null || !(await access.isUndo({ app, environment, run: hold.run, undo: { ...hold, hold: true } })))
      return;
    throw new SluiceError('SLUICE_HELD', heldMessage(rolloutId(app, environment), hold));
  };
  const begin = async (of: {
    app: string;
    environment: string;
    type: RolloutType;
    input: RolloutInput;
    spec: Spec;
    shown?: string;
  }) => {
    const version =
      of.shown !== undefined
        ? { version: of.shown }
        : 'version' in of.spec.release
          ? { version: String(of.spec.release.version) }
          : {};
    const [begun, others] = await Promise.all([access.begin(client, { ...of, ...version }), options.otherPolicies()]);
    return { ...begun, access: { ...begun.access, others: others.slice(0, MOST_OTHERS) }, searchAttributes, limits };
  };
  return withFailures<CoreActivities>({
    parse: async ({ input, app, environment, type, shown }) => {
      // Anyone may see a plan.
      const rolls = Context.current().info.workflowType === type;
      if (rolls) await waitForMove(client, app, environment);
      if (type === 'undo') {
        const { to, ...asked } = requestOf(input);
        const { version, spec: found, unknown } = await undoOf({ client, access, artifacts }, { app, environment, to });
        const { startedBy: _by, message: _why, ...rest } = found;
        const { token, startedBy, message } = input;
        const said = defined({ startedBy, message });
        const spec = parseSpecValue({ ...rest, ...said }, { app, environment, type });
        const begun = await begin({ app, environment, type, input: defined({ token, ...asked }), spec });
        return { ...begun, undo: { version, unknown, ...asked } };
      }
      if (rolls) await refuseHeld(app, environment);
      const { token: _proof, ...written } = input;
      const spec = parsed(written, { app, environment, type });
      return begin({ app, environment, type, input, spec, ...(shown === undefined ? {} : { shown }) });
    },

    workersOf: ({ queue }) => options.workersOf(queue),

    believeUndo: async (asked) => {
      if (await access.isUndo(asked)) return;
      throw new SluiceError('SLUICE_ACCESS', 'refused: this run has no undo that asks for it');
    },

    admitUnhold: async ({ by, ...of }) => ({ by: (await access.admitUnhold(client, of)) ?? by }),

    identity: async () => ({ ...(await access.identity()), codecKeys: codec.keyPrints }),

    unseal: async ({ sealed }) => codec.unseal(sealed),

    decide: (args) => access.decide(client, args),

    renew: async ({ grants }) => Promise.all(grants.map(async (grant) => (await access.renew(client, grant)) ?? '')),

    admit: async (of) => {
      const { token: _proof, ...written } = of.input;
      return { by: await access.admit(client, { ...of, spec: () => parsed(written, of) }) };
    },

    notify: async ({ spec, event, grant }) => {
      await access.grants.allow('notify', { spec, grant });
      await notify(spec, event, egress);
    },

    tellCompanion: async (told) => {
      const { app, environment } = told;
      const event = await kept(told);
      await client.workflow.signalWithStart('companion', {
        workflowId: companionId(app, environment),
        taskQueue: TASK_QUEUE,
        args: [app, environment],
        signal: 'rolloutEvent',
        signalArgs: [event],
        staticSummary: `target ${app}/${environment}: ledger, queue, undo`,
      });
      // The undo ends, and frees the way, after this: nothing slips in before the hold is known.
      if (event.kind === 'began' && event.undo?.hold === true && (await holdOf(client, app, environment)) === null) {
        throw new SluiceError('SLUICE_BUSY', `${app}/${environment} is not held yet; the companion has not answered`);
      }
    },

    startRollout: async ({ app, environment, type, input, ticket }) => {
      try {
        const handle = await client.workflow.start(type, {
          workflowId: rolloutId(app, environment),
          taskQueue: TASK_QUEUE,
          args: [input],
          workflowIdConflictPolicy: 'FAIL',
          memo: { ticket },
          ...staticTexts({ app, environment, type, input, namespace: client.options.namespace }),
        });
        return { started: handle.firstExecutionRunId };
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        return inTheWay(client, { app, environment, type, ticket });
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
      return (await described(client, rolloutId(app, environment)))?.running === true;
    },
  });
}
