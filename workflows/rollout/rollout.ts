/**
 * The durable process of one rollout: prepare, then the walk through the plan (`walk.ts`). If something goes wrong, the walk
 * ends and everything is rolled back (`way-back.ts`). This file puts the parts together.
 */
import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { parseRolloutId } from '../../src/model/ids.js';
import { failureOf } from '../../src/model/rollout/failure.js';
import type { RolloutInput } from '../../src/model/spec.js';
import { clean } from '../../src/model/text.js';
import { saySplit } from '../../src/model/traffic.js';
import type { RolloutView } from '../../src/model/view.js';
import type { RolloutType } from '../../src/model/words.js';
import { core } from '../calls.js';
import { LONGEST_VERB, Unsealing } from '../unsealing.js';
import { Announcements } from './announce.js';
import { Checks } from './checks.js';
import { Flow } from './flow.js';
import { registerHandlers } from './handlers.js';
import { Keep } from './keep.js';
import type { Parts } from './parts.js';
import { Preparation } from './prepare.js';
import { Run } from './run.js';
import type { RolloutState } from './state.js';
import { newState } from './state.js';
import { Undo } from './undo.js';
import { walk } from './walk.js';
import { Watching } from './watching.js';
import { WayBack } from './way-back.js';

/** First and longest wait between two attempts to renew a grant, in ms. */
const FIRST_REST = 5_000;
const LONGEST_REST = 5 * 60_000;

/** What a rollout workflow does: one run of it, through every continue-as-new. */
export async function rollout(type: RolloutType, input: RolloutInput, carried?: RolloutState): Promise<RolloutView> {
  const info = workflowInfo();
  const of = parseRolloutId(info.workflowId);
  if (of === null) {
    throw ApplicationFailure.nonRetryable(
      `workflow id "${clean(info.workflowId)}" is not <app>/<environment>; the id is the lock on the target, start with -w checkout/production`,
      'SLUICE_WORKFLOW_ID',
    );
  }
  // Anyone can start a run with a second argument; only a run that continues another one has a state to continue from.
  const goesOn = info.continuedFromExecutionRunId !== undefined && carried !== undefined;
  const state = goesOn ? carried : newState({ ...of, run: info.firstExecutionRunId, type, now: Date.now() });
  return new Rollout(state, input).run();
}

class Rollout {
  private readonly parts: Parts;
  private readonly checks: Checks;
  private readonly unsealing = new Unsealing({ longest: LONGEST_VERB, patience: 0 });
  private readonly root = CancellationScope.current();

  constructor(
    state: RolloutState,
    private readonly input: RolloutInput,
  ) {
    const run: Run = new Run(state, (): boolean => this.unsealing.idle && this.checks.idle && keep.idle);
    const announcements = new Announcements(run);
    const undo = new Undo(run, announcements);
    const watching = new Watching(run, undo);
    const keep: Keep = new Keep(run);
    this.parts = { run, announcements, undo, watching, keep, flow: new Flow(run, watching) };
    this.checks = new Checks(run, state.grant !== null);
    registerHandlers({ run, undo, keep, checks: this.checks, unsealing: this.unsealing });
  }

  async run(): Promise<RolloutView> {
    // Everything runs shielded: a cancel is a request like any other, and a rollback must run to its end.
    this.root.cancelRequested.catch(() => this.cancel());
    return CancellationScope.nonCancellable(() => this.shielded());
  }

  private async shielded(): Promise<RolloutView> {
    const { parts } = this;
    const { run, announcements, undo } = parts;
    const { state } = run;
    const next = () => this.continueAsNew();
    if (this.checks.renewing) await this.renew();
    try {
      if (state.prepared === null) await new Preparation(parts, this.input).prepare();
      if (state.leave === null) await walk(parts, next);
    } catch (error) {
      if (state.outcome === 'failed') await announcements.ended();
      throw error;
    }
    if (state.leave !== null) await new WayBack(parts, next).goBack();
    else run.journal.end('succeeded', undo.ending(), null);
    return this.close();
  }

  /** A grant is for one run. A run that continues another gets its own; one made by Reset gets none, and does nothing. */
  private async renew(): Promise<void> {
    const { run, announcements } = this.parts;
    const { state, journal } = run;
    for (let rest = FIRST_REST; this.checks.renewing; rest = Math.min(rest * 2, LONGEST_REST)) {
      try {
        const [grant] = await core.renew({ grants: [state.grant ?? ''] });
        state.grant = grant ?? null;
        this.checks.renewed();
      } catch (error) {
        const { message, code } = failureOf(error);
        if (code === 'SLUICE_ACCESS') {
          journal.end('failed', message, code);
          await announcements.ended();
          throw ApplicationFailure.create({ message, type: code, nonRetryable: true });
        }
        // Traffic may be split: a worker that does not answer must not end the run that watches it.
        journal.event(`the grant of this run could not be renewed and will be retried: ${message}`);
        journal.publish();
        await sleep(rest, { summary: 'renew the grant of this run again' });
      }
    }
  }

  private async close(): Promise<RolloutView> {
    const { run, announcements } = this.parts;
    const { state, journal } = run;
    await announcements.ended();
    // The server closes only the canceled run as Canceled, not one that continues it as new.
    const canceled = state.leave?.canceled === true && this.root.consideredCancelled;
    journal.remember(!canceled && state.outcome !== 'rolledBack');
    await condition(allHandlersFinished);
    if (canceled) {
      throw new CancelledFailure(
        state.kept === null
          ? `canceled; all traffic is back on ${state.prepared?.before.split.stable ?? 'what it was on'}`
          : `canceled; someone else's change is kept: ${saySplit(state.kept.split)}`,
      );
    }
    if (state.outcome === 'rolledBack') throw rolledBack(state);
    return journal.view();
  }

  /** Temporal's own Cancel: rolls back, except on a foreign change, which it keeps. */
  private cancel(): void {
    const { run, keep } = this.parts;
    run.state.cancel = 'asked';
    if (keep.possible) return;
    run.leaveWith({ outcome: 'rolledBack', reason: 'canceled through Temporal', code: null, canceled: true });
  }

  /** Returns only if something outranks it: an unhealthy verdict in the last counts, or an end of the rollout. */
  private async continueAsNew(): Promise<void> {
    const { run, watching } = this.parts;
    const { state, length } = run;
    const { leave } = state;
    await watching.stop();
    if (watching.unhealthy !== null && state.leave === null) return;
    await condition(() => (allHandlersFinished() && length.settled) || state.leave !== leave);
    // An abort does not wait for the rest of a flood.
    if (state.leave !== leave) return;
    await continueAsNew<(input: RolloutInput, carried: RolloutState) => Promise<RolloutView>>(this.input, state);
  }
}

/** Temporal's lists must not show a rollback as a green COMPLETED, and a start with a retry policy must not run again. */
function rolledBack({ outcome, reason, run }: RolloutState): ApplicationFailure {
  return ApplicationFailure.create({
    message: reason ?? 'rolled back',
    type: 'SLUICE_ROLLED_BACK',
    nonRetryable: true,
    // The last run of the chain, which is this one, has the view in its memo.
    details: [{ outcome, run, runId: workflowInfo().runId }],
  });
}
