/** Starts a local Temporal server. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Connection } from '@temporalio/client';
import { freePort, listens, onFreePorts, type Running, startProcess } from './process.js';
import { toolPath } from './tools.js';

export interface TemporalOptions {
  /** SQLite file that survives a restart; in memory without. */
  dbFile?: string;
  /** gRPC port; a free one unless given. */
  port?: number;
  /** The web UI's port; a free one unless given. */
  uiPort?: number;
  namespace?: string;
  /** Without the web UI. */
  headless?: boolean;
  /** File that gets what the server prints. */
  logFile?: string;
  /** The server's dynamic configuration, such as limits lower than a production server has. */
  dynamicConfig?: Record<string, string | number>;
}

export interface LocalTemporal {
  /** `host:port` for clients and workers. */
  address: string;
  port: number;
  /** Null when headless. */
  uiUrl: string | null;
  namespace: string;
  pid: number;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  /** The last lines the server printed. */
  lastLines(): string[];
  stop(): Promise<void>;
  /** SIGKILL, as a crash: start again with the same `port` and `dbFile`, and everything goes on. */
  kill9(): Promise<void>;
}

/**
 * Starts a real Temporal server on loopback and waits until its namespace answers.
 * @throws SluiceError SLUICE_SETUP when the CLI is missing, a port is taken, or the server does not come up.
 */
export function startTemporal(options: TemporalOptions = {}): Promise<LocalTemporal> {
  // Beside the ports it is given, the server looks for some of its own, and other programs look at the same time.
  return onFreePorts(() => startOnce(options));
}

async function startOnce(options: TemporalOptions): Promise<LocalTemporal> {
  const port = options.port ?? (await freePort());
  const uiPort = options.headless === true ? null : (options.uiPort ?? (await freePort()));
  const namespace = options.namespace ?? 'default';
  const address = `127.0.0.1:${port}`;
  if (options.dbFile !== undefined) mkdirSync(dirname(options.dbFile), { recursive: true });
  const server: Running = await startProcess({
    name: 'Temporal',
    command: toolPath('temporal'),
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--namespace', namespace],
      ...['--log-level', 'warn'],
      // One shard polls its transfer queue 20 times a second unless told otherwise: 50 ms on every workflow task.
      ...['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=1000'],
      ...Object.entries(options.dynamicConfig ?? {}).flatMap(([key, value]) => [
        '--dynamic-config-value',
        `${key}=${JSON.stringify(value)}`,
      ]),
      ...(uiPort === null ? ['--headless'] : ['--ui-port', String(uiPort), '--ui-disable-news-fetch']),
      ...(options.dbFile === undefined ? [] : ['--db-filename', options.dbFile]),
    ],
    ports: uiPort === null ? [port] : [port, uiPort],
    ready: async () => (await listens(port)) && (await namespaceAnswers(address, namespace)),
    ...(options.logFile === undefined ? {} : { logFile: options.logFile }),
  });
  return {
    address,
    port,
    uiUrl: uiPort === null ? null : `http://127.0.0.1:${uiPort}`,
    namespace,
    pid: server.pid,
    ended: server.ended,
    lastLines: server.lastLines,
    // It takes a second to wind up, and one in memory has nothing to keep.
    stop: options.dbFile === undefined ? server.kill9 : server.stop,
    kill9: server.kill9,
  };
}

/** Asked only once the port listens: a connection that was refused is tried again after a whole second. */
async function namespaceAnswers(address: string, namespace: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 2_000 });
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return true;
  } finally {
    await connection.close();
  }
}
