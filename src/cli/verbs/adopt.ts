import type { Sluice, TargetName } from '../../client/types.js';
import { SluiceError } from '../../model/errors.js';
import { isName } from '../../model/ids.js';
import type { PlatformName, Target } from '../../model/spec.js';
import { targetName, versionOf } from '../../model/target.js';
import { ACCOUNT_OPTIONS, givenAccount } from '../account.js';
import { type Context, command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { firstSpec, refuseExisting, writeNew } from '../first-spec.js';
import { type Given, usage } from '../given.js';
import { emit, print, say } from '../print.js';
import { paint, piece } from '../render/pieces.js';
import { LOGIN } from './message.js';
import { MOVE_OPTIONS, moveCallers } from './move-callers.js';

export const adopt = command({
  name: 'adopt',
  does: 'Takes what is live already under Sluice: writes the mark on the alias or the site, and the first spec.',
  more: 'For those who keep another tool to publish versions. No traffic is moved. Never overwrites a file.',
  args: [{ name: '<target>', means: 'What is live: function:alias on Lambda, site or site/slot on App Service' }],
  options: [
    { flags: '--app <name>', means: "The app; the function's or site's name unless given." },
    { flags: '-e, --env <environment>', means: 'The environment (production).' },
    { flags: '--resource-group <name>', means: 'App Service: the resource group of the site.' },
    ...ACCOUNT_OPTIONS,
    { flags: '-f, --file <file>', means: 'Where the spec goes (rollout.yaml).' },
    ...MOVE_OPTIONS,
    LOGIN,
  ],
  examples: [
    'sluice adopt checkout:live --env production --region eu-west-1',
    'sluice adopt checkout:live --move-callers',
    'sluice adopt checkout:live --move-callers --undo --yes',
    'sluice adopt checkout/staging --platform app-service --resource-group shop --account 00000000-0000-0000-0000-000000000000 --region westeurope',
  ],
  handler: async (given, ctx) => {
    const target = targetOf(given, ctx);
    const app = given.text('app') ?? (target.platform === 'lambda' ? target.function : target.site);
    const environment = given.text('env') ?? 'production';
    if (!isName(app) || !isName(environment)) throw usage(`"${app}/${environment}" is no name; give --app and --env`);
    if (given.flag('moveCallers')) return moveCallers(given, ctx, { app, environment, target });
    const alone = ['publish', 'undo', 'yes'].find((option) => given.flag(option));
    if (alone !== undefined) throw usage(`--${alone} goes with --move-callers`);
    const file = given.text('file') ?? 'rollout.yaml';
    refuseExisting(ctx.cwd, file);
    const sluice = await ctx.connect();
    const live = await liveVersion(sluice, { app, environment }, target);
    const input = { app, environment, target, release: { version: live } };
    const { findings } = await sluice.adopt({ app, environment, input });
    writeNew(ctx.cwd, file, firstSpec({ app, environment, target, release: { version: live } }));
    if (ctx.json) emit(ctx, { file, app, environment, version: live, findings });
    else {
      for (const { message } of findings) say(ctx, paint([piece(`! ${message}`)], false));
      print(ctx, `adopted ${targetName(target)} as ${app}/${environment}: release ${live} is live; wrote ${file}`);
    }
    return EXIT.succeeded.code;
  },
});

/** Findings that make adopting wrong, whatever the release. */
const IN_THE_WAY = ['SLUICE_OWNED', 'SLUICE_ALIAS_SPLIT'] as const;

/** Reads before anything is written. Errors: SLUICE_OWNED, SLUICE_ALIAS_SPLIT, SLUICE_NOT_FOUND, SLUICE_TARGET. */
async function liveVersion(sluice: Sluice, name: TargetName, target: Target): Promise<number | string> {
  // Which release is named does not matter here: the answer says which one is live.
  const input = { ...name, target, release: { version: target.platform === 'lambda' ? 1 : 'r-000000000000' } };
  const { before, findings } = await sluice.plan({ ...name, type: 'direct', input });
  for (const code of IN_THE_WAY) {
    const found = findings.find((finding) => finding.code === code);
    if (found !== undefined) throw new SluiceError(code, found.message);
  }
  const { stable } = before.split;
  if (stable === null) {
    throw new SluiceError('SLUICE_NOT_FOUND', `nothing is live at ${targetName(target)} in ${target.region}`);
  }
  const { form, cure } = RELEASES[target.platform];
  if (!form.test(stable)) throw new SluiceError('SLUICE_TARGET', `${targetName(target)} is on ${stable}; ${cure}`);
  return versionOf(stable);
}

/** What a release that can be adopted is called, and what to do where another one is live. */
const RELEASES: Record<PlatformName, { form: RegExp; cure: string }> = {
  lambda: { form: /^\d+$/, cure: 'publish a version and point the alias at it first' },
  'app-service': {
    form: /^r-[0-9a-f]{12}$/,
    cure: 'roll out a release with `sluice start` instead, which needs no adopting',
  },
};

/** Errors: SLUICE_USAGE. */
function targetOf(given: Given, ctx: Context): Target {
  const { platform, ...where } = givenAccount(given, ctx);
  const said = given.arg('target');
  switch (platform) {
    case 'lambda': {
      const [name, alias, ...rest] = said.split(':');
      if (!name || !alias || rest.length > 0) throw usage('name the function and its alias, such as checkout:live');
      return { platform, function: name, alias, ...where };
    }
    case 'app-service': {
      const [site, slot, ...rest] = said.split('/');
      if (!site || slot === '' || rest.length > 0) throw usage('name the site and its slot, such as checkout/staging');
      const resourceGroup = given.text('resourceGroup');
      if (resourceGroup === undefined) throw usage('on app-service name the resource group: --resource-group <name>');
      return { platform, site, resourceGroup, ...(slot === undefined ? {} : { slot }), ...where };
    }
  }
}
