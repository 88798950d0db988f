import { isName } from '../../model/ids.js';
import type { Target } from '../../model/spec.js';
import { ACCOUNT_OPTIONS, givenAccount } from '../account.js';
import { type Context, command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { firstSpec, writeNew } from '../first-spec.js';
import { type Given, usage } from '../given.js';
import { ignoreState } from '../ignore-state.js';
import { emit, print } from '../print.js';

export const init = command({
  name: 'init',
  does: 'Writes a first rollout.yaml. Never overwrites a file.',
  more: 'Adds .sluice/ to .gitignore, where `sluice up` keeps its state, unless a line ignores it already.',
  args: [],
  options: [
    { flags: '--app <name>', means: 'The app (my-app).' },
    { flags: '-e, --env <environment>', means: 'The environment (production).' },
    { flags: '--function <name>', means: "The Lambda function; the app's name unless given." },
    { flags: '--alias <name>', means: 'The alias your users reach (live).' },
    { flags: '--site <name>', means: "The site on App Service; the app's name unless given." },
    {
      flags: '--slot <name>',
      means: 'App Service: the slot that new releases go into; without one only direct is possible.',
    },
    { flags: '--resource-group <name>', means: 'App Service: the resource group of the site.' },
    ...ACCOUNT_OPTIONS,
    { flags: '-f, --file <file>', means: 'Where to (rollout.yaml).' },
  ],
  examples: [
    'sluice init --app checkout --region eu-west-1',
    'sluice init --app checkout --platform app-service --resource-group shop --slot staging --account 00000000-0000-0000-0000-000000000000 --region westeurope',
  ],
  handler: async (given, ctx) => {
    const app = given.text('app') ?? 'my-app';
    const environment = given.text('env') ?? 'production';
    if (!isName(app) || !isName(environment)) {
      throw usage('--app and --env take letters, digits, ".", "_" and "-", 63 characters at most');
    }
    const file = given.text('file') ?? 'rollout.yaml';
    writeNew(
      ctx.cwd,
      file,
      firstSpec({
        app,
        environment,
        target: targetOf(given, ctx, app),
        release: { folder: './dist' },
      }),
    );
    const ignored = ignoreState(ctx.cwd);
    if (ctx.json) emit(ctx, { file, ignored });
    else
      print(ctx, [
        `wrote ${file}`,
        ...(ignored ? ['added .sluice/ to .gitignore'] : []),
        `next: sluice validate ${file}, then sluice plan ${file}`,
      ]);
    return EXIT.succeeded.code;
  },
});

function targetOf(given: Given, ctx: Context, app: string): Target {
  const { platform, ...where } = givenAccount(given, ctx);
  switch (platform) {
    case 'lambda':
      return { platform, function: given.text('function') ?? app, alias: given.text('alias') ?? 'live', ...where };
    case 'app-service': {
      const [resourceGroup, slot] = [given.text('resourceGroup'), given.text('slot')];
      if (resourceGroup === undefined) throw usage('on app-service name the resource group: --resource-group <name>');
      return {
        platform,
        site: given.text('site') ?? app,
        resourceGroup,
        ...(slot === undefined ? {} : { slot }),
        ...where,
      };
    }
  }
}
