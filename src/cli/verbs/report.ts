/** `sluice report`: write one HTML page about a rollout: what happened, and why. */
import path from 'node:path';
import { shortRun } from '../../model/ids.js';
import type { RolloutView } from '../../model/view.js';
import { type Context, command } from '../command.js';
import { TARGET } from '../common.js';
import { EXIT } from '../exit-codes.js';
import { writeText } from '../files.js';
import { choice, text } from '../inputs.js';
import { mayRedraw, note, print, printJson } from '../print.js';
import { reportAssets } from '../report/assets.js';
import { renderReport } from '../report/index.js';
import { usageError } from '../usage-error.js';
import { packageVersion } from '../version.js';

/** A run's id, or as much of it as `history` shows. */
const RUN = /^[0-9a-zA-Z-]{8,}$/;

export const report = command({
  name: 'report',
  summary: 'Write one HTML page about a rollout: what happened, and why.',
  description: 'The page needs no server and no network. For a running rollout it shows the current state.',
  args: { target: TARGET },
  options: {
    run: text(
      'id',
      'A past run: its id, or the last 8 characters as `sluice history` shows them (default: the last run).',
    ),
    out: text('file', 'File to write (default: APP-ENVIRONMENT-RUN.html); - writes to stdout.'),
    open: choice('when', ['yes', 'no'], 'Open the page in your browser (default: yes on a terminal with a screen).'),
  },
  examples: [
    'sluice report checkout/production',
    'sluice report checkout/production --run 1c0f9a01 --out why.html --open no',
  ],
  handler: async ({ args: { target }, options }, ctx) => {
    const { run, out } = options;
    if (run !== undefined && !RUN.test(run)) {
      throw usageError(
        `--run is "${run}"; write a run's id or its last 8 characters, as \`sluice history\` shows them`,
      );
    }
    if (ctx.json && out === '-') throw usageError('use either -o json or --out -, not both: both write to stdout');
    const view = await (await ctx.connect()).rollout(target, run);
    const page = renderReport(view, { now: ctx.now(), version: packageVersion() }, reportAssets());
    if (out === '-') {
      ctx.stdout.write(page);
      return EXIT.succeeded.code;
    }
    const file = out ?? fileNameOf(view);
    writeText(ctx, file, page);
    if (ctx.json) printJson(ctx, { file });
    else print(ctx, file);
    if (options.open === undefined ? mayRedraw(ctx) && ctx.hasScreen() : options.open === 'yes')
      await open(ctx, path.resolve(ctx.cwd, file));
    return EXIT.succeeded.code;
  },
});

function fileNameOf({ app, environment, run }: RolloutView): string {
  return `${app}-${environment}-${shortRun(run)}.html`;
}

/** Not an error if no browser opens: the page is written. */
async function open(ctx: Context, place: string): Promise<void> {
  try {
    await ctx.openPage(place);
  } catch (error) {
    note(ctx, `could not open a browser (${(error as Error).message}); open the file yourself`);
  }
}
