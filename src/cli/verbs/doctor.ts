import { checksOf } from '../checks.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { emit, frameOf, print } from '../print.js';
import { paint, piece, wrap } from '../render/pieces.js';
import { readSpec } from '../spec-file.js';

const SIGNS = { ok: ['✔', 'green'], warn: ['!', 'yellow'], fail: ['✖', 'red'] } as const;

export const doctor = command({
  name: 'doctor',
  does: 'Looks at everything a rollout needs, and says what to do where something is missing.',
  args: [{ name: '[file]', means: 'A rollout.yaml: whether a worker serves its account too' }],
  options: [{ flags: '-e, --env <environment>', means: 'Which of the environments in the file.' }],
  examples: ['sluice doctor', 'sluice doctor rollout.yaml --env production'],
  handler: async (given, ctx) => {
    const file = given.maybe('file');
    const spec = file === undefined ? null : await readSpec(ctx, file, { environment: given.text('env') });
    const diagnosis = await ctx.diagnose(spec === null ? [] : [spec.target]);
    const checks = checksOf(process.versions.node, diagnosis);
    if (ctx.json) emit(ctx, checks);
    else {
      const frame = frameOf(ctx);
      for (const { state, name, says, cure } of checks) {
        const [sign, style] = SIGNS[state];
        print(ctx, paint([piece(sign, style), piece(` ${name}: ${says}`)], frame.colour));
        if (cure !== null)
          print(
            ctx,
            wrap(`→ ${cure}`, frame.width - 2).map((line) => `  ${line}`),
          );
      }
    }
    return checks.some(({ state }) => state === 'fail') ? EXIT.setup.code : EXIT.succeeded.code;
  },
});
