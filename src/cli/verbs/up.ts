/** `sluice up`: run Sluice on this machine: Temporal, a worker, an emulated cloud. */

import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { aborted } from '../../model/aborted.js';
import { SluiceError } from '../../model/errors.js';
import { listPage } from '../../model/helper.js';
import { OPEN_TO_ALL } from '../../model/rollout/words.js';
import { type Context, command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { choice, list, port } from '../inputs.js';
import { note, print, printJson } from '../print.js';

interface Part {
  stop(): Promise<unknown>;
}

export const up = command({
  name: 'up',
  summary: 'Run Sluice on this machine: Temporal, a worker, an emulated cloud.',
  description: [
    'Runs until Ctrl-C. The cloud is emulated only with --emulate; otherwise the worker uses your real one.',
    'Everything listens on loopback only. Logs are kept in .sluice/up, and so is the state of Temporal unless you emulate a cloud.',
    'An emulated cloud forgets everything when it stops, so Temporal does too then.',
    'The emulated Azure starts with one site, checkout, with a slot named staging, in the resource group shop.',
  ].join('\n'),
  args: {},
  options: {
    emulate: choice('cloud', ['aws', 'azure'], 'Emulate this cloud (default: the worker uses the real one).'),
    port: port("Temporal's port (default: 7233 if free)."),
    uiPort: port("Port of Temporal's UI."),
    account: list('name@region', 'Account the worker serves (default: default@AWS_REGION). May be repeated.'),
  },
  examples: ['sluice up --emulate aws', 'sluice up --emulate azure'],
  grace: 30_000,
  handler: async ({ options }, ctx) => {
    const folder = path.join(ctx.cwd, '.sluice', 'up');
    mkdirSync(folder, { recursive: true });
    const parts: Part[] = [];
    try {
      return await runAll(ctx, folder, parts, { ...options, accounts: options.account });
    } finally {
      for (const part of parts.reverse()) await part.stop().catch(() => undefined);
    }
  },
});

interface Wanted {
  emulate: 'aws' | 'azure' | undefined;
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
  note(ctx, 'starting Temporal…');
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
    note(ctx, 'starting the emulated cloud…');
    const cloud = wanted.emulate === 'azure' ? await emulateAzure() : await emulateAws(ctx, folder);
    parts.push(cloud);
    Object.assign(env, cloud.env);
  }
  note(ctx, 'starting a worker…');
  const health = await freePort();
  const worker = await startProcess({
    name: 'the worker',
    command: process.execPath,
    args: [fileURLToPath(new URL('../../worker/main.js', import.meta.url))],
    env: {
      ...env,
      // On your own machine no policy has to be written.
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
    aborted(ctx.signal).then(() => null),
  ]);
  if (gone === null) {
    note(ctx, 'stopping everything…');
    return EXIT.succeeded.code;
  }
  note(ctx, [`${gone.name} stopped unexpectedly:`, ...gone.lines.slice(-10)].join('\n  '));
  return EXIT.error.code;
}

/** Installs what is missing: in a project that has Sluice as a package, nothing else brings these programs. Errors: SLUICE_SETUP. */
async function installTools(ctx: Context, emulate: Wanted['emulate']): Promise<void> {
  const { projectRoot, hasTool } = await import('../../../emulators/tools.js');
  const needed = emulate === 'aws' ? (['temporal', 'python', 'ministack'] as const) : (['temporal'] as const);
  if (needed.every((tool) => hasTool(tool, ctx.env))) return;
  const { setup, endAll } = (await import(pathToFileURL(path.join(projectRoot(), 'scripts', 'setup.mjs')).href)) as {
    setup(target: 'up', options: { say(line: string): void }): Promise<string[]>;
    endAll(): Promise<void>;
  };
  ctx.signal.addEventListener('abort', () => void endAll(), { once: true });
  try {
    await setup('up', { say: (line) => note(ctx, line) });
  } catch (error) {
    throw new SluiceError('SLUICE_SETUP', error instanceof Error ? error.message : String(error));
  }
}

/** What a worker with a policy needs too, and was not given. */
function withPolicy(keys: string[]): Record<string, string> {
  return {
    // There is only this worker to know it.
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
    printJson(ctx, { ready: true, ui, env, logs: folder, policy });
    return;
  }
  print(ctx, [
    `Temporal UI: ${ui === null ? 'none' : listPage(ui, env.TEMPORAL_NAMESPACE ?? 'default')}`,
    'In other terminals:',
    `  export ${Object.entries(env)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}`,
    policy === null ? `No policy (SLUICE_POLICY) is set: ${OPEN_TO_ALL}.` : `Policy: ${policy}`,
    `Logs: ${folder}. Press Ctrl-C to stop everything.`,
  ]);
}
