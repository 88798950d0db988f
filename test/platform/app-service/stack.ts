/** A site with a live release and a candidate in its slot, on the double. */
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createAppServiceDriver } from '../../../activities/platform/app-service/index.js';
import { createBudget } from '../../../activities/platform/index.js';
import type { BeforeState, CallContext, PlatformDriver, RestoreArgs } from '../../../activities/platform/platform.js';
import { packFolder, readArtifact } from '../../../src/artifact/index.js';
import { SluiceError } from '../../../src/model/errors.js';
import { mark } from '../../../src/model/ids.js';
import type { AppServiceTarget, Artifact, Release, Spec } from '../../../src/model/spec.js';
import { context } from '../../support/context.js';
import { specFor } from '../../support/specs.js';

export { context };

import { Cloud } from './cloud/cloud.js';
import type { Site } from './cloud/site.js';
import { clientsOf } from './cloud/transport.js';

/** Short, for what does not come. */
const WAITS = { serving: 300, operation: 3_000 };

export async function failure(call: Promise<unknown>): Promise<SluiceError> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SluiceError);
  return error as SluiceError;
}

export class Stack {
  readonly cloud = new Cloud();
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'sluice-app-service-'));
  private made = 0;

  /** A driver of its own, as another worker has. */
  driver(): PlatformDriver {
    return createAppServiceDriver({
      clients: clientsOf(this.cloud),
      budget: createBudget({ perSecond: 1_000, share: () => 1 }),
      readArtifact,
      waits: WAITS,
    });
  }

  async pack(content: string): Promise<Artifact> {
    const folder = await mkdtemp(path.join(this.folder, 'code-'));
    await writeFile(path.join(folder, 'server.mjs'), `// answers ${content}\n`);
    const artifact = await packFolder(folder, path.join(this.folder, 'store'));
    this.cloud.teach(await readArtifact(artifact), content);
    return artifact;
  }

  /** A site whose production serves content that somebody else deployed. */
  site(): Site {
    const site = this.cloud.create(`site-${++this.made}`);
    site.production.content.deployments.push('by hand');
    site.production.content.answer = 'by hand';
    return site;
  }

  spec(site: Site, overrides: Partial<Spec> = {}, target: Partial<AppServiceTarget> = { slot: 'staging' }): Spec {
    const of: AppServiceTarget = {
      platform: 'app-service',
      site: site.name,
      resourceGroup: 'shop',
      region: 'westeurope',
      account: 'sub',
      ...target,
    };
    return specFor({ type: 'canary', stages: [] }, { environment: site.name, target: of, ...overrides });
  }

  /** A rollout whose candidate stands in the slot. */
  async rollout(overrides: Partial<Spec> = {}): Promise<Rollout> {
    const site = this.site();
    const release = { artifact: await this.pack(`candidate of ${site.name}`) };
    const spec = this.spec(site, { release, ...overrides });
    const driver = this.driver();
    const { before } = await driver.inspect(context(), spec);
    const into = spec.strategy.type === 'blueGreen' ? { into: 'idle' as const } : {};
    const deployed = await driver.deploy(context(), { spec, before, mark: markOf(site, 'deploy'), ...into });
    return new Rollout(this, site, spec, before, deployed.release);
  }

  stop(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function markOf(site: Site, step: string): string {
  return mark('checkout', site.name, 'run1', step);
}

export class Rollout {
  constructor(
    readonly stack: Stack,
    readonly site: Site,
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
    return this.stack.cloud.log
      .filter((write) => write.site === this.site.name && write.operation === operation)
      .map(({ status }) => status);
  }

  private fence(step: string) {
    return { revision: this.before.revision, mark: markOf(this.site, step) };
  }
}
