/** Before the first step: the spec parsed, the target read, the plan made. What is refused here has changed nothing. */

import { ApplicationFailure } from '@temporalio/workflow';
import type { Prepared } from '../../activities/types.js';
import { failureOf, isUntaken } from '../../src/model/failures.js';
import { accountOf, light, preparing, whyUntaken } from '../calls.js';
import { AskedAgain, Leaving } from './leave.js';
import type { Rollout } from './rollout.js';
import { stageViews } from './show/view.js';

/** The plan's shape this code executes. */
const KNOWN_PLAN = 1;

export class Preparation {
  constructor(private readonly rollout: Rollout) {}

  async prepare(): Promise<void> {
    const { state, journal } = this.rollout;
    journal.enter('preparing');
    try {
      const { app, environment, type } = state;
      const parsed = await light.parse({ input: this.rollout.input, app, environment, type });
      state.access = parsed.access;
      state.grant = parsed.access.grant;
      state.spec = parsed.spec;
      state.searchAttributes = parsed.searchAttributes;
      state.limits = parsed.limits;
      state.startedBy = parsed.spec.startedBy ?? null;
      state.message = parsed.spec.message ?? null;
      if (parsed.undo !== undefined) state.undo = parsed.undo;
      journal.publish();
    } catch (error) {
      throw this.refused(error);
    }
    this.rollout.herald.sayBegin();
    const prepared = await this.readTarget();
    if (prepared.planSchema !== KNOWN_PLAN) {
      const message = `this worker does not know plan schema ${prepared.planSchema}; update the workers`;
      throw this.refused(ApplicationFailure.nonRetryable(message, 'SLUICE_SETUP'));
    }
    state.prepared = prepared;
    state.grant = prepared.grant;
    state.spec = prepared.spec;
    state.revision = prepared.before.revision;
    state.split = prepared.before.split;
    state.environments = prepared.before.environments;
    state.stages = stageViews(prepared);
    const { unknown = null } = state.undo ?? {};
    if (unknown !== null) this.rollout.look.found(unknown);
    journal.event(
      `plan of ${prepared.plan.stages.length} stages made; ${prepared.before.split.stable ?? 'nothing'} is live`,
    );
  }

  /** `prepare` on the account's queue. Nobody serving the account is said loudly, and it goes on when somebody comes. */
  private async readTarget(): Promise<Prepared> {
    const { state, journal, spec } = this.rollout;
    for (let wait = spec.deadlines.worker; ; wait = Math.min(wait * 2, 3_600_000)) {
      try {
        const prepared = await this.rollout.interruptible(
          () => preparing(spec, wait).prepare({ spec, run: state.run, grant: state.grant }),
          () => this.rollout.wish.retry !== undefined,
        );
        if (state.phase === 'stuck') journal.enter('preparing', 'a worker came');
        return prepared;
      } catch (error) {
        if (error instanceof Leaving) throw error;
        if (error instanceof AskedAgain) {
          delete this.rollout.wish.retry;
          continue;
        }
        if (!isUntaken(error)) throw this.refused(error);
        const { code, message } = await this.rollout.interruptible(() => whyUntaken(accountOf(spec), wait));
        journal.enter('stuck', `${message}. Nothing has been changed`, code);
        void this.rollout.herald.notify('stuck');
      }
    }
  }

  /** A refusal before anything was touched: the only way a rollout closes as Failed. */
  refused(error: unknown): ApplicationFailure {
    const { code, message } = failureOf(error);
    this.rollout.journal.end('failed', message, code);
    return ApplicationFailure.create({ message, type: code ?? 'SLUICE_PROVIDER', nonRetryable: true });
  }
}
