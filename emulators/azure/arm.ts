/** Resource Manager's routes of App Service, as the SDK calls them (api-version 2025-05-01). */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Answer, type Call, parse } from '../http.js';
import { armError, busy, done, listOf, notFound, prepared, webError } from './answers.js';
import type { Azure } from './azure.js';
import { type Plan, type Rule, type Settings, type Site, type Slot, slotNamed } from './model.js';
import { wwwroot } from './runtime.js';
import { hostOf, referenceIn, scmOf } from './store.js';
import { prepare, refusedSwap, resultAnswer, unprepare } from './swap.js';

/** What a request is called in faults and logs. `write`: the site it writes to; null: it writes nothing. */
export interface ArmCall {
  operation: string;
  write: { site: string; slot: string | null } | null;
  serve: () => Promise<Answer>;
}

interface Request {
  azure: Azure;
  site: Site;
  slot: Slot;
  /** `properties` of the body, and the body. */
  properties: Record<string, unknown>;
  body: Record<string, unknown>;
  call: Call;
}

type Serve = (request: Request) => Answer | Promise<Answer>;

interface Route {
  /** Method, and what follows the site's or slot's name. */
  at: string;
  name: string;
  /** `write`: refused while an operation runs or a swap is prepared. `always`: a write that neither refuses. */
  kind: 'read' | 'write' | 'always';
  serve: Serve;
}

const ROUTES: Route[] = [
  { at: 'GET ', name: 'GetSite', kind: 'read', serve: ({ azure, site, slot }) => done(resource(azure, site, slot)) },
  { at: 'PATCH ', name: 'UpdateSite', kind: 'write', serve: updateSite },
  { at: 'DELETE ', name: 'DeleteSite', kind: 'write', serve: deleteSite },
  { at: 'GET /slots', name: 'ListSlots', kind: 'read', serve: listSlots },
  {
    at: 'GET /config/web',
    name: 'GetConfiguration',
    kind: 'read',
    serve: ({ slot }) => done({ properties: configurationOf(slot) }),
  },
  { at: 'PATCH /config/web', name: 'UpdateConfiguration', kind: 'write', serve: updateConfiguration },
  {
    at: 'POST /config/appsettings/list',
    name: 'ListApplicationSettings',
    kind: 'read',
    serve: ({ slot }) => done({ properties: slot.settings }),
  },
  { at: 'PUT /config/appsettings', name: 'UpdateApplicationSettings', kind: 'write', serve: updateSettings },
  {
    at: 'POST /config/connectionstrings/list',
    name: 'ListConnectionStrings',
    kind: 'read',
    serve: () => done({ properties: {} }),
  },
  {
    at: 'GET /config/slotConfigNames',
    name: 'ListSlotConfigurationNames',
    kind: 'read',
    serve: ({ site }) => done(stickyOf(site)),
  },
  { at: 'PUT /config/slotConfigNames', name: 'UpdateSlotConfigurationNames', kind: 'write', serve: updateSticky },
  {
    at: 'GET /config/authsettingsV2',
    name: 'GetAuthSettings',
    kind: 'read',
    serve: ({ slot }) => done({ properties: slot.auth }),
  },
  { at: 'PUT /config/authsettingsV2', name: 'UpdateAuthSettings', kind: 'write', serve: updateAuth },
  { at: 'GET /config/configreferences/appsettings', name: 'ListKeyVaultReferences', kind: 'read', serve: references },
  { at: 'GET /functions', name: 'ListFunctions', kind: 'read', serve: functions },
  { at: 'GET /instances', name: 'ListInstances', kind: 'read', serve: ({ slot }) => listOf(instances(slot)) },
  { at: 'POST /slotsdiffs', name: 'ListSlotDifferences', kind: 'read', serve: differences },
  { at: 'POST /applySlotConfig', name: 'ApplySlotConfig', kind: 'write', serve: applySlotConfig },
  { at: 'POST /resetSlotConfig', name: 'ResetSlotConfig', kind: 'always', serve: resetSlotConfig },
  { at: 'POST /slotsswap', name: 'SwapSlot', kind: 'always', serve: swapSlot },
  { at: 'POST /start', name: 'Start', kind: 'write', serve: (request) => setRunning(request, true) },
  { at: 'POST /stop', name: 'Stop', kind: 'write', serve: (request) => setRunning(request, false) },
  { at: 'POST /restart', name: 'Restart', kind: 'write', serve: restart },
  { at: 'PATCH /providers/Microsoft.Resources/tags/default', name: 'UpdateTags', kind: 'always', serve: updateTags },
  {
    at: 'GET /providers/Microsoft.Resources/tags/default',
    name: 'GetTags',
    kind: 'read',
    serve: ({ site }) => done({ properties: { tags: site.tags } }),
  },
];

/** The path below a site that tells the operation; what follows an id is left out. */
const SITE =
  /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Web\/sites\/([^/]+)(?:\/slots\/([^/]+))?(\/.*)?$/i;
const PLAN = /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Web\/serverfarms\/([^/]+)$/i;
const LIST = /^\/subscriptions\/[^/]+(?:\/resourceGroups\/([^/]+))?\/providers\/Microsoft\.Web\/sites$/i;

export function arm(azure: Azure, call: Call): ArmCall {
  const at = decodeURIComponent(new URL(call.path, 'https://127.0.0.1').pathname);
  const read = (operation: string, serve: () => Answer): ArmCall => ({
    operation,
    write: null,
    serve: async () => serve(),
  });
  const subscription = /^\/subscriptions\/([^/]+)/.exec(at)?.[1] ?? '';
  if (subscription !== azure.store.data.subscription)
    return read('Unknown', () =>
      armError(404, 'SubscriptionNotFound', `The subscription '${subscription}' could not be found.`),
    );
  const plan = PLAN.exec(at);
  if (plan !== null) return servePlan(azure, call, { resourceGroup: plan[1] ?? '', name: plan[2] ?? '' });
  const list = LIST.exec(at);
  if (list !== null) return read('ListSites', () => listOf(listed(azure, list[1])));
  const [, , resourceGroup = '', name = '', slotName, rest = ''] = SITE.exec(at) ?? [];
  if (name === '') return read('Unknown', () => unserved(call));
  return serveSite(azure, call, { resourceGroup, name, slotName: slotName ?? null, rest });
}

interface Named {
  resourceGroup: string;
  name: string;
  slotName: string | null;
  rest: string;
}

function serveSite(azure: Azure, call: Call, { resourceGroup, name, slotName, rest }: Named): ArmCall {
  const site = azure.store.site(resourceGroup, name);
  const slot = site === undefined ? undefined : slotNamed(site, slotName);
  const route = ROUTES.find((one) => one.at.toLowerCase() === `${call.method} ${rest}`.toLowerCase());
  const write = { site: name, slot: slotName };
  const called = (operation: string) =>
    slotName === null || operation === 'SwapSlot' ? operation : `${operation}Slot`;
  const body = parse(call.body);
  if (rest === '' && call.method === 'PUT') {
    const serve = async () => putSite(azure, { resourceGroup, name, slotName }, body);
    return { operation: called('PutSite'), write, serve };
  }
  if (site === undefined || slot === undefined) {
    const what = `Microsoft.Web/sites/${name}${slotName === null ? '' : `/slots/${slotName}`}`;
    return { operation: called(route?.name ?? 'Unknown'), write: null, serve: async () => notFound(what) };
  }
  const [, result] = /^\/operationresults\/([^/]+)$/.exec(rest) ?? [];
  if (result !== undefined)
    return { operation: 'GetOperation', write: null, serve: async () => operation(azure, result, call) };
  const [, deployment] = /^\/deploymentStatus\/([^/]+)$/.exec(rest) ?? [];
  if (deployment !== undefined)
    return {
      operation: called('GetDeploymentStatus'),
      write: null,
      serve: async () => deploymentStatus(azure, slot, deployment, call),
    };
  if (route === undefined) return { operation: 'Unknown', write: null, serve: async () => unserved(call) };
  const properties = (body.properties ?? {}) as Record<string, unknown>;
  const serve = async () => {
    if (route.kind === 'write' && site.operation !== null) return busy();
    if (route.kind === 'write' && site.prepared !== null) return prepared(site.name);
    return route.serve({ azure, site, slot, properties, body, call });
  };
  return { operation: called(route.name), write: route.kind === 'read' ? null : write, serve };
}

function unserved(call: Call): Answer {
  return armError(501, 'NotEmulated', `The emulated Azure does not serve ${call.method} ${call.path.split('?')[0]}`);
}

// Sites, slots and plans

export function idOf(azure: Azure, site: Site, slot: Slot | null = null): string {
  const whole = `/subscriptions/${azure.store.data.subscription}/resourceGroups/${site.resourceGroup}/providers/Microsoft.Web/sites/${site.name}`;
  return slot?.name == null ? whole : `${whole}/slots/${slot.name}`;
}

function resource(azure: Azure, site: Site, slot: Slot): Record<string, unknown> {
  const { subscription } = azure.store.data;
  return {
    id: idOf(azure, site, slot),
    name: slot.name === null ? site.name : `${site.name}/${slot.name}`,
    type: slot.name === null ? 'Microsoft.Web/sites' : 'Microsoft.Web/sites/slots',
    kind: site.kind,
    location: site.location,
    tags: slot.name === null ? site.tags : {},
    properties: {
      state: slot.running ? 'Running' : 'Stopped',
      enabled: true,
      resourceGroup: site.resourceGroup,
      defaultHostName: hostOf(slot),
      hostNames: [hostOf(slot)],
      enabledHostNames: [hostOf(slot), scmOf(slot)],
      hostNameSslStates: [
        { name: hostOf(slot), sslState: 'Disabled', hostType: 'Standard' },
        { name: scmOf(slot), sslState: 'Disabled', hostType: 'Repository' },
      ],
      serverFarmId: `/subscriptions/${subscription}/resourceGroups/${site.resourceGroup}/providers/Microsoft.Web/serverfarms/${site.plan}`,
      ...(site.operation === null ? {} : { inProgressOperationId: site.operation.id }),
      ...(site.prepared === null ? {} : { targetSwapSlot: site.prepared }),
      ...(site.swapped === null ? {} : { slotSwapStatus: site.swapped }),
    },
  };
}

function listed(azure: Azure, resourceGroup: string | undefined): unknown[] {
  return azure.store.data.sites
    .filter((site) => resourceGroup === undefined || site.resourceGroup.toLowerCase() === resourceGroup.toLowerCase())
    .map((site) => resource(azure, site, site.production));
}

function listSlots({ azure, site }: Request): Answer {
  return listOf(site.slots.map((slot) => resource(azure, site, slot)));
}

/** Slots besides production that a plan's tier has ("App Service limits"; Flex Consumption and Basic have none). */
const SLOTS: Record<string, number> = {
  Standard: 5,
  PremiumV2: 20,
  PremiumV3: 20,
  Premium: 20,
  Isolated: 20,
  IsolatedV2: 20,
  ElasticPremium: 3,
  Dynamic: 1,
};

async function putSite(
  azure: Azure,
  { resourceGroup, name, slotName }: Omit<Named, 'rest'>,
  body: Record<string, unknown>,
): Promise<Answer> {
  const properties = (body.properties ?? {}) as { serverFarmId?: string };
  const found = azure.store.site(resourceGroup, name);
  if (slotName === null) {
    if (found !== undefined) return done(resource(azure, found, found.production));
    const plan = properties.serverFarmId?.split('/').at(-1) ?? '';
    if (!azure.store.data.plans.some((one) => one.name === plan))
      return armError(404, 'ServerFarmNotFound', `Cannot find App Service plan with name ${plan}.`);
    const { location, kind, tags } = body as { location?: string; kind?: string; tags?: Record<string, string> };
    const made = await azure.createSite({
      name,
      resourceGroup,
      plan,
      location: location ?? 'westeurope',
      kind: kind ?? 'app,linux',
      tags: tags ?? {},
    });
    return done(resource(azure, made, made.production));
  }
  if (found === undefined) return notFound(`Microsoft.Web/sites/${name}`);
  if (found.operation !== null) return busy();
  const old = slotNamed(found, slotName);
  if (old !== undefined) return done(resource(azure, found, old));
  const plan = azure.store.data.plans.find((one) => one.name === found.plan);
  const limit = SLOTS[plan?.sku.tier ?? ''] ?? 0;
  if (found.slots.length >= limit)
    return webError(
      409,
      'Conflict',
      `The limit of ${limit} slots of the plan '${found.plan}' (${plan?.sku.tier ?? 'no tier'}) was reached.`,
    );
  return done(resource(azure, found, await azure.createSlot(found, slotName)));
}

function updateSite({ azure, site, slot, properties }: Request): Answer {
  const { siteConfig } = properties as { siteConfig?: Record<string, unknown> };
  Object.assign(slot.configuration, siteConfig ?? {});
  azure.store.save();
  return done(resource(azure, site, slot));
}

async function deleteSite({ azure, site, slot }: Request): Promise<Answer> {
  await azure.remove(site, slot);
  return done();
}

function servePlan(
  azure: Azure,
  call: Call,
  { resourceGroup, name }: { resourceGroup: string; name: string },
): ArmCall {
  const find = () => azure.store.data.plans.find((plan) => plan.name === name);
  if (call.method !== 'PUT') {
    const serve = async () => {
      const plan = find();
      return plan === undefined ? notFound(`Microsoft.Web/serverFarms/${name}`) : done(shownPlan(azure, plan));
    };
    return { operation: 'GetPlan', write: null, serve };
  }
  const serve = async () => {
    const { location, sku } = parse(call.body) as { location?: string; sku?: Plan['sku'] };
    const made: Plan = {
      name,
      resourceGroup,
      location: location ?? 'westeurope',
      sku: sku ?? { name: 'S1', tier: 'Standard' },
    };
    azure.store.data.plans = [...azure.store.data.plans.filter((plan) => plan.name !== name), made];
    azure.store.save();
    return done(shownPlan(azure, made));
  };
  return { operation: 'PutPlan', write: null, serve };
}

function shownPlan({ store }: Azure, { name, resourceGroup, location, sku }: Plan): unknown {
  return {
    id: `/subscriptions/${store.data.subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.Web/serverfarms/${name}`,
    name,
    type: 'Microsoft.Web/serverfarms',
    location,
    sku,
    properties: { numberOfSites: store.data.sites.filter((site) => site.plan === name).length, status: 'Ready' },
  };
}

/** Tags are Resource Manager's own: an operation on the site is no hindrance ("Tags - Update At Scope"). */
function updateTags({ azure, site, properties, body }: Request): Answer {
  const tags = (properties.tags ?? {}) as Record<string, string>;
  const { operation } = body;
  if (operation === 'Replace') site.tags = tags;
  else if (operation === 'Delete') for (const name of Object.keys(tags)) delete site.tags[name];
  else Object.assign(site.tags, tags);
  azure.store.save();
  return done({ properties: { tags: site.tags } });
}

// Configuration. Each write of it restarts the slot.

function configurationOf({ configuration, instances: numberOfWorkers }: Slot): Record<string, unknown> {
  return { linuxFxVersion: 'NODE|20-lts', experiments: { rampUpRules: [] }, ...configuration, numberOfWorkers };
}

/** A PATCH merges; a list in it is replaced as a whole. Rules need a name, a host and a share. */
function updateConfiguration({ azure, site, slot, properties }: Request): Answer {
  const { experiments } = properties as { experiments?: { rampUpRules?: Rule[] } };
  const rules = experiments?.rampUpRules ?? [];
  const bad = rules.find(
    ({ name, reroutePercentage: share }) => slotNamed(site, name) === undefined || !(share >= 0 && share <= 100),
  );
  const sum = rules.reduce((all, { reroutePercentage }) => all + reroutePercentage, 0);
  if (bad !== undefined || sum > 100)
    return webError(400, 'BadRequest', `The ramp-up rules are not valid: ${JSON.stringify(rules)}`);
  Object.assign(slot.configuration, properties);
  if (typeof properties.numberOfWorkers === 'number') slot.instances = properties.numberOfWorkers;
  azure.store.save();
  // The front door takes rules without a restart of the application.
  if (Object.keys(properties).some((name) => name !== 'experiments')) void azure.restart(site, slot);
  return done({ properties: configurationOf(slot) });
}

/** A PUT of the whole dictionary. */
function updateSettings({ azure, site, slot, properties }: Request): Answer {
  slot.settings = properties as Settings;
  azure.store.save();
  void azure.restart(site, slot);
  return done({ properties: slot.settings });
}

function stickyOf({ sticky }: Site): unknown {
  return { properties: { appSettingNames: sticky, connectionStringNames: [], azureStorageConfigNames: [] } };
}

function updateSticky({ azure, site, properties }: Request): Answer {
  site.sticky = (properties.appSettingNames ?? []) as string[];
  azure.store.save();
  return done(stickyOf(site));
}

function updateAuth({ azure, slot, properties }: Request): Answer {
  slot.auth = properties;
  azure.store.save();
  return done({ properties });
}

/** "Use Key Vault references": status of each setting that is one. */
function references({ azure, slot }: Request): Answer {
  const found = Object.entries(slot.settings).flatMap(([name, value]) => {
    const reference = referenceIn(value);
    if (reference === null) return [];
    const known = reference.uri !== null && azure.store.data.secrets[reference.uri] !== undefined;
    const status = reference.uri === null ? 'InvalidSyntax' : known ? 'Resolved' : 'SecretNotFound';
    return [{ name, properties: { reference: value, status, source: 'KeyVault' } }];
  });
  return listOf(found);
}

/** Functions of the classic programming model: a folder each, with a function.json. */
function functions({ azure, site, slot }: Request): Answer {
  const root = wwwroot(azure.store.home(slot.content));
  const named = existsSync(root)
    ? readdirSync(root).filter((name) => existsSync(path.join(root, name, 'function.json')))
    : [];
  return listOf(
    named.map((name) => ({
      name: `${site.name}/${name}`,
      properties: { name, config: JSON.parse(readFileSync(path.join(root, name, 'function.json'), 'utf8')) },
    })),
  );
}

function instances({ instances: count }: Slot): unknown[] {
  return Array.from({ length: count }, (_, at) => ({ name: `instance-${at + 1}`, properties: { state: 'READY' } }));
}

/** What a swap would change, values included: they are secrets to whoever shows this. */
function differences({ site, slot }: Request): Answer {
  const sticky = new Set(site.sticky);
  const { production } = site;
  const names = [...new Set([...Object.keys(production.settings), ...Object.keys(slot.settings)])];
  const differing = names.filter((name) => !sticky.has(name) && production.settings[name] !== slot.settings[name]);
  const of = (settingType: string, name: string, [own, there]: [unknown, unknown]) => ({
    name,
    properties: {
      level: 'Warning',
      settingType,
      diffRule: 'SettingsWillBeModifiedInDestination',
      settingName: name,
      valueInCurrentSlot: own ?? null,
      valueInTargetSlot: there ?? null,
      description: `'${name}' will be modified.`,
    },
  });
  const general = Object.keys({ ...production.configuration, ...slot.configuration })
    .filter((name) => !['experiments', 'numberOfWorkers'].includes(name))
    .filter((name) => production.configuration[name] !== slot.configuration[name]);
  return listOf([
    ...differing.map((name) => of('AppSetting', name, [slot.settings[name], production.settings[name]])),
    ...general.map((name) => of('General', name, [slot.configuration[name], production.configuration[name]])),
  ]);
}

function setRunning({ azure, site, slot }: Request, running: boolean): Answer {
  slot.running = running;
  azure.store.save();
  if (running) void azure.restart(site, slot);
  else void azure.runtime.unload(slot.content.id);
  return { status: 200, headers: {}, body: Buffer.alloc(0) };
}

async function restart({ azure, site, slot, call }: Request): Promise<Answer> {
  const restarted = azure.restart(site, slot);
  if (/[?&]synchronous=true/.test(call.path)) await restarted;
  return { status: 200, headers: {}, body: Buffer.alloc(0) };
}

// Swaps

async function applySlotConfig({ azure, site, slot, body }: Request): Promise<Answer> {
  const refused = refusedSwap(site, slot, String(body.targetSlot ?? ''), 'prepare');
  if (refused !== null) return refused;
  prepare(site, slot);
  site.prepared = slot.name;
  azure.store.save();
  await azure.restart(site, slot);
  return { status: 200, headers: {}, body: Buffer.alloc(0) };
}

/** Of the slot or of production: both end what is prepared. */
function resetSlotConfig({ azure, site }: Request): Answer {
  if (site.operation !== null) return busy();
  const slot = site.slots.find(({ before }) => before !== null);
  if (slot !== undefined) unprepare(site, slot);
  site.prepared = null;
  azure.store.save();
  if (slot !== undefined) void azure.restart(site, slot);
  return { status: 200, headers: {}, body: Buffer.alloc(0) };
}

/** Accepted at once; the address to look at answers 202 until it is done, then the result. */
function swapSlot({ azure, site, slot, body, call }: Request): Answer {
  if (site.operation !== null) return busy();
  const target = String(body.targetSlot ?? '');
  // `swapSlotWithProduction` names the slot as the target, and is the same swap.
  const [source, to] = slot.name === null ? [slotNamed(site, target), 'production'] : [slot, target];
  const refused = refusedSwap(site, source, to, 'swap');
  if (refused !== null) return refused;
  const id = azure.startSwap(site, source as Slot);
  return accepted(azure, `${idOf(azure, site, source)}/operationresults/${id}`, call);
}

function operation(azure: Azure, id: string, call: Call): Answer {
  const { operations } = azure.store.data;
  const result = operations[id];
  if (result === undefined) return notFound(`operationresults/${id}`);
  return result === null ? accepted(azure, call.path, call) : resultAnswer(result);
}

function accepted(azure: Azure, at: string, call: Call): Answer {
  const query = at.includes('?') ? '' : `?${new URL(call.path, 'https://127.0.0.1').searchParams.toString()}`;
  const after = azure.retryAfterSeconds;
  const headers = {
    location: `${azure.endpoint}${at}${query}`,
    ...(after === 0 ? {} : { 'retry-after': String(after) }),
  };
  return { status: 202, headers, body: Buffer.alloc(0) };
}

/** "Deployed" is not "running": this tells the second, on Linux ("Web Apps - Get Production Site Deployment Status"). */
function deploymentStatus(azure: Azure, slot: Slot, id: string, call: Call): Answer {
  const found = slot.content.deployments.find((one) => one.id === id);
  if (found === undefined) return notFound(`deploymentStatus/${id}`);
  if (found.runtime === 'RuntimeStarting') return accepted(azure, call.path, call);
  const worked = found.runtime === 'RuntimeSuccessful';
  return done({
    id,
    name: id,
    properties: {
      deploymentId: id,
      status: found.runtime,
      numberOfInstancesInProgress: 0,
      numberOfInstancesSuccessful: worked ? slot.instances : 0,
      numberOfInstancesFailed: worked ? 0 : slot.instances,
      errors: worked
        ? []
        : [{ code: 'ContainerExited', message: found.text || 'The application did not start: see its log.' }],
    },
  });
}
