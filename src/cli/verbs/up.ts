import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SluiceError } from '../../model/errors.js';
import { type Context, command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { emit, print, say } from '../print.js';

interface Part {
  stop(): Promise<unknown>;
}

export const up = command({
  name: 'up',
  does: 'Runs everything on this machine until Ctrl-C: Temporal, a worker, and with --emulate a cloud.',
  more: [
    'All of it listens on loopback. Logs, and without --emulate the state of Temporal, are kept in .sluice/up.',
    'An emulated cloud forgets everything when it ends, so Temporal then does too. The emulated Azure has one site to begin with:',
    'checkout, with a slot named staging, in the resource group shop.',
  ].join('\n'),
  args: [],
  options: [
    {
      flags: '--emulate <cloud>',
      means: 'Emulate this cloud; without it the worker uses the real one.',
      choices: ['aws', 'azure'],
    },
    { flags: '--port <port>', means: "Temporal's port (7233 if free)." },
    { flags: '--ui-port <port>', means: "Port of Temporal's UI." },
    { flags: '--account <name@region>', means: 'Accounts the worker serves (default@AWS_REGION).', many: true },
  ],
  examples: ['sluice up --emulate aws', 'sluice up --emulate azure'],
  grace: 30_000,
  handler: async (given, ctx) => {
    const folder = path.join(ctx.cwd, '.sluice', 'up');
    mkdirSync(folder, { recursive: true });
    const parts: Part[] = [];
    try {
      return await runAll(ctx, folder, parts, {
        emulate: given.text('emulate'),
        port: given.port('port'),
        uiPort: given.port('uiPort'),
        accounts: given.texts('account'),
      });
    } finally {
      for (const part of parts.reverse()) await part.stop().catch(() => undefined);
    }
  },
});

interface Wanted {
  /** `aws` or `azure`. */
  emulate: string | undefined;
  port: number | undefined;
  uiPort: number | undefined;
  accounts: string[];
}

async function runAll(ctx: Context, folder: string, parts: Part[], wanted: Wanted): Promise<number> {
  const { grantKeysOf, OPEN, policyFile } = await import('../../worker/config.js');
  const { DEFAULT_STORE } = await import('../../store/index.js');
  const policy = policyFile(ctx.env);
  const access = policy === null ? {} : withPolicy(grantKeysOf(ctx.env));
  const { startTemporal } = await import('../../../emulators/temporal.js');
  const { freePort, isFree, startProcess } = await import('../../../emulators/process.js');
  await installTools(ctx, wanted.emulate);
  say(ctx, 'starting Temporal…');
  const temporal = await startTemporal({
    logFile: path.join(folder, 'temporal.log'),
    port: wanted.port ?? ((await isFree(7233)) ? 7233 : await freePort()),
    ...(wanted.uiPort === undefined ? {} : { uiPort: wanted.uiPort }),
    ...(wanted.emulate !== undefined ? {} : { dbFile: path.join(folder, 'temporal.db') }),
  });
  parts.push(temporal);
  const env: Record<string, string> = {
    TEMPORAL_ADDRESS: temporal.address,
    SLUICE_STORE: ctx.env.SLUICE_STORE ?? path.join(ctx.cwd, DEFAULT_STORE),
  };
  if (wanted.emulate !== undefined) {
    say(ctx, 'starting the emulated cloud…');
    const cloud = wanted.emulate === 'azure' ? await emulateAzure() : await emulateAws(ctx, folder);
    parts.push(cloud);
    Object.assign(env, cloud.env);
  }
  say(ctx, 'starting a worker…');
  const health = await freePort();
  const worker = await startProcess({
    name: 'the worker',
    command: process.execPath,
    args: [fileURLToPath(new URL('../../worker/main.js', import.meta.url))],
    env: {
      ...env,
      // On one's own machine nothing has to be said.
      SLUICE_POLICY: policy ?? OPEN,
      ...access,
      SLUICE_HEALTH_PORT: String(health),
      ...(wanted.accounts.length === 0 ? {} : { SLUICE_ACCOUNTS: wanted.accounts.join(',') }),
    },
    ports: [health],
    ready: async () => (await fetch(`http://127.0.0.1:${health}/readyz`)).ok,
    within: 30_000,
    grace: 15_000,
    logFile: path.join(folder, 'worker.log'),
  });
  parts.push(worker);
  announce(ctx, temporal.uiUrl, env, folder, policy);
  const gone = await Promise.race([
    worker.ended.then(() => ({ name: 'the worker', lines: worker.lastLines() })),
    temporal.ended.then(() => ({ name: 'Temporal', lines: temporal.lastLines() })),
    interrupted(ctx.signal).then(() => null),
  ]);
  if (gone === null) {
    say(ctx, 'ending all of it…');
    return EXIT.succeeded.code;
  }
  say(ctx, [`${gone.name} has ended by itself:`, ...gone.lines.slice(-10)].join('\n  '));
  return EXIT.error.code;
}

/** Installs what is missing: in a project that has Sluice as a package, nothing else brings these programs. Errors: SLUICE_SETUP. */
async function installTools(ctx: Context, emulate: string | undefined): Promise<void> {
  const { projectRoot, hasTool } = await import('../../../emulators/tools.js');
  const needed = emulate === 'aws' ? (['temporal', 'python', 'ministack'] as const) : (['temporal'] as const);
  if (needed.every((tool) => hasTool(tool, ctx.env))) return;
  const { setup, endAll } = (await import(pathToFileURL(path.join(projectRoot(), 'scripts', 'setup.mjs')).href)) as {
    setup(target: 'up', options: { say(line: string): void }): Promise<string[]>;
    endAll(): Promise<void>;
  };
  ctx.signal.addEventListener('abort', () => void endAll(), { once: true });
  try {
    await setup('up', { say: (line) => say(ctx, line) });
  } catch (error) {
    throw new SluiceError('SLUICE_SETUP', error instanceof Error ? error.message : String(error));
  }
}

/** What a worker needs beside its policy and was not given. */
function withPolicy(keys: string[]): Record<string, string> {
  return {
    // The one worker here keeps it to itself.
    ...(keys.length > 0 ? {} : { SLUICE_GRANT_KEY: randomBytes(32).toString('base64') }),
  };
}

interface Cloud extends Part {
  env: Record<string, string>;
}

async function emulateAws(ctx: Context, folder: string): Promise<Cloud> {
  const { startAws } = await import('../../../emulators/aws/index.js');
  const aws = await startAws({ logFile: path.join(folder, 'aws.log') });
  const env = {
    AWS_ENDPOINT_URL: aws.endpoint,
    SLUICE_ALLOW_ADDRESSES: 'loopback',
    AWS_ACCESS_KEY_ID: 'sluice',
    AWS_SECRET_ACCESS_KEY: 'sluice',
    AWS_REGION: ctx.env.AWS_REGION ?? 'us-east-1',
  };
  return { env, stop: () => aws.stop() };
}

async function emulateAzure(): Promise<Cloud> {
  const { startAzure } = await import('../../../emulators/azure/index.js');
  const azure = await startAzure();
  await azure.createSite({ name: 'checkout', resourceGroup: 'shop', slots: ['staging'] });
  return azure;
}

function announce(
  ctx: Context,
  ui: string | null,
  env: Record<string, string>,
  folder: string,
  policy: string | null,
): void {
  if (ctx.json) {
    emit(ctx, { ready: true, ui, env, logs: folder, policy });
    return;
  }
  print(ctx, [
    `Temporal UI: ${ui ?? 'none'}`,
    'In other terminals:',
    `  export ${Object.entries(env)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}`,
    policy === null
      ? 'Open: there is no policy (SLUICE_POLICY), so anybody here can do everything.'
      : `Policy: ${policy}`,
    `Logs: ${folder}. Ctrl-C ends all of it.`,
  ]);
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
