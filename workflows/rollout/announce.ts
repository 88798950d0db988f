/** Tells the target's companion and the webhooks what happened. */

import { log } from '@temporalio/workflow';
import type { NotifyEvent } from '../../activities/types.js';
import { failureOf } from '../../src/model/rollout/failure.js';
import type { RolloutInput } from '../../src/model/spec.js';
import type { KeptView } from '../../src/model/view.js';
import { core } from '../calls.js';
import { looksAfter } from '../companion/late.js';
import type { KeptEntry, LateRecord, UndoBegun } from '../messages.js';
import type { Run } from './run.js';

export class Announcements {
  private told: Promise<void> = Promise.resolve();

  constructor(private readonly run: Run) {}

  began(): void {
    this.told = this.tell('began');
  }

  /** Every end is announced, also a refusal. The companion hears of the end only after it has heard of the start. */
  async ended(): Promise<void> {
    await this.told;
    await Promise.allSettled([this.tell('ended'), this.notify('ended')]);
  }

  private async tell(kind: 'began' | 'ended'): Promise<void> {
    const { state } = this.run;
    const at = Date.now();
    const event =
      kind === 'began'
        ? { kind, run: state.run, strategy: state.type, at, ...this.undoBegun() }
        : {
            kind,
            run: state.run,
            at,
            entry: this.live(at),
            undo: state.outcome === 'succeeded' ? this.undoRecord() : null,
            ...this.late(),
          };
    const { spec, deployed } = state;
    // A rollout with an unknown spec leaves none.
    const leaves = kind === 'ended' && spec !== null && (state.undo?.unknown ?? null) === null;
    await core
      .tellCompanion({
        ...{ app: state.app, environment: state.environment, event, grant: state.grant, deployed },
        ...(leaves ? { spec } : {}),
      })
      .catch((error: unknown) => log.warn('the companion could not be notified', { why: failureOf(error).message }));
  }

  /** What is live now and was not before: the release, or whatever was read if someone else's change is kept. */
  private live(at: number): KeptEntry | null {
    const { kept, outcome } = this.run.state;
    if (outcome === 'succeeded') return this.ledgerEntry(at);
    return kept === null ? null : this.keptEntry(kept, at);
  }

  private keptEntry(kept: KeptView, at: number): KeptEntry | null {
    const { state } = this.run;
    const { before } = this.run.prepared;
    const version = kept.split.stable;
    if (version === null) return null;
    const known = [state.release, before.release].find((release) => release?.version === version);
    return {
      version,
      digest: known?.digest ?? '',
      since: at,
      until: null,
      by: kept.by,
      run: state.run,
      strategy: state.type,
      message: state.reason,
      replaced: before.split.stable,
      undoUntil: null,
      retired: null,
      kept,
      spec: null,
      seal: null,
    };
  }

  /** A target that did not exist before, that a call of ours tried to create, and that was deleted again. */
  private late(): { late?: LateRecord } {
    const { app, environment, run, spec, prepared, attempted, outcome, kept, limits } = this.run.state;
    const back = kept === null && outcome !== 'succeeded' && outcome !== 'failed';
    if (!back || spec === null || prepared === null || attempted.length === 0) return {};
    if (prepared.before.split.stable !== null) return {};
    return { late: { app, environment, run, spec, looks: looksAfter(limits.callLife), seal: null } };
  }

  private undoBegun(): { undo?: UndoBegun } {
    const { undo, startedBy: by, message } = this.run.state;
    if (undo === undefined) return {};
    const { version, hold, keepQueue } = undo;
    return { undo: { by, version, message, hold, keepQueue, seal: null } };
  }

  private ledgerEntry(at: number): KeptEntry {
    const { state } = this.run;
    const release = this.run.release;
    return {
      version: release.version,
      digest: release.digest,
      // It has had all traffic since the last write; the bake came afterwards.
      since: state.weightSince,
      until: null,
      by: state.startedBy,
      run: state.run,
      strategy: state.type,
      message: state.message,
      replaced: this.run.prepared.before.split.stable,
      undoUntil: this.run.prepared.before.split.stable === null ? null : at + this.run.spec.rollbackWindow,
      retired: null,
      // A worker stores the spec and seals its digest.
      spec: null,
      seal: null,
    };
  }

  private undoRecord() {
    const version = this.run.prepared.before.split.stable;
    if (version === null) return null;
    return {
      version,
      window: this.run.spec.rollbackWindow,
      spec: { ...this.run.spec } as unknown as RolloutInput,
    };
  }

  notify(type: NotifyEvent['type']): Promise<void> {
    const { state } = this.run;
    if (state.spec === null || state.spec.notify.length === 0) return Promise.resolve();
    return core
      .notify({ spec: this.run.spec, event: { type, view: this.run.journal.view() }, grant: state.grant })
      .catch((error: unknown) =>
        this.run.journal.event(`a webhook could not be notified: ${failureOf(error).message}`),
      );
  }
}
