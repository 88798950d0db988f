/** Configuration and what follows from it. Each write restarts the slot, but for the routing rules, which are the front door's. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Answer, empty } from '../../http.js';
import { done, listOf, webError } from '../answers.js';
import { isLinux, type Rule, type Settings, type Site, type Slot, slotNamed } from '../model.js';
import { webJobsIn, wwwroot } from '../runtime.js';
import { referenceIn } from '../store.js';
import { isSticky } from '../swap.js';
import type { Request } from './request.js';

export function configurationOf({ configuration, instances: numberOfWorkers }: Slot): Record<string, unknown> {
  return { linuxFxVersion: 'NODE|20-lts', experiments: { rampUpRules: [] }, ...configuration, numberOfWorkers };
}

/** A PATCH merges; a list in it is replaced as a whole. Rules need a name, a host and a share. */
export function updateConfiguration({ azure, site, slot, properties }: Request): Answer {
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

/** Names that a site on Linux takes ("Configure an App Service app"). */
const ON_LINUX = /^[A-Za-z0-9_.]+$/;

/** A PUT of the whole dictionary. */
export function updateSettings({ azure, site, slot, properties }: Request): Answer {
  const refused = isLinux(site) ? Object.keys(properties).filter((name) => !ON_LINUX.test(name)) : [];
  if (refused.length > 0)
    return webError(400, 'BadRequest', `AppSetting with name(s) '${refused.join(', ')}' is not allowed.`);
  slot.settings = properties as Settings;
  azure.store.save();
  void azure.restart(site, slot);
  return done({ properties: slot.settings });
}

export function stickyOf({ sticky }: Site): unknown {
  return { properties: { appSettingNames: sticky, connectionStringNames: [], azureStorageConfigNames: [] } };
}

export function updateSticky({ azure, site, properties }: Request): Answer {
  site.sticky = (properties.appSettingNames ?? []) as string[];
  azure.store.save();
  return done(stickyOf(site));
}

export function updateAuth({ azure, slot, properties }: Request): Answer {
  slot.auth = properties;
  azure.store.save();
  return done({ properties });
}

/** "Use Key Vault references": status of each setting that is one. */
export function references({ azure, slot }: Request): Answer {
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
export function functions({ azure, site, slot }: Request): Answer {
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

/** Continuous WebJobs of a slot, with whether each runs. */
export function webJobs({ azure, site, slot }: Request): Answer {
  const { content } = slot;
  const at = slot.name === null ? site.name : `${site.name}/${slot.name}`;
  return listOf(
    webJobsIn(azure.store.home(content)).map((name) => ({
      name: `${at}/${name}`,
      properties: {
        status: azure.runtime.runsJob(content.id, name) ? 'Running' : 'Stopped',
        web_job_type: 'Continuous',
      },
    })),
  );
}

export function instances({ instances: count }: Slot): unknown[] {
  return Array.from({ length: count }, (_, at) => ({ name: `instance-${at + 1}`, properties: { state: 'READY' } }));
}

/** What a swap would change, values included: they are secrets to whoever shows this. */
export function differences({ site, slot }: Request): Answer {
  const { production } = site;
  const names = [...new Set([...Object.keys(production.settings), ...Object.keys(slot.settings)])];
  const differing = names.filter((name) => !isSticky(site, name) && production.settings[name] !== slot.settings[name]);
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

export function setRunning({ azure, site, slot }: Request, running: boolean): Answer {
  slot.running = running;
  azure.store.save();
  if (running) void azure.restart(site, slot);
  else void azure.runtime.unload(slot.content.id);
  return empty();
}

export async function restart({ azure, site, slot, call }: Request): Promise<Answer> {
  const restarted = azure.restart(site, slot);
  if (/[?&]synchronous=true/.test(call.path)) await restarted;
  return empty();
}
