import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createAppServiceDriver } from '../../activities/platform/app-service/index.js';
import { createBudget } from '../../activities/platform/index.js';
import type { Split } from '../../activities/platform/platform.js';
import { packFolder, readArtifact } from '../../src/artifact/index.js';
import { mark, parseMark } from '../../src/model/ids.js';
import type { Artifact } from '../../src/model/spec.js';
import { Cloud, type Logged } from '../platform/app-service/cloud/cloud.js';
import type { Effect } from '../platform/app-service/cloud/faults.js';
import type { Site, SlotContent } from '../platform/app-service/cloud/site.js';
import { clientsOf } from '../platform/app-service/cloud/transport.js';
import { specFor } from '../support/specs.js';
import { describeDriver } from './driver.js';
import type { ConformanceFixture, Fault, FaultPoint, TestTarget } from './fixture.js';

const OPERATIONS: Record<FaultPoint, string[]> = {
  read: ['GetSite'],
  traffic: ['UpdateConfiguration', 'SwapSlot'],
  code: ['PutPackage'],
  configuration: ['UpdateApplicationSettings'],
  publish: ['Publish'],
};

function effect(fault: Fault): Effect {
  switch (fault) {
    case 'throttle':
      return { reply: { status: 429, headers: { 'retry-after': '1' } } };
    case 'serverError':
      return { reply: { status: 500 } };
    case 'reset':
      return { reset: true };
    case 'lostAnswer':
      return { lost: true };
    case 'held':
      return { held: 1_500 };
    case 'denied': {
      const message = "The client does not have authorization to perform action 'Microsoft.Web/sites/write' over scope";
      return { reply: { status: 403, body: { error: { code: 'AuthorizationFailed', message } } } };
    }
    case 'badCredentials':
      return {
        reply: { status: 401, body: { error: { code: 'ExpiredAuthenticationToken', message: 'It is over.' } } },
      };
  }
}

/** A site a target: its first release in production, its second one in the slot. */
class AppServiceFixture implements ConformanceFixture {
  readonly traits = {
    // ARM has no revisions.
    refusesLateWrites: false,
    // Rules would lead to the old release after the swap.
    endsSplitFirst: true,
    // Instances are the plan's, or the slot's.
    capacityByRelease: false,
    restingCapacity: 2,
    // Nothing but production and the slot can name what is on their volumes.
    refersToReleases: false,
    absent: 'r-ffffffffffff',
  };
  readonly driver;
  private made = 0;

  constructor(
    private readonly cloud: Cloud,
    private readonly folder: string,
  ) {
    this.driver = createAppServiceDriver({
      clients: clientsOf(cloud),
      budget: createBudget({ perSecond: 1_000, share: () => 1 }),
      readArtifact,
    });
  }

  async newTarget({ live = true } = {}): Promise<TestTarget> {
    const n = ++this.made;
    const site = this.cloud.create(`site-${n}`);
    site.production.instances = this.traits.restingCapacity;
    const releases: [string, string] = ['r-aaaaaaaaaaaa', 'r-bbbbbbbbbbbb'];
    if (live) await this.seed(site.production, releases[0]);
    await this.seed(site.staging, releases[1]);
    return this.target(site, `t${n}`, releases);
  }

  async inject(fault: Fault, at: FaultPoint, times: number): Promise<void> {
    this.cloud.faults.set(OPERATIONS[at], times, effect(fault));
  }

  async struck(): Promise<number> {
    return this.cloud.faults.struck;
  }

  async heal(): Promise<void> {
    this.cloud.faults.clear();
  }

  async stop(): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private target(site: Site, environment: string, releases: [string, string]): TestTarget {
    let seen = 0;
    const { name } = site;
    const writes = () => this.cloud.log.filter((write) => write.site === name).flatMap(trafficOf);
    const split = (): Split => ({
      stable: releaseIn(site.production),
      candidate: site.rule === undefined ? null : releaseIn(site.staging),
      weight: site.rule?.reroutePercentage ?? 0,
    });
    return {
      releases,
      spec: (overrides = {}) =>
        specFor(
          { type: 'canary', stages: [] },
          {
            environment,
            target: {
              platform: 'app-service',
              site: name,
              resourceGroup: 'shop',
              slot: 'staging',
              region: 'westeurope',
              account: 'sub',
            },
            release: { version: releases[1] },
            ...overrides,
          },
        ),
      source: async (content) => ({ artifact: await this.pack(content) }),
      read: async () => {
        const there = this.cloud.site(name) !== null && releaseIn(site.production) !== null;
        return there ? { split: split(), text: site.tags.sluice ?? '' } : null;
      },
      writeOutside: async (wanted, text = '') => {
        if (releaseIn(site.production) === null) await this.seed(site.production, wanted.stable);
        if (releaseIn(site.production) !== wanted.stable) site.swap('staging');
        const rules = wanted.candidate === null ? [] : [{ name: 'staging', reroutePercentage: wanted.weight }];
        const body = { properties: { experiments: { rampUpRules: rules } } };
        Object.assign(site.production.configuration, body.properties);
        site.tags.sluice = text;
        this.cloud.note({ operation: 'UpdateConfiguration', site: name, slot: null, body, status: 200 });
      },
      deleteOutside: async () => this.cloud.remove(name),
      referTo: async () => {
        throw new Error('nothing refers to a release of App Service');
      },
      existing: async () => kept(site).map(({ release }) => release),
      capacityOf: async (version) =>
        (releaseIn(site.production) === version ? site.production : site.staging).instances,
      digestOf: async (version) => kept(site).find(({ release }) => release === version)?.digest ?? '',
      environments: async () => environmentsOf(site),
      writes: () => writes().slice(seen),
      forgetWrites: () => {
        seen = writes().length;
      },
    };
  }

  /** A release that was deployed earlier. */
  private async seed(slot: SlotContent, release: string): Promise<void> {
    this.cloud.seed(slot, release, Buffer.from(await readArtifact(await this.pack(release))));
  }

  private async pack(content: string): Promise<Artifact> {
    const folder = await mkdtemp(path.join(this.folder, 'code-'));
    await writeFile(path.join(folder, 'server.mjs'), `// answers ${JSON.stringify(content)}\n`);
    const artifact = await packFolder(folder, path.join(this.folder, 'store'));
    this.cloud.teach(await readArtifact(artifact), JSON.stringify(content));
    return artifact;
  }
}

function releaseIn({ content, settings }: SlotContent): string | null {
  return content.answer === null ? null : (settings.SLUICE_RELEASE ?? null);
}

function environmentsOf({ production, staging }: Site): { blue: string | null; green: string | null } {
  const [mine, other] = [production.settings.SLUICE_ENVIRONMENT, staging.settings.SLUICE_ENVIRONMENT];
  if (mine === undefined && other === undefined) return { blue: null, green: null };
  const blue = mine === 'blue' || other === 'green' ? production : staging;
  return { blue: releaseIn(blue), green: releaseIn(blue === production ? staging : production) };
}

/** Releases on both volumes, oldest first. */
function kept({ production, staging }: Site): { release: string; digest: string }[] {
  return [production, staging]
    .flatMap(({ content }) => [...content.files])
    .filter(([name]) => /\/r-[0-9a-f]+\.json$/.test(name))
    .sort(([, a], [, b]) => (a.mtime < b.mtime ? -1 : 1))
    .map(([, { body }]) => JSON.parse(body.toString('utf8')) as { release: string; digest: string });
}

function trafficOf({ operation, body, status, tag, production, staging }: Logged) {
  const found = parseMark(tag);
  const write = {
    mark: found === null ? null : mark(found.app, found.environment, found.run, found.step),
    applied: status < 300,
  };
  if (operation === 'SwapSlot') return [{ ...write, split: { stable: staging, candidate: null, weight: 0 } }];
  if (operation !== 'UpdateConfiguration') return [];
  const { properties } = body as { properties: { experiments: { rampUpRules: { reroutePercentage: number }[] } } };
  const [rule] = properties.experiments.rampUpRules;
  const split = {
    stable: production,
    candidate: rule === undefined ? null : staging,
    weight: rule?.reroutePercentage ?? 0,
  };
  return [{ ...write, split }];
}

describeDriver(
  'App Service',
  async () => new AppServiceFixture(new Cloud(), mkdtempSync(path.join(tmpdir(), 'sluice-conformance-'))),
);
