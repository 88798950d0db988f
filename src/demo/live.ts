/** The demo's live view: redrawn in place on a terminal, a line per change elsewhere. */
import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import { clean, duration } from '../model/text.js';
import { unreadTraffic } from '../model/unread-traffic.js';
import type { RolloutView } from '../model/view.js';
import type { VersionCounts } from './traffic.js';

const WIDTH = 30;

export class LiveView {
  private readonly draw = process.stderr.isTTY ? createLogUpdate(process.stderr) : null;
  private said = '';
  private notes: string[] = [];

  constructor(private readonly title: string) {
    if (this.draw === null) process.stderr.write(`\n${title}\n`);
  }

  show(view: RolloutView, counts: Map<string, VersionCounts>): void {
    if (this.draw !== null) {
      this.draw(frame(this.title, view, counts, this.notes, Date.now()).join('\n'));
      return;
    }
    const line = `${view.outcome ?? view.phase} · ${split(view)}`;
    if (line === this.said) return;
    this.said = line;
    process.stderr.write(
      `  ${new Date().toISOString().slice(11, 19)} ${line}${view.reason === null ? '' : ` · ${clean(view.reason, 200)}`}\n`,
    );
  }

  note(text: string): void {
    this.notes.push(text);
    if (this.draw === null) process.stderr.write(`  ${text}\n`);
  }

  end(): void {
    this.draw?.done();
  }
}

function split(view: RolloutView): string {
  const candidate = view.candidate ?? '–';
  if (view.outcome === 'succeeded' || view.weight === 100) return `version ${candidate} 100 %`;
  // Before it is prepared a rollout knows nothing of its target.
  if (view.phase === 'pending' || view.phase === 'preparing') return 'looking at the target';
  const unread = unreadTraffic(view);
  if (unread !== null) return unread;
  if (view.stable === null) {
    return candidate === '–' ? 'nothing is live yet' : `nothing is live yet, candidate ${candidate}`;
  }
  return `stable ${view.stable} ${100 - view.weight} %, candidate ${candidate} ${view.weight} %`;
}

/** The picture, as lines. */
function frame(
  title: string,
  view: RolloutView,
  counts: Map<string, VersionCounts>,
  notes: string[],
  now: number,
): string[] {
  const filled = Math.round((view.weight / 100) * WIDTH);
  const bar = `${pc.cyan('█'.repeat(WIDTH - filled))}${pc.yellow('█'.repeat(filled))}`;
  const until = view.waitingFor?.until ?? null;
  const left = until === null ? '' : pc.dim(` (${duration(Math.max(0, until - now))} left)`);
  const rows = [...counts.entries()]
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(
      ([version, c]) =>
        `  version ${version.padEnd(3)} ${String(c.requests).padStart(5)} requests  ${errors(c.failed)}  median ${String(c.medianMs).padStart(3)} ms`,
    );
  return [
    '',
    pc.bold(title),
    `  ${bar} ${split(view)}`,
    `  ${face(view)} ${pc.bold(view.outcome ?? view.phase)}${view.waitingFor === null ? '' : ` · waiting for ${view.waitingFor.what}`}${left}`,
    ...rows,
    ...(view.verdict === null ? [] : [pc.dim(`  judge: ${view.verdict.state}: ${clean(view.verdict.why, 110)}`)]),
    ...notes.map((note) => pc.dim(`  ${note}`)),
    ...(view.reason === null
      ? []
      : [`  ${view.outcome === 'rolledBack' ? pc.red(clean(view.reason, 160)) : clean(view.reason, 160)}`]),
    ...view.errors.map((e) => pc.red(`  ${e.count} × ${clean(e.what, 120)}`)),
  ];
}

function errors(failed: number): string {
  const text = `${String(failed).padStart(3)} failed`;
  return failed === 0 ? pc.dim(text) : pc.red(text);
}

function face(view: RolloutView): string {
  if (view.outcome === 'succeeded') return pc.green('✔');
  if (view.outcome !== null) return pc.red('↩');
  return view.phase === 'awaitingApproval' ? pc.yellow('✋') : pc.yellow('◐');
}
