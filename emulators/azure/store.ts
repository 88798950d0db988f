/** The state on disk: one JSON file, flushed at each change, so that SIGKILL loses nothing that was answered. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { writeDurably } from './files.js';
import { type Content, type Data, isLinux, type Site, type Slot } from './model.js';
import type { Launch } from './runtime.js';

export class Store {
  readonly data: Data;
  readonly #file: string;

  private constructor(
    readonly folder: string,
    data: Data,
  ) {
    this.#file = path.join(folder, 'state.json');
    this.data = data;
  }

  /** What the folder holds, or an empty subscription. */
  static open(folder: string, subscription: string, ports: { arm?: number }): Store {
    const file = path.join(folder, 'state.json');
    if (existsSync(file)) return new Store(folder, JSON.parse(readFileSync(file, 'utf8')) as Data);
    const store = new Store(folder, {
      subscription,
      tokenKey: randomBytes(32).toString('base64url'),
      ports: { arm: ports.arm ?? 0, identity: 0 },
      sites: [],
      plans: [],
      operations: {},
      secrets: {},
    });
    store.save();
    return store;
  }

  save(): void {
    writeDurably(this.#file, JSON.stringify(this.data, null, 1));
  }

  site(resourceGroup: string, name: string): Site | undefined {
    return this.data.sites.find(
      (site) => site.name === name && site.resourceGroup.toLowerCase() === resourceGroup.toLowerCase(),
    );
  }

  home(content: Content): string {
    return path.join(this.folder, 'volumes', content.id);
  }

  /** What the slot's process is started from, with Key Vault's values in the place of their references. */
  launch(site: Site, slot: Slot): Launch {
    const settings = Object.fromEntries(
      Object.entries(slot.settings).map(([name, value]) => [name, this.resolve(value)]),
    );
    return {
      home: this.home(slot.content),
      settings,
      site: site.name,
      slot: slot.name,
      host: hostOf(slot),
      linux: isLinux(site),
    };
  }

  /** An unresolved reference is its own text ("Use Key Vault references"). */
  resolve(value: string): string {
    const reference = referenceIn(value);
    return reference === null ? value : (this.data.secrets[reference.uri ?? ''] ?? value);
  }
}

export function hostOf(slot: Slot): string {
  return `127.0.0.1:${slot.port}`;
}

export function scmOf(slot: Slot): string {
  return `127.0.0.1:${slot.scmPort}`;
}

/** Null: the setting is no reference. `uri` null: it is one that is spelt wrong. */
export function referenceIn(value: string): { uri: string | null } | null {
  if (!value.startsWith('@Microsoft.KeyVault(')) return null;
  const inside = /^@Microsoft\.KeyVault\((.*)\)$/.exec(value)?.[1] ?? '';
  const parts = Object.fromEntries(inside.split(';').map((part) => part.split(/=(.*)/s).slice(0, 2)));
  if (typeof parts.SecretUri === 'string') return { uri: parts.SecretUri };
  if (typeof parts.VaultName === 'string' && typeof parts.SecretName === 'string') {
    const version = typeof parts.SecretVersion === 'string' ? `/${parts.SecretVersion}` : '';
    return { uri: `https://${parts.VaultName}.vault.azure.net/secrets/${parts.SecretName}${version}` };
  }
  return { uri: null };
}

/** A site's or a slot's resource id. */
export function idOf({ data }: Store, site: Site, slot: Slot | null = null): string {
  const whole = `/subscriptions/${data.subscription}/resourceGroups/${site.resourceGroup}/providers/Microsoft.Web/sites/${site.name}`;
  return slot?.name == null ? whole : `${whole}/slots/${slot.name}`;
}
