#!/usr/bin/env node
/** Emulated AWS as a program of its own. */
import { parseArgs } from 'node:util';
import { wholeNumber } from '../flags.js';
import { stopAll } from '../registry.js';
import { startAws } from './start.js';

const HELP = `The emulated AWS as a process: prints one JSON line with its addresses, runs until SIGINT or SIGTERM.
  --port N              port of the endpoint (a free one)
  --faults              with microburst in front
  --metrics-delay MS    how long CloudWatch lags (0)
  --provisioning MS     how long provisioned concurrency takes (1000)
  --log FILE            each control-plane write as a JSON line
  --server-log FILE     what the servers print`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      faults: { type: 'boolean', default: false },
      'metrics-delay': { type: 'string' },
      provisioning: { type: 'string' },
      log: { type: 'string' },
      'server-log': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return;
  }
  const aws = await startAws({
    faults: values.faults,
    ...number('port', values.port),
    ...number('metricsDelayMs', values['metrics-delay']),
    ...number('provisioningMs', values.provisioning),
    ...(values.log === undefined ? {} : { writesFile: values.log }),
    ...(values['server-log'] === undefined ? {} : { logFile: values['server-log'] }),
  });
  const { endpoint, gatewayUrl, ministackUrl } = aws;
  process.stdout.write(`${JSON.stringify({ endpoint, gatewayUrl, ministackUrl, pid: process.pid })}\n`);
}

function number(name: string, text: string | undefined): { [name: string]: number } {
  const value = wholeNumber(name, text);
  return value === undefined ? {} : { [name]: value };
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  await stopAll();
  process.exitCode = 1;
}
