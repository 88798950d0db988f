import { isName } from '../../model/ids.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { firstSpec, writeNew } from '../first-spec.js';
import { usage } from '../given.js';
import { emit, print } from '../print.js';

export const init = command({
  name: 'init',
  does: 'Writes a first rollout.yaml. Never overwrites a file.',
  args: [],
  options: [
    { flags: '--app <name>', means: 'The app (my-app).' },
    { flags: '-e, --env <environment>', means: 'The environment (production).' },
    { flags: '--function <name>', means: "The Lambda function; the app's name unless given." },
    { flags: '--alias <name>', means: 'The alias your users reach (live).' },
    { flags: '--region <region>', means: 'The region; AWS_REGION unless given (us-east-1).' },
    { flags: '-f, --file <file>', means: 'Where to (rollout.yaml).' },
  ],
  examples: ['sluice init --app checkout --region eu-west-1'],
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
        function: given.text('function') ?? app,
        alias: given.text('alias') ?? 'live',
        region: given.text('region') ?? ctx.env.AWS_REGION ?? 'us-east-1',
        account: 'default',
        release: { folder: './dist' },
      }),
    );
    if (ctx.json) emit(ctx, { file });
    else print(ctx, [`wrote ${file}`, `next: sluice validate ${file}, then sluice plan ${file}`]);
    return EXIT.succeeded.code;
  },
});
