/** `sluice init`: write a first rollout.yaml. Never overwrites a file. */
import { isName } from '../../model/ids.js';
import { STRATEGIES } from '../../model/words.js';
import { kitOf } from '../../platforms/registry.js';
import { ACCOUNT_OPTIONS, accountOf } from '../account.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { firstSpec, writeNew } from '../first-spec.js';
import { ignoreState } from '../ignore-state.js';
import { choice, text } from '../inputs.js';
import { print, printJson } from '../print.js';
import { givenIn, targetOptions } from '../target-options.js';
import { usageError } from '../usage-error.js';

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
    ...targetOptions('init'),
    ...ACCOUNT_OPTIONS,
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
    const { platform, ...where } = accountOf(options, ctx);
    const target = kitOf(platform).commandLine.target(app, givenIn(options), where);
    const spec = { app, environment, target, release: { folder: './dist' }, strategy: options.strategy };
    writeNew(ctx.cwd, file, await firstSpec(spec));
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
