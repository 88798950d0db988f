import { ERRORS, SluiceError } from '../../src/model/errors.js';
import { mark } from '../../src/model/ids.js';
import type { Spec } from '../../src/model/spec.js';
import type { BeforeState, PlatformDriver, Split, Written } from '../../src/platforms/port.js';
import { versionOf } from '../../src/platforms/registry.js';
import { context } from '../support/context.js';
import { until } from '../support/until.js';
import type { ConformanceFixture, Fault, FaultPoint, TestTarget } from './fixture.js';

/** Tries of a call, as Temporal would make them. */
const TRIES = 8;

/** Runs a call again after errors that are not final. */
async function settled<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof SluiceError) || ERRORS[error.code].final || tries === TRIES) throw error;
    }
  }
}

async function failure(call: Promise<unknown>): Promise<SluiceError> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SluiceError);
  return error as SluiceError;
}

const only = (version: string): Split & { stable: string } => ({ stable: version, candidate: null, weight: 0 });
const marked = (target: TestTarget, step: string, run = 'run1') => {
  const { app, environment } = target.spec();
  return mark(app, environment, run, step);
};

/** A rollout in miniature: remembers the revision and the attempted writes, as the workflow does. */
class Walk {
  readonly attempted: { mark: string; split: Split }[] = [];
  revision: string | null;

  constructor(
    readonly driver: PlatformDriver,
    readonly target: TestTarget,
    readonly before: BeforeState,
    readonly spec: Spec,
    readonly run = 'run1',
  ) {
    this.revision = before.revision;
  }

  fence(step: string) {
    return { revision: this.revision, mark: marked(this.target, step, this.run) };
  }

  async shift(weight: number, candidate = this.target.releases[1]): Promise<Written> {
    const stable = this.before.split.stable ?? '';
    const fence = this.fence(`shift-${weight}`);
    this.attempted.push({ mark: fence.mark, split: { stable, candidate, weight } });
    const { driver, spec } = this;
    return this.took(await settled(() => driver.shift(context(), { spec, stable, candidate, weight, fence })));
  }

  async promote(candidate = this.target.releases[1]): Promise<Written> {
    const fence = this.fence('promote');
    this.attempted.push({ mark: fence.mark, split: only(candidate) });
    const { driver, spec } = this;
    return this.took(await settled(() => driver.promote(context(), { spec, candidate, fence })));
  }

  restoring(force = false): Promise<Written> {
    const { driver, spec, before, attempted, revision: lastRevision } = this;
    const args = { spec, before, attempted, lastRevision, mark: marked(this.target, 'restore', this.run), force };
    return driver.restore({ ...context(), urgent: true }, args);
  }

  async restore(force = false): Promise<Written> {
    return this.took(await settled(() => this.restoring(force)));
  }

  private took(written: Written): Written {
    this.revision = written.revision;
    return written;
  }
}

/** Every driver passes this; it names no platform. */
export function describeDriver(name: string, start: () => Promise<ConformanceFixture>): void {
  describe(`${name}: conformance of the driver`, () => {
    let fixture: ConformanceFixture;
    let driver: PlatformDriver;

    beforeAll(async () => {
      fixture = await start();
      driver = fixture.driver;
    });
    afterAll(() => fixture?.stop());
    afterEach(() => fixture.heal());

    const begin = async (target: TestTarget, overrides: Partial<Spec> = {}, run = 'run1'): Promise<Walk> => {
      const spec = target.spec(overrides);
      const { before } = await settled(() => driver.inspect(context(), spec));
      return new Walk(driver, target, before, spec, run);
    };

    /** The splits that a promotion out of a split writes, one after the other. */
    const promoted = ({ releases: [stable, candidate] }: TestTarget): Split[] =>
      fixture.traits.endsSplitFirst ? [only(stable), only(candidate)] : [only(candidate)];

    describe('reading', () => {
      test("the before-state has what is live, its revision and the owner's text", async () => {
        const target = await fixture.newTarget();
        await target.writeOutside(only(target.releases[0]), 'owned by the shop team');
        const { before, findings } = await driver.inspect(context(), target.spec());
        expect(before.split).toEqual(only(target.releases[0]));
        expect(before.release).toMatchObject({
          version: target.releases[0],
          digest: await target.digestOf(target.releases[0]),
        });
        expect(before).toMatchObject({
          description: 'owned by the shop team',
          mark: null,
          environments: null,
          capacity: fixture.traits.restingCapacity,
        });
        expect(before.revision).not.toBeNull();
        const { split, revision, mark: found } = before;
        expect(await driver.traffic(context(), target.spec())).toMatchObject({ split, revision, mark: found });
        expect(findings.filter(({ level }) => level === 'refuse')).toEqual([]);
        expect(target.writes().filter(({ applied }) => applied)).toHaveLength(1);
      });

      test('a target that does not exist is a first deployment', async () => {
        const target = await fixture.newTarget({ live: false });
        const { before, findings } = await driver.inspect(context(), target.spec());
        expect(before).toMatchObject({
          split: { stable: null, candidate: null, weight: 0 },
          revision: null,
          release: null,
        });
        expect(findings.filter(({ level }) => level === 'refuse')).toEqual([]);
        // An empty place may have a revision: it fences what a person adopts.
        const { split, mark: found } = before;
        expect(await driver.traffic(context(), target.spec())).toMatchObject({ split, mark: found });
      });

      test('a target that someone left split is refused, with the way out', async () => {
        const target = await fixture.newTarget();
        const [stable, candidate] = target.releases;
        await target.writeOutside({ stable, candidate, weight: 10 });
        const { findings } = await driver.inspect(context(), target.spec());
        const refused = findings.filter(({ level }) => level === 'refuse');
        expect(refused.map(({ code }) => code)).toEqual(['SLUICE_ALIAS_SPLIT']);
        expect(refused[0]?.message).toContain('sluice sweep');
      });

      test('a target of another app or environment is refused', async () => {
        const target = await fixture.newTarget();
        await target.writeOutside(only(target.releases[0]), mark('another', 'production', 'run9', 'promote'));
        const { findings } = await driver.inspect(context(), target.spec());
        expect(findings.filter(({ level }) => level === 'refuse').map(({ code }) => code)).toEqual(['SLUICE_OWNED']);
      });

      test('the mark of an earlier rollout of the same target is not an obstacle', async () => {
        const target = await fixture.newTarget();
        const earlier = marked(target, 'promote', 'run0');
        await target.writeOutside(only(target.releases[0]), `text ${earlier}`);
        const { before, findings } = await driver.inspect(context(), target.spec());
        expect(findings.filter(({ level }) => level === 'refuse')).toEqual([]);
        expect(before).toMatchObject({ mark: earlier, description: 'text' });
        expect((await driver.traffic(context(), target.spec())).mark).toBe(earlier);
      });
    });

    describe('moving traffic', () => {
      test("a shift gives the candidate its weight, keeps the owner's text and leaves the mark", async () => {
        const target = await fixture.newTarget();
        const [stable, candidate] = target.releases;
        await target.writeOutside(only(stable), 'of the shop team');
        const walk = await begin(target);
        const written = await walk.shift(10);
        expect(written.split).toEqual({ stable, candidate, weight: 10 });
        expect(await target.read()).toEqual({
          split: { stable, candidate, weight: 10 },
          text: `of the shop team ${marked(target, 'shift-10')}`,
        });
      });

      test('weights that binary numbers cannot represent exactly come back as they were given', async () => {
        const target = await fixture.newTarget();
        const walk = await begin(target);
        for (const weight of [0.1, 7, 33.33, 57]) expect((await walk.shift(weight)).split.weight).toBe(weight);
      });

      test('a candidate with all traffic can give half of it back and take it again', async () => {
        const target = await fixture.newTarget();
        const [stable, candidate] = target.releases;
        const walk = await begin(target);
        await walk.promote();
        expect((await walk.shift(50)).split).toEqual({ stable, candidate, weight: 50 });
        expect((await target.read())?.split).toEqual({ stable, candidate, weight: 50 });
        expect((await walk.promote()).split).toEqual(only(candidate));
        expect((await walk.restore()).split).toEqual(only(stable));
      });

      test('releases that are missing from the split are reported before anything is written', async () => {
        const target = await fixture.newTarget();
        const walk = await begin(target);
        await walk.promote();
        target.forgetWrites();
        const { absent } = fixture.traits;
        const fence = walk.fence('shift-50');
        const args = { spec: walk.spec, stable: String(absent), candidate: target.releases[1], weight: 50, fence };
        expect((await failure(driver.shift(context(), args))).code).toBe('SLUICE_NOT_FOUND');
        expect(target.writes().filter(({ applied }) => applied)).toEqual([]);
      });

      test('a promotion moves all traffic and ends the split', async () => {
        const target = await fixture.newTarget();
        const walk = await begin(target);
        await walk.shift(50);
        target.forgetWrites();
        const written = await walk.promote();
        expect(written.split).toEqual(only(target.releases[1]));
        expect(target.writes()).toEqual(
          promoted(target).map((split) => ({ mark: marked(target, 'promote'), split, applied: true })),
        );
      });

      test('repeating a write changes nothing more', async () => {
        const target = await fixture.newTarget();
        const [stable, candidate] = target.releases;
        const walk = await begin(target);
        const { spec } = walk;
        const fence = walk.fence('shift');
        const once = await driver.shift(context(), { spec, stable, candidate, weight: 10, fence });
        const twice = await driver.shift(context(), { spec, stable, candidate, weight: 10, fence });
        expect(twice).toEqual(once);
        const next = { revision: once.revision, mark: marked(target, 'promote') };
        const moved = await driver.promote(context(), { spec, candidate, fence: next });
        expect(await driver.promote(context(), { spec, candidate, fence: next })).toEqual(moved);
        expect(target.writes().filter(({ applied }) => applied)).toHaveLength(1 + promoted(target).length);
      });

      test('a write whose answer was lost is recognized, and not repeated', async () => {
        const target = await fixture.newTarget();
        const walk = await begin(target);
        await fixture.inject('lostAnswer', 'traffic', 1);
        await walk.shift(10);
        expect(await fixture.struck()).toBe(1);
        await fixture.inject('lostAnswer', 'traffic', 1);
        await walk.promote();
        expect(await fixture.struck()).toBe(1);
        expect(
          target
            .writes()
            .filter(({ applied }) => applied)
            .map(({ split }) => split),
        ).toEqual([{ stable: target.releases[0], candidate: target.releases[1], weight: 10 }, ...promoted(target)]);
      });

      test('a foreign change in between is reported and not overwritten', async () => {
        const target = await fixture.newTarget();
        const [stable, candidate] = target.releases;
        const walk = await begin(target);
        await walk.shift(10);
        await target.writeOutside(only(candidate), 'by hand');
        target.forgetWrites();
        const error = await failure(walk.shift(50));
        expect(error.code).toBe('SLUICE_FOREIGN_CHANGE');
        expect(error.message).toContain(`all to ${candidate}`);
        expect((await failure(walk.promote())).code).toBe('SLUICE_FOREIGN_CHANGE');
        expect(target.writes().filter(({ applied }) => applied)).toEqual([]);
        expect((await target.read())?.split).toEqual(only(candidate));
        expect(stable).not.toBe(candidate);
      });

      test('a target that someone deleted is a foreign change', async () => {
        const target = await fixture.newTarget();
        const walk = await begin(target);
        await target.deleteOutside();
        expect((await failure(walk.shift(10))).code).toBe('SLUICE_FOREIGN_CHANGE');
        expect((await failure(walk.restore())).code).toBe('SLUICE_FOREIGN_CHANGE');
        expect(await target.read()).toBeNull();
      });
    });

    describe('rolling back', () => {
      const lateWrite = (walk: Walk, weight: number, fence: { revision: string | null; mark: string }) =>
        driver.shift(context(), {
          spec: walk.spec,
          stable: walk.before.split.stable ?? '',
          candidate: walk.target.releases[1],
          weight,
          fence,
        });

      test('restores what was there, from a split, from a promotion and from an untouched target', async () => {
        const steps: ((walk: Walk) => Promise<unknown>)[] = [
          async () => undefined,
          (walk) => walk.shift(10),
          (walk) => walk.promote(),
          async (walk) => {
            await walk.shift(10);
            await walk.promote();
          },
        ];
        for (const step of steps) {
          const target = await fixture.newTarget();
          await target.writeOutside(only(target.releases[0]), 'text of the owner');
          const walk = await begin(target);
          await step(walk);
          const written = await walk.restore();
          expect(written.split).toEqual(only(target.releases[0]));
          expect(await target.read()).toEqual({
            split: only(target.releases[0]),
            text: `text of the owner ${marked(target, 'restore')}`,
          });
        }
      });

      test('always writes, so that the revision is new each time', async () => {
        const target = await fixture.newTarget();
        const walk = await begin(target);
        const first = await walk.restore();
        const second = await walk.restore();
        expect(new Set([walk.before.revision, first.revision, second.revision]).size).toBe(3);
      });

      test('refuses a write that was frozen before it and wakes up after it', async () => {
        const target = await fixture.newTarget();
        const walk = await begin(target);
        await walk.shift(10);
        const frozen = walk.fence('shift-50');
        walk.attempted.push({
          mark: frozen.mark,
          split: { stable: target.releases[0], candidate: target.releases[1], weight: 50 },
        });
        await walk.restore();
        target.forgetWrites();
        expect((await failure(lateWrite(walk, 50, frozen))).code).toBe('SLUICE_FOREIGN_CHANGE');
        expect(target.writes().filter(({ applied }) => applied)).toEqual([]);
        expect((await target.read())?.split).toEqual(only(target.releases[0]));
      });

      test('refuses a frozen write even if nothing had moved yet', async () => {
        const target = await fixture.newTarget();
        const walk = await begin(target);
        const frozen = walk.fence('shift-10');
        await walk.restore();
        expect((await failure(lateWrite(walk, 10, frozen))).code).toBe('SLUICE_FOREIGN_CHANGE');
        expect((await target.read())?.split).toEqual(only(target.releases[0]));
      });

      test('undoes a write that was frozen between its check and its effect', async () => {
        const target = await fixture.newTarget();
        const walk = await begin(target);
        await fixture.inject('held', 'traffic', 1);
        const fence = walk.fence('shift-10');
        walk.attempted.push({
          mark: fence.mark,
          split: { stable: target.releases[0], candidate: target.releases[1], weight: 10 },
        });
        const late = failure(lateWrite(walk, 10, fence));
        await until('the write is on its way', async () => (await fixture.struck()) === 1);
        await walk.restore();
        expect((await late).code).toBe('SLUICE_FOREIGN_CHANGE');
        if (fixture.traits.refusesLateWrites) {
          expect(target.writes().map(({ mark: by, applied }) => ({ by, applied }))).toEqual([
            { by: marked(target, 'restore'), applied: true },
            { by: fence.mark, applied: false },
          ]);
        }
        expect((await target.read())?.split).toEqual(only(target.releases[0]));
      });

      test('undoes a promotion that was frozen between its check and its effect', async () => {
        const target = await fixture.newTarget();
        const walk = await begin(target);
        await fixture.inject('held', 'traffic', 1);
        const fence = walk.fence('promote');
        walk.attempted.push({ mark: fence.mark, split: only(target.releases[1]) });
        const args = { spec: walk.spec, candidate: target.releases[1], fence };
        const late = failure(driver.promote(context(), args));
        await until('the write is on its way', async () => (await fixture.struck()) === 1);
        await walk.restore();
        expect((await late).code).toBe('SLUICE_FOREIGN_CHANGE');
        expect((await target.read())?.split).toEqual(only(target.releases[0]));
      });

      test('recognizes our own write if it lands between two attempts', async () => {
        const target = await fixture.newTarget();
        const walk = await begin(target);
        await walk.shift(10);
        const known = walk.revision;
        await walk.shift(50);
        // The worker died before it could tell: the workflow knows the attempt, not the revision.
        walk.revision = known;
        expect((await walk.restore()).split).toEqual(only(target.releases[0]));
      });

      test('ends in one state if the answer of its own write was lost', async () => {
        const target = await fixture.newTarget();
        const walk = await begin(target);
        await walk.shift(10);
        await fixture.inject('lostAnswer', 'traffic', 2);
        expect((await walk.restore()).split).toEqual(only(target.releases[0]));
        expect(await fixture.struck()).toBe(2);
        expect((await target.read())?.split).toEqual(only(target.releases[0]));
      });

      test('succeeds however often the provider fails on the way', async () => {
        const target = await fixture.newTarget();
        const walk = await begin(target);
        await walk.shift(10);
        for (const [fault, at] of [
          ['throttle', 'read'],
          ['serverError', 'traffic'],
          ['reset', 'traffic'],
        ] as [Fault, FaultPoint][]) {
          await fixture.inject(fault, at, 2);
          expect((await walk.restore()).split).toEqual(only(target.releases[0]));
          expect(await fixture.struck()).toBe(2);
        }
      });

      test('stops at a foreign change until told to overwrite it', async () => {
        const target = await fixture.newTarget();
        const [stable, candidate] = target.releases;
        const walk = await begin(target);
        await walk.shift(10);
        await target.writeOutside({ stable, candidate, weight: 30 }, 'by hand');
        target.forgetWrites();
        expect((await failure(walk.restoring())).code).toBe('SLUICE_FOREIGN_CHANGE');
        // A driver may try its own revision first, which is spent.
        expect(target.writes().filter(({ applied }) => applied)).toEqual([]);
        expect((await walk.restore(true)).split).toEqual(only(stable));
      });

      test('treats our own mark with another split as a foreign change', async () => {
        const target = await fixture.newTarget();
        const [stable, candidate] = target.releases;
        const walk = await begin(target);
        await walk.shift(10);
        await target.writeOutside({ stable, candidate, weight: 90 }, marked(target, 'shift-10'));
        expect((await failure(walk.restoring())).code).toBe('SLUICE_FOREIGN_CHANGE');
      });
    });

    describe('a first deployment', () => {
      test('creates the target on promotion, once, also after a lost answer', async () => {
        const target = await fixture.newTarget({ live: false });
        const walk = await begin(target);
        const fence = walk.fence('promote');
        await fixture.inject('lostAnswer', 'traffic', 1);
        const written = await walk.promote();
        expect(await fixture.struck()).toBe(1);
        const again = await driver.promote(context(), { spec: walk.spec, candidate: target.releases[1], fence });
        expect(again).toEqual(written);
        expect(target.writes().filter(({ applied }) => applied)).toEqual([
          { mark: fence.mark, split: only(target.releases[1]), applied: true },
        ]);
      });

      test('meets a foreign change if someone else created the target meanwhile', async () => {
        const target = await fixture.newTarget({ live: false });
        const walk = await begin(target);
        await target.writeOutside(only(target.releases[0]));
        expect((await failure(walk.promote())).code).toBe('SLUICE_FOREIGN_CHANGE');
        expect((await failure(walk.restoring())).code).toBe('SLUICE_FOREIGN_CHANGE');
        expect((await target.read())?.split).toEqual(only(target.releases[0]));
      });

      test('is deleted on rollback, and a late attempt cannot bring it back', async () => {
        const target = await fixture.newTarget({ live: false, alone: true });
        const spec = target.spec({ release: await target.source('first') });
        const walk = await begin(target, spec);
        const { release } = await driver.deploy(context(), {
          spec,
          before: walk.before,
          mark: marked(target, 'deploy'),
        });
        const frozen = walk.fence('promote');
        await walk.promote(release.version);
        expect(await walk.restore()).toEqual({ revision: '', split: { stable: null, candidate: null, weight: 0 } });
        expect(await target.read()).toBeNull();
        await failure(driver.promote(context(), { spec, candidate: release.version, fence: frozen }));
        expect(await target.read()).toBeNull();
      });
    });

    describe('deploying a release', () => {
      const deploy = (walk: Walk, step = 'deploy', into?: 'idle') =>
        driver.deploy(context(), {
          spec: walk.spec,
          before: walk.before,
          mark: marked(walk.target, step, walk.run),
          ...(into === undefined ? {} : { into }),
        });

      test('creates it without traffic, once for each call', async () => {
        const target = await fixture.newTarget();
        const walk = await begin(target, { release: await target.source('new code') });
        const first = await deploy(walk);
        const known = await target.existing();
        const second = await deploy(walk);
        expect(second).toEqual(first);
        expect(await target.existing()).toEqual(known);
        expect(known).toContain(first.release.version);
        expect(await target.digestOf(first.release.version)).toBe(first.release.digest);
        expect(target.writes()).toEqual([]);
        const answer = await driver.invoke(context(), {
          spec: walk.spec,
          version: first.release.version,
          payload: {},
          timeoutMs: 10_000,
        });
        expect(answer).toMatchObject({ executedVersion: first.release.version, functionError: null, body: 'new code' });
      });

      test.each<[FaultPoint]>([['code'], ['configuration'], ['publish']])(
        'gives the same release if the answer of the step %s was lost',
        async (at) => {
          const target = await fixture.newTarget();
          const walk = await begin(target, {
            release: await target.source(`lost at ${at}`),
            configuration: { environment: { LOST_AT: at } },
          });
          const known = await target.existing();
          await fixture.inject('lostAnswer', at, 1);
          const { release } = await settled(() => deploy(walk));
          expect(await fixture.struck()).toBe(1);
          expect(await target.existing()).toEqual([...known, release.version]);
          expect((await deploy(walk)).release).toEqual(release);
        },
      );

      test('of code and configuration identical to what is live gives what is live', async () => {
        const target = await fixture.newTarget({ alone: true });
        const first = await begin(target, { release: await target.source('identical') });
        const { release } = await deploy(first);
        await first.promote(release.version);
        const other = await begin(target, { release: await target.source('in between') }, 'run2');
        expect((await deploy(other)).release.version).not.toBe(release.version);
        const known = await target.existing();
        const same = await begin(target, { release: await target.source('identical') }, 'run3');
        expect((await deploy(same)).release).toEqual(release);
        expect(await target.existing()).toEqual(known);
      });

      test('of the same code with another configuration gives a new release, and each reports its own environment', async () => {
        const target = await fixture.newTarget({ alone: true });
        const release = await target.source('same code');
        const first = await begin(target, { release, configuration: { environment: { FLAG: 'off' } } });
        const off = await deploy(first);
        await first.promote(off.release.version);
        const second = await begin(target, { release, configuration: { environment: { FLAG: 'on' } } }, 'run2');
        const on = await deploy(second);
        expect(on.release.version).not.toBe(off.release.version);
        expect(on.release.digest).toBe(off.release.digest);
        for (const [{ release: of }, value] of [
          [off, 'off'],
          [on, 'on'],
        ] as const) {
          expect(await driver.values(context(), { spec: second.spec, version: of.version })).toContain(value);
        }
      });

      test('refuses an artifact with other bytes than planned, at the latest when it deploys', async () => {
        const target = await fixture.newTarget();
        const release = await target.source('tampered');
        if (!('artifact' in release)) throw new Error('this suite deploys artifacts');
        const wrong = { artifact: { ...release.artifact, sha256: '0'.repeat(64) } };
        const refused = begin(target, { release: wrong }).then((walk) => deploy(walk));
        expect((await failure(refused)).code).toBe('SLUICE_ARTIFACT');
      });

      test('alternates between two environments over two releases, and production never leaves them', async () => {
        const target = await fixture.newTarget();
        const [stable] = target.releases;
        const strategy: Spec['strategy'] = { type: 'blueGreen', bake: 0, testBake: 0 };
        const first = await begin(target, { strategy, release: await target.source('second') });
        const one = await settled(() => deploy(first, 'deploy', 'idle'));
        expect(one.environments).toEqual({ blue: stable, green: one.release.version, live: 'blue' });
        expect(await settled(() => deploy(first, 'deploy', 'idle'))).toEqual(one);
        await first.promote(one.release.version);
        const second = await begin(target, { strategy, release: await target.source('third') }, 'run2');
        expect(second.before.environments).toEqual({ ...one.environments, live: 'green' });
        const two = await settled(() => deploy(second, 'deploy', 'idle'));
        expect(two.environments).toEqual({ blue: two.release.version, green: one.release.version, live: 'green' });
        const tested = await driver.invoke(context(), {
          spec: second.spec,
          version: two.release.version,
          payload: {},
          timeoutMs: 10_000,
        });
        expect(tested).toMatchObject({ executedVersion: two.release.version, body: 'third' });
        await second.restore();
        expect(await target.environments()).toEqual({ blue: stable, green: one.release.version });
      });

      test('removes the environments again if the first blue-green release is rolled back', async () => {
        const target = await fixture.newTarget();
        const strategy: Spec['strategy'] = { type: 'blueGreen', bake: 0, testBake: 0 };
        const walk = await begin(target, {
          strategy,
          release: { version: versionOf(target.spec().target.platform, target.releases[1]) },
        });
        await fixture.inject('lostAnswer', 'traffic', 1);
        const { release, environments } = await settled(() => deploy(walk, 'deploy', 'idle'));
        expect(environments).toEqual({ blue: target.releases[0], green: release.version, live: 'blue' });
        await walk.restore();
        expect(await target.environments()).toEqual({ blue: null, green: null });
      });
    });

    describe('capacity', () => {
      test("is ready when warming returns, and rolling back drops the candidate's", async () => {
        const target = await fixture.newTarget({ alone: true });
        const [stable, candidate] = target.releases;
        if (!fixture.traits.capacityByRelease) {
          await driver.warm(context(), { spec: target.spec(), release: { version: candidate, digest: '' } });
          expect(await target.capacityOf(candidate)).toBe(await target.capacityOf(stable));
          return;
        }
        const configuration = { provisionedConcurrency: 1 };
        const release = { version: versionOf(target.spec().target.platform, candidate) };
        const walk = await begin(target, { configuration, release });
        const warm = () => driver.warm(context(), { spec: walk.spec, release: { version: candidate, digest: '' } });
        await warm();
        expect(await target.capacityOf(candidate)).toBe(1);
        await warm();
        await walk.shift(10);
        await walk.restore();
        expect(await target.capacityOf(candidate)).toBe(0);
        await driver.warm(context(), { spec: walk.spec, release: { version: stable, digest: '' } });
        const again = await begin(target, { configuration, release }, 'run2');
        expect(again.before.capacity).toBe(1);
        expect(again.before.split).toEqual(only(stable));
      });
    });

    describe('deleting old releases', () => {
      test('keeps the newest, what is live, what is protected and what anything refers to', async () => {
        const target = await fixture.newTarget({ alone: true });
        const [live, spared] = target.releases;
        const walk = await begin(target);
        const made: string[] = [];
        for (const content of ['a', 'b', 'c', 'd']) {
          const spec = target.spec({ release: await target.source(content) });
          const args = { spec, before: walk.before, mark: marked(target, `deploy-${content}`) };
          made.push((await driver.deploy(context(), args)).release.version);
        }
        const [referred, old, newer, newest] = made as [string, string, string, string];
        const { refersToReleases } = fixture.traits;
        if (refersToReleases) await target.referTo(referred);
        const [gone, held] = refersToReleases ? [[old], [referred]] : [[referred, old], []];
        const spec = target.spec({ retain: 2 });
        const retired = await driver.retire(context(), { spec, keep: [spared] });
        expect([...retired.deleted].sort()).toEqual([...gone].sort());
        expect(retired.kept.map(({ version }) => version).sort()).toEqual(
          [live, spared, ...held, newer, newest].sort(),
        );
        expect(await target.existing()).toEqual([live, spared, ...held, newer, newest]);
        expect((await driver.retire(context(), { spec, keep: [spared] })).deleted).toEqual([]);
        expect((await target.read())?.split).toEqual(only(live));
      });
    });

    describe('errors', () => {
      const CODES: [Fault, string][] = [
        ['throttle', 'SLUICE_BUSY'],
        ['serverError', 'SLUICE_PROVIDER'],
        ['reset', 'SLUICE_PROVIDER'],
        ['lostAnswer', 'SLUICE_PROVIDER'],
        ['denied', 'SLUICE_PERMISSION'],
        ['badCredentials', 'SLUICE_CREDENTIALS'],
      ];

      test.each(CODES)('%s is %s, wherever it occurs', async (fault, code) => {
        const target = await fixture.newTarget();
        const [stable, candidate] = target.releases;
        const walk = await begin(target);
        const { spec } = walk;
        await fixture.inject(fault, 'read', 1);
        expect((await failure(driver.inspect(context(), spec))).code).toBe(code);
        const fence = walk.fence('shift');
        await fixture.inject(fault, 'traffic', 1);
        const error = await failure(driver.shift(context(), { spec, stable, candidate, weight: 10, fence }));
        expect(error.code).toBe(code);
        expect(error.message).not.toMatch(/authorization[:=]|bearer|x-amz|signature=/i);
        await fixture.heal();
        // Whatever it was, the same call later ends in the wanted state.
        const written = await driver.shift(context(), { spec, stable, candidate, weight: 10, fence });
        expect(written.split).toEqual({ stable, candidate, weight: 10 });
        expect(target.writes().filter(({ applied }) => applied)).toHaveLength(1);
      });

      test('a release that does not exist is named', async () => {
        const target = await fixture.newTarget();
        const { findings } = await driver.inspect(
          context(),
          target.spec({ release: { version: fixture.traits.absent } }),
        );
        expect(findings).toContainEqual(expect.objectContaining({ level: 'refuse', code: 'SLUICE_NOT_FOUND' }));
      });

      test('a cancelled call stops at once', async () => {
        const target = await fixture.newTarget();
        const stop = new AbortController();
        stop.abort();
        await expect(driver.inspect({ ...context(), signal: stop.signal }, target.spec())).rejects.toMatchObject({
          name: 'AbortError',
        });
      });
    });
  });
}
