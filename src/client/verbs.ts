/** The verbs as updates, so that a person gets an answer at once. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { verbSignal, verbUpdate } from '../../workflows/messages.js';
import { SluiceError } from '../model/errors.js';
import { rolloutId } from '../model/ids.js';
import { failureOf } from '../model/rollout/failure.js';
import type { Decision, VerbAnswer, VerbArgs } from '../model/view.js';
import type { MessageVerb } from '../model/words.js';
import { mustAgree } from './agreement.js';
import type { Link } from './connect.js';
import { failing, isAway, isCrowded, isFailing, isLate, noAnswer, toSluiceError } from './errors.js';
import { look } from './look.js';
import { Sight } from './sight.js';
import { verbToken } from './tokens.js';
import type { AppEnvironment } from './types.js';

/** Longest wait for the workflow's answer, in ms. */
const ANSWER_WITHIN = 10_000;
/** Longest further wait of an abort that cannot even be left as a signal, in ms. */
const PATIENCE = 60_000;
/** Between two tries, in ms. */
const AGAIN = 500;

/** See `Sluice.verb`. An abort that is not answered is left as a signal: it must land, whoever comes back when. */
export async function verb(
  link: Link,
  target: AppEnvironment,
  said: MessageVerb,
  args: Decision & VerbArgs,
): Promise<VerbAnswer> {
  const id = rolloutId(target.app, target.environment);
  const handle = link.temporal.workflow.getHandle(id);
  const sight = new Sight(link, target);
  const [foreign] = await Promise.all([sight.stranger(), mustAgree(link)]);
  if (foreign !== null) throw new SluiceError('SLUICE_NO_ROLLOUT', foreign);
  const named = await stageOf(sight, said, args);
  const token = await verbToken(link, target, sight, said, named);
  const message = token === null ? named : { ...named, token };
  // The same update however often it is asked for, so that it is done once.
  const updateId = randomUUID();
  const ask = (until: number) =>
    link.temporal.withDeadline(until, () => handle.executeUpdate(verbUpdate(said), { args: [message], updateId }));
  try {
    const answer = await patiently(ask, Date.now() + ANSWER_WITHIN);
    return named.stage === undefined ? answer : { ...answer, stage: named.stage };
  } catch (error) {
    const refusal = await refusalOf(link, target, said, error);
    if (refusal !== null) throw refusal;
    if (said !== 'abort') throw await unanswered(link, `${said} of ${id}`, error);
    return leftAbort(link, target, message, ask, error);
  }
}

/** A decision names its stage: the one that is waiting, unless it names one. Errors: SLUICE_VERB when none is. */
async function stageOf(sight: Sight, said: MessageVerb, args: Decision & VerbArgs): Promise<Decision & VerbArgs> {
  if ((said !== 'approve' && said !== 'reject') || args.stage !== undefined) return args;
  const { stage } = await sight.gate(said, undefined);
  return { ...args, stage };
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

/** Why there is nothing to leave behind: it was refused, or there is nobody to say it to. Null: nobody has answered. */
async function refusalOf(
  link: Link,
  target: AppEnvironment,
  said: MessageVerb,
  error: unknown,
): Promise<SluiceError | null> {
  // It has answered, under a key that is not here.
  if (error instanceof SluiceError) return error;
  if (error instanceof WorkflowNotFoundError) return nothingRuns(link, target, said);
  if (error instanceof WorkflowUpdateFailedError) {
    const { code, message } = failureOf(error);
    return new SluiceError(code ?? 'SLUICE_VERB', message);
  }
  const found = toSluiceError(error, link.address);
  return found.code === 'SLUICE_PERMISSION' || found.code === 'SLUICE_SETUP' ? found : null;
}

/** What became of a verb that nobody has answered. */
async function unanswered(link: Link, what: string, error: unknown): Promise<SluiceError> {
  if (isFailing(error)) return failing(`${what} was not answered`);
  if (isLate(error)) return noAnswer(link, `${what} was not answered; it may still take effect`);
  if (!isCrowded(error)) return toSluiceError(error, link.address);
  return new SluiceError('SLUICE_TEMPORAL', `${what}: the run reached its limit of messages; send it again`);
}

/**
 * Leaves an abort as a signal, which the server keeps for whoever comes back, whatever state the run's tasks are in. It
 * refuses that only where a run has had its 10,000 signals; in such a flood the update is asked for on, in turn with the
 * signal, until the rollout continues as a new run.
 */
async function leftAbort(
  link: Link,
  target: AppEnvironment,
  message: Decision & VerbArgs,
  ask: (until: number) => Promise<VerbAnswer>,
  why: unknown,
): Promise<VerbAnswer> {
  const id = rolloutId(target.app, target.environment);
  const handle = link.temporal.workflow.getHandle(id);
  const end = Date.now() + PATIENCE;
  for (;;) {
    const unsent = await handle.signal(verbSignal('abort'), message).then(
      () => null,
      (error: unknown) => ({ error }),
    );
    if (unsent === null) throw await left(link, id, why);
    const refusal = await refusalOf(link, target, 'abort', unsent.error);
    if (refusal !== null) throw refusal;
    if (isAway(unsent.error) || Date.now() >= end) {
      const { message: because } = toSluiceError(unsent.error, link.address);
      throw new SluiceError(
        isAway(unsent.error) ? 'SLUICE_UNREACHABLE' : 'SLUICE_TEMPORAL',
        `abort of ${id} was neither answered nor delivered as a signal; send it again (${because})`,
      );
    }
    try {
      return await ask(Date.now() + ANSWER_WITHIN);
    } catch (error) {
      const no = await refusalOf(link, target, 'abort', error);
      if (no !== null) throw no;
    }
    await pause(AGAIN);
  }
}

/** The signal is there; `why` it had to be one. */
async function left(link: Link, id: string, why: unknown): Promise<SluiceError> {
  const what = `abort of ${id} was delivered as a signal`;
  if (isFailing(why)) return failing(`${what} and takes effect as soon as the rollout can continue`);
  if (isLate(why)) return noAnswer(link, `${what} and takes effect once a worker is available`);
  return new SluiceError(
    'SLUICE_TEMPORAL',
    `${what}, after earlier messages; check the result with \`sluice get ${id}\``,
  );
}

async function nothingRuns(link: Link, target: AppEnvironment, said: MessageVerb): Promise<SluiceError> {
  const { view } = await look(link, target);
  const id = rolloutId(target.app, target.environment);
  const outcome = view?.outcome ?? 'done';
  const way = said === 'abort' && outcome === 'succeeded' ? `; roll it back with \`sluice undo ${id}\`` : '';
  return new SluiceError(
    'SLUICE_VERB',
    `${said} came too late: the last rollout of ${id} has ended (${outcome})${way}`,
  );
}
