/** How the command line names a target on AWS Lambda. Pure. */
import { SluiceError } from '../../model/errors.js';
import type { CommandLine } from '../command-line.js';
import { DEFAULT_ALIAS } from './names.js';

export const commandLine: CommandLine<'lambda'> = {
  options: [
    { name: 'function', help: "Lambda function (default: the app's name).", initOnly: true },
    { name: 'alias', help: `Alias that your users reach (default: ${DEFAULT_ALIAS}).`, initOnly: true },
  ],
  target: (app, option, where) => ({
    platform: 'lambda',
    function: option('function') ?? app,
    alias: option('alias') ?? DEFAULT_ALIAS,
    ...where,
  }),
  nameForm: 'FUNCTION:ALIAS',
  targetNamed: (text, _option, where) => {
    const [name, alias, ...rest] = text.split(':');
    if (!name || !alias || rest.length > 0) {
      throw new SluiceError('SLUICE_USAGE', 'write FUNCTION:ALIAS, such as checkout:live');
    }
    return { platform: 'lambda', function: name, alias, ...where };
  },
  appOf: ({ function: name }) => name,
  fieldsOf: (target) => [
    { name: 'function', value: target.function },
    {
      name: 'alias',
      value: target.alias,
      comment: 'The alias that your users and triggers call. They must not call the function without an alias.',
    },
    { name: 'region', value: target.region },
    { name: 'account', value: target.account, comment: 'The account, by the name its worker serves it under.' },
  ],
  otherSources: 'zip: FILE, s3: {bucket, key}, image: URI@sha256:…, version: N',
};
