/** The verbs: updates, so that a person hears yes or no at once. */
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { verbSignal, verbUpdate } from '../../workflows/messages.js';
import { SluiceError } from '../model/errors.js';
import { rolloutId } from '../model/ids.js';
import type { Decision, VerbAnswer, VerbArgs } from '../model/view.js';
import type { MessageVerb } from '../model/words.js';
import type { Link } from './connect.js';
import { failureOf, isLate, noWorker, toSluiceError } from './errors.js';
import { look } from './look.js';
import { verbProof } from './proof.js';
import type { TargetName } from './types.js';

/** Longest wait for the workflow's answer, in ms. */
const ANSWER_WITHIN = 10_000;

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
  try {
    return await link.temporal.withDeadline(Date.now() + ANSWER_WITHIN, () =>
      handle.executeUpdate(verbUpdate(said), { args: [message] }),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw await nothingRuns(link, target, said);
    if (error instanceof WorkflowUpdateFailedError) {
      const { code, message } = failureOf(error);
      throw new SluiceError(code ?? 'SLUICE_VERB', message);
    }
    if (!isLate(error)) throw toSluiceError(error, link.address);
    if (said !== 'abort') throw noWorker(`${said} of ${id} was not answered, and may or may not be done later`);
    await handle.signal(verbSignal('abort'), message).catch((later: unknown) => {
      throw toSluiceError(later, link.address);
    });
    throw noWorker(`abort of ${id} is left as a signal and will be done once a worker is back`);
  }
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
