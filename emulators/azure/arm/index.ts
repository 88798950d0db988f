/** Resource Manager's routes of App Service, as the SDK calls them (api-version 2025-05-01). */
import { type Answer, type Call, parse } from '../../http.js';
import { armError, busy, done, listOf, notFound, prepared } from '../answers.js';
import type { ArmCall } from '../arm-call.js';
import type { Azure } from '../azure.js';
import { slotNamed } from '../model.js';
import {
  configurationOf,
  differences,
  functions,
  instances,
  references,
  restart,
  setRunning,
  stickyOf,
  updateAuth,
  updateConfiguration,
  updateSettings,
  updateSticky,
  webJobs,
} from './configuration.js';
import type { Named, Request } from './request.js';
import { deleteSite, listed, listSlots, putSite, resource, servePlan, updateSite, updateTags } from './sites.js';
import { applySlotConfig, deploymentStatus, operation, resetSlotConfig, swapSlot } from './swaps.js';

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
  { at: 'GET /continuouswebjobs', name: 'ListContinuousWebJobs', kind: 'read', serve: webJobs },
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

function serveSite(
  azure: Azure,
  call: Call,
  { resourceGroup, name, slotName, rest }: Named & { rest: string },
): ArmCall {
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
  return armError(501, 'NotEmulated', `The emulated Azure does not emulate ${call.method} ${call.path.split('?')[0]}`);
}
