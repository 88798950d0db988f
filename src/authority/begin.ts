/** The beginning of a rollout or of a short workflow: who signed it, and whether he may. */
import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import {
  ANYONE,
  BadToken,
  holdersOf,
  isHolder,
  NotChecked,
  type ReadBy,
  type Rule,
  read,
  type Signed,
  specDigest,
  specFaults,
} from '../access/index.js';
import type { Beginning, StartStatement } from '../model/access.js';
import { SluiceError } from '../model/errors.js';
import { HELPER, type Help } from '../model/helper.js';
import { TASK_QUEUE } from '../model/ids.js';
import { failureOf } from '../model/rollout/failure.js';
import { mayNot } from '../model/rollout/gate.js';
import type { RolloutInput, Spec } from '../model/spec.js';
import { clean } from '../model/text.js';
import type { RolloutType } from '../model/words.js';
import { type Described, described, sayForeign } from '../temporal/described.js';
import type { Seals } from './seals.js';

export interface Beginner {
  app: string;
  environment: string;
  strategy: RolloutType;
  act: Beginning;
  /** The workflow's argument, with the proof. */
  input: RolloutInput;
  /** `undo`: the version to roll back to. `unhold`: the run that holds. `moveCallers`: digest of what was shown. */
  version?: string;
}

/** Refuses with a message that says who and what to do. */
export function notAllowed(why: string): SluiceError {
  return new SluiceError('SLUICE_ACCESS', why);
}

/** The signed statement of a beginning, if the policy needs one. Errors: SLUICE_ACCESS. */
export async function checkBeginning(
  beginner: Beginner,
  { rule, ...by }: ReadBy & { rule: Rule | null },
): Promise<Signed | null> {
  const { app, environment, act } = beginner;
  const what = `${act} ${app}/${environment}`;
  if (rule === null) throw notAllowed(`${what} is refused: no rule of the policy is about this target`);
  const holders = holdersOf(rule, act);
  const { token } = beginner.input;
  const verb = act === 'moveCallers' ? 'adopt --move-callers' : act;
  const holds = beginner.input.hold === true ? holdersOf(rule, 'hold') : null;
  if (token === undefined && holders.includes(ANYONE) && (holds === null || holds.includes(ANYONE))) return null;
  if (typeof token !== 'string') {
    throw notAllowed(
      `${what} is refused: there is a policy, and the start is not signed. Make a key with \`sluice key\`, have it added to the policy, and start with \`sluice ${verb}\`, or log in: \`sluice ${verb} --login\``,
    );
  }
  const signed = await read(token, by).catch((error: unknown) => {
    // Nothing has begun yet, and the provider may be back in a moment.
    if (error instanceof NotChecked) throw new SluiceError('SLUICE_PROVIDER', `${what}: ${error.message}`);
    throw error instanceof BadToken ? notAllowed(`${what} is refused: ${error.message}`) : error;
  });
  const wrong = mismatch(signed.statement as StartStatement, beginner);
  if (wrong !== null)
    throw notAllowed(`${what} is refused: what ${signed.subject.name} signed is for another ${wrong}`);
  if (!isHolder(holders, signed.subject)) {
    throw notAllowed(`${what} is refused: ${mayNot(signed.subject.name, null, holders)}`);
  }
  if (holds !== null && !isHolder(holds, signed.subject)) {
    throw notAllowed(`${what} with --hold is refused: ${mayNot(signed.subject.name, 'hold', holds)}`);
  }
  return signed;
}

function mismatch(statement: StartStatement, beginner: Beginner): string | null {
  if (statement.act !== beginner.act) return 'verb';
  if (statement.app !== beginner.app) return 'app';
  if (statement.environment !== beginner.environment) return 'environment';
  if (beginner.act === 'undo' || beginner.act === 'unhold') {
    if (statement.release !== (beginner.version ?? null)) return beginner.act === 'undo' ? 'release' : 'hold';
    const same = (['hold', 'keepQueue'] as const).every(
      (flag) => (statement[flag] ?? false) === (beginner.input[flag] ?? false),
    );
    return same ? null : 'choice of --hold or --keep-queue';
  }
  if (beginner.act === 'moveCallers' && statement.release !== (beginner.version ?? null)) return 'plan';
  if (statement.strategy !== beginner.strategy) return 'strategy';
  return statement.spec === specDigest(beginner.input) ? null : 'spec';
}

/** Errors: SLUICE_ACCESS for a spec that is under a floor. */
export function checkFloors(spec: Spec, rule: Rule): void {
  const faults = specFaults(spec, rule);
  if (faults.length > 0)
    throw notAllowed(`the policy has floors for ${spec.app}/${spec.environment}: ${faults.join('; ')}`);
}

/** Longest a used proof's own workflow may take; it does nothing. */
const USED_WITHIN = 60_000;

/**
 * Makes sure that a signed start begins one run and no second one: the server takes a workflow's id once, unless who starts it
 * asks for another. So a retry of the same run knows its own by a worker's seal. Errors: SLUICE_ACCESS.
 */
export async function consume(client: Client, seals: Seals, { id, run }: { id: string; run: string }): Promise<void> {
  const workflowId = `proof-${id}`;
  const seal = await seals.make('proof', { id, run });
  try {
    await client.workflow.start(HELPER, {
      workflowId,
      taskQueue: TASK_QUEUE,
      args: ['usedSignature' satisfies Help],
      memo: { seal },
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowExecutionTimeout: USED_WITHIN,
      staticSummary: 'a signed start that was used',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const found = await described(client, workflowId);
    const { seal: left, doubt } = found === null ? { seal: undefined, doubt: '' } : await sealIn(found);
    const used = await seals.open<{ id: string; run: string }>('proof', left);
    if (used?.id !== id || used.run !== run) throw usedAlready(doubt);
  }
}

/** What a worker recorded for a used token, and why it cannot be relied on. */
async function sealIn(found: Described): Promise<{ seal: unknown; doubt: string }> {
  if (found.type !== HELPER) return { seal: undefined, doubt: ` (${sayForeign(found)} has its id)` };
  try {
    return { seal: await found.memo('seal'), doubt: '' };
  } catch (error) {
    return { seal: undefined, doubt: ` (its memo cannot be read: ${clean(failureOf(error).message, 200)})` };
  }
}

function usedAlready(doubt = ''): SluiceError {
  return notAllowed(`this signed start was already used${doubt}; start anew`);
}

/** A signed start that has begun a run already takes no other's place. Errors: SLUICE_ACCESS. */
export async function checkUnused(client: Client, id: string): Promise<void> {
  if ((await described(client, `proof-${id}`)) !== null) throw usedAlready();
}
