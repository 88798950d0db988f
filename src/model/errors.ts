/**
 * Every error a person can meet, with its stable code. docs/errors.md is generated from this list.
 * `final` ones are never retried: the same call would give the same answer.
 */
export const ERRORS = {
  SLUICE_SPEC: {
    final: true,
    means: 'The spec (rollout.yaml or the workflow argument) is not valid; the message says where and what.',
  },
  SLUICE_WORKFLOW_ID: {
    final: true,
    means: 'The workflow id is not <app>/<environment>. The id is the lock on the target, so no other one is accepted.',
  },
  SLUICE_ACCESS: {
    final: true,
    means:
      "The worker's policy does not allow it, or the proof of who is asking is missing, wrong, expired or already used; the message says which.",
  },
  SLUICE_SEALED: {
    final: true,
    means:
      'A start or a message cannot be decrypted: the worker does not have its key, or it was changed. Nothing was done; the message names the key.',
  },
  SLUICE_ALREADY_RUNNING: {
    final: true,
    means: 'A rollout of this target is running. Wait, abort it, or start with onNewRelease queue or replace.',
  },
  SLUICE_HELD: {
    final: true,
    means:
      'The target is held: someone started `undo --hold`, and no rollout can start until `sluice unhold`. Nothing was changed.',
  },
  SLUICE_SUPERSEDED: {
    final: true,
    means: 'The release waited in the queue, and a newer one took its place before it started. Nothing was changed.',
  },
  SLUICE_ALIAS_SPLIT: {
    final: true,
    means: 'Someone else has split the target between two releases. The message names the command that ends the split.',
  },
  SLUICE_OWNED: { final: true, means: 'The target carries the mark of another app or environment.' },
  SLUICE_FOREIGN_CHANGE: {
    final: true,
    means:
      'Someone else changed the target during the rollout. Nothing is written until someone runs `abort --force` or `retry --adopt`; `abort --keep` leaves the change and ends the rollout.',
  },
  SLUICE_TARGET: { final: true, means: 'This rollout is not possible on this target; `plan` names each reason.' },
  SLUICE_BYPASS: {
    final: true,
    means:
      'Callers reach the function by its bare name and would get the release as soon as it is deployed, at 0 %. The message lists each with the command that moves it; `allowBypass` lets it through.',
  },
  SLUICE_NOT_FOUND: {
    final: true,
    means: 'The function, version, image, bucket or file that the spec names does not exist.',
  },
  SLUICE_PERMISSION: {
    final: true,
    means: 'The provider refused the call for lack of a permission; the message names the action.',
  },
  SLUICE_CREDENTIALS: {
    final: true,
    means: 'The worker has no valid credentials for the account: none, wrong, or expired.',
  },
  SLUICE_REFUSED: {
    final: true,
    means: "The provider refused the request as invalid; the message is the provider's own.",
  },
  SLUICE_BUSY: {
    final: false,
    means: 'The provider is throttling, or another operation on the target is in progress. Retried with back-off.',
  },
  SLUICE_PROVIDER: { final: false, means: 'The provider failed, or could not be reached. Retried with back-off.' },
  SLUICE_SECRET: {
    final: true,
    means:
      'A secret that the spec refers to does not exist, has no such version or key, or the policy does not allow its use here; the message names the reference.',
  },
  SLUICE_ADDRESS: {
    final: true,
    means:
      'A probe, metric or webhook would reach an address that no spec may reach (loopback, link-local, metadata); the message names it.',
  },
  SLUICE_ARTIFACT: {
    final: true,
    means: 'The code cannot be packed, or the artifact is not in the store, too large, or not what its sha256 says.',
  },
  SLUICE_ROLLED_BACK: {
    final: true,
    means:
      'The rollout was rolled back, so its workflow closed as Failed; the message says why. Traffic is where it was before.',
  },
  SLUICE_PROBE: { final: true, means: 'A probe failed: the release did not answer as the spec expects.' },
  SLUICE_NO_WORKER: {
    final: true,
    means: 'No worker is running that serves task queue sluice, or the account and region of the target.',
  },
  SLUICE_WORKERS_BUSY: {
    final: true,
    means:
      'Workers are running, but none of them took the task in time; the message says how many task slots they have.',
  },
  SLUICE_DEADLINE: {
    final: true,
    means:
      'A step missed its deadline, or the worker that ran it stopped responding. `deadlines` in the spec sets the deadlines.',
  },
  SLUICE_VERB: {
    final: true,
    means: 'The command is not possible now, or its payload is malformed; the message says what is possible.',
  },
  SLUICE_NO_ROLLOUT: {
    final: true,
    means: 'There is no such rollout: none was ever started on this target, or the server has deleted it.',
  },
  SLUICE_USAGE: { final: true, means: 'The command line is not valid; the message says what was expected.' },
  SLUICE_UNREACHABLE: { final: true, means: 'The Temporal server cannot be reached.' },
  SLUICE_TEMPORAL: {
    final: false,
    means: 'The Temporal server answered with an error, which the message quotes. Try again.',
  },
  SLUICE_SETUP: {
    final: true,
    means: 'Something this machine or namespace needs is missing; the message says what to do.',
  },
} as const;

/** A stable error code. */
export type ErrorCode = keyof typeof ERRORS;

/** An error of Sluice's own: a code, and a message that says what happened, to what, and what to do next. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    /** The provider's hint how long to wait before the next try, in milliseconds. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }
}
