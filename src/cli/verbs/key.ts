import { SluiceError } from '../../model/errors.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { emit, print } from '../print.js';

export const key = command({
  name: 'key',
  does: 'Makes your key, or shows the public half of the one you have.',
  more: [
    'Starts and verbs are signed with it, and a policy knows you by it. The private half stays in the file: SLUICE_KEY, else',
    'sluice/key.json in your configuration folder, readable by you alone.',
  ].join('\n'),
  args: [],
  options: [
    { flags: '--by <name>', means: "Your name in the policy; SLUICE_BY, else the system's user name." },
    { flags: '--new', means: 'Make another one; the old file is kept beside it.' },
  ],
  examples: ['sluice key', 'sluice key --by ann --new'],
  handler: async (given, ctx) => {
    const { keyPlace, readKey, writeKey } = await import('../../key-file.js');
    const place = keyPlace(ctx.env);
    if (place === null)
      throw new SluiceError('SLUICE_SETUP', 'there is no home folder to keep a key in; set SLUICE_KEY to a file');
    // One that cannot be used is no reason against another one.
    const old = given.flag('new') ? null : readKey(place);
    const made = old === null;
    const file = made ? await writeKey(place, given.by()) : old;
    if (ctx.json) emit(ctx, { name: file.name, public: file.public, file: place, made });
    else {
      print(ctx, [
        `${made ? 'made' : 'your key is'} ${place}; in the policy you are:`,
        'people:',
        `  ${file.name}:`,
        `    keys: [${file.public}]`,
      ]);
    }
    return EXIT.succeeded.code;
  },
});
