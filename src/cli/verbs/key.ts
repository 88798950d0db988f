/** `sluice key`: show your signing key, or create it the first time. */
import { SluiceError } from '../../model/errors.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { flag, person } from '../inputs.js';
import { print, printJson } from '../print.js';

export const key = command({
  name: 'key',
  summary: 'Show your signing key, or create it the first time.',
  description: [
    'Your starts and decisions are signed with this key, and a policy identifies you by it.',
    'The private half is stored in the file $SLUICE_KEY (default: sluice/key.json in your configuration folder), readable only by you.',
  ].join('\n'),
  args: {},
  options: {
    by: person('Your name in the policy (default: $SLUICE_BY, then your OS user).'),
    new: flag('Create another key; the old file is kept next to it.'),
  },
  examples: ['sluice key', 'sluice key --by ann --new'],
  handler: async ({ options }, ctx) => {
    const { keyPlace, readKey, writeKey } = await import('../../key-file.js');
    const place = keyPlace(ctx.env);
    if (place === null)
      throw new SluiceError('SLUICE_SETUP', 'no home folder to store a key in; set SLUICE_KEY to a file');
    // A key that cannot be used must not keep you from making another.
    const old = options.new ? null : readKey(place);
    const made = old === null;
    const file = made ? await writeKey(place, options.by) : old;
    if (ctx.json) printJson(ctx, { name: file.name, public: file.public, file: place, made });
    else {
      print(ctx, [
        `${made ? 'created' : 'your key is'} ${place}; in the policy, add:`,
        'people:',
        `  ${file.name}:`,
        `    keys: [${file.public}]`,
      ]);
    }
    return EXIT.succeeded.code;
  },
});
