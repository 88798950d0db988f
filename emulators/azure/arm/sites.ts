/** Sites, slots, plans and tags. */
import { type Answer, type Call, parse } from '../../http.js';
import { armError, busy, done, listOf, notFound, webError } from '../answers.js';
import type { ArmCall } from '../arm-call.js';
import type { Azure } from '../azure.js';
import { isLinux, LOCATION, type Plan, type Site, type Slot, slotNamed } from '../model.js';
import { hostOf, idOf, scmOf } from '../store.js';
import type { Named, Request } from './request.js';

export function resource(azure: Azure, site: Site, slot: Slot): Record<string, unknown> {
  const { subscription } = azure.store.data;
  return {
    id: idOf(azure.store, site, slot),
    name: slot.name === null ? site.name : `${site.name}/${slot.name}`,
    type: slot.name === null ? 'Microsoft.Web/sites' : 'Microsoft.Web/sites/slots',
    kind: site.kind,
    location: site.location,
    tags: slot.name === null ? site.tags : {},
    properties: {
      state: slot.running ? 'Running' : 'Stopped',
      enabled: true,
      reserved: isLinux(site),
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

export function listed(azure: Azure, resourceGroup: string | undefined): unknown[] {
  return azure.store.data.sites
    .filter((site) => resourceGroup === undefined || site.resourceGroup.toLowerCase() === resourceGroup.toLowerCase())
    .map((site) => resource(azure, site, site.production));
}

export function listSlots({ azure, site }: Request): Answer {
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

export async function putSite(
  azure: Azure,
  { resourceGroup, name, slotName }: Named,
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
      location: location ?? LOCATION,
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

export function updateSite({ azure, site, slot, properties }: Request): Answer {
  const { siteConfig } = properties as { siteConfig?: Record<string, unknown> };
  Object.assign(slot.configuration, siteConfig ?? {});
  azure.store.save();
  return done(resource(azure, site, slot));
}

export async function deleteSite({ azure, site, slot }: Request): Promise<Answer> {
  await azure.remove(site, slot);
  return done();
}

export function servePlan(
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
      location: location ?? LOCATION,
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
export function updateTags({ azure, site, properties, body }: Request): Answer {
  const tags = (properties.tags ?? {}) as Record<string, string>;
  const { operation } = body;
  if (operation === 'Replace') site.tags = tags;
  else if (operation === 'Delete') for (const name of Object.keys(tags)) delete site.tags[name];
  else Object.assign(site.tags, tags);
  azure.store.save();
  return done({ properties: { tags: site.tags } });
}
