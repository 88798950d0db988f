/** The verbs: updates, so that a person hears yes or no at once. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { verbSignal, verbUpdate } from '../../workflows/messages.js';
import { SluiceError } from '../model/errors.js';
import { rolloutId } from '../model/ids.js';
import type { Decision, VerbAnswer, VerbArgs } from '../model/view.js';
import type { MessageVerb } from '../model/words.js';
import type { Link } from './connect.js';
import { failing, failureOf, grpcCode, isCrowded, isFailing, isLate, noWorker, toSluiceError } from './errors.js';
import { look } from './look.js';
import { verbProof } from './proof.js';
import type { TargetName } from './types.js';

/** Longest wait for the workflow's answer, in ms. */
const ANSWER_WITHIN = 10_000;
/** Longest further wait of an abort in a flood of messages, in ms. */
const PATIENCE = 60_000;
/** Between two tries, in ms. */
const AGAIN = 500;
const INVALID_ARGUMENT = 3;

/** See `Sluice.verb`. An abort that nobody can answer is left as a signal: it must land, whoever comes back when. */
export async function verb(
  link: Link,
  target: TargetName,
  said: MessageVerb,
  args: Decision & VerbArgs,
): Promise<VerbAnswer> {
  const id = rolloutId(target.app, target.environment);
  const handle = link.temporal.workflow.getHandle(id);
  const token = await verbProof(link, target, said, args);
  const message = token === null ? args : { ...args, token };
  // The same update however often it is asked for, so that it is done once.
  const updateId = randomUUID();
  const ask = (until: number) =>
    link.temporal.withDeadline(until, () => handle.executeUpdate(verbUpdate(said), { args: [message], updateId }));
  try {
    return await patiently(ask, Date.now() + ANSWER_WITHIN);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw await nothingRuns(link, target, said);
    if (error instanceof WorkflowUpdateFailedError) {
      const { code, message } = failureOf(error);
      throw new SluiceError(code ?? 'SLUICE_VERB', message);
    }
    if (isFailing(error) && said !== 'abort') throw failing(`${said} of ${id} was not answered`);
    if (isCrowded(error) && said !== 'abort') {
      throw new SluiceError('SLUICE_PROVIDER', `${id} has had more messages than a run may have; say ${said} again`);
    }
    if (!isLate(error) && !isCrowded(error) && !isFailing(error)) throw toSluiceError(error, link.address);
    if (said !== 'abort') throw noWorker(`${said} of ${id} was not answered, and may or may not be done later`);
    return leftAbort(link, id, message, () => patiently(ask, Date.now() + PATIENCE));
  }
}

/** Asks again while the run has had as many messages as it may have: it continues as a new one. */
async function patiently<T>(ask: (until: number) => Promise<T>, until: number): Promise<T> {
  for (;;) {
    try {
      return await ask(until);
    } catch (error) {
      if (!isCrowded(error) || Date.now() + AGAIN >= until) throw error;
      await pause(AGAIN);
    }
  }
}

/**
 * Leaves an abort that nobody has answered as a signal. The server refuses that only where a run has had its 10,000; in such
 * a flood the rollout comes to it when the server takes no more of them, so it is asked on.
 */
async function leftAbort(
  link: Link,
  id: string,
  message: Decision & VerbArgs,
  askOn: () => Promise<VerbAnswer>,
): Promise<VerbAnswer> {
  try {
    await link.temporal.workflow.getHandle(id).signal(verbSignal('abort'), message);
  } catch (error) {
    if (grpcCode(error) !== INVALID_ARGUMENT) throw toSluiceError(error, link.address);
    return askOn().catch((later: unknown) => {
      throw isLate(later) ? noWorker(`abort of ${id} was not answered`) : toSluiceError(later, link.address);
    });
  }
  throw noWorker(`abort of ${id} is left as a signal and will be done once a worker is back`);
}

async function nothingRuns(link: Link, target: TargetName, said: MessageVerb): Promise<SluiceError> {
  const { view } = await look(link, target);
  const id = rolloutId(target.app, target.environment);
  const outcome = view?.outcome ?? 'done';
  const way = said === 'abort' && outcome === 'succeeded' ? `; go back with \`sluice undo ${id}\`` : '';
  return new SluiceError(
    'SLUICE_VERB',
    `${said} comes too late: the last rollout of ${id} has ended (${outcome})${way}`,
  );
}
