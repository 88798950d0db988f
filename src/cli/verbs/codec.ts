import type { Context } from '../command.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { type Given, usage } from '../given.js';
import { emit, print, say } from '../print.js';

/** Where the UI of a Temporal server on this machine is. */
const LOCAL_UI = ['http://localhost:8233', 'http://127.0.0.1:8233'];

export const codec = command({
  name: 'codec',
  does: "Runs a codec server: Temporal's UI and CLI show encrypted payloads through it. Ctrl-C ends it.",
  more: [
    'It holds the keys (SLUICE_CODEC_KEYS or SLUICE_CODEC_KEYS_FILE), and whoever it answers can read every payload.',
    'Without a token it stays on loopback. In the UI its address belongs under "Codec Server";',
    '`temporal` takes it with --codec-endpoint, and a token with --codec-auth "Bearer TOKEN".',
  ].join('\n'),
  args: [],
  options: [
    { flags: '--host <interface>', means: 'Interface to listen on: 127.0.0.1 unless given.' },
    { flags: '--port <port>', means: 'Port: 8081 unless given; 0 for a free one.' },
    { flags: '--ui-origin <origin>', means: `Pages that may ask: ${LOCAL_UI[0]} unless given.`, many: true },
    { flags: '--token-env <name>', means: 'Ask for the bearer token in this variable.' },
    { flags: '--jwks <url>', means: "Take users' access tokens, signed by the keys at this address." },
    { flags: '--issuer <issuer>', means: 'Issuer that such a token must name.' },
    { flags: '--audience <audience>', means: 'Audience that such a token must be for.' },
  ],
  examples: [
    'sluice codec',
    'sluice codec --port 9001 --ui-origin https://temporal.example.com --jwks https://id.example.com/jwks --issuer https://id.example.com --audience temporal',
  ],
  handler: async (given, ctx) => {
    const { codecOf, serveCodec } = await import('../../codec/index.js');
    const admission = { token: tokenOf(given, ctx), signed: signedOf(given) };
    const origins = given.texts('uiOrigin');
    for (const origin of origins) mustBeOrigin(origin);
    const server = await serveCodec({
      codec: codecOf(ctx.env),
      host: given.text('host') ?? '127.0.0.1',
      port: given.port('port') ?? 8081,
      origins: origins.length === 0 ? LOCAL_UI : origins,
      admission,
    });
    const open = admission.token === null && admission.signed === null;
    if (ctx.json) emit(ctx, { ready: true, url: server.url, token: !open });
    else print(ctx, `Codec server: ${server.url}`);
    if (open) say(ctx, 'It asks for no token: every program on this machine can have payloads decoded.');
    await interrupted(ctx.signal);
    await server.close();
    return EXIT.succeeded.code;
  },
});

function tokenOf(given: Given, ctx: Context): string | null {
  const name = given.text('tokenEnv');
  if (name === undefined) return null;
  const token = ctx.env[name] ?? '';
  if (token.trim() === '') throw usage(`--token-env ${name}: that variable is not set, or empty`);
  return token.trim();
}

function signedOf(given: Given) {
  const [jwks, issuer, audience] = [given.text('jwks'), given.text('issuer'), given.text('audience')];
  if (jwks === undefined && issuer === undefined && audience === undefined) return null;
  if (jwks === undefined || issuer === undefined || audience === undefined) {
    throw usage('--jwks, --issuer and --audience belong together; a token for another service must not be admitted');
  }
  if (!URL.canParse(jwks)) throw usage(`--jwks "${jwks}" is no address`);
  return { jwks, issuer, audience };
}

function mustBeOrigin(text: string): void {
  if (URL.canParse(text) && new URL(text).origin === text) return;
  throw usage(
    `--ui-origin "${text}" is no origin; write scheme, host and port alone, such as https://temporal.example.com`,
  );
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
