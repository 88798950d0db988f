/** `sluice codec`: let Temporal's UI and CLI show encrypted payloads (codec server). */

import { aborted } from '../../model/aborted.js';
import type { Context } from '../command.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { list, port, text } from '../inputs.js';
import { note, print, printJson } from '../print.js';
import { usageError } from '../usage-error.js';

/** Where the UI of a Temporal server on this machine is. */
const LOCAL_UI = ['http://localhost:8233', 'http://127.0.0.1:8233'];

export const codec = command({
  name: 'codec',
  summary: "Let Temporal's UI and CLI show encrypted payloads (codec server).",
  description: [
    'Runs until Ctrl-C.',
    'It holds the keys (SLUICE_CODEC_KEYS or SLUICE_CODEC_KEYS_FILE): anyone it answers can read every payload.',
    'Without a token it listens on loopback only. In the UI, enter its address under "Codec Server".',
    '`temporal` takes the address with --codec-endpoint, and a token with --codec-auth "Bearer TOKEN".',
  ].join('\n'),
  args: {},
  options: {
    host: text('interface', 'Interface to listen on (default: 127.0.0.1).'),
    port: port('Port (default: 8081); 0 picks a free one.'),
    uiOrigin: list('origin', `Origin of a UI that may ask (default: ${LOCAL_UI[0]}). May be repeated.`),
    tokenEnv: text('name', 'Require the bearer token stored in this environment variable.'),
    jwks: text('url', "Accept users' access tokens signed with the keys at this address."),
    issuer: text('issuer', 'Issuer such a token must have.'),
    audience: text('audience', 'Audience such a token must have.'),
  },
  examples: [
    'sluice codec',
    'sluice codec --port 9001 --ui-origin https://temporal.example.com --jwks https://id.example.com/jwks --issuer https://id.example.com --audience temporal',
  ],
  handler: async ({ options }, ctx) => {
    const { codecOf, serveCodec } = await import('../../codec/index.js');
    const admission = { token: tokenOf(options.tokenEnv, ctx), signed: signedOf(options) };
    const origins = options.uiOrigin;
    for (const origin of origins) mustBeOrigin(origin);
    const server = await serveCodec({
      codec: codecOf(ctx.env),
      host: options.host ?? '127.0.0.1',
      port: options.port ?? 8081,
      origins: origins.length === 0 ? LOCAL_UI : origins,
      admission,
    });
    const open = admission.token === null && admission.signed === null;
    if (ctx.json) printJson(ctx, { ready: true, url: server.url, token: !open });
    else print(ctx, `Codec server: ${server.url}`);
    if (open) note(ctx, 'No token is required: every program on this machine can decode payloads.');
    await aborted(ctx.signal);
    await server.close();
    return EXIT.succeeded.code;
  },
});

function tokenOf(name: string | undefined, ctx: Context): string | null {
  if (name === undefined) return null;
  const token = ctx.env[name] ?? '';
  if (token.trim() === '') throw usageError(`--token-env ${name}: this variable is not set or is empty`);
  return token.trim();
}

function signedOf({ jwks, issuer, audience }: Partial<Record<'jwks' | 'issuer' | 'audience', string | undefined>>) {
  if (jwks === undefined && issuer === undefined && audience === undefined) return null;
  if (jwks === undefined || issuer === undefined || audience === undefined) {
    throw usageError(
      '--jwks, --issuer and --audience must be used together, so that tokens for other services are refused',
    );
  }
  if (!URL.canParse(jwks)) throw usageError(`--jwks "${jwks}" is not a URL`);
  return { jwks, issuer, audience };
}

function mustBeOrigin(text: string): void {
  if (URL.canParse(text) && new URL(text).origin === text) return;
  throw usageError(
    `--ui-origin "${text}" is not an origin; write only scheme, host and port, such as https://temporal.example.com`,
  );
}
