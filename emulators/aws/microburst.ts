/** Emulated AWS: starts microburst, the proxy that injects faults. */
import { SluiceError } from '../../src/model/errors.js';
import { freePort, onFreePorts, type Running, serves, startProcess } from '../process.js';
import { toolPath } from '../tools.js';

/**
 * A fault, as microburst's README documents it. `times` without a limit goes on; `latency` and `timeout_ms` are
 * milliseconds. `reset` and `error` keep the request from the server; `response` lets it take effect and loses the answer.
 */
export interface FaultRule {
  service?: string;
  /** Lambda's name of the operation, as `UpdateAlias`. */
  operation?: string;
  times?: number;
  probability?: number;
  /** Matching requests let through after a number that fail. */
  sequence?: { fail: number; pass: number };
  error?: { code: string; status?: number; message?: string };
  latency?: number | { min: number; max: number };
  timeout_ms?: number;
  reset?: boolean;
  response?: { abort_frac?: number; abort_bytes?: number };
  [other: string]: unknown;
}

/** A fault that happened. */
interface FiredFault {
  service: string;
  operation: string | null;
  action: string;
  [other: string]: unknown;
}

export interface Faults {
  /** Replaces all rules. */
  set(rules: FaultRule[]): Promise<void>;
  clear(): Promise<void>;
  /** Faults since the start or the last `forget`, oldest first. */
  fired(): Promise<FiredFault[]>;
  /** Empties the list of fired faults. */
  forget(): Promise<void>;
}

/** Starts microburst in front of a server. */
export async function startMicroburst(
  upstream: string,
  options: { port?: number; logFile?: string } = {},
): Promise<{ url: string; process: Running; faults: Faults }> {
  const { url, started } = await onFreePorts(() => startOnce(upstream, options));
  const control = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${url}/_microburst/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    if (!response.ok) throw new SluiceError('SLUICE_SETUP', `microburst answered ${response.status}: ${text}`);
    return text === '' ? null : JSON.parse(text);
  };
  const faults: Faults = {
    set: async (rules) => void (await control('POST', 'rules', rules)),
    clear: async () => void (await control('POST', 'rules', [])),
    fired: async () => (await control('GET', 'fired?limit=100000')) as FiredFault[],
    forget: async () => void (await control('DELETE', 'fired')),
  };
  return { url, process: started, faults };
}

async function startOnce(
  upstream: string,
  options: { port?: number; logFile?: string },
): Promise<{ url: string; started: Running }> {
  const port = options.port ?? (await freePort());
  // By a name without dots: to look for a service in any other host, its first request loads the models of all services (3.2 s of CPU, 400 MB).
  const url = `http://localhost:${port}`;
  const started = await startProcess({
    name: 'microburst',
    command: toolPath('microburst'),
    args: ['--host', '127.0.0.1', '--port', String(port), '--upstream', upstream, '--no-resign'],
    ports: [port],
    ready: () => serves(`${url}/_microburst/health`),
    ...(options.logFile === undefined ? {} : { logFile: options.logFile }),
  });
  return { url, started };
}
