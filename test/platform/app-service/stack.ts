/** A site with a live release and a candidate in its slot, on the emulated Azure. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type EmulatedAzure, type Site, type Slot, startAzure } from '../../../emulators/azure/index.js';
import { DEPLOY } from '../../../emulators/azure/model.js';
import { wwwroot } from '../../../emulators/azure/runtime.js';
import { prepare } from '../../../emulators/azure/swap.js';
import { SluiceError } from '../../../src/model/errors.js';
import { mark } from '../../../src/model/ids.js';
import type { AppServiceTarget, Artifact, Release, Spec } from '../../../src/model/spec.js';
import { createAppServiceDriver } from '../../../src/platforms/app-service/driver/index.js';
import { ALONE, createBudget } from '../../../src/platforms/drivers.js';
import type { BeforeState, CallContext, PlatformDriver, RestoreArgs } from '../../../src/platforms/port.js';
import { ask } from '../../emulators/azure/client.js';
import { artifactsIn } from '../../support/artifacts.js';
import { clientsOf, seed, stagingOf, unload } from '../../support/azure.js';
import { context } from '../../support/context.js';
import { specFor } from '../../support/specs.js';

export { context };

/** Short, for what does not come; a start takes a fraction of it. */
const WAITS = { serving: 1_500, operation: 3_000 };

export async function failure(call: Promise<unknown>): Promise<SluiceError> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SluiceError);
  return error as SluiceError;
}

/** Answers `content`; its release at /release; an error in its log at /fail; nothing but 503 while its volume holds a file named broken. */
const server = (content: string) => `import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
const { HOME, PORT, SLUICE_RELEASE = '' } = process.env;
createServer(({ url }, response) => {
  if (existsSync(HOME + '/broken')) response.statusCode = 503;
  if (url.startsWith('/fail')) console.error(new TypeError('no points for ' + url.slice(6)));
  response.end(url === '/release' ? SLUICE_RELEASE : ${JSON.stringify(content)});
}).listen(Number(PORT), '127.0.0.1');
`;

/** A job that takes what lies in the folder of the setting QUEUE, and notes there which slot has taken it. */
const WORKER = `const { readdirSync, renameSync } = require('node:fs');
const { QUEUE, WEBSITE_SLOT_NAME } = process.env;
setInterval(() => {
  for (const name of readdirSync(QUEUE).filter((name) => name.endsWith('.todo')))
    renameSync(QUEUE + '/' + name, QUEUE + '/' + name.replace('.todo', '.by-' + WEBSITE_SLOT_NAME));
}, 20);
`;

export class Stack {
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'sluice-app-service-'));
  readonly artifacts = artifactsIn(path.join(this.folder, 'store'));
  private last: TestSite | null = null;
  private made = 0;

  private constructor(readonly azure: EmulatedAzure) {}

  static async start(): Promise<Stack> {
    return new Stack(
      await startAzure({ throttle: false, retryAfterSeconds: 0, warmUp: { everyMs: 20, timeoutMs: 1_000 } }),
    );
  }

  get faults() {
    return this.azure.faults;
  }

  /** A driver of its own, as another worker has. */
  driver(): PlatformDriver {
    return createAppServiceDriver({
      clients: clientsOf(this.azure),
      budget: createBudget({ perSecond: 1_000, share: () => ALONE }),
      artifacts: this.artifacts,
      waits: WAITS,
    });
  }

  /** `starts`: whether the package has something to start. `job`: name of a continuous WebJob in it. */
  async pack(content: string, { starts = true, job }: { starts?: boolean; job?: string } = {}): Promise<Artifact> {
    const folder = await mkdtemp(path.join(this.folder, 'code-'));
    const start = starts ? 'node server.mjs' : 'node missing.mjs';
    await writeFile(path.join(folder, 'server.mjs'), server(content));
    await writeFile(path.join(folder, 'package.json'), JSON.stringify({ scripts: { start } }));
    if (job !== undefined) {
      const at = path.join(folder, 'App_Data', 'jobs', 'continuous', job);
      mkdirSync(at, { recursive: true });
      await writeFile(path.join(at, 'run.js'), WORKER);
    }
    return this.artifacts.pack(folder, 'app-service');
  }

  private read(artifact: Artifact) {
    return this.artifacts.read(artifact);
  }

  /** A site with an empty slot. Its production serves content that somebody else deployed, unless it is to be empty too. */
  async site({ empty = false } = {}): Promise<TestSite> {
    if (this.last !== null) await unload(this.azure, this.last.arm);
    const name = `site-${++this.made}`;
    const arm = await this.azure.createSite({ name, resourceGroup: 'shop', slots: ['staging'] });
    const site = new TestSite(this.azure, arm);
    this.last = site;
    if (!empty) {
      const zip = Buffer.from(await this.read(await this.pack('by hand')));
      await seed(this.azure, arm.production, '', zip, new Date(0));
      arm.production.settings = {};
      rmSync(path.join(site.home(arm.production), 'data'), { recursive: true, force: true });
    }
    return site;
  }

  spec(site: TestSite, overrides: Partial<Spec> = {}, target: Partial<AppServiceTarget> = { slot: 'staging' }): Spec {
    const of: AppServiceTarget = {
      platform: 'app-service',
      site: site.name,
      resourceGroup: 'shop',
      region: 'westeurope',
      account: this.azure.subscription,
      ...target,
    };
    return specFor({ type: 'canary', stages: [] }, { environment: site.name, target: of, ...overrides });
  }

  /** A rollout whose candidate stands in the slot. */
  async rollout(overrides: Partial<Spec> = {}): Promise<Rollout> {
    const site = await this.site();
    const release = { artifact: await this.pack(`candidate of ${site.name}`) };
    const spec = this.spec(site, { release, ...overrides });
    const driver = this.driver();
    const { before } = await driver.inspect(context(), spec);
    const into = spec.strategy.type === 'blueGreen' ? { into: 'idle' as const } : {};
    const deployed = await driver.deploy(context(), { spec, before, mark: markOf(site, 'deploy'), ...into });
    return new Rollout(this, site, spec, before, deployed.release);
  }

  async stop(): Promise<void> {
    await this.azure.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A site as ARM keeps it, with what a test does to it behind the driver's back. */
export class TestSite {
  constructor(
    readonly azure: EmulatedAzure,
    readonly arm: Site,
  ) {}

  get name(): string {
    return this.arm.name;
  }

  get production(): Slot {
    return this.arm.production;
  }

  get staging(): Slot {
    return stagingOf(this.arm);
  }

  host({ port }: Slot): string {
    return `127.0.0.1:${port}`;
  }

  home({ content }: Slot): string {
    return this.azure.azure.store.home(content);
  }

  /** What production answers its users. */
  async answer(): Promise<string> {
    return (await ask(this.azure, `https://${this.host(this.production)}/`)).body.toString('utf8');
  }

  /** An operation that runs, and never ends by itself; null: none. */
  operates(id: string | null): void {
    this.arm.operation = id === null ? null : { id, slot: 'staging', phase: 'settling' };
  }

  /** The first phase of a swap, done by somebody else. */
  prepare(): void {
    prepare(this.arm, this.staging);
    this.arm.prepared = 'staging';
  }

  /** The slot's application answers 503 from now on. */
  breakSlot(): void {
    writeFileSync(path.join(this.home(this.staging), 'broken'), '');
  }

  signsIn(): void {
    this.production.auth = { platform: { enabled: true } };
  }

  /** Makes it a function app with functions of these triggers, by name. */
  functions(triggers: Record<string, string>): void {
    this.arm.kind = 'functionapp,linux';
    for (const [name, type] of Object.entries(triggers)) {
      const folder = path.join(wwwroot(this.home(this.production)), name);
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, 'function.json'), JSON.stringify({ bindings: [{ type }] }));
    }
  }

  /** Somebody else has deployed to production. */
  deployedOutside(): void {
    const at = new Date().toISOString();
    this.production.content.deployments.push({
      id: 'by hand, again',
      status: DEPLOY.success,
      text: '',
      received: at,
      ended: at,
      runtime: 'RuntimeSuccessful',
    });
  }
}

export function markOf(site: TestSite, step: string): string {
  return mark('checkout', site.name, 'run1', step);
}

export class Rollout {
  constructor(
    readonly stack: Stack,
    readonly site: TestSite,
    readonly spec: Spec,
    readonly before: BeforeState,
    readonly release: Release,
  ) {}

  get stable(): string {
    return this.before.split.stable ?? '';
  }

  promote(ctx: CallContext = context(), driver = this.stack.driver()) {
    return driver.promote(ctx, { spec: this.spec, candidate: this.release.version, fence: this.fence('promote') });
  }

  shift(weight: number) {
    const { spec, stable, release } = this;
    const fence = this.fence('shift');
    return this.stack.driver().shift(context(), { spec, stable, candidate: release.version, weight, fence });
  }

  restore(tried: 'shift' | 'promote', over: Partial<RestoreArgs> = {}) {
    const { spec, before, release, stable, site } = this;
    const split =
      tried === 'shift'
        ? { stable, candidate: release.version, weight: 10 }
        : { stable: release.version, candidate: null, weight: 0 };
    return this.stack.driver().restore(context({ urgent: true }), {
      spec,
      before,
      attempted: [{ mark: markOf(site, tried), split }],
      lastRevision: null,
      mark: markOf(site, 'restore'),
      force: false,
      ...over,
    });
  }

  /** Answers of ARM to writes of an operation. */
  answers(operation: string): number[] {
    return this.stack.azure
      .writes()
      .filter((write) => write.site === this.site.name && write.operation === operation)
      .map(({ status }) => status);
  }

  private fence(step: string) {
    return { revision: this.before.revision, mark: markOf(this.site, step) };
  }
}
