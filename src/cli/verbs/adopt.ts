/** `sluice adopt`: start using Sluice for an alias or site that is live already. */
import type { AppEnvironment, Sluice } from '../../client/types.js';
import { SluiceError } from '../../model/errors.js';
import { isName } from '../../model/ids.js';
import type { Target } from '../../model/spec.js';
import { targetName } from '../../model/target.js';
import { isVersion, kitOf } from '../../platforms/registry.js';
import { ACCOUNT_OPTIONS, accountOf, onEach } from '../account.js';
import { command } from '../command.js';
import { LOGIN } from '../common.js';
import { EXIT } from '../exit-codes.js';
import { firstSpec, refuseExisting, writeNew } from '../first-spec.js';
import { argument, text } from '../inputs.js';
import { note, print, printJson } from '../print.js';
import { paint, piece } from '../render/pieces.js';
import { givenIn, targetOptions } from '../target-options.js';
import { usageError } from '../usage-error.js';
import { MOVE_OPTIONS, moveCallers } from './move-callers.js';

export const adopt = command({
  name: 'adopt',
  summary: 'Start using Sluice for an alias or site that is live already.',
  description:
    'For teams that publish versions with another tool. Marks the Lambda alias or App Service site and writes its first spec. Moves no traffic and never overwrites a file.',
  args: { target: argument(`What is live: ${onEach(({ commandLine }) => commandLine.nameForm)}`) },
  options: {
    app: text('name', "App (default: the function's or site's name)."),
    env: text('environment', 'Environment (default: production).', 'e'),
    ...targetOptions('adopt'),
    ...ACCOUNT_OPTIONS,
    file: text('file', 'Spec to write (default: rollout.yaml).', 'f'),
    ...MOVE_OPTIONS,
    login: LOGIN,
  },
  examples: [
    'sluice adopt checkout:live --env production --region eu-west-1',
    'sluice adopt checkout:live --move-callers',
    'sluice adopt checkout:live --move-callers --undo --yes',
    'sluice adopt checkout/staging --platform app-service --resource-group shop --account 00000000-0000-0000-0000-000000000000 --region westeurope',
  ],
  handler: async ({ args, options }, ctx) => {
    const { platform, ...where } = accountOf(options, ctx);
    const { commandLine } = kitOf(platform);
    const target = commandLine.targetNamed(args.target, givenIn(options), where);
    const app = options.app ?? commandLine.appOf(target);
    const { env: environment = 'production', file = 'rollout.yaml' } = options;
    if (!isName(app) || !isName(environment))
      throw usageError(`"${app}/${environment}" cannot be used as a name; set --app and --env`);
    if (options.moveCallers) return moveCallers(options, ctx, { app, environment, target });
    const alone = (['publish', 'undo', 'yes'] as const).find((option) => options[option]);
    if (alone !== undefined) throw usageError(`--${alone} needs --move-callers`);
    refuseExisting(ctx.cwd, file);
    const sluice = await ctx.connect();
    const live = await liveVersion(sluice, { app, environment }, target);
    const input = { app, environment, target, release: { version: live } };
    const { findings } = await sluice.adopt({ app, environment, input });
    writeNew(ctx.cwd, file, await firstSpec({ app, environment, target, release: { version: live } }));
    if (ctx.json) printJson(ctx, { file, app, environment, version: live, findings });
    else {
      for (const { message } of findings) note(ctx, paint([piece(`! ${message}`)], false));
      print(ctx, `adopted ${targetName(target)} as ${app}/${environment}: release ${live} is live; wrote ${file}`);
    }
    return EXIT.succeeded.code;
  },
});

/** Findings that rule out adopting, whatever the release. */
const IN_THE_WAY = ['SLUICE_OWNED', 'SLUICE_ALIAS_SPLIT'] as const;

/** Reads before anything is written. Errors: SLUICE_OWNED, SLUICE_ALIAS_SPLIT, SLUICE_NOT_FOUND, SLUICE_TARGET. */
async function liveVersion(sluice: Sluice, name: AppEnvironment, target: Target): Promise<number | string> {
  // The release is a placeholder: the answer says which one is live.
  const { version } = kitOf(target.platform);
  const input = { ...name, target, release: { version: version.example } };
  const { before, findings } = await sluice.plan({ ...name, type: 'direct', input });
  for (const code of IN_THE_WAY) {
    const found = findings.find((finding) => finding.code === code);
    if (found !== undefined) throw new SluiceError(code, found.message);
  }
  const { stable } = before.split;
  if (stable === null) {
    throw new SluiceError('SLUICE_NOT_FOUND', `nothing is live at ${targetName(target)} in ${target.region}`);
  }
  if (!isVersion(target.platform, stable)) {
    throw new SluiceError('SLUICE_TARGET', `${targetName(target)} is on ${stable}; ${version.toAdopt}`);
  }
  return version.written(stable);
}
