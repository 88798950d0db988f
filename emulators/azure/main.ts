#!/usr/bin/env node
/** Emulated Azure as a program of its own. */
import { parseArgs } from 'node:util';
import { wholeNumber } from '../flags.js';
import { stopAll } from '../registry.js';
import { startAzure } from './start.js';

const HELP = `The emulated Azure as a process: prints one JSON line with its addresses and what a client needs in its environment,
runs until SIGINT or SIGTERM.
  --folder DIR          keeps all state there, over SIGKILL too (a temporary one)
  --port N              port of ARM (a free one, or the folder's)
  --site NAME           a site with a slot named staging, in resource group shop, unless the folder has it
  --metrics-delay MS    how long Azure Monitor lags (0)
  --log FILE            each write as a JSON line`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      folder: { type: 'string' },
      port: { type: 'string' },
      site: { type: 'string' },
      'metrics-delay': { type: 'string' },
      log: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return;
  }
  const port = wholeNumber('--port', values.port);
  const metricsDelayMs = wholeNumber('--metrics-delay', values['metrics-delay']);
  const azure = await startAzure({
    ...(values.folder === undefined ? {} : { folder: values.folder }),
    ...(values.log === undefined ? {} : { writesFile: values.log }),
    ...(port === undefined ? {} : { port }),
    ...(metricsDelayMs === undefined ? {} : { metricsDelayMs }),
  });
  const { site } = values;
  if (site !== undefined && !azure.state.sites.some(({ name }) => name === site))
    await azure.createSite({ name: site, resourceGroup: 'shop', slots: ['staging'] });
  const { endpoint, subscription, caFile, env, managedIdentity } = azure;
  process.stdout.write(
    `${JSON.stringify({ endpoint, subscription, caFile, env, managedIdentity, pid: process.pid })}\n`,
  );
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  await stopAll();
  process.exitCode = 1;
}
