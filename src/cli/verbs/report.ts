import path from 'node:path';
import { shortRun } from '../../model/ids.js';
import type { RolloutView } from '../../model/view.js';
import { type Context, command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { writeText } from '../files.js';
import { type Given, usage } from '../given.js';
import { emit, mayRedraw, print, say } from '../print.js';
import { reportAssets } from '../report/assets.js';
import { renderReport } from '../report/index.js';
import { packageVersion } from '../version.js';
import { TARGET } from './message.js';

/** A run's id, or as much of it as `history` shows. */
const RUN = /^[0-9a-zA-Z-]{8,}$/;

export const report = command({
  name: 'report',
  does: 'Writes a rollout as one self-contained HTML page: what happened, why, and the counts it rests on.',
  more: 'The page needs no server and no network. Of a running rollout it shows the present moment.',
  args: [TARGET],
  options: [
    {
      flags: '--run <id>',
      means: 'A past run, by its id or the last 8 characters of it, as history shows them; the last run unless given.',
    },
    { flags: '--out <file>', means: 'Where to (<app>-<environment>-<run>.html); - for stdout.' },
    {
      flags: '--open <yes|no>',
      means: 'Open it in the browser. Unless given: on a terminal that has a screen.',
      choices: ['yes', 'no'],
    },
  ],
  examples: [
    'sluice report checkout/production',
    'sluice report checkout/production --run 1c0f9a01 --out why.html --open no',
  ],
  handler: async (given, ctx) => {
    const target = given.target();
    const run = runOf(given);
    const out = given.text('out');
    if (ctx.json && out === '-') throw usage('-o json and --out - exclude each other: both are stdout');
    const view = await (await ctx.connect()).rollout(target, run);
    const page = renderReport(view, { now: ctx.now(), version: packageVersion() }, reportAssets());
    if (out === '-') {
      ctx.stdout.write(page);
      return EXIT.succeeded.code;
    }
    const file = out ?? fileNameOf(view);
    writeText(ctx, file, page);
    if (ctx.json) emit(ctx, { file });
    else print(ctx, file);
    if (opens(given, ctx)) await open(ctx, path.resolve(ctx.cwd, file));
    return EXIT.succeeded.code;
  },
});

function runOf(given: Given): string | undefined {
  const run = given.text('run');
  if (run === undefined || RUN.test(run)) return run;
  throw usage(`--run is "${run}"; write a run's id, or its last 8 characters, as \`sluice history\` shows it`);
}

function fileNameOf({ app, environment, run }: RolloutView): string {
  return `${app}-${environment}-${shortRun(run)}.html`;
}

function opens(given: Given, ctx: Context): boolean {
  const wanted = given.text('open');
  return wanted === undefined ? mayRedraw(ctx) && ctx.hasScreen() : wanted === 'yes';
}

/** The page is written: that no browser opens is no error. */
async function open(ctx: Context, place: string): Promise<void> {
  try {
    await ctx.openPage(place);
  } catch (error) {
    say(ctx, `no browser could be opened (${(error as Error).message}); open the file by hand`);
  }
}
