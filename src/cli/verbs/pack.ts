/** `sluice pack`: upload the code and print the input to start with plain Temporal. */
import { command } from '../command.js';
import { SPEC_FILE } from '../common.js';
import { EXIT } from '../exit-codes.js';
import { readChosen, SPEC_OPTIONS } from '../spec-file.js';

export const pack = command({
  name: 'pack',
  summary: 'Upload the code and print the input to start with plain Temporal.',
  description: [
    'Uploads to the artifact store, $SLUICE_STORE. Starts nothing and needs no server. `sluice start` and `sluice plan` pack on their own.',
    'In the printed input, release: {artifact: {sha256, bytes}} replaces the folder or zip.',
  ].join('\n'),
  args: { file: SPEC_FILE },
  options: SPEC_OPTIONS,
  examples: [
    'sluice pack rollout.yaml > argument.json',
    'temporal workflow start --task-queue sluice --type canary --workflow-id checkout/production --input-file argument.json',
  ],
  handler: async ({ args, options }, ctx) => {
    const spec = await readChosen(ctx, args.file, options);
    const { packInput } = await import('../../client/index.js');
    const input = await packInput({ app: spec.app, input: { ...spec } }, { env: ctx.env, cwd: ctx.cwd });
    // The input itself, with or without -o json: another program reads it.
    ctx.stdout.write(`${JSON.stringify(input, null, 2)}\n`);
    return EXIT.succeeded.code;
  },
});
