/** What `sluice doctor` asks the server. */

import { codecOf } from '../codec/index.js';
import { SluiceError } from '../model/errors.js';
import { otherPolicies } from '../model/identity.js';
import type { Account } from '../model/ids.js';
import { accountQueue, TASK_QUEUE } from '../model/ids.js';
import { failureOf } from '../model/rollout/failure.js';
import { livingIdentities, livingWorkers, type QueueType } from '../temporal/living-workers.js';
import { SEARCH_ATTRIBUTES } from '../temporal/search-attributes.js';
import { disagreement, identityOf } from './agreement.js';
import type { ConnectOptions, Link } from './connect.js';
import { addressOf, connectLink } from './connect.js';
import type { Diagnosis } from './types.js';

const ANSWER_WITHIN = 5_000;

/** Connects, looks, disconnects. An unreachable server is an answer, not an error. Errors: SLUICE_SETUP for settings that cannot be read. */
export async function diagnoseFrom(options: ConnectOptions, accounts: Account[]): Promise<Diagnosis> {
  const { address, namespace } = addressOf(options);
  const encryptionKeys = codecOf(options.env ?? process.env).keyIds;
  let link: Link;
  try {
    link = await connectLink(options);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return blank({ address, namespace, encryptionKeys }, error.message, accounts);
  }
  try {
    return { ...(await diagnose(link, accounts)), encryptionKeys };
  } finally {
    await link.close();
  }
}

async function diagnose(link: Link, accounts: Account[]): Promise<Omit<Diagnosis, 'encryptionKeys'>> {
  const { address, namespace, temporal } = link;
  const { workflowService, operatorService } = temporal.connection;
  const within = <T>(work: () => Promise<T>, otherwise: T): Promise<T> =>
    temporal.withDeadline(Date.now() + ANSWER_WITHIN, work).catch(() => otherwise);
  const living = (queue: string, type: QueueType): Promise<number | null> =>
    livingWorkers(temporal, queue, type).then(
      ({ workers }) => workers,
      () => null,
    );
  const [exists, attributes, workers, served] = await Promise.all([
    within(() => workflowService.describeNamespace({ namespace }).then(() => true), false),
    within<string[] | null>(async () => {
      const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
      return Object.keys(SEARCH_ATTRIBUTES).filter((name) => customAttributes?.[name] === undefined);
    }, null),
    living(TASK_QUEUE, 'workflow'),
    Promise.all(
      accounts.map(async (account) => ({
        account,
        calls: await living(accountQueue(account, 'calls'), 'activity'),
        watch: await living(accountQueue(account, 'watch'), 'activity'),
        restore: await living(accountQueue(account, 'restore'), 'activity'),
      })),
    ),
  ]);
  const { policy, keysDiffer } = workers === 0 ? { policy: null, keysDiffer: null } : await askedOf(link);
  const identities = await within(() => livingIdentities(temporal, TASK_QUEUE, 'workflow'), []);
  return {
    address,
    namespace,
    unreachable: null,
    namespaceExists: exists,
    missingSearchAttributes: attributes,
    workers,
    policy,
    otherPolicies: policy === null ? [] : otherPolicies(identities, policy.digest),
    keysDiffer,
    accounts: served,
  };
}

/** Asks a worker. Null for whoever may only read, and when none answers in time. */
async function askedOf(link: Link): Promise<Pick<Diagnosis, 'policy' | 'keysDiffer'>> {
  try {
    const worker = await identityOf(link);
    if (worker === null) return { policy: null, keysDiffer: null };
    return {
      policy: { digest: worker.policy },
      keysDiffer: disagreement(link.codec.keyPrints, worker.codecKeys),
    };
  } catch (error) {
    return { policy: null, keysDiffer: failureOf(error).message };
  }
}

function blank(
  known: Pick<Diagnosis, 'address' | 'namespace' | 'encryptionKeys'>,
  why: string,
  accounts: Account[],
): Diagnosis {
  return {
    ...known,
    unreachable: why,
    namespaceExists: false,
    missingSearchAttributes: null,
    workers: null,
    policy: null,
    otherPolicies: [],
    keysDiffer: null,
    accounts: accounts.map((account) => ({ account, calls: null, watch: null, restore: null })),
  };
}
