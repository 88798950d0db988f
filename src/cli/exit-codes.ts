/** The exit codes of `sluice`, for scripts: one number for each way to end. docs/cli.md is generated from this table. */
import type { ErrorCode } from '../model/errors.js';
import type { RolloutView } from '../model/view.js';
import type { Outcome } from '../model/words.js';

export const EXIT = {
  succeeded: {
    code: 0,
    means: 'Success: the rollout succeeded, there was nothing to release, or the awaited state was reached.',
  },
  error: {
    code: 1,
    means: 'Any other error; the message contains its code. Also if you answer no to `adopt --move-callers`.',
  },
  usage: { code: 2, means: 'Invalid input: the command line, the spec, or a file that already exists.' },
  rolledBack: { code: 3, means: 'The rollout was rolled back.' },
  rejected: { code: 4, means: 'Someone rejected the rollout.' },
  timedOut: { code: 5, means: 'Timed out (`--timeout`); the rollout is still running.' },
  unreachable: { code: 6, means: 'The Temporal server cannot be reached.' },
  verbRefused: { code: 7, means: 'The command is not possible in the current state of the rollout.' },
  superseded: {
    code: 8,
    means: 'A newer release replaced this rollout, or the release lost its place in the queue and never started.',
  },
  stuck: { code: 9, means: 'The rollout is stuck and needs someone to decide.' },
  alreadyRunning: { code: 10, means: 'Another rollout of this target is running.' },
  refused: {
    code: 11,
    means: 'Refused by the target or its provider, or the workflow was closed from outside; the message says which.',
  },
  noRollout: { code: 12, means: 'No such rollout.' },
  setup: {
    code: 13,
    means: 'The setup is incomplete: a worker, credentials or a setting is missing. `sluice doctor` finds out.',
  },
  endedBefore: { code: 14, means: '`status --until`: the rollout succeeded without reaching that state.' },
  notAllowed: { code: 15, means: 'The policy does not allow it, or you could not be identified.' },
  abandoned: { code: 16, means: 'Someone else changed the target, and the rollout was ended keeping that change.' },
  needsPerson: { code: 17, means: '`start --until`: the rollout needs someone to decide; it is still running.' },
  held: { code: 18, means: 'The target is held after an undo; no rollout can start until `sluice unhold`.' },
  interrupted: { code: 130, means: 'Interrupted (Ctrl-C); the rollout is still running.' },
} as const;

/** By the code of an error. */
export function exitOfError(code: ErrorCode): number {
  switch (code) {
    case 'SLUICE_SPEC':
    case 'SLUICE_USAGE':
    case 'SLUICE_WORKFLOW_ID':
      return EXIT.usage.code;
    case 'SLUICE_UNREACHABLE':
      return EXIT.unreachable.code;
    case 'SLUICE_VERB':
      return EXIT.verbRefused.code;
    case 'SLUICE_ACCESS':
      return EXIT.notAllowed.code;
    case 'SLUICE_ALREADY_RUNNING':
      return EXIT.alreadyRunning.code;
    case 'SLUICE_HELD':
      return EXIT.held.code;
    case 'SLUICE_SUPERSEDED':
      return EXIT.superseded.code;
    case 'SLUICE_NO_ROLLOUT':
      return EXIT.noRollout.code;
    case 'SLUICE_NO_WORKER':
    case 'SLUICE_WORKERS_BUSY':
    case 'SLUICE_SETUP':
    case 'SLUICE_SEALED':
    case 'SLUICE_CREDENTIALS':
      return EXIT.setup.code;
    case 'SLUICE_ALIAS_SPLIT':
    case 'SLUICE_OWNED':
    case 'SLUICE_TARGET':
    case 'SLUICE_BYPASS':
    case 'SLUICE_NOT_FOUND':
    case 'SLUICE_PERMISSION':
    case 'SLUICE_REFUSED':
    case 'SLUICE_FOREIGN_CHANGE':
    case 'SLUICE_ARTIFACT':
    case 'SLUICE_SECRET':
    case 'SLUICE_ADDRESS':
      return EXIT.refused.code;
    default:
      return EXIT.error.code;
  }
}

const BY_OUTCOME: Record<Outcome, number> = {
  succeeded: EXIT.succeeded.code,
  nothingToRelease: EXIT.succeeded.code,
  rolledBack: EXIT.rolledBack.code,
  rejected: EXIT.rejected.code,
  superseded: EXIT.superseded.code,
  abandoned: EXIT.abandoned.code,
  failed: EXIT.refused.code,
};

/** By the state of a rollout: its outcome, stuck, or 0 while it is running. */
export function exitOfView(view: RolloutView): number {
  if (view.outcome === 'failed' && view.code !== null) return exitOfError(view.code);
  if (view.outcome !== null) return BY_OUTCOME[view.outcome];
  return view.phase === 'stuck' ? EXIT.stuck.code : EXIT.succeeded.code;
}
