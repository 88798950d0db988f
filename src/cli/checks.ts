/** What `doctor` says of a diagnosis. Pure. */

import type { Diagnosis } from '../client/types.js';
import { workerCommand } from '../model/ids.js';
import { NO_POLICY } from '../model/rollout/words.js';
import { clean } from '../model/text.js';

export interface Check {
  name: string;
  state: 'ok' | 'warn' | 'fail';
  says: string;
  /** What to do. Null where nothing is to be done. */
  cure: string | null;
}

/** The oldest Node this runs on. */
const OLDEST_NODE = [20, 19] as const;

export function checksOf(node: string, seen: Diagnosis): Check[] {
  const checks = [nodeCheck(node), serverCheck(seen)];
  if (seen.unreachable !== null) return checks;
  checks.push(namespaceCheck(seen));
  if (!seen.namespaceExists) return checks;
  return [
    ...checks,
    attributesCheck(seen),
    encryptionCheck(seen),
    workerCheck(seen),
    ...(seen.workers === 0 ? [] : [policyCheck(seen)]),
    ...(seen.otherPolicies.length > 0 ? [otherPoliciesCheck(seen)] : []),
    ...seen.accounts.map(accountCheck),
  ];
}

function nodeCheck(node: string): Check {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const [least, leastMinor] = OLDEST_NODE;
  const ok = major > least || (major === least && minor >= leastMinor);
  return {
    name: 'node',
    state: ok ? 'ok' : 'fail',
    says: node,
    cure: ok ? null : `install Node ${least}.${leastMinor} or newer`,
  };
}

function serverCheck({ address, unreachable }: Diagnosis): Check {
  if (unreachable === null) return { name: 'temporal', state: 'ok', says: `answers at ${address}`, cure: null };
  // The message says what to do.
  return { name: 'temporal', state: 'fail', says: unreachable, cure: null };
}

function namespaceCheck({ namespace, namespaceExists }: Diagnosis): Check {
  return {
    name: 'namespace',
    state: namespaceExists ? 'ok' : 'fail',
    says: namespaceExists ? namespace : `${namespace} is not there, or you may not see it`,
    cure: namespaceExists
      ? null
      : `set TEMPORAL_NAMESPACE, or create it: temporal operator namespace create --namespace ${namespace}`,
  };
}

function attributesCheck({ missingSearchAttributes: missing }: Diagnosis): Check {
  const name = 'search attributes';
  if (missing === null) {
    return { name, state: 'warn', says: 'the server does not tell which there are', cure: null };
  }
  if (missing.length === 0) return { name, state: 'ok', says: 'all there', cure: null };
  return {
    name,
    state: 'warn',
    says: `missing: ${missing.join(', ')}`,
    cure: 'a worker registers them when it starts and may; else create them with `temporal operator search-attribute create`, or run workers with SLUICE_SEARCH_ATTRIBUTES=off',
  };
}

/** Of this client, and whether the worker that answered has its keys. */
function encryptionCheck({ encryptionKeys: [first, ...others], keysDiffer }: Diagnosis): Check {
  if (keysDiffer !== null) return { name: 'encryption', state: 'fail', says: keysDiffer, cure: null };
  const also = others.length === 0 ? '' : `; reads ${others.join(', ')} too`;
  return {
    name: 'encryption',
    state: 'ok',
    says: first === undefined ? 'off here (no SLUICE_CODEC_KEYS)' : `on here, under key ${first}${also}`,
    cure: null,
  };
}

function workerCheck({ workers }: Diagnosis): Check {
  const name = 'worker';
  if (workers === null) {
    return { name, state: 'warn', says: 'the server does not say whether one lives on task queue sluice', cure: null };
  }
  return {
    name,
    state: workers > 0 ? 'ok' : 'fail',
    says: workers > 0 ? `${workers} on task queue sluice` : 'none lives on task queue sluice',
    cure: workers > 0 ? null : 'run `sluice worker`, or `sluice up` on your own machine',
  };
}

/** Of the worker that answered: each reads a policy of its own. */
function policyCheck({ policy }: Diagnosis): Check {
  const name = 'policy';
  if (policy === null) return { name, state: 'warn', says: 'no worker has told which', cure: null };
  if (policy.digest !== null) return { name, state: 'ok', says: `digest ${policy.digest.slice(0, 12)}`, cure: null };
  return {
    name,
    state: 'warn',
    says: NO_POLICY,
    cure: 'right for a try on your own machine; else set SLUICE_POLICY and SLUICE_GRANT_KEY on every worker',
  };
}

/** A list of workers only warns: one that is gone may still stand in it. */
function otherPoliciesCheck({ otherPolicies }: Diagnosis): Check {
  const each = otherPolicies.map(({ policy, worker }) => `${policy} (worker ${clean(worker, 120)})`);
  return {
    name: 'one policy',
    state: 'warn',
    says: `workers go by different ones: also ${each.join(', ')}`,
    cure: 'give every worker of the namespace the same SLUICE_POLICY; what one refuses another may let through',
  };
}

function accountCheck({ account, ...lanes }: Diagnosis['accounts'][number]): Check {
  const name = `account ${account.account}`;
  const of = (many: number | null) =>
    Object.entries(lanes)
      .filter(([, workers]) => workers === many)
      .map(([lane]) => lane);
  const [lacking, unknown] = [of(0), of(null)];
  if (lacking.length > 0) {
    return {
      name,
      state: 'fail',
      says: `no worker serves it in ${account.region} (${lacking.join(', ')})`,
      cure: `run \`${workerCommand(account)}\` with its credentials`,
    };
  }
  if (unknown.length === 0) return { name, state: 'ok', says: `served in ${account.region}`, cure: null };
  return {
    name,
    state: 'warn',
    says: `the server does not say whether a worker serves it in ${account.region} (${unknown.join(', ')})`,
    cure: null,
  };
}
