/** A site of the double, with its slot. */

/** What a swap moves as one: a slot's volume. */
export interface Content {
  files: Map<string, { body: Buffer; mtime: string }>;
  /** Kudu's deployments, oldest first. */
  deployments: string[];
  zip: Buffer;
  /** What the release answers; null: nothing was ever deployed. */
  answer: string | null;
}

export interface SlotContent {
  host: string;
  scm: string;
  settings: Record<string, string>;
  configuration: Record<string, unknown>;
  content: Content;
  running: boolean;
  /** Its host answers 503. */
  broken: boolean;
  instances: number;
  /** What ARM's deployment status says. */
  runtime: string;
  /** Key Vault references. */
  references: { name: string; status: string }[];
}

export class Site {
  readonly production: SlotContent;
  readonly slots = new Map<string, SlotContent>();
  readonly tags: Record<string, string> = {};
  /** Names of the settings that stay with their slot. */
  sticky: string[] = [];
  differences: Record<string, string>[] = [];
  signsIn = false;
  kind = 'app';
  /** Functions of a function app, by name and trigger. */
  functions: Record<string, string> = {};
  /** An operation that runs. */
  operation: string | null = null;
  /** The slot that is half swapped. */
  pending: string | null = null;
  /** Why every swap fails; null: none does. */
  failsToSwap: string | null = null;

  constructor(
    readonly name: string,
    next: () => number,
  ) {
    // Hosts with something in them that nobody can guess.
    const slot = (label: string): SlotContent => {
      const host = `${label}-${next()}`;
      return {
        host: `${host}.sites.test`,
        scm: `${host}.scm.test`,
        settings: {},
        configuration: {},
        content: { files: new Map(), deployments: [], zip: Buffer.alloc(0), answer: null },
        running: true,
        broken: false,
        instances: 1,
        runtime: 'RuntimeSuccessful',
        references: [],
      };
    };
    this.production = slot(name);
    this.slots.set('staging', slot(`${name}-staging`));
  }

  at(slot: string | null): SlotContent | undefined {
    return slot === null ? this.production : this.slots.get(slot);
  }

  get staging(): SlotContent {
    return this.at('staging') as SlotContent;
  }

  /** The routing rule of production, if any. */
  get rule(): { name: string; reroutePercentage: number } | undefined {
    const { experiments } = this.production.configuration as {
      experiments?: { rampUpRules?: { name: string; reroutePercentage: number }[] };
    };
    return experiments?.rampUpRules?.[0];
  }

  /** Content and settings that are not sticky change places. */
  swap(name: string): void {
    const [production, slot] = [this.production, this.at(name) as SlotContent];
    [production.content, slot.content] = [slot.content, production.content];
    const part = (of: SlotContent, stays: boolean) =>
      Object.entries(of.settings).filter(([setting]) => this.sticky.includes(setting) === stays);
    const [first, second] = [
      Object.fromEntries([...part(production, true), ...part(slot, false)]),
      Object.fromEntries([...part(slot, true), ...part(production, false)]),
    ];
    [production.settings, slot.settings] = [first, second];
    this.pending = null;
  }

  /** As ARM shows it. */
  resource(slot: string | null): { id: string } & Record<string, unknown> {
    const { host, scm, running } = this.at(slot) as SlotContent;
    const id = `/subscriptions/sub/resourceGroups/shop/providers/Microsoft.Web/sites/${this.name}`;
    return {
      id: slot === null ? id : `${id}/slots/${slot}`,
      name: this.name,
      location: 'westeurope',
      kind: this.kind,
      tags: slot === null ? this.tags : {},
      properties: {
        state: running ? 'Running' : 'Stopped',
        resourceGroup: 'shop',
        defaultHostName: host,
        hostNameSslStates: [
          { name: host, hostType: 'Standard' },
          { name: scm, hostType: 'Repository' },
        ],
        serverFarmId: '/subscriptions/sub/resourceGroups/shop/providers/Microsoft.Web/serverfarms/plan',
        ...(this.operation === null ? {} : { inProgressOperationId: this.operation }),
        ...(this.pending === null ? {} : { targetSwapSlot: this.pending }),
      },
    };
  }
}
