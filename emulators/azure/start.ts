/** Emulated Azure: starts all its services with a first site and slot. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../../src/model/errors.js';
import type { OnCall } from '../http.js';
import { register, unregister } from '../registry.js';
import { home } from '../tools.js';
import type { Role } from './actions.js';
import { arm } from './arm/index.js';
import { Azure } from './azure.js';
import { type Certificates, makeCertificates } from './certificates.js';
import type { Faults } from './faults.js';
import { writeDurably } from './files.js';
import { type Write, WriteLog } from './log.js';
import { type Data, LOCATION, type Plan, type Site } from './model.js';
import { Store } from './store.js';
import { WARM_UP, type WarmUp } from './swap.js';
import type { Limit } from './throttle.js';
import type { Traffic } from './traffic.js';

/** The subscription, where none is given. */
const SUBSCRIPTION = '11111111-1111-4111-8111-111111111111';
const CLIENT = { id: '22222222-2222-4222-8222-222222222222', secret: 'demo' };
const TENANT = '33333333-3333-4333-8333-333333333333';
const IDENTITY_HEADER = 'demo';

export interface AzureOptions {
  /** Keeps all state, over the end of this process and SIGKILL; a temporary one unless given. */
  folder?: string;
  /** Port of ARM; a free one unless given, or the one that the folder's state names. */
  port?: number;
  subscription?: string;
  /** What callers may do; everything unless given. */
  role?: Role;
  /** With Resource Manager's own limits; true unless given. */
  throttle?: boolean | { reads: Limit };
  warmUp?: Partial<WarmUp>;
  /** What a running operation says in Retry-After; 0: nothing. */
  retryAfterSeconds?: number;
  /** Milliseconds Azure Monitor lags behind a minute's end. */
  metricsDelayMs?: number;
  /** File that gets each write as a JSON line. */
  writesFile?: string;
  /** Called after each write's effect and before its answer. */
  afterWrite?: (write: Write) => Promise<void>;
  /** Sees each request to any of its addresses. */
  onCall?: OnCall;
  /** What the client of `env` proves itself with; `demo` unless given. */
  clientSecret?: string;
}

export interface EmulatedAzure {
  /** ARM, and the authority host of Entra. */
  endpoint: string;
  monitorEndpoint: string;
  managedIdentity: { endpoint: string; header: string };
  /** The certificate authority: as a file for NODE_EXTRA_CA_CERTS, and its text. */
  caFile: string;
  ca: string;
  subscription: string;
  /** What a worker needs in its environment to serve it, with a client secret. */
  env: Record<string, string>;
  folder: string;
  faults: Faults;
  /** A site with a plan and, when named, slots. Nothing is deployed. */
  createSite(asked: {
    name: string;
    resourceGroup: string;
    slots?: string[];
    plan?: Plan['sku'];
    kind?: string;
    tags?: Record<string, string>;
  }): Promise<Site>;
  /** State as it is; a test may look, and change what no route does. */
  state: Data;
  azure: Azure;
  /** Writes so far, in the order of their effect, refused ones too. */
  writes(): Write[];
  clearWrites(): void;
  traffic: Traffic;
  /** Actions that callers needed so far. */
  actions(): string[];
  stop(): Promise<void>;
}

/**
 * Starts the emulated Azure on loopback, in this process; releases run in processes of their own.
 * @throws SluiceError SLUICE_SETUP when an address is taken.
 */
export async function startAzure(options: AzureOptions = {}): Promise<EmulatedAzure> {
  const folder = options.folder ?? temporary();
  mkdirSync(folder, { recursive: true });
  const certificates = await certificatesIn(folder);
  const store = Store.open(
    folder,
    options.subscription ?? SUBSCRIPTION,
    options.port === undefined ? {} : { arm: options.port },
  );
  const client = { ...CLIENT, secret: options.clientSecret ?? CLIENT.secret };
  const azure = new Azure({
    arm,
    store,
    certificates,
    log: new WriteLog(options.writesFile ?? null),
    client,
    tenant: TENANT,
    identityHeader: IDENTITY_HEADER,
    role: options.role ?? null,
    throttle: options.throttle ?? true,
    warmUp: { ...WARM_UP, ...options.warmUp },
    retryAfterSeconds: options.retryAfterSeconds ?? 1,
    metricsDelayMs: options.metricsDelayMs ?? 0,
    ...(options.afterWrite === undefined ? {} : { afterWrite: options.afterWrite }),
    ...(options.onCall === undefined ? {} : { onCall: options.onCall }),
  });
  const clear = () => {
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
  };
  let stopping: Promise<void> | null = null;
  const stop = () => {
    stopping ??= azure.close().finally(() => {
      unregister(entry);
      clear();
    });
    return stopping;
  };
  const entry = { stop, killNow: clear };
  register(entry);
  try {
    await azure.open();
  } catch (error) {
    await stop();
    throw new SluiceError('SLUICE_SETUP', `the emulated Azure could not be started: ${(error as Error).message}`);
  }
  return { ...describe(azure, folder, certificates.ca), stop };
}

function describe(azure: Azure, folder: string, ca: string): Omit<EmulatedAzure, 'stop'> {
  const { store, endpoint } = azure;
  const caFile = join(folder, 'ca.pem');
  return {
    endpoint,
    monitorEndpoint: endpoint,
    managedIdentity: { endpoint: `http://127.0.0.1:${store.data.ports.identity}/msi/token`, header: IDENTITY_HEADER },
    caFile,
    ca,
    subscription: store.data.subscription,
    env: {
      SLUICE_AZURE_ENDPOINT: endpoint,
      SLUICE_AZURE_MONITOR_ENDPOINT: endpoint,
      SLUICE_AZURE_VAULT_ENDPOINT: `${endpoint}/vaults/{vault}`,
      // Its sites live there.
      SLUICE_ALLOW_ADDRESSES: 'loopback',
      SLUICE_AZURE_CREDENTIAL: 'clientSecret',
      AZURE_AUTHORITY_HOST: endpoint,
      AZURE_TENANT_ID: TENANT,
      AZURE_CLIENT_ID: CLIENT.id,
      AZURE_CLIENT_SECRET: azure.parts.client.secret,
      NODE_EXTRA_CA_CERTS: caFile,
      SLUICE_ACCOUNTS: `app-service:${store.data.subscription}@${LOCATION}`,
    },
    folder,
    faults: azure.faults,
    createSite: async ({
      name,
      resourceGroup,
      slots = [],
      plan: sku = { name: 'S1', tier: 'Standard' },
      kind = 'app,linux',
      tags = {},
    }) => {
      const plan = { name: `plan-of-${name}`, resourceGroup, location: LOCATION, sku };
      store.data.plans = [...store.data.plans.filter((one) => one.name !== plan.name), plan];
      const site = await azure.createSite({ name, resourceGroup, plan: plan.name, location: LOCATION, kind, tags });
      for (const slot of slots) await azure.createSlot(site, slot);
      return site;
    },
    state: store.data,
    azure,
    writes: () => azure.parts.log.all(),
    clearWrites: () => azure.parts.log.clear(),
    traffic: azure.traffic,
    actions: () => [...azure.actions].sort(),
  };
}

/** A folder of the run's own, inside the project. */
function temporary(): string {
  const parent = join(home(), 'tmp');
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, 'azure-'));
}

/** Made once for a folder, so that who has trusted the authority goes on doing so after a restart. */
async function certificatesIn(folder: string): Promise<Certificates> {
  const file = join(folder, 'certificates.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Certificates;
  const made = await makeCertificates();
  writeDurably(file, JSON.stringify(made));
  writeDurably(join(folder, 'ca.pem'), made.ca);
  return made;
}
