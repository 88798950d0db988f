/**
 * The names by which a rollout, its target's companion and its task queues are found.
 * Built here only, so that a lock is never missed because of a spelling.
 */

import { DEFAULT_PLATFORM } from './target.js';

/** Workflows and core activities. */
export const TASK_QUEUE = 'sluice';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** Whether `name` may be an app's or an environment's name: letters, digits, `.`, `_`, `-`; 63 at most. */
export function isName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name);
}

/** The workflow id of a rollout, which is also the lock on its target: `<app>/<environment>`. */
export function rolloutId(app: string, environment: string): string {
  return `${app}/${environment}`;
}

/** The workflow id of a target's companion. */
export function companionId(app: string, environment: string): string {
  return `companion/${app}/${environment}`;
}

/** The workflow id under which the callers of a target are moved: while it runs no rollout of the target begins. */
export function movingId(app: string, environment: string): string {
  return `moving/${app}/${environment}`;
}

/** Splits a rollout's workflow id. Null when it is not one. */
export function parseRolloutId(id: string): { app: string; environment: string } | null {
  const [app, environment, ...rest] = id.split('/');
  return rest.length === 0 && isName(app) && isName(environment) && app !== 'companion' ? { app, environment } : null;
}

/** The account of a target that names none. */
export const DEFAULT_ACCOUNT = 'default';

/** Where a target's cloud calls run: an account and a region of a platform. */
export interface Account {
  platform: string;
  account: string;
  region: string;
}

/** The lanes of an account. A watcher holds its slot for hours and restoring waits for nobody, so each has workers' slots of its own. */
export type Lane = 'calls' | 'watch' | 'restore';

/** The task queue of one lane of an account, `sluice-<platform>-<account>-<region>` with `-watch` or `-restore` behind it. */
export function accountQueue(account: Account, lane: Lane): string {
  const base = `sluice-${account.platform}-${account.account}-${account.region}`;
  return lane === 'calls' ? base : `${base}-${lane}`;
}

/** The command that starts a worker for an account. */
export function workerCommand({ platform, account, region }: Account): string {
  const on = platform === DEFAULT_PLATFORM ? '' : `--platform ${platform} `;
  return `sluice worker ${on}--account ${account} --region ${region}`;
}

/**
 * The mark a write leaves at the target: who wrote it, in which run, by which step. `policed`: written under a policy, so that
 * a worker without one writes nothing there.
 */
export function mark(app: string, environment: string, run: string, step: string, policed = false): string {
  return `sluice${policed ? '+policy' : ''}:${app}/${environment}:${run}:${step}`;
}

/** Reads a mark back, wherever it is in `text`. Null if there is none. */
export function parseMark(
  text: string | undefined,
): { app: string; environment: string; run: string; step: string; policed: boolean } | null {
  const found = /sluice(\+policy)?:([^/\s:]+)\/([^:\s]+):([^:\s]+):(\S+)/.exec(text ?? '');
  if (found === null) return null;
  const [, policed, app, environment, run, step] = found as unknown as [string, string | undefined, ...Quad];
  return { app, environment, run, step, policed: policed !== undefined };
}

type Quad = [string, string, string, string];

/** A run's id in short: its end, since the ids of one minute may begin alike. */
export function shortRun(run: string): string {
  return run.slice(-8);
}
