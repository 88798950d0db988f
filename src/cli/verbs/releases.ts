import { heldMessage } from '../../model/hold.js';
import { isName } from '../../model/ids.js';
import { goesBackTo } from '../../model/ledger.js';
import { saySplit } from '../../model/traffic.js';
import type { LedgerEntry, TargetView } from '../../model/view.js';
import { type Context, command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { usage } from '../given.js';
import { emit, frameOf, print, say } from '../print.js';
import { paint, piece } from '../render/pieces.js';
import { table } from '../render/table.js';
import { left, moment } from '../render/time.js';

export const releases = command({
  name: 'releases',
  does: 'Shows what was live, since when, and by whom, and to which releases undo can go back.',
  args: [{ name: '<app>', means: 'APP for all its environments, or APP/ENVIRONMENT' }],
  options: [],
  examples: ['sluice releases checkout', 'sluice releases checkout/production -o json'],
  handler: async (given, ctx) => {
    const [app = '', environment, ...rest] = given.arg('app').split('/');
    if (!isName(app) || rest.length > 0 || (environment !== undefined && !isName(environment))) {
      throw usage(`"${given.arg('app')}" is neither APP nor APP/ENVIRONMENT`);
    }
    const views = await (await ctx.connect()).releases(app, environment);
    if (ctx.json) emit(ctx, views);
    else if (views.length === 0) say(ctx, `nothing was released of ${given.arg('app')} yet`);
    else
      print(
        ctx,
        views.flatMap((view, at) => [...(at === 0 ? [] : ['']), ...linesOf(view, ctx)]),
      );
    return EXIT.succeeded.code;
  },
});

function linesOf(view: TargetView, ctx: Context): string[] {
  const frame = frameOf(ctx);
  const text = (words: string) => paint([piece(words)], false);
  const lines = [paint([piece(`${view.app}/${view.environment}`, 'bold')], frame.colour)];
  const head = ['RELEASE', 'LIVE SINCE', 'UNTIL', 'UNDO', 'BY', 'STRATEGY', 'MESSAGE'];
  const there = goesBackTo(view);
  if (view.releases.length === 0) lines.push('  nothing was released yet');
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
    lines.push(text(`${state}: ${waiting.strategy} by ${waiting.by ?? 'somebody'} since ${moment(waiting.since)}`));
  }
  for (const { strategy, by, at, why } of view.settled.filter(({ run }) => run === null)) {
    lines.push(text(`never began: ${strategy} by ${by ?? 'somebody'}, ${moment(at)}: ${why}`));
  }
  if (view.hold !== null)
    lines.push(text(heldMessage(`${view.app}/${view.environment}`, { ...view.hold, seal: null })));
  if (view.takenBack !== null) {
    const { version, run, at } = view.takenBack;
    lines.push(
      text(
        `taken back: release ${version} came late, of run ${run}, which was rolled back; taken away again ${moment(at)}`,
      ),
    );
  }
  if (view.undo !== null) {
    const way = `sluice undo ${view.app}/${view.environment}`;
    lines.push(text(`undo goes back to release ${view.undo.version}, ${left(view.undo.until, frame.now)}: ${way}`));
  }
  return lines;
}

/** What was left split, with nobody watching. */
function leftSplit({ kept }: LedgerEntry): string {
  if (kept === undefined || kept.split.candidate === null) return '';
  return `${saySplit(kept.split)}${kept.unwatched ? ', nobody watches it' : ''}; `;
}

/** `there`: undo can go back to it. */
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
