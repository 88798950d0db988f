/** Before the first step: the spec is parsed, the target read, the plan made. A refusal here has changed nothing. */

import { ApplicationFailure } from '@temporalio/workflow';
import type { Prepared } from '../../activities/types.js';
import { failureOf, isUntaken } from '../../src/model/rollout/failure.js';
import type { RolloutInput } from '../../src/model/spec.js';
import { accountOf, core, preparing, whyUntaken } from '../calls.js';
import type { Parts } from './parts.js';
import { stageViews } from './show/view.js';

/** The plan schema that this code executes. */
const KNOWN_PLAN = 1;

export class Preparation {
  constructor(
    private readonly parts: Parts,
    private readonly input: RolloutInput,
  ) {}

  async prepare(): Promise<void> {
    const { run, announcements, undo } = this.parts;
    const { state, journal } = run;
    journal.enter('preparing');
    try {
      const { app, environment, type } = state;
      const parsed = await core.parse({ input: this.input, app, environment, type });
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
    announcements.began();
    const prepared = await this.readTarget();
    if (prepared === null) return;
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
    if (unknown !== null) undo.warn(unknown);
    journal.event(
      `plan of ${prepared.plan.stages.length} stages made; ${prepared.before.split.stable ?? 'nothing'} is live`,
    );
  }

  /**
   * Runs `prepare` on the account's queue. If no worker serves the account, the rollout says so, and continues when one
   * connects. Null: the rollout ends.
   */
  private async readTarget(): Promise<Prepared | null> {
    const { run, flow, announcements } = this.parts;
    const { state, journal, spec, requests } = run;
    const read = (within: number) => preparing(spec, within).prepare({ spec, run: state.run, grant: state.grant });
    for (let within = spec.deadlines.worker; ; within = Math.min(within * 2, 3_600_000)) {
      try {
        const ended = await flow.call(
          () => read(within),
          () => requests.retry !== undefined,
        );
        if (ended === 'leaving') return null;
        delete requests.retry;
        if (typeof ended === 'string') continue;
        if (state.phase === 'stuck') journal.enter('preparing', 'a worker connected');
        return ended.value;
      } catch (error) {
        if (!isUntaken(error)) throw this.refused(error);
        const why = await flow.call(() => whyUntaken(accountOf(spec), within));
        if (typeof why === 'string') return null;
        journal.enter('stuck', `${why.value.message}. Nothing has been changed`, why.value.code);
        void announcements.notify('stuck');
      }
    }
  }

  /** A refusal before anything was touched, so nothing is restored. */
  refused(error: unknown): ApplicationFailure {
    const { code, message } = failureOf(error);
    this.parts.run.journal.end('failed', message, code);
    return ApplicationFailure.create({ message, type: code ?? 'SLUICE_PROVIDER', nonRetryable: true });
  }
}
