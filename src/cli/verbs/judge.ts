import { type SequentialState, type SequentialVerdict, sequentialJudge } from '../../judge/index.js';
import { clean } from '../../model/text.js';
import { type Context, command, type Sink } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { usage } from '../given.js';
import { BadLine, linesOf } from '../judge/lines.js';
import { POLICY_OPTIONS, policyOf } from '../judge/policy.js';
import { readTick } from '../judge/tick.js';

export const judge = command({
  name: 'judge',
  does: 'Judges counts from stdin with the sequential test: a line of counts in, a line with the verdict out.',
  more: [
    'A line has the counts since the run\'s last one: {"run":"a","nc":25,"ec":1,"nb":225,"eb":0}',
    '  nc, ec         requests and errors of the candidate',
    '  nb, eb         requests and errors of the stable release',
    "  stepUp         true: the candidate's weight went up with this line",
    '  slowC, slowB   answers of each that were slower than your limit',
    '  id             rising within a run; a line that is not above the last one changes nothing',
    '  blind          why nothing could be read, in the place of the counts',
    'Runs may be interleaved; each has its own state. A bad line is an error with its number, the rest goes on,',
    'and the exit code is 2. docs/judge.md says what the numbers mean.',
  ].join('\n'),
  args: [],
  options: [
    {
      flags: '--policy <file>',
      means: 'A rollout.yaml, or the options below as JSON or YAML (minRequests for --min-requests).',
    },
    { flags: '-e, --env <environment>', means: 'Which of the environments in a rollout.yaml.' },
    ...POLICY_OPTIONS,
  ],
  examples: ['sluice judge < counts.ndjson', 'tail -f counts.ndjson | sluice judge --ceiling 2% --history 40/40000'],
  // Nothing is to be put in order.
  grace: 0,
  handler: async (given, ctx) => {
    const { start, tick, verdict } = sequentialJudge(await policyOf(given, ctx));
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
      throw usage(`line ${at + 1}: ${error.message}`);
    }
    return bad === 0 ? EXIT.succeeded.code : EXIT.usage.code;
  },
});

function answerOf(run: string, said: SequentialVerdict): Record<string, unknown> {
  const { state, why, logE, needed, pValue, metric, oddsRatio } = said;
  return { run, verdict: state, why, logE, needed, pValue, metric, oddsRatio };
}

/** In its place among the answers with `-o json`, else on stderr. */
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
