import { SluiceError } from '../../model/errors.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { readText, writeText } from '../files.js';
import { type Given, usage } from '../given.js';
import { print, say } from '../print.js';

export const audit = command({
  name: 'audit',
  does: 'Exports who did what to a target, why, and what was before and after: NDJSON for an append-only store.',
  more: [
    'Each line names the digest of the one before it; the last one is signed with your key. It is read from the histories that',
    'the Temporal namespace still keeps, so export more often than its retention. --verify checks a file without any server.',
  ].join('\n'),
  args: [{ name: '[target]', means: 'APP/ENVIRONMENT, such as checkout/production' }],
  options: [
    { flags: '--out <file>', means: 'Into a new file; without it to stdout.' },
    { flags: '--verify <file>', means: 'Whether a trail is whole, and signed with the key of --key.' },
    { flags: '--key <key>', means: 'ed25519:…, the public key of who exported it.' },
  ],
  examples: [
    'sluice audit checkout/production --out checkout-2026-11.ndjson',
    'sluice audit --verify checkout-2026-11.ndjson --key ed25519:…',
  ],
  handler: async (given, ctx) => {
    const { faultOf, isPublicKey, trailOf } = await import('../../access/index.js');
    const file = given.text('verify');
    if (file !== undefined) {
      const key = given.text('key');
      if (key === undefined) throw usage('--verify goes with --key, the public key of who exported it');
      if (!isPublicKey(key)) throw usage('--key is no public key; expected ed25519:… as `sluice key` prints it');
      // A digest is over a line without its end, so ends that a checkout or an editor has changed change nothing.
      const lines = readText(ctx, file)
        .split(/\r?\n/)
        .filter((line) => line !== '');
      const fault = await faultOf(lines, key);
      if (fault !== null) throw new SluiceError('SLUICE_ACCESS', `${file} is not what was exported: ${fault}`);
      print(ctx, `${file} is whole: ${lines.length - 1} lines, signed with this key`);
      return EXIT.succeeded.code;
    }
    const target = targetOf(given);
    const sluice = await ctx.connect();
    const { entries, signer } = await sluice.audit(target);
    const lines = await trailOf(entries, signer, ctx.now());
    const out = given.text('out');
    if (out === undefined) print(ctx, lines);
    else writeText(ctx, out, `${lines.join('\n')}\n`, { anew: true });
    if (out !== undefined) say(ctx, `${entries.length} lines in ${out}`);
    const others = entries.flatMap(({ mismatch }, at) => (mismatch ? [at + 1] : []));
    if (others.length > 0)
      say(ctx, `sent by somebody else than who it names, as the Temporal server says: line ${others.join(', ')}`);
    const unproven = entries.flatMap(({ kind }, at) => (kind === 'foreign' || kind === 'unreadable' ? [at + 1] : []));
    if (unproven.length > 0)
      say(
        ctx,
        `done past the workers of Sluice, or not to be read; their \`why\` says which: line ${unproven.join(', ')}`,
      );
    if (signer === null) say(ctx, 'the head is not signed: you have no key (`sluice key`)');
    return EXIT.succeeded.code;
  },
});

function targetOf(given: Given) {
  if (given.maybe('target') === undefined) throw usage('say which target, or --verify FILE');
  return given.target();
}
