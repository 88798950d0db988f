import type { Sluice, TargetName } from '../../client/types.js';
import { SluiceError } from '../../model/errors.js';
import { isName } from '../../model/ids.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { firstSpec, refuseExisting, writeNew } from '../first-spec.js';
import { usage } from '../given.js';
import { emit, print, say } from '../print.js';
import { paint, piece } from '../render/pieces.js';

export const adopt = command({
  name: 'adopt',
  does: 'Takes a function that is live already under Sluice: writes the mark on its alias, and the first spec.',
  more: 'For those who keep another tool to publish versions. No traffic is moved. Never overwrites a file.',
  args: [{ name: '<function:alias>', means: 'What is live, such as checkout:live' }],
  options: [
    { flags: '--app <name>', means: "The app; the function's name unless given." },
    { flags: '-e, --env <environment>', means: 'The environment (production).' },
    { flags: '--region <region>', means: 'The region; AWS_REGION unless given (us-east-1).' },
    { flags: '--account <name>', means: 'The account, by the name the worker serves it under (default).' },
    { flags: '-f, --file <file>', means: 'Where the spec goes (rollout.yaml).' },
  ],
  examples: ['sluice adopt checkout:live --env production --region eu-west-1'],
  handler: async (given, ctx) => {
    const [name, alias, ...rest] = given.arg('function:alias').split(':');
    if (!name || !alias || rest.length > 0) throw usage('name the function and its alias, such as checkout:live');
    const app = given.text('app') ?? name;
    const environment = given.text('env') ?? 'production';
    if (!isName(app) || !isName(environment)) throw usage(`"${app}/${environment}" is no name; give --app and --env`);
    const file = given.text('file') ?? 'rollout.yaml';
    refuseExisting(ctx.cwd, file);
    const region = given.text('region') ?? ctx.env.AWS_REGION ?? 'us-east-1';
    const account = given.text('account') ?? 'default';
    const target = { platform: 'lambda', function: name, alias, region, account };
    const sluice = await ctx.connect();
    const live = await liveVersion(sluice, { app, environment }, target);
    const input = { app, environment, target, release: { version: live } };
    const { findings } = await sluice.adopt({ app, environment, input });
    writeNew(ctx.cwd, file, firstSpec({ app, environment, ...target, release: { version: live } }));
    if (ctx.json) emit(ctx, { file, app, environment, version: live, findings });
    else {
      for (const { message } of findings) say(ctx, paint([piece(`! ${message}`)], false));
      print(ctx, `adopted ${name}:${alias} as ${app}/${environment}: release ${live} is live; wrote ${file}`);
    }
    return EXIT.succeeded.code;
  },
});

/** Findings that make adopting wrong, whatever the release. */
const IN_THE_WAY = ['SLUICE_OWNED', 'SLUICE_ALIAS_SPLIT'] as const;

/** Reads before anything is written. Errors: SLUICE_OWNED, SLUICE_ALIAS_SPLIT, SLUICE_NOT_FOUND, SLUICE_TARGET. */
async function liveVersion(sluice: Sluice, name: TargetName, target: Record<string, string>): Promise<number> {
  // Which release is named does not matter here: the answer says which one is live.
  const input = { ...name, target, release: { version: 1 } };
  const { before, findings } = await sluice.plan({ ...name, type: 'direct', input });
  for (const code of IN_THE_WAY) {
    const found = findings.find((finding) => finding.code === code);
    if (found !== undefined) throw new SluiceError(code, found.message);
  }
  const { stable } = before.split;
  if (stable === null) {
    throw new SluiceError(
      'SLUICE_NOT_FOUND',
      `nothing is live at ${target.function}:${target.alias} in ${target.region}`,
    );
  }
  if (!/^\d+$/.test(stable)) {
    throw new SluiceError(
      'SLUICE_TARGET',
      `${target.function}:${target.alias} is on ${stable}; publish a version and point the alias at it first`,
    );
  }
  return Number(stable);
}
