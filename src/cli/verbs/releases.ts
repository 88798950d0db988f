/** `sluice releases`: list what was live when, and what undo can roll back to. */
import { heldMessage } from '../../model/hold.js';
import { isName } from '../../model/ids.js';
import { goesBackTo } from '../../model/ledger.js';
import { saySplit } from '../../model/traffic.js';
import type { CompanionView, LedgerEntry } from '../../model/view.js';
import { type Context, command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { argument } from '../inputs.js';
import { frameOf, note, print, printJson } from '../print.js';
import { paint, piece } from '../render/pieces.js';
import { table } from '../render/table.js';
import { left, moment } from '../render/time.js';
import { usageError } from '../usage-error.js';

export const releases = command({
  name: 'releases',
  summary: 'List what was live when, and what undo can roll back to.',
  args: { app: argument('APP for all its environments, or APP/ENVIRONMENT') },
  options: {},
  examples: ['sluice releases checkout', 'sluice releases checkout/production -o json'],
  handler: async ({ args }, ctx) => {
    const [app = '', environment, ...rest] = args.app.split('/');
    if (!isName(app) || rest.length > 0 || (environment !== undefined && !isName(environment))) {
      throw usageError(`"${args.app}" is neither APP nor APP/ENVIRONMENT`);
    }
    const views = await (await ctx.connect()).releases(app, environment);
    if (ctx.json) printJson(ctx, views);
    else if (views.length === 0) note(ctx, `nothing of ${args.app} has been released yet`);
    else
      print(
        ctx,
        views.flatMap((view, at) => [...(at === 0 ? [] : ['']), ...linesOf(view, ctx)]),
      );
    return EXIT.succeeded.code;
  },
});

function linesOf(view: CompanionView, ctx: Context): string[] {
  const frame = frameOf(ctx);
  const text = (words: string) => paint([piece(words)], false);
  const lines = [paint([piece(`${view.app}/${view.environment}`, 'bold')], frame.colour)];
  const head = ['RELEASE', 'LIVE SINCE', 'UNTIL', 'UNDO', 'BY', 'STRATEGY', 'MESSAGE'];
  const there = goesBackTo(view);
  if (view.releases.length === 0) lines.push('  nothing has been released yet');
  else
    lines.push(
      ...table(
        head,
        view.releases.map((entry) => rowOf(entry, there.includes(entry.version))),
        frame,
      ),
    );
  if (view.running !== null) lines.push(text(`running: ${view.running.strategy} since ${moment(view.running.since)}`));
  for (const state of ['starting', 'queued'] as const) {
    const waiting = view[state];
    if (waiting === null) continue;
    lines.push(text(`${state}: ${waiting.strategy} by ${waiting.by ?? 'someone'} since ${moment(waiting.since)}`));
  }
  for (const { strategy, by, at, why } of view.settled.filter(({ run }) => run === null)) {
    lines.push(text(`never started: ${strategy} by ${by ?? 'someone'}, ${moment(at)}: ${why}`));
  }
  if (view.hold !== null)
    lines.push(text(heldMessage(`${view.app}/${view.environment}`, { ...view.hold, seal: null })));
  if (view.takenBack !== null) {
    const { version, run, at } = view.takenBack;
    lines.push(
      text(`removed: release ${version} appeared after run ${run} had been rolled back; removed ${moment(at)}`),
    );
  }
  if (view.undo !== null) {
    const undo = `sluice undo ${view.app}/${view.environment}`;
    lines.push(text(`undo rolls back to release ${view.undo.version}, ${left(view.undo.until, frame.now)}: ${undo}`));
  }
  return lines;
}

/** The split that was left in place. */
function leftSplit({ kept }: LedgerEntry): string {
  if (kept === undefined || kept.split.candidate === null) return '';
  return `${saySplit(kept.split)}${kept.unwatched ? ', nothing watches it' : ''}; `;
}

/** `there`: undo can roll back to it. */
function rowOf(entry: LedgerEntry, there: boolean) {
  return [
    { text: entry.version },
    { text: moment(entry.since) },
    { text: entry.until === null ? 'live' : `${moment(entry.until)}${entry.retired === null ? '' : ', deleted'}` },
    { text: there ? `--to ${entry.version}` : '' },
    { text: entry.by ?? '–' },
    { text: entry.strategy },
    { text: `${leftSplit(entry)}${entry.message ?? ''}` },
  ];
}
