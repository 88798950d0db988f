/** What others see of a companion: in queries, and in the Temporal UI. */
import { setCurrentDetails } from '@temporalio/workflow';
import { heldMessage } from '../../src/model/hold.js';
import { rolloutId } from '../../src/model/ids.js';
import { code } from '../../src/model/text.js';
import type { CompanionView } from '../../src/model/view.js';
import { type Queued, queuedView } from './queue.js';
import type { CompanionState } from './state.js';

/** Every digest in the ledger, the queue and the undo record. One too many keeps a file; one too few loses it. */
export function heldIn(state: CompanionState): string[] {
  return [...new Set(JSON.stringify(state).match(/\b[0-9a-f]{64}\b/g) ?? [])];
}

export function viewOf(state: CompanionState): CompanionView {
  const shown = (waiting: Queued | null) => (waiting === null ? null : queuedView(waiting));
  return {
    app: state.app,
    environment: state.environment,
    releases: state.releases.map(({ seal: _seal, ...entry }) => entry),
    queued: shown(state.queued),
    starting: shown(state.starting),
    settled: state.settled,
    undo: state.undo === null ? null : { version: state.undo.version, until: state.undo.until },
    hold: holdView(state),
    takenBack: state.takenBack,
    running: state.running,
  };
}

function holdView({ hold }: CompanionState): CompanionView['hold'] {
  if (hold === null) return null;
  const { seal: _seal, ...shown } = hold;
  return shown;
}

export function show(state: CompanionState): void {
  const live = state.releases.find((each) => each.until === null);
  const lines = [
    `## ${code(`${state.app}/${state.environment}`)}`,
    '',
    live === undefined
      ? 'Nothing released yet.'
      : `**Live:** release ${code(live.version)} since ${new Date(live.since).toISOString()} by ${code(live.by ?? 'someone')}`,
  ];
  if (state.undo !== null)
    lines.push(
      '',
      `**Undo** rolls back to release ${code(state.undo.version)} until ${new Date(state.undo.until).toISOString()}: ${code(`sluice undo ${state.app}/${state.environment}`)}`,
    );
  if (state.hold !== null)
    lines.push('', `**Held:** ${code(heldMessage(rolloutId(state.app, state.environment), state.hold), 600)}`);
  if (state.takenBack !== null)
    lines.push(
      '',
      `**Removed:** release ${code(state.takenBack.version)} of run ${code(state.takenBack.run)} appeared after that run had been rolled back; it was removed at ${new Date(state.takenBack.at).toISOString()}`,
    );
  if (state.queued !== null)
    lines.push(
      '',
      `**Queued:** a release by ${code(state.queued.by ?? 'someone')} since ${new Date(state.queued.since).toISOString()}`,
    );
  setCurrentDetails(lines.join('\n'));
}
