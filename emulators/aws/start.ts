/** Emulated AWS: starts all its parts and connects them. */
import type { OnCall } from '../http.js';
import { freePort } from '../process.js';
import { type AskedWrite, type Gateway, startGateway } from './gateway.js';
import type { TrafficCounts, Write } from './logs.js';
import { type Faults, startMicroburst } from './microburst.js';
import { startMinistack } from './ministack.js';

export interface AwsOptions {
  /** Port of the endpoint that clients use; a free one unless given. */
  port?: number;
  /** With microburst in front, for `faults`. */
  faults?: boolean;
  /** Milliseconds CloudWatch lags behind an invocation. */
  metricsDelayMs?: number;
  /** Milliseconds provisioned concurrency is IN_PROGRESS. */
  provisioningMs?: number;
  /** Milliseconds that a creation or an update of a function is in progress. */
  updatingMs?: number;
  /** Actions that an access key may do; one without an entry may do everything. */
  roles?: Record<string, readonly string[]>;
  /** File that gets each control-plane write as a JSON line. */
  writesFile?: string;
  /** File that gets what the servers print. */
  logFile?: string;
  /** Called before a write gets its turn, and so before its effect. */
  beforeWrite?: (asked: AskedWrite) => Promise<void>;
  /** Called after each write's effect and before its answer. */
  afterWrite?: (write: Write) => Promise<void>;
  /** Sees each request that comes by; one that a fault has kept away is not seen. */
  onCall?: OnCall;
}

export interface EmulatedAws {
  /** What clients use: microburst when there are faults, else the gateway. */
  endpoint: string;
  gatewayUrl: string;
  ministackUrl: string;
  /** Without rules until some are set. Setting them throws when not asked for at the start. */
  faults: Faults;
  /** Control-plane writes so far, in the order of their effect, refused ones too. */
  writes(): Write[];
  clearWrites(): void;
  /** Invocations by alias and executed version. */
  traffic(): TrafficCounts;
  stop(): Promise<void>;
}

/**
 * Starts the emulated AWS on loopback: ministack, the gateway of AWS's rules in this process, and microburst when asked.
 * @throws SluiceError SLUICE_SETUP when a program is missing or does not come up.
 */
export async function startAws(options: AwsOptions = {}): Promise<EmulatedAws> {
  const log = options.logFile === undefined ? {} : { logFile: options.logFile };
  const ports = { ministack: await freePort(), gateway: 0 };
  if (options.faults !== true && options.port !== undefined) ports.gateway = options.port;
  const gateway = await startGateway({
    port: ports.gateway,
    upstream: `http://127.0.0.1:${ports.ministack}`,
    metricsDelayMs: options.metricsDelayMs ?? 0,
    provisioningMs: options.provisioningMs ?? 1_000,
    roles: options.roles ?? {},
    logFile: options.writesFile ?? null,
    ...(options.beforeWrite === undefined ? {} : { beforeWrite: options.beforeWrite }),
    ...(options.afterWrite === undefined ? {} : { afterWrite: options.afterWrite }),
    ...(options.onCall === undefined ? {} : { onCall: options.onCall }),
  });
  const front = options.port === undefined ? {} : { port: options.port };
  const [ministack, microburst] = await Promise.allSettled([
    startMinistack({ port: ports.ministack, updatingMs: options.updatingMs ?? 100, ...log }),
    options.faults === true ? startMicroburst(gateway.url, { ...front, ...log }) : Promise.resolve(null),
  ]);
  const stop = async (): Promise<void> => {
    const started = [ministack, microburst].map((each) => (each.status === 'fulfilled' ? each.value : null));
    await Promise.all([gateway.close(), ...started.map((each) => each?.process.stop())]);
  };
  if (ministack.status === 'rejected' || microburst.status === 'rejected') {
    await stop();
    throw ministack.status === 'rejected' ? ministack.reason : (microburst as PromiseRejectedResult).reason;
  }
  return {
    endpoint: microburst.value?.url ?? gateway.url,
    gatewayUrl: gateway.url,
    ministackUrl: ministack.value.url,
    faults: microburst.value?.faults ?? noFaults,
    ...views(gateway),
    stop,
  };
}

function views(gateway: Gateway): Pick<EmulatedAws, 'writes' | 'clearWrites' | 'traffic'> {
  return {
    writes: () => gateway.writes.all(),
    clearWrites: () => gateway.writes.clear(),
    traffic: () => gateway.traffic.counts(),
  };
}

const noFaults: Faults = {
  set: () => Promise.reject(new Error('This stack was started without faults: startAws({faults: true})')),
  clear: () => Promise.resolve(),
  fired: () => Promise.resolve([]),
  forget: () => Promise.resolve(),
};
