/** What would stop a rollout, from what was read. Pure. */
import type { FunctionEnvelope, SiteConfigResource } from '@azure/arm-appservice';
import type { AppServiceTarget, Spec } from '../../../model/spec.js';
import { needsBoth, reachOf } from '../../../strategies/registry.js';
import type { Finding } from '../../port.js';
import { packingOf, tooLarge } from '../../registry.js';
import { refuse, warn } from '../../shared/findings.js';
import { refusedOnLinux } from '../settings.js';
import type { Observed } from './observed.js';
import type { Settings } from './settings.js';

/** Slots of a plan's tier, production not counted ("App Service limits"); a tier that is not listed is not judged. */
const SLOTS: Record<string, number> = {
  Free: 0,
  Shared: 0,
  Basic: 0,
  Standard: 5,
  Premium: 20,
  PremiumV2: 20,
  PremiumV3: 20,
  Isolated: 20,
  IsolatedV2: 20,
  // "Azure Functions deployment slots": production counts there.
  Dynamic: 1,
  ElasticPremium: 2,
};

/** Plans that cannot do it at all. */
export function checkPlan({ site }: AppServiceTarget, spec: Spec, { state, plan }: Observed): Finding[] {
  const tier = plan?.sku?.tier ?? state.production.arm.sku ?? '';
  if (tier === 'FlexConsumption') {
    return [
      refuse(
        'SLUICE_TARGET',
        `${site} runs on Flex Consumption, which has no slots, no routing by percentage and no rollback; Sluice does not support it. Move the app to an Elastic Premium or App Service plan`,
      ),
    ];
  }
  if (tier === 'Dynamic' && state.production.arm.reserved === true) {
    return [
      refuse(
        'SLUICE_TARGET',
        `${site} runs on Consumption for Linux, which is retired and has reverted swaps (azure-functions-host#7336); move the app to an Elastic Premium or App Service plan`,
      ),
    ];
  }
  if (SLOTS[tier] === 0 && needsBoth(spec)) {
    return [
      refuse(
        'SLUICE_TARGET',
        `${site} runs on a plan of tier ${tier}, which has no slots: strategy ${spec.strategy.type} needs one. Scale the plan up to Standard, or use strategy direct`,
      ),
    ];
  }
  return [];
}

/** The slot, and whether something else moves it. */
export function checkSlots(target: AppServiceTarget, spec: Spec, seen: Observed): Finding[] {
  const { site, resourceGroup, slot: named } = target;
  const { state, slotConfig, plan } = seen;
  const at = `--name ${site} --resource-group ${resourceGroup}`;
  if (named === undefined) {
    if (!needsBoth(spec)) return [];
    return [
      refuse(
        'SLUICE_TARGET',
        `target.slot is missing: strategy ${spec.strategy.type} moves traffic between production and a slot. Name one, or use strategy direct`,
      ),
    ];
  }
  if (state.slot === null) {
    const most = SLOTS[plan?.sku?.tier ?? ''];
    const room =
      most === undefined
        ? ''
        : `; its plan (${plan?.sku?.tier}) allows ${most} of them for each app, so one may have to be deleted first`;
    return [
      refuse(
        'SLUICE_NOT_FOUND',
        `${site} has no slot ${named}; create it with \`az webapp deployment slot create ${at} --slot ${named} --configuration-source ${site}\`${room}`,
      ),
    ];
  }
  const found: Finding[] = [];
  const auto = slotConfig?.autoSwapSlotName || state.config.autoSwapSlotName;
  if (auto) {
    found.push(
      refuse(
        'SLUICE_TARGET',
        `${site}/${named} swaps by itself after each deployment (autoSwapSlotName is ${auto}), past every check; turn it off with \`az webapp deployment slot auto-swap ${at} --slot ${named} --disable\``,
      ),
    );
  }
  if (state.pending !== null) {
    found.push(
      refuse(
        'SLUICE_TARGET',
        `${site} is halfway through a swap with preview (targetSwapSlot is ${state.pending}), and refuses other writes until it ends; reset it with \`az webapp deployment slot swap ${at} --slot ${named} --action reset\``,
      ),
    );
  }
  // A stopped slot is started when the release is deployed to it.
  if (!state.production.running) {
    found.push(
      refuse(
        'SLUICE_TARGET',
        `${state.production.name} is stopped, and both slots must run to be swapped; start it with \`az webapp start ${at}\``,
      ),
    );
  }
  return found;
}

/** What a slot runs on. */
const STACK: (keyof SiteConfigResource)[] = [
  'linuxFxVersion',
  'windowsFxVersion',
  'netFrameworkVersion',
  'nodeVersion',
  'phpVersion',
  'pythonVersion',
  'javaVersion',
  'javaContainer',
  'javaContainerVersion',
  'powerShellVersion',
];
const STACK_SETTINGS = ['FUNCTIONS_EXTENSION_VERSION', 'FUNCTIONS_WORKER_RUNTIME', 'WEBSITE_NODE_DEFAULT_VERSION'];

/** What was tested in the slot must run on the same thing in production. */
export function checkStacks({ state, slotConfig, settings }: Observed): Finding[] {
  if (slotConfig === null) return [];
  const differs = [
    ...STACK.filter((name) => (state.config[name] ?? '') !== (slotConfig[name] ?? '')),
    ...STACK_SETTINGS.filter((name) => (settings.production[name] ?? '') !== (settings.slot[name] ?? '')),
  ];
  if (differs.length === 0) return [];
  return [
    refuse(
      'SLUICE_TARGET',
      `${state.slot?.name} and production run on different stacks (${differs.join(', ')}); give the slot the stack of production, and release a change of it with strategy direct`,
    ),
  ];
}

/** Functions whose trigger is not HTTP run in the slot too, on production's own messages. */
export function checkFunctions(spec: Spec, { state, functions, settings, sticky }: Observed): Finding[] {
  const events = functions.filter((one) => triggerOf(one) !== 'httpTrigger');
  if (events.length === 0 || state.slot === null) return [];
  if (reachOf(spec) === 'split') {
    const named = events.map((one) => `${nameOf(one)} (${triggerOf(one)})`).join(', ');
    return [
      refuse(
        'SLUICE_TARGET',
        `strategy ${spec.strategy.type} routes only HTTP requests, and ${named} would not follow it; use strategy blueGreen, or move them to their own app`,
      ),
    ];
  }
  const running = events.filter((one) => !isDisabled(nameOf(one), settings.slot, sticky));
  if (running.length === 0) return [];
  const names = running.map((one) => `AzureWebJobs.${nameOf(one)}.Disabled`).join(', ');
  return [
    refuse(
      'SLUICE_TARGET',
      `in ${state.slot.name} ${running.map(nameOf).join(', ')} would take production's messages; set ${names} to true there, as slot settings (az functionapp config appsettings set --slot-settings)`,
    ),
  ];
}

/** Disabled in the slot, and by a setting that stays there. */
function isDisabled(name: string, slot: Settings, sticky: string[]): boolean {
  const setting = [`AzureWebJobs.${name}.Disabled`, `AzureWebJobs_${name}_Disabled`].find((one) => one in slot);
  return setting !== undefined && sticky.includes(setting) && /^(true|1)$/i.test(slot[setting] ?? '');
}

function nameOf({ name = '' }: FunctionEnvelope): string {
  return name.split('/').at(-1) ?? name;
}

function triggerOf({ config }: FunctionEnvelope): string {
  const bindings = Array.isArray(config?.bindings) ? (config.bindings as { type?: unknown }[]) : [];
  const types = bindings.map(({ type }) => (typeof type === 'string' ? type : ''));
  return types.find((type) => type.endsWith('Trigger')) ?? 'unknown';
}

/** A package has a limit, which Kudu would say only after the upload. */
export function checkPackage({ release }: Spec): Finding[] {
  const why = 'artifact' in release ? tooLarge(release.artifact.bytes, packingOf('app-service')) : null;
  return why === null ? [] : [refuse('SLUICE_ARTIFACT', why)];
}

/** Linux passes settings as variables of a shell: fewer names can be, and a period becomes an underscore on the way. */
export function checkNames(spec: Spec, { state }: Observed): Finding[] {
  if (state.production.arm.reserved !== true) return [];
  const names = Object.keys(spec.configuration.environment ?? {});
  const refused = refusedOnLinux(names).map(({ name, instead }) =>
    refuse(
      'SLUICE_TARGET',
      `configuration.environment: ${name} is not a valid app setting name on Linux, where ${state.production.name} runs: letters, digits, "." and "_" only. Write ${instead}`,
    ),
  );
  const renamed = names.filter((name) => name.includes('.'));
  const met = renamed.filter((name) => names.includes(name.replaceAll('.', '_')));
  if (met.length > 0) {
    return [
      ...refused,
      refuse(
        'SLUICE_TARGET',
        `configuration.environment: on Linux ${met.join(', ')} reaches the application with "_" instead of ".", and that name is in the spec too. Remove one of them`,
      ),
    ];
  }
  if (renamed.length === 0) return refused;
  return [
    ...refused,
    warn(
      'SETTING_RENAMED',
      `configuration.environment: on Linux ${renamed.join(', ')} ${renamed.length === 1 ? 'reaches' : 'reach'} the application with "_" instead of "."`,
    ),
  ];
}

/** Settings that travel with the release must be able to, and the files must be the package's. */
export function checkSettings(spec: Spec, { settings, sticky }: Observed): Finding[] {
  const found: Finding[] = [];
  const stuck = Object.keys(spec.configuration.environment ?? {}).filter((name) => sticky.includes(name));
  if (stuck.length > 0) {
    found.push(
      refuse(
        'SLUICE_TARGET',
        `configuration.environment: ${stuck.join(', ')} ${stuck.length === 1 ? 'is a slot setting, which stays' : 'are slot settings, which stay'} with its slot in a swap; remove it from the spec, or make it a regular app setting`,
      ),
    );
  }
  const elsewhere = [settings.production, settings.slot].some(
    ({ WEBSITE_RUN_FROM_PACKAGE: from }) => from !== undefined && /^https?:/.test(from),
  );
  if (elsewhere) {
    found.push(
      refuse(
        'SLUICE_TARGET',
        'WEBSITE_RUN_FROM_PACKAGE is an address: the site runs what is there, and no zip can be deployed to it. Set it to 1, or delete it',
      ),
    );
  }
  return found;
}

/** Without a slot nothing answers for the release before it has all traffic. */
export function checkProbes({ slot, site }: AppServiceTarget, spec: Spec): Finding[] {
  if (slot !== undefined) return [];
  const asking = spec.health.probes.filter(({ kind, url = '' }) => kind === 'invoke' || url.includes('{host}'));
  if (asking.length === 0) return [];
  return [
    refuse(
      'SLUICE_TARGET',
      `probes ${asking.map(({ name }) => name).join(', ')} call the release before it has traffic, and ${site} has no slot for it to run in; name target.slot, or remove these probes`,
    ),
  ];
}
