/** `sluice judge`: get verdicts for your own counts: counts in, verdicts out. */
import { type SequentialState, type SequentialVerdict, sequentialJudge } from '../../judge/index.js';
import { clean } from '../../model/text.js';
import { type Context, command, type Sink } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { text } from '../inputs.js';
import { BadLine, linesOf } from '../judge/lines.js';
import { RULE_OPTIONS, rulesOf } from '../judge/rules.js';
import { readTick } from '../judge/tick.js';
import { usageError } from '../usage-error.js';

export const judge = command({
  name: 'judge',
  summary: 'Get verdicts for your own counts: counts in, verdicts out.',
  description: [
    'Reads counts from stdin and prints one verdict per line.',
    'Each line holds the counts since the previous line of its run: {"run":"a","nc":25,"ec":1,"nb":225,"eb":0}',
    '  nc, ec         requests and errors of the candidate',
    '  nb, eb         requests and errors of the stable release',
    "  stepUp         true: the candidate's weight went up with this line",
    '  slowC, slowB   responses of each that were slower than your limit',
    '  id             increases within a run; a line whose id does not increase is ignored',
    '  blind          instead of counts: why they could not be read',
    'Lines of several runs may be interleaved. A bad line is reported with its number and skipped; the exit code is then 2.',
    'docs/judge.md explains the numbers.',
  ].join('\n'),
  args: {},
  options: {
    rules: text('file', 'A rollout.yaml, or the options below as JSON or YAML (minRequests for --min-requests).'),
    env: text('environment', 'Environment to use, if --rules is a rollout.yaml with several.', 'e'),
    ...RULE_OPTIONS,
  },
  examples: ['sluice judge < counts.ndjson', 'tail -f counts.ndjson | sluice judge --ceiling 2% --history 40/40000'],
  // There is nothing to clean up.
  grace: 0,
  handler: async ({ options }, ctx) => {
    const { start, tick, verdict } = sequentialJudge(await rulesOf(options, ctx));
    const runs = new Map<string, SequentialState>();
    let [at, bad] = [0, 0];

    function answer(line: string): string {
      at += 1;
      if (line.trim() === '') return '';
      try {
        const { run, id, look } = readTick(line);
        const before = runs.get(run) ?? start();
        const after = tick(before, { ...look, id: id ?? before.lastId + 1 });
        runs.set(run, after);
        return `${JSON.stringify(answerOf(run, verdict(after)))}\n`;
      } catch (error) {
        if (!(error instanceof BadLine)) throw error;
        bad += 1;
        return refusal(ctx, `line ${at}: ${error.message}`);
      }
    }

    try {
      for await (const lines of linesOf(ctx.stdin())) await written(ctx.stdout, lines.map(answer).join(''));
    } catch (error) {
      if (!(error instanceof BadLine)) throw error;
      throw usageError(`line ${at + 1}: ${error.message}`);
    }
    return bad === 0 ? EXIT.succeeded.code : EXIT.usage.code;
  },
});

function answerOf(run: string, verdict: SequentialVerdict): Record<string, unknown> {
  const { state, why, logE, needed, pValue, metric, oddsRatio } = verdict;
  return { run, verdict: state, why, logE, needed, pValue, metric, oddsRatio };
}

/** With `-o json` it stands among the answers, otherwise on stderr. */
function refusal(ctx: Context, message: string): string {
  if (ctx.json) return `${JSON.stringify({ error: { code: 'SLUICE_USAGE', message } })}\n`;
  ctx.stderr.write(`error SLUICE_USAGE: ${clean(message, 300)}\n`);
  return '';
}

/** Goes on once the reader keeps up. */
async function written(sink: Sink, text: string): Promise<void> {
  if (text === '' || sink.write(text) !== false) return;
  await new Promise<void>((resolve) => {
    if (sink.once === undefined) resolve();
    else sink.once('drain', resolve);
  });
}
