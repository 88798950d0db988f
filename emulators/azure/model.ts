/** What the emulated Azure is made of; all of it is kept on disk as it stands here. */

/** Region of all that is made here. */
export const LOCATION = 'westeurope';

/** A slot's volume, which a swap moves as one: `/home`, with the files that are served below `site/wwwroot`. */
export interface Content {
  id: string;
  /** Kudu's deployments, oldest first. */
  deployments: Deployment[];
}

/** Kudu's `DeployStatus`. */
export const DEPLOY = { pending: 0, building: 1, deploying: 2, failed: 3, success: 4 } as const;

export interface Deployment {
  id: string;
  status: number;
  text: string;
  received: string;
  ended: string | null;
  /** What ARM's deployment status says of the instances. */
  runtime: 'RuntimeStarting' | 'RuntimeSuccessful' | 'RuntimeFailed';
}

export type Settings = Record<string, string>;

export interface Slot {
  /** Null: production. */
  name: string | null;
  /** Ports of its host and of its Kudu; 0 until they are opened. */
  port: number;
  scmPort: number;
  settings: Settings;
  /** `config/web`, with what was never written left out. */
  configuration: Record<string, unknown>;
  auth: Record<string, unknown>;
  content: Content;
  running: boolean;
  instances: number;
  /** During a swap with preview: the settings that were its own before production's were applied. */
  before: Settings | null;
}

/** How far an operation has come; each is written before what it names is done, so that it is done after a crash. */
export type SwapPhase = 'applying' | 'settling';

export interface SwapOperation {
  id: string;
  /** The slot that changes places with production. */
  slot: string;
  phase: SwapPhase;
}

export interface Rule {
  name: string;
  actionHostName?: string;
  reroutePercentage: number;
}

export interface Site {
  name: string;
  resourceGroup: string;
  location: string;
  kind: string;
  plan: string;
  tags: Record<string, string>;
  production: Slot;
  slots: Slot[];
  /** Names of settings that stay with their slot. */
  sticky: string[];
  operation: SwapOperation | null;
  /** The slot whose settings are prepared for a swap. */
  prepared: string | null;
  swapped: { timestampUtc: string; sourceSlotName: string; destinationSlotName: string } | null;
}

export interface Plan {
  name: string;
  resourceGroup: string;
  location: string;
  sku: { name: string; tier: string };
}

/** What a poll of an operation's address is answered once it has ended. */
export interface Result {
  status: number;
  body: unknown;
}

export interface Data {
  subscription: string;
  /** Signs tokens, so that they outlive a restart. */
  tokenKey: string;
  /** Ports of ARM and of the managed identity. */
  ports: { arm: number; identity: number };
  sites: Site[];
  plans: Plan[];
  /** By id; null while it runs. */
  operations: Record<string, Result | null>;
  /** What Key Vault answers, by secret URI. */
  secrets: Record<string, string>;
}

export function isLinux({ kind }: Pick<Site, 'kind'>): boolean {
  return kind.split(',').includes('linux');
}

export function slotsOf(site: Site): Slot[] {
  return [site.production, ...site.slots];
}

export function slotNamed(site: Site, name: string | null): Slot | undefined {
  return name === null || name.toLowerCase() === 'production'
    ? site.production
    : site.slots.find((slot) => slot.name === name);
}

export function rulesOf(site: Site): Rule[] {
  const { experiments } = site.production.configuration as { experiments?: { rampUpRules?: Rule[] } };
  return experiments?.rampUpRules ?? [];
}

/** The release a slot's settings name. */
export function releaseIn(slot: Slot): string | null {
  return slot.content.deployments.length === 0 ? null : (slot.settings.SLUICE_RELEASE ?? null);
}
