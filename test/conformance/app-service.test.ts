import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type Effect,
  type EmulatedAzure,
  releaseIn,
  rulesOf,
  type Site,
  type Slot,
  startAzure,
  type Write,
} from '../../emulators/azure/index.js';
import { mark, parseMark } from '../../src/model/ids.js';
import type { Artifact } from '../../src/model/spec.js';
import { createAppServiceDriver } from '../../src/platforms/app-service/driver/index.js';
import { ACTIONS } from '../../src/platforms/app-service/driver/permissions.js';
import { ALONE, createBudget } from '../../src/platforms/drivers.js';
import type { Split } from '../../src/platforms/port.js';
import { artifactsIn, type TestArtifacts } from '../support/artifacts.js';
import { clientsOf, keptIn, seed, stagingOf, swapOutside, unload } from '../support/azure.js';
import { specFor } from '../support/specs.js';
import { describeDriver } from './driver.js';
import type { ConformanceFixture, Fault, FaultPoint, TestTarget } from './fixture.js';

const OPERATIONS: Record<FaultPoint, string[]> = {
  read: ['GetSite'],
  traffic: ['UpdateConfiguration', 'SwapSlot'],
  code: ['PutPackage'],
  configuration: ['UpdateApplicationSettings', 'UpdateApplicationSettingsSlot'],
  publish: ['Publish'],
};

function effect(fault: Fault): Effect {
  switch (fault) {
    case 'throttle':
      return { status: 429, headers: { 'retry-after': '1' } };
    case 'serverError':
      return { status: 500 };
    case 'reset':
      return { reset: true };
    case 'lostAnswer':
      return { lost: true };
    case 'held':
      return { heldMs: 1_500 };
    case 'denied': {
      const message = "The client does not have authorization to perform action 'Microsoft.Web/sites/write' over scope";
      return { status: 403, body: { error: { code: 'AuthorizationFailed', message } } };
    }
    case 'badCredentials':
      return { status: 401, body: { error: { code: 'ExpiredAuthenticationToken', message: 'It is over.' } } };
  }
}

/** Answers its text to everybody. */
const SERVER = `import { createServer } from 'node:http';
createServer((_, response) => response.end(TEXT)).listen(Number(process.env.PORT), '127.0.0.1');
`;

/** A site a target: its first release in production, its second one in the slot. Callers have the documented role, no more. */
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
  private readonly artifacts: TestArtifacts;
  private last: Site | null = null;
  private made = 0;

  constructor(
    private readonly azure: EmulatedAzure,
    private readonly folder: string,
  ) {
    this.artifacts = artifactsIn(path.join(this.folder, 'store'));
    this.driver = createAppServiceDriver({
      clients: clientsOf(azure),
      budget: createBudget({ perSecond: 1_000, share: () => ALONE }),
      artifacts: this.artifacts,
    });
  }

  async newTarget({ live = true } = {}): Promise<TestTarget> {
    if (this.last !== null) await unload(this.azure, this.last);
    const n = ++this.made;
    const site = await this.azure.createSite({ name: `site-${n}`, resourceGroup: 'shop', slots: ['staging'] });
    this.last = site;
    site.production.instances = this.traits.restingCapacity;
    const releases: [string, string] = ['r-aaaaaaaaaaaa', 'r-bbbbbbbbbbbb'];
    if (live) await this.seed(site.production, releases[0], 1);
    await this.seed(stagingOf(site), releases[1], 2);
    return this.target(site, `t${n}`, releases);
  }

  async inject(fault: Fault, at: FaultPoint, times: number): Promise<void> {
    this.azure.faults.set([{ operations: OPERATIONS[at], times, effect: effect(fault) }]);
  }

  async struck(): Promise<number> {
    return this.azure.faults.struck();
  }

  async heal(): Promise<void> {
    this.azure.faults.clear();
  }

  async stop(): Promise<void> {
    await this.azure.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private target(site: Site, environment: string, releases: [string, string]): TestTarget {
    let seen = 0;
    const { name } = site;
    const writes = () =>
      this.azure
        .writes()
        .filter((write) => write.site === name)
        .flatMap(trafficOf);
    const split = (): Split => {
      const [rule] = rulesOf(site);
      return {
        stable: releaseIn(site.production),
        candidate: rule === undefined ? null : releaseIn(stagingOf(site)),
        weight: rule?.reroutePercentage ?? 0,
      };
    };
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
              account: this.azure.subscription,
            },
            release: { version: releases[1] },
            ...overrides,
          },
        ),
      source: async (content) => ({ artifact: await this.pack(content) }),
      read: async () => {
        const there = this.azure.state.sites.includes(site) && releaseIn(site.production) !== null;
        return there ? { split: split(), text: site.tags.sluice ?? '' } : null;
      },
      writeOutside: async (wanted, text = '') => {
        if (releaseIn(site.production) === null) await this.seed(site.production, wanted.stable, 3);
        if (releaseIn(site.production) !== wanted.stable) await swapOutside(this.azure, site, stagingOf(site));
        const rampUpRules = wanted.candidate === null ? [] : [{ name: 'staging', reroutePercentage: wanted.weight }];
        site.production.configuration.experiments = { rampUpRules };
        site.tags.sluice = text;
        this.azure.azure.note('UpdateConfiguration', { site: name, slot: null }, OK);
      },
      deleteOutside: () => this.azure.azure.remove(site, site.production),
      referTo: async () => {
        throw new Error('nothing refers to a release of App Service');
      },
      existing: async () => keptIn(this.azure, site).map(({ release }) => release),
      capacityOf: async (version) =>
        (releaseIn(site.production) === version ? site.production : stagingOf(site)).instances,
      digestOf: async (version) => keptIn(this.azure, site).find(({ release }) => release === version)?.digest ?? '',
      environments: async () => environmentsOf(site),
      writes: () => writes().slice(seen),
      forgetWrites: () => {
        seen = writes().length;
      },
    };
  }

  /** A release that was deployed earlier. */
  private async seed(slot: Slot, release: string, age: number): Promise<void> {
    const zip = Buffer.from(await this.read(await this.pack(release)));
    await seed(this.azure, slot, release, zip, new Date(age * 1_000));
  }

  private async pack(content: string): Promise<Artifact> {
    const folder = await mkdtemp(path.join(this.folder, 'code-'));
    await writeFile(path.join(folder, 'server.mjs'), SERVER.replace('TEXT', JSON.stringify(JSON.stringify(content))));
    await writeFile(path.join(folder, 'package.json'), JSON.stringify({ scripts: { start: 'node server.mjs' } }));
    return this.artifacts.pack(folder, 'app-service');
  }

  private read(artifact: Artifact) {
    return this.artifacts.read(artifact);
  }
}

const OK = { status: 200, headers: {}, body: Buffer.alloc(0) };

function environmentsOf(site: Site): { blue: string | null; green: string | null } {
  const [production, staging] = [site.production, stagingOf(site)];
  const [mine, other] = [production.settings.SLUICE_ENVIRONMENT, staging.settings.SLUICE_ENVIRONMENT];
  if (mine === undefined && other === undefined) return { blue: null, green: null };
  const blue = mine === 'blue' || other === 'green' ? production : staging;
  return { blue: releaseIn(blue), green: releaseIn(blue === production ? staging : production) };
}

/** A swap is logged when it is accepted: the slot's release is about to be production's. */
function trafficOf({ operation, status, mark: tag, production, slots, rules: [rule] }: Write) {
  const found = parseMark(tag);
  const write = {
    mark: found === null ? null : mark(found.app, found.environment, found.run, found.step),
    applied: status < 300,
  };
  const staging = slots.staging ?? null;
  if (operation === 'SwapSlot') return [{ ...write, split: { stable: staging, candidate: null, weight: 0 } }];
  if (operation !== 'UpdateConfiguration') return [];
  const candidate = rule === undefined ? null : staging;
  return [{ ...write, split: { stable: production, candidate, weight: rule?.reroutePercentage ?? 0 } }];
}

describeDriver('App Service', async () => {
  const azure = await startAzure({
    role: { actions: [...ACTIONS] },
    throttle: false,
    retryAfterSeconds: 0,
    warmUp: { everyMs: 50 },
  });
  return new AppServiceFixture(azure, mkdtempSync(path.join(tmpdir(), 'sluice-conformance-')));
});
