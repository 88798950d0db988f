import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { readGiven, SPEC_OPTIONS } from '../spec-file.js';

export const pack = command({
  name: 'pack',
  does: 'Packs the code, puts it into the artifact store, and prints the argument for a raw Temporal start.',
  more: [
    'The store is the one that SLUICE_STORE names. Starts nothing and asks no server; `sluice start` and `sluice plan` pack by themselves.',
    'The argument has release: {artifact: {sha256, bytes}} in place of the folder or zip.',
  ].join('\n'),
  args: [{ name: '<file>', means: 'rollout.yaml; - for stdin' }],
  options: [...SPEC_OPTIONS],
  examples: [
    'sluice pack rollout.yaml > argument.json',
    'temporal workflow start --task-queue sluice --type canary --workflow-id checkout/production --input-file argument.json',
  ],
  handler: async (given, ctx) => {
    const spec = await readGiven(given, ctx);
    const { packInput } = await import('../../client/index.js');
    const input = await packInput({ app: spec.app, input: { ...spec } }, { env: ctx.env, cwd: ctx.cwd });
    // The argument itself, with or without -o json: it is what another program reads.
    ctx.stdout.write(`${JSON.stringify(input, null, 2)}\n`);
    return EXIT.succeeded.code;
  },
});
