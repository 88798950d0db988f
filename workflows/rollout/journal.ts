/** Records what happens, for the view, the Temporal UI and the list: phases, stages, events, refusals. */
import { defineSearchAttributeKey } from '@temporalio/common';
import { setCurrentDetails, upsertMemo, upsertSearchAttributes } from '@temporalio/workflow';
import type { ErrorCode } from '../../src/model/errors.js';
import { SEARCH_ATTRIBUTES, stepLine } from '../../src/model/rollout/words.js';
import { DEFAULT_PLATFORM } from '../../src/model/target.js';
import { clean } from '../../src/model/text.js';
import type { RolloutView, StageView } from '../../src/model/view.js';
import type { Outcome, Phase } from '../../src/model/words.js';
import type { Stage, Step } from '../../src/strategies/types.js';
import { details } from './show/details.js';
import { viewOf } from './show/view.js';
import type { RolloutState } from './state.js';
import { KEPT } from './state.js';

const KEYS = {
  app: defineSearchAttributeKey(...SEARCH_ATTRIBUTES.app),
  environment: defineSearchAttributeKey(...SEARCH_ATTRIBUTES.environment),
  strategy: defineSearchAttributeKey(...SEARCH_ATTRIBUTES.strategy),
  phase: defineSearchAttributeKey(...SEARCH_ATTRIBUTES.phase),
  outcome: defineSearchAttributeKey(...SEARCH_ATTRIBUTES.outcome),
  platform: defineSearchAttributeKey(...SEARCH_ATTRIBUTES.platform),
  weight: defineSearchAttributeKey(...SEARCH_ATTRIBUTES.weight),
} as const;

export class Journal {
  private listed = '';
  private publishing = false;

  constructor(private readonly state: RolloutState) {}

  view(): RolloutView {
    return viewOf(this.state);
  }

  /** Shows the state in the UI, and in the list if it changed. */
  publish(): void {
    const { state } = this;
    setCurrentDetails(details(this.view()));
    if (!state.searchAttributes) return;
    const now = [state.phase, state.outcome, state.weight].join();
    if (now === this.listed) return;
    const first = this.listed === '';
    this.listed = now;
    upsertSearchAttributes([
      ...(first
        ? [
            { key: KEYS.app, value: state.app },
            { key: KEYS.environment, value: state.environment },
            { key: KEYS.strategy, value: state.type as string },
            { key: KEYS.platform, value: (state.spec?.target.platform ?? DEFAULT_PLATFORM) as string },
          ]
        : []),
      { key: KEYS.phase, value: state.phase as string },
      { key: KEYS.weight, value: state.weight },
      ...(state.outcome === null ? [] : [{ key: KEYS.outcome, value: state.outcome as string }]),
    ]);
  }

  enter(phase: Phase, reason: string | null = null, code: ErrorCode | null = null): void {
    const { state } = this;
    if (state.phase === phase && state.reason === reason) return;
    if (state.phase !== phase) state.phaseSince = Date.now();
    state.phase = phase;
    state.reason = reason;
    state.code = code;
    if (reason !== null && phase !== 'awaitingApproval') this.event(`${phase}: ${reason}`);
    this.publish();
  }

  /** The deadline of the current wait. */
  deadline(until: number): void {
    const stage = this.stage();
    if (stage !== undefined) stage.until = until;
    this.publish();
  }

  event(text: string, by?: string): void {
    const { state } = this;
    state.events = [
      ...state.events,
      { at: Date.now(), text: clean(text, 400), ...(by === undefined ? {} : { by: clean(by, 60) }) },
    ].slice(-KEPT);
    state.eventsTotal += 1;
  }

  refusal(verb: string, by: string, why: string): void {
    const { state } = this;
    state.refusals = [
      ...state.refusals,
      { at: Date.now(), verb: clean(verb, 40), by: clean(by, 60), why: clean(why, 300) },
    ].slice(-KEPT);
    state.refusalsTotal += 1;
    this.publishSoon();
  }

  /** Publishes once for everything that one task brings: thousands of refusals are one change. */
  private publishSoon(): void {
    if (this.publishing) return;
    this.publishing = true;
    void Promise.resolve().then(() => {
      this.publishing = false;
      this.publish();
    });
  }

  stepBegins(stage: Stage, step: Step): void {
    const view = this.stage();
    if (view === undefined) return;
    if (view.state === 'waiting') {
      view.state = 'running';
      view.startedAt = Date.now();
    }
    view.current = stepLine(step, stage.name, (this.state.prepared?.before.bypass ?? []).length > 0);
    view.until = null;
    this.publish();
  }

  stageEnds(stage: Stage): void {
    const view = this.state.stages.find((each) => each.name === stage.name);
    if (view === undefined) return;
    view.state = 'passed';
    view.endedAt = Date.now();
    view.current = null;
    view.until = null;
    this.publish();
  }

  /** The stage runs again from a step on; the steps after it are still to come. */
  stageGoesBack(): void {
    const { state } = this;
    const at = state.cursor.stage;
    state.stages = state.stages.map((view, i) => {
      if (i < at) return view;
      const again = { ...view, endedAt: null, current: null, until: null };
      return i === at ? { ...again, state: 'running' } : { ...again, state: 'waiting', startedAt: null };
    });
    this.publish();
  }

  failStage(): void {
    const view = this.stage();
    if (view === undefined || view.state !== 'running') return;
    view.state = this.state.leave?.outcome === 'nothingToRelease' ? 'passed' : 'failed';
    view.endedAt = Date.now();
    view.until = null;
    for (const later of this.state.stages) if (later.state === 'waiting') later.state = 'skipped';
  }

  end(outcome: Outcome, reason: string, code: ErrorCode | null): void {
    const { state } = this;
    state.outcome = outcome;
    state.reason = reason;
    state.code = code;
    state.phase = 'done';
    state.phaseSince = Date.now();
    state.endedAt = Date.now();
    this.event(`${outcome}: ${reason}`);
    this.publish();
  }

  /** The closed run's view, for when no worker can be queried. A run that closes with a result has its series there. */
  remember(hasResult: boolean): void {
    const { series, ...view } = this.view();
    upsertMemo({ view: { ...view, series: [] }, ...(hasResult ? {} : { series }) });
  }

  private stage(): StageView | undefined {
    return this.state.stages[this.state.cursor.stage];
  }
}
