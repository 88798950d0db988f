import { isName } from '../../model/ids.js';
import type { Target } from '../../model/spec.js';
import { STRATEGIES } from '../../model/words.js';
import { ACCOUNT_OPTIONS, accountOf } from '../account.js';
import { type Context, command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { firstSpec, writeNew } from '../first-spec.js';
import { ignoreState } from '../ignore-state.js';
import { choice, type Options, text, type Values } from '../inputs.js';
import { print, printJson } from '../print.js';
import { usageError } from '../usage-error.js';

const TARGET_OPTIONS = {
  function: text('name', "Lambda function (default: the app's name)."),
  alias: text('name', 'Alias that your users reach (default: live).'),
  site: text('name', "Site on App Service (default: the app's name)."),
  slot: text('name', 'App Service: slot for new releases; without one only the strategy direct is possible.'),
  resourceGroup: text('name', 'App Service: resource group of the site.'),
  ...ACCOUNT_OPTIONS,
} satisfies Options;

export const init = command({
  name: 'init',
  summary: 'Write a first rollout.yaml. Never overwrites a file.',
  description: 'Also adds .sluice/, where `sluice up` keeps its state, to .gitignore if it is not ignored yet.',
  args: {},
  options: {
    app: text('name', 'App (default: my-app).'),
    env: text('environment', 'Environment (default: production).', 'e'),
    strategy: choice(
      'strategy',
      STRATEGIES,
      'Strategy (default: canary; direct if nothing can run beside the live release).',
    ),
    ...TARGET_OPTIONS,
    file: text('file', 'File to write (default: rollout.yaml).', 'f'),
  },
  examples: [
    'sluice init --app checkout --region eu-west-1',
    'sluice init --app checkout --platform app-service --resource-group shop --slot staging --account 00000000-0000-0000-0000-000000000000 --region westeurope',
  ],
  handler: async ({ options }, ctx) => {
    const { app = 'my-app', env: environment = 'production', file = 'rollout.yaml' } = options;
    if (!isName(app) || !isName(environment)) {
      throw usageError('--app and --env may contain letters, digits, ".", "_" and "-", at most 63 characters');
    }
    writeNew(
      ctx.cwd,
      file,
      await firstSpec({
        app,
        environment,
        target: targetOf(app, options, ctx),
        release: { folder: './dist' },
        strategy: options.strategy,
      }),
    );
    const ignored = ignoreState(ctx.cwd);
    if (ctx.json) printJson(ctx, { file, ignored });
    else
      print(ctx, [
        `wrote ${file}`,
        ...(ignored ? ['added .sluice/ to .gitignore'] : []),
        `next: sluice validate ${file}, then sluice plan ${file}`,
      ]);
    return EXIT.succeeded.code;
  },
});

function targetOf(app: string, options: Values<typeof TARGET_OPTIONS>, ctx: Context): Target {
  const { platform, ...where } = accountOf(options, ctx);
  switch (platform) {
    case 'lambda':
      return { platform, function: options.function ?? app, alias: options.alias ?? 'live', ...where };
    case 'app-service': {
      const [resourceGroup, slot] = [options.resourceGroup, options.slot];
      if (resourceGroup === undefined)
        throw usageError('App Service needs the resource group: add --resource-group NAME');
      return {
        platform,
        site: options.site ?? app,
        resourceGroup,
        ...(slot === undefined ? {} : { slot }),
        ...where,
      };
    }
  }
}
