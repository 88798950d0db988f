/**
 * App Service in memory, without a network: what a driver asks of ARM, Kudu and the hosts of a site, with faults. It serves
 * the tests of what the driver does when a call goes wrong; emulators/azure is the one that runs releases.
 */
import { createHash } from 'node:crypto';
import { actionOf } from './action.js';
import { Faults } from './faults.js';
import { Metrics } from './metrics.js';
import { type Content, Site, type SlotContent } from './site.js';

export interface Request {
  method: string;
  url: URL;
  body: Buffer;
  signal: AbortSignal | undefined;
}

export interface Reply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** A write that ARM has answered. */
export interface Logged {
  operation: string;
  site: string;
  slot: string | null;
  body: unknown;
  status: number;
  /** The site when it was answered: the tag with the mark, and the releases by the settings. */
  tag: string;
  production: string | null;
  staging: string | null;
}

type Handler = () => Reply;

export const ARM = 'https://arm.test';
const PREFIX = '/subscriptions/sub/resourceGroups/shop/providers/Microsoft.Web';
const GONE: Reply = {
  status: 404,
  body: { error: { code: 'ResourceNotFound', message: 'The resource was not found.' } },
};
const BUSY: Reply = {
  status: 409,
  body: {
    Code: 'Conflict',
    Message: 'Cannot modify this site because another operation is in progress. OperationName: SwapSiteSlots',
  },
};
const PREPARED: Reply = {
  status: 409,
  body: { Code: 'Conflict', Message: 'The configuration settings have been prepared for swap.' },
};

/** Kudu's status of a deployment that succeeded. */
const SUCCESS = 4;

export class Cloud {
  readonly faults = new Faults();
  readonly metrics = new Metrics();
  readonly log: Logged[] = [];
  /** What callers needed a permission for, so far. */
  readonly actions = new Set<string>();
  /** How long an accepted swap takes, in ms. */
  swapMs = 50;
  private readonly sites = new Map<string, Site>();
  private readonly contents = new Map<string, string>();
  private readonly operations = new Map<string, { failed: string | null; done: boolean }>();
  private count = 0;

  /** A site with a slot named staging, both empty. */
  create(name: string): Site {
    const site = new Site(name, () => ++this.count);
    this.sites.set(name, site);
    return site;
  }

  /** Makes a slot run a release that was deployed earlier. */
  seed(slot: SlotContent, release: string, zip: Buffer, answer = JSON.stringify(release)): void {
    const deployment = `deployment of ${release}`;
    const digest = createHash('sha256').update(zip).digest('hex');
    const file = (body: string | Buffer) => ({ body: Buffer.from(body), mtime: `1969 ${release}` });
    slot.settings = { SLUICE_RELEASE: release, SLUICE_SETTINGS: '' };
    slot.content = {
      files: new Map([
        [`data/sluice/${release}.zip`, file(zip)],
        [`data/sluice/${release}.json`, file(JSON.stringify({ release, digest, settings: {} }))],
        ['data/sluice/running.json', file(JSON.stringify({ release, deployment }))],
      ]),
      deployments: [deployment],
      zip,
      answer,
    };
  }

  /** Null: there is none (any more). */
  site(name: string): Site | null {
    return this.sites.get(name) ?? null;
  }

  remove(name: string): void {
    this.sites.delete(name);
  }

  /** What a release answers when this package is published; `{release}` in it is the slot's SLUICE_RELEASE. */
  teach(zip: Uint8Array, content: string): void {
    this.contents.set(createHash('sha256').update(zip).digest('hex'), content);
  }

  /** One request, as the network would bring it. Rejects for a reset or a lost answer. */
  async receive(request: Request): Promise<Reply> {
    const needed = actionOf(request);
    if (needed !== null) this.actions.add(needed);
    const { operation, write, handle } = this.route(request);
    const answered = () => {
      const reply = handle();
      if (write !== undefined) this.note({ operation, ...write, status: reply.status });
      return reply;
    };
    const { status, body, headers } = await this.faults.meet(operation, answered, request.signal);
    return { status, body, headers: { 'x-ms-request-id': `request-${++this.count}`, ...headers } };
  }

  /** Logs a write, also one that a test does by hand. */
  note(write: Omit<Logged, 'tag' | 'production' | 'staging'>): void {
    const site = this.sites.get(write.site);
    this.log.push({
      ...write,
      tag: site?.tags.sluice ?? '',
      production: site?.production.settings.SLUICE_RELEASE ?? null,
      staging: site?.staging.settings.SLUICE_RELEASE ?? null,
    });
  }

  private route({ method, url, body }: Request): {
    operation: string;
    write?: Pick<Logged, 'site' | 'slot' | 'body'>;
    handle: Handler;
  } {
    if (url.pathname.endsWith('/metrics:getBatch')) {
      return { operation: 'QueryMetrics', handle: () => this.metrics.answer(url.searchParams, body) };
    }
    if (url.origin !== ARM) return this.routeHost(method, url, body);
    const json: unknown = body.length === 0 ? null : JSON.parse(body.toString('utf8'));
    const path = url.pathname.replace(PREFIX, '');
    const operation = /\/operationresults\/(.+)$/.exec(url.pathname)?.[1];
    if (operation !== undefined) return { operation: 'GetOperation', handle: () => this.operation(operation) };
    if (path.startsWith('/serverfarms/')) return { operation: 'GetPlan', handle: () => ({ status: 200, body: PLAN }) };
    if (url.pathname.endsWith('/sites')) {
      return {
        operation: 'ListSites',
        handle: () => listOf([...this.sites.values()].map((site) => site.resource(null))),
      };
    }
    const [, name = '', named, rest = ''] = /^\/sites\/([^/]+)(?:\/slots\/([^/]+))?(.*)$/.exec(path) ?? [];
    const slot = named ?? null;
    const site = this.sites.get(name);
    const kind = `${method} ${rest}`;
    const operationName = OPERATIONS[kind.replace(/(deploymentStatus)\/.*/, '$1')] ?? kind;
    const at = site?.at(slot);
    if (site === undefined || at === undefined) {
      return { operation: slot === null ? operationName : `${operationName}Slot`, handle: () => GONE };
    }
    const handle = () => this.serve(operationName, { site, at, slot, json });
    const full =
      slot === null || ['SwapSlot', 'UpdateApplicationSettings'].includes(operationName)
        ? operationName
        : `${operationName}Slot`;
    return method === 'GET' || rest.endsWith('/list')
      ? { operation: full, handle }
      : { operation: full, write: { site: name, slot, body: json }, handle };
  }

  private serve(
    operation: string,
    { site, at, slot, json }: { site: Site; at: SlotContent; slot: string | null; json: unknown },
  ): Reply {
    const properties = (json as { properties?: Record<string, unknown> } | null)?.properties ?? {};
    const written = (write: () => void, body: unknown = {}): Reply => {
      if (site.operation !== null) return BUSY;
      if (site.pending !== null && operation !== 'SwapSlot') return PREPARED;
      write();
      return { status: 200, body };
    };
    switch (operation) {
      case 'GetSite':
        return { status: 200, body: site.resource(slot) };
      case 'UpdateTags':
        // Tags are Resource Manager's own, whatever the site is at.
        Object.assign(site.tags, properties.tags);
        return { status: 200, body: {} };
      case 'ListApplicationSettings':
        return { status: 200, body: { properties: at.settings } };
      case 'UpdateApplicationSettings':
        return written(() => {
          at.settings = properties as Record<string, string>;
        }, json);
      case 'GetConfiguration':
        return { status: 200, body: { properties: at.configuration } };
      case 'UpdateConfiguration':
        return written(() => {
          Object.assign(at.configuration, properties);
          if (typeof properties.numberOfWorkers === 'number') at.instances = properties.numberOfWorkers;
        }, json);
      case 'ListSlotConfigurationNames':
        return { status: 200, body: { properties: { appSettingNames: site.sticky } } };
      case 'GetAuthSettings':
        return { status: 200, body: { properties: { platform: { enabled: site.signsIn } } } };
      case 'ListKeyVaultReferences':
        return listOf(at.references.map(({ name, status }) => ({ name, properties: { status } })));
      case 'ListFunctions':
        return listOf(
          Object.entries(site.functions).map(([name, type]) => ({
            name: `${site.name}/${name}`,
            properties: { config: { bindings: [{ type }] } },
          })),
        );
      case 'ListInstances':
        return listOf(Array.from({ length: at.instances }, (_, i) => ({ name: `i${i}` })));
      case 'ListSlotDifferences':
        return listOf(site.differences.map((one) => ({ properties: one })));
      case 'GetDeploymentStatus':
        return { status: 200, body: { properties: { status: at.runtime } } };
      case 'ApplySlotConfig':
        return written(() => {
          site.pending = slot;
        });
      case 'ResetSlotConfig':
        site.pending = null;
        return { status: 200 };
      case 'Start':
      case 'Stop':
        return written(() => {
          at.running = operation === 'Start';
        });
      case 'SwapSlot':
        return site.operation !== null ? BUSY : this.swap(site, slot ?? '');
      default:
        throw new Error(`the double of App Service does not serve ${operation}`);
    }
  }

  /** Accepted at once; the releases change places later. */
  private swap(site: Site, slot: string): Reply {
    const id = `swap-${++this.count}`;
    const operation: { failed: string | null; done: boolean } = { failed: null, done: false };
    this.operations.set(id, operation);
    site.operation = id;
    setTimeout(() => {
      site.operation = null;
      if (site.failsToSwap === null) site.swap(slot);
      else {
        operation.failed = site.failsToSwap;
        site.pending = slot;
      }
      operation.done = true;
    }, this.swapMs);
    return {
      status: 202,
      headers: { 'azure-asyncoperation': `${ARM}${PREFIX}/sites/${site.name}/slots/${slot}/operationresults/${id}` },
    };
  }

  private operation(id: string): Reply {
    const found = this.operations.get(id);
    if (found === undefined) return GONE;
    if (!found.done) return { status: 200, body: { status: 'InProgress' } };
    return found.failed === null
      ? { status: 200, body: { status: 'Succeeded' } }
      : { status: 200, body: { status: 'Failed', error: { code: 'SwapFailed', message: found.failed } } };
  }

  private routeHost(method: string, url: URL, body: Buffer): { operation: string; handle: Handler } {
    for (const site of this.sites.values()) {
      for (const at of [site.production, ...site.slots.values()]) {
        if (url.hostname === at.host) return { operation: 'Host', handle: () => answerOf(at, url.pathname) };
        if (url.hostname === at.scm) return this.routeKudu(method, url.pathname, body, at);
      }
    }
    throw new Error(`nobody is at ${url.hostname}`);
  }

  private routeKudu(
    method: string,
    path: string,
    body: Buffer,
    at: SlotContent,
  ): { operation: string; handle: Handler } {
    const { files } = at.content;
    const file = path.replace('/api/vfs/', '');
    if (path === '/api/publish') return { operation: 'Publish', handle: () => this.publish(at, body) };
    if (path.startsWith('/api/deployments/')) {
      const id = path.endsWith('/latest') ? at.content.deployments.at(-1) : path.split('/').at(-1);
      const known = id !== undefined && at.content.deployments.includes(id);
      return { operation: 'GetDeployment', handle: () => (known ? deploymentOf(id) : { status: 404 }) };
    }
    if (path === '/api/zip/site/wwwroot/')
      return { operation: 'ReadFiles', handle: () => ({ status: 200, body: at.content.zip }) };
    switch (method) {
      case 'PUT':
        return {
          operation: file.endsWith('.zip') ? 'PutPackage' : 'PutFile',
          handle: () => {
            files.set(file, { body, mtime: new Date(++this.count).toISOString() });
            return { status: 204 };
          },
        };
      case 'DELETE':
        return { operation: 'DeleteFile', handle: () => ({ status: files.delete(file) ? 200 : 404 }) };
      default:
        return { operation: 'GetFile', handle: () => readFrom(files, file) };
    }
  }

  private publish(at: SlotContent, zip: Buffer): Reply {
    const id = `deployment-${++this.count}`;
    at.content.deployments.push(id);
    at.content.zip = zip;
    at.content.answer = this.contents.get(createHash('sha256').update(zip).digest('hex')) ?? null;
    return { status: 202, headers: { 'scm-deployment-id': id } };
  }
}

const PLAN = { location: 'westeurope', properties: {}, sku: { name: 'S1', tier: 'Standard' } };

/** ARM's routes, by what the driver calls them. */
const OPERATIONS: Record<string, string> = {
  'GET ': 'GetSite',
  'PATCH /providers/Microsoft.Resources/tags/default': 'UpdateTags',
  'POST /config/appsettings/list': 'ListApplicationSettings',
  'PUT /config/appsettings': 'UpdateApplicationSettings',
  'GET /config/web': 'GetConfiguration',
  'PATCH /config/web': 'UpdateConfiguration',
  'GET /config/slotConfigNames': 'ListSlotConfigurationNames',
  'GET /config/authsettingsV2': 'GetAuthSettings',
  'GET /config/configreferences/appsettings': 'ListKeyVaultReferences',
  'GET /functions': 'ListFunctions',
  'GET /instances': 'ListInstances',
  'POST /slotsdiffs': 'ListSlotDifferences',
  'GET /deploymentStatus': 'GetDeploymentStatus',
  'POST /applySlotConfig': 'ApplySlotConfig',
  'POST /resetSlotConfig': 'ResetSlotConfig',
  'POST /slotsswap': 'SwapSlot',
  'POST /start': 'Start',
  'POST /stop': 'Stop',
};

function listOf(value: unknown[]): Reply {
  return { status: 200, body: { value } };
}

function deploymentOf(id: string): Reply {
  return { status: 200, body: { id, status: SUCCESS, complete: true } };
}

/** A name that ends in a slash is a folder's list. */
function readFrom(files: Content['files'], name: string): Reply {
  if (!name.endsWith('/')) {
    const file = files.get(name);
    return file === undefined ? { status: 404 } : { status: 200, body: file.body };
  }
  const inside = [...files].filter(([path]) => path.startsWith(name));
  const listed = inside.map(([path, { mtime }]) => ({ name: path.slice(name.length), mtime }));
  return listed.length === 0 ? { status: 404 } : { status: 200, body: listed };
}

function answerOf({ running, content, settings, broken }: SlotContent, path: string): Reply {
  if (!running || content.answer === null) return { status: 403, body: 'no content' };
  if (broken) return { status: 503, body: 'out of order' };
  const release = settings.SLUICE_RELEASE ?? '';
  return { status: 200, body: path === '/release' ? release : content.answer };
}
