/** `sluice doctor`: check your setup, and say how to fix it. */
import { checksOf } from '../checks.js';
import { command } from '../command.js';
import { ENVIRONMENT } from '../common.js';
import { EXIT } from '../exit-codes.js';
import { argument, optional } from '../inputs.js';
import { frameOf, print, printJson } from '../print.js';
import { paint, piece, wrap } from '../render/pieces.js';
import { readSpec } from '../spec-file.js';

const SIGNS = { ok: ['✔', 'green'], warn: ['!', 'yellow'], fail: ['✖', 'red'] } as const;

export const doctor = command({
  name: 'doctor',
  summary: 'Check your setup, and say how to fix it.',
  args: { file: optional(argument('A spec; also checks that a worker serves its account')) },
  options: { env: ENVIRONMENT },
  examples: ['sluice doctor', 'sluice doctor rollout.yaml --env production'],
  handler: async ({ args: { file }, options }, ctx) => {
    const spec = file === undefined ? null : await readSpec(ctx, file, { environment: options.env });
    const diagnosis = await ctx.diagnose(spec === null ? [] : [spec.target]);
    const checks = checksOf(process.versions.node, diagnosis);
    if (ctx.json) printJson(ctx, checks);
    else {
      const frame = frameOf(ctx);
      for (const { state, name, message, fix } of checks) {
        const [sign, style] = SIGNS[state];
        print(ctx, paint([piece(sign, style), piece(` ${name}: ${message}`)], frame.colour));
        if (fix !== null)
          print(
            ctx,
            wrap(`→ ${fix}`, frame.width - 2).map((line) => `  ${line}`),
          );
      }
    }
    return checks.some(({ state }) => state === 'fail') ? EXIT.setup.code : EXIT.succeeded.code;
  },
});
