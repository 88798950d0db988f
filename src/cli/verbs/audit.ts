/** `sluice audit`: export who did what to a target, and why, as signed NDJSON. */
import { SluiceError } from '../../model/errors.js';
import { command } from '../command.js';
import { TARGET } from '../common.js';
import { EXIT } from '../exit-codes.js';
import { readText, writeText } from '../files.js';
import { optional, text } from '../inputs.js';
import { note, print } from '../print.js';
import { usageError } from '../usage-error.js';

export const audit = command({
  name: 'audit',
  summary: 'Export who did what to a target, and why, as signed NDJSON.',
  description: [
    'Each line contains the digest of the line before it; the last line is signed with your key. Store the file append-only.',
    'The trail is read from workflow histories, so export more often than your Temporal namespace deletes them. --verify works offline.',
  ].join('\n'),
  args: { target: optional(TARGET) },
  options: {
    out: text('file', 'Write to this new file (default: stdout).'),
    verify: text('file', 'Check that an exported file is complete and signed with --key.'),
    key: text('key', 'With --verify: public key of the exporter, ed25519:….'),
  },
  examples: [
    'sluice audit checkout/production --out checkout-2026-11.ndjson',
    'sluice audit --verify checkout-2026-11.ndjson --key ed25519:…',
  ],
  handler: async ({ args: { target }, options }, ctx) => {
    const { faultOf, isPublicKey, trailOf } = await import('../../access/index.js');
    const { out, verify: file, key } = options;
    if (file !== undefined) {
      if (key === undefined) throw usageError('--verify needs --key, the public key of the exporter');
      if (!isPublicKey(key))
        throw usageError('--key is not a public key; expected ed25519:…, as `sluice key` prints it');
      // Digests leave line ends out, so a checkout or an editor may change those.
      const lines = readText(ctx, file)
        .split(/\r?\n/)
        .filter((line) => line !== '');
      const fault = await faultOf(lines, key);
      if (fault !== null) throw new SluiceError('SLUICE_ACCESS', `${file} is not the file that was exported: ${fault}`);
      print(ctx, `${file} is complete: ${lines.length - 1} lines, signed with this key`);
      return EXIT.succeeded.code;
    }
    if (target === undefined) throw usageError('name a target, or a file with --verify');
    const sluice = await ctx.connect();
    const { entries, signer } = await sluice.audit(target);
    const lines = await trailOf(entries, signer, ctx.now());
    if (out === undefined) print(ctx, lines);
    else writeText(ctx, out, `${lines.join('\n')}\n`, { newFile: true });
    if (out !== undefined) note(ctx, `wrote ${entries.length} lines to ${out}`);
    const others = entries.flatMap(({ mismatch }, at) => (mismatch ? [at + 1] : []));
    if (others.length > 0)
      note(ctx, `not sent by the person it names, according to the Temporal server: line ${others.join(', ')}`);
    const unproven = entries.flatMap(({ kind }, at) => (kind === 'foreign' || kind === 'unreadable' ? [at + 1] : []));
    if (unproven.length > 0)
      note(ctx, `not done by a Sluice worker, or unreadable (see \`why\`): line ${unproven.join(', ')}`);
    if (signer === null) note(ctx, 'not signed: you have no key yet; `sluice key` creates one');
    return EXIT.succeeded.code;
  },
});
