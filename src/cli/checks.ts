/** The checks of `sluice doctor`, from what was found out. Pure. */

import type { Diagnosis } from '../client/types.js';
import { workerCommand } from '../model/ids.js';
import { NO_POLICY } from '../model/rollout/words.js';
import { clean } from '../model/text.js';

export interface Check {
  name: string;
  state: 'ok' | 'warn' | 'fail';
  message: string;
  /** What to do. Null where nothing is to be done. */
  fix: string | null;
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
    message: node,
    fix: ok ? null : `install Node ${least}.${leastMinor} or newer`,
  };
}

function serverCheck({ address, unreachable }: Diagnosis): Check {
  if (unreachable === null) return { name: 'temporal', state: 'ok', message: `answers at ${address}`, fix: null };
  // The message says what to do.
  return { name: 'temporal', state: 'fail', message: unreachable, fix: null };
}

function namespaceCheck({ namespace, namespaceExists }: Diagnosis): Check {
  return {
    name: 'namespace',
    state: namespaceExists ? 'ok' : 'fail',
    message: namespaceExists ? namespace : `${namespace} does not exist, or you may not see it`,
    fix: namespaceExists
      ? null
      : `set TEMPORAL_NAMESPACE, or create it: temporal operator namespace create --namespace ${namespace}`,
  };
}

function attributesCheck({ missingSearchAttributes: missing }: Diagnosis): Check {
  const name = 'search attributes';
  if (missing === null) {
    return { name, state: 'warn', message: 'the server does not list them', fix: null };
  }
  if (missing.length === 0) return { name, state: 'ok', message: 'all present', fix: null };
  return {
    name,
    state: 'warn',
    message: `missing: ${missing.join(', ')}`,
    fix: 'a worker registers them at its start if it is allowed to. Otherwise create them with `temporal operator search-attribute create`, or run workers with SLUICE_SEARCH_ATTRIBUTES=off',
  };
}

/** Whether this client encrypts, and whether the worker that answered has its keys. */
function encryptionCheck({ encryptionKeys: [first, ...others], keysDiffer }: Diagnosis): Check {
  if (keysDiffer !== null) return { name: 'encryption', state: 'fail', message: keysDiffer, fix: null };
  const also = others.length === 0 ? '' : `; also reads ${others.join(', ')}`;
  return {
    name: 'encryption',
    state: 'ok',
    message: first === undefined ? 'off here (no SLUICE_CODEC_KEYS)' : `on here, with key ${first}${also}`,
    fix: null,
  };
}

function workerCheck({ workers }: Diagnosis): Check {
  const name = 'worker';
  if (workers === null) {
    return {
      name,
      state: 'warn',
      message: 'the server does not report whether one runs on task queue sluice',
      fix: null,
    };
  }
  return {
    name,
    state: workers > 0 ? 'ok' : 'fail',
    message: workers > 0 ? `${workers} on task queue sluice` : 'none runs on task queue sluice',
    fix: workers > 0 ? null : 'run `sluice worker`, or `sluice up` on your own machine',
  };
}

/** The policy of the worker that answered; each worker reads its own. */
function policyCheck({ policy }: Diagnosis): Check {
  const name = 'policy';
  if (policy === null) return { name, state: 'warn', message: 'no worker has reported its policy', fix: null };
  if (policy.digest !== null) return { name, state: 'ok', message: `digest ${policy.digest.slice(0, 12)}`, fix: null };
  return {
    name,
    state: 'warn',
    message: NO_POLICY,
    fix: 'fine for trying Sluice on your own machine; otherwise set SLUICE_POLICY and SLUICE_GRANT_KEY on every worker',
  };
}

/** Only a warning: the list may still contain a worker that is gone. */
function otherPoliciesCheck({ otherPolicies }: Diagnosis): Check {
  const each = otherPolicies.map(({ policy, worker }) => `${policy} (worker ${clean(worker, 120)})`);
  return {
    name: 'one policy',
    state: 'warn',
    message: `workers use different policies: also ${each.join(', ')}`,
    fix: 'give every worker of the namespace the same SLUICE_POLICY; otherwise one worker may allow what another refuses',
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
      message: `no worker serves it in ${account.region} (${lacking.join(', ')})`,
      fix: `run \`${workerCommand(account)}\` with its credentials`,
    };
  }
  if (unknown.length === 0) return { name, state: 'ok', message: `served in ${account.region}`, fix: null };
  return {
    name,
    state: 'warn',
    message: `the server does not report whether a worker serves it in ${account.region} (${unknown.join(', ')})`,
    fix: null,
  };
}
