import { swapOutside } from '../../support/azure.js';
import { until } from '../../support/until.js';
import { context, failure, Stack, type TestSite } from './stack.js';

const SECRET = 'a value that nobody may see';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(() => stack.stop());
afterEach(() => stack.faults.clear());

async function refusals(prepare: (site: TestSite) => void, over = {}): Promise<string[]> {
  const site = await stack.site();
  const spec = stack.spec(site, { release: { artifact: await stack.pack('any') }, ...over });
  prepare(site);
  const { findings } = await stack.driver().inspect(context(), spec);
  return findings.filter(({ level }) => level === 'refuse').map(({ message }) => message);
}

describe('inspecting a target', () => {
  test('refuses nothing about a healthy site', async () => {
    expect(await refusals(() => undefined)).toEqual([]);
  });

  test('refuses Key Vault references that do not resolve, by name', async () => {
    const found = await refusals(({ staging }) => {
      stack.azure.state.secrets = { 'https://v.vault.azure.net/secrets/known': 'x' };
      const of = (name: string) => `@Microsoft.KeyVault(VaultName=v;SecretName=${name})`;
      staging.settings = { DB: of('unknown'), OK: of('known') };
    });
    expect(found).toEqual([expect.stringContaining('do not resolve: DB (SecretNotFound)')]);
  });

  test('refuses auto swap, a half-done swap and a different stack', async () => {
    const found = await refusals((site) => {
      site.staging.configuration = { autoSwapSlotName: 'production', linuxFxVersion: 'NODE|22-lts' };
      site.prepare();
    });
    expect(found).toHaveLength(3);
  });

  test('refuses functions that would receive messages in the slot, for a canary whatever is set', async () => {
    const queue = (site: TestSite) => site.functions({ api: 'httpTrigger', orders: 'queueTrigger' });
    const blueGreen = { strategy: { type: 'blueGreen' as const, bake: 0, testBake: 0 } };
    expect(await refusals(queue, blueGreen)).toEqual([expect.stringContaining('AzureWebJobs.orders.Disabled')]);
    expect(await refusals(queue)).toEqual([expect.stringContaining('routes only HTTP requests')]);
    const disabled = (site: TestSite) => {
      queue(site);
      site.staging.settings['AzureWebJobs.orders.Disabled'] = '1';
      site.arm.sticky = ['AzureWebJobs.orders.Disabled'];
    };
    expect(await refusals(disabled, blueGreen)).toEqual([]);
  });

  test('names a site or a slot that does not exist', async () => {
    const site = await stack.site();
    const release = { artifact: await stack.pack('any') };
    const elsewhere = await stack.driver().inspect(context(), stack.spec(site, { release }, { slot: 'none' }));
    expect(elsewhere.findings[0]).toMatchObject({
      code: 'SLUICE_NOT_FOUND',
      message: expect.stringContaining('no slot none'),
    });
    await stack.azure.azure.remove(site.arm, site.production);
    const gone = await stack.driver().inspect(context(), stack.spec(site, { release }));
    expect(gone.findings[0]).toMatchObject({
      code: 'SLUICE_NOT_FOUND',
      message: expect.stringContaining('does not exist'),
    });
  });

  test('reports differences by name, and never the value of a setting', async () => {
    const site = await stack.site();
    site.production.settings = { DB: SECRET };
    site.staging.settings = { DB: `${SECRET}, too` };
    site.staging.configuration = { healthCheckPath: SECRET };
    const spec = stack.spec(site, { release: { artifact: await stack.pack('any') } });
    const seen = await stack.driver().inspect(context(), spec);
    const differs = seen.findings.filter(({ code }) => code === 'SLOT_DIFFERS').map(({ message }) => message);
    expect(differs).toEqual([expect.stringContaining('DB'), expect.stringContaining('healthCheckPath')]);
    expect(JSON.stringify(seen)).not.toContain(SECRET);
  });

  test('writes nothing', async () => {
    const site = await stack.site();
    await stack.driver().inspect(context(), stack.spec(site, { release: { artifact: await stack.pack('any') } }));
    expect(stack.azure.writes().filter((write) => write.site === site.name)).toEqual([]);
  });
});

describe('deploying', () => {
  test("refuses what does not start, with the platform's own message", async () => {
    const site = await stack.site();
    const spec = stack.spec(site, { release: { artifact: await stack.pack('any', { starts: false }) } });
    const { before } = await stack.driver().inspect(context(), spec);
    const error = await failure(stack.driver().deploy(context(), { spec, before, mark: 'sluice:a/b:run:deploy' }));
    expect(error).toMatchObject({ code: 'SLUICE_REFUSED', message: expect.stringContaining('RuntimeFailed') });
    expect((await stack.driver().inspect(context(), spec)).before.split).toEqual(before.split);
  });

  test('waits for running, not just deployed: the marker must show the release', async () => {
    expect((await stack.rollout({ configuration: { marker: '/release' } })).release.version).toMatch(/^r-/);
    const stale = stack.rollout({ configuration: { marker: '/other' } });
    expect(await failure(stale)).toMatchObject({
      code: 'SLUICE_PROBE',
      message: expect.stringContaining('without the release in it'),
    });
  });

  test('gives the live code with other settings as a release of its own, named by them', async () => {
    const live = { artifact: await stack.pack('live') };
    const site = await stack.site();
    const driver = stack.driver();
    const go = async (overrides: Parameters<Stack['spec']>[1], identity?: Record<string, string>) => {
      const spec = stack.spec(site, overrides);
      const { before, findings } = await driver.inspect(context(), spec);
      expect(findings.filter(({ level }) => level === 'refuse')).toEqual([]);
      const by = (step: string) => `sluice:${spec.app}/${spec.environment}:run1:${step}`;
      const named = identity === undefined ? {} : { identity };
      const { release } = await driver.deploy(context(), { spec, before, mark: by('deploy'), ...named });
      const promote = () =>
        driver.promote(context(), {
          spec,
          candidate: release.version,
          fence: { revision: before.revision, mark: by('promote') },
        });
      return { release, promote, stable: before.split.stable };
    };
    const first = await go({ release: live, configuration: { environment: { LEVEL: 'info' } } });
    await first.promote();
    const current = { release: { current: true as const } };
    const same = await go({ ...current, configuration: { environment: { LEVEL: 'info' } } });
    expect(same.release.version).toBe(first.release.version);
    const second = await go({ ...current, configuration: { environment: { LEVEL: 'debug' } } });
    expect(second.release.digest).toBe(first.release.digest);
    expect(second.release.version).not.toBe(first.release.version);
    expect(site.staging.settings).toMatchObject({ LEVEL: 'debug', SLUICE_RELEASE: second.release.version });
    // A rotated secret is another identity.
    const rotated = await go({ ...current, configuration: { environment: { LEVEL: 'debug' } } }, { LEVEL: 'v2' });
    expect(rotated.release.version).not.toBe(second.release.version);
  });

  test('refuses other settings for code that is not kept or not there', async () => {
    const over = { release: { current: true as const }, configuration: { environment: { LEVEL: 'debug' } } };
    const empty = await stack.site({ empty: true });
    const nothing = await stack.driver().inspect(context(), stack.spec(empty, over));
    expect(nothing.findings).toContainEqual(
      expect.objectContaining({ level: 'refuse', message: expect.stringContaining('so no code is live') }),
    );
    const byHand = await stack.site();
    const foreign = await stack.driver().inspect(context(), stack.spec(byHand, over));
    expect(foreign.findings).toContainEqual(
      expect.objectContaining({ level: 'refuse', message: expect.stringContaining('is not kept, so release.current') }),
    );
  });

  test('starts a stopped slot', async () => {
    const site = await stack.site();
    site.staging.running = false;
    const spec = stack.spec(site, { release: { artifact: await stack.pack('any') } });
    const { before } = await stack.driver().inspect(context(), spec);
    await stack.driver().deploy(context(), { spec, before, mark: 'sluice:a/b:run:deploy' });
    expect(site.staging.running).toBe(true);
  });

  test('waits for another upload in progress', async () => {
    const site = await stack.site();
    const spec = stack.spec(site, { release: { artifact: await stack.pack('any') } });
    const { before } = await stack.driver().inspect(context(), spec);
    stack.faults.set([{ operations: ['Publish'], times: 1, effect: { status: 409 } }]);
    const { release } = await stack.driver().deploy(context(), { spec, before, mark: 'sluice:a/b:run:deploy' });
    expect(site.staging.settings.SLUICE_RELEASE).toBe(release.version);
  });
});

describe('serving', () => {
  test('gives the slot as many instances as production before it gets traffic', async () => {
    const rollout = await stack.rollout();
    rollout.site.production.instances = 3;
    expect((await rollout.shift(10)).split.weight).toBe(10);
    expect(rollout.site.staging.instances).toBe(3);
    const writes = stack.azure
      .writes()
      .filter(({ site }) => site === rollout.site.name)
      .map(({ operation }) => operation);
    expect(writes.slice(-2)).toEqual(['UpdateConfigurationSlot', 'UpdateConfiguration']);
  });

  test('reaches a release at the host that ARM names, wherever it runs', async () => {
    const rollout = await stack.rollout();
    const { spec, release, stable, site } = rollout;
    const driver = stack.driver();
    const slot = await driver.address(context(), { spec, version: release.version });
    expect(slot).toEqual({ host: site.host(site.staging), headers: {} });
    const live = await driver.address(context(), { spec, version: stable });
    expect(live).toEqual({ host: site.host(site.production), headers: { cookie: 'x-ms-routing-name=self' } });
    await rollout.promote(context(), driver);
    expect((await driver.address(context(), { spec, version: release.version })).host).toBe(site.host(site.production));
  });

  test('does not trust what was read before a call started, since another worker may have swapped', async () => {
    const { spec, release, site } = await stack.rollout();
    const driver = stack.driver();
    const host = async (since: number) =>
      (await driver.address(context({ since }), { spec, version: release.version })).host;
    expect(await host(0)).toBe(site.host(site.staging));
    await swapOutside(stack.azure, site.arm, site.staging);
    expect(await host(0)).toBe(site.host(site.staging));
    expect(await host(Date.now() + 1)).toBe(site.host(site.production));
  });

  test('looks again for a release that is in neither place while a swap runs', async () => {
    const { spec, release, site } = await stack.rollout();
    const driver = stack.driver();
    const { SLUICE_RELEASE = '' } = site.staging.settings;
    site.operates('a swap');
    site.staging.settings.SLUICE_RELEASE = 'r-000000000000';
    const asked = driver.address(context(), { spec, version: release.version });
    setTimeout(() => {
      site.staging.settings.SLUICE_RELEASE = SLUICE_RELEASE;
      site.operates(null);
    }, 200);
    expect((await asked).host).toBe(site.host(site.staging));
  });

  test("returns a server error as the release's own, and fails the probe if no response comes", async () => {
    const { spec, release, site } = await stack.rollout();
    const call = () =>
      stack.driver().invoke(context(), { spec, version: release.version, payload: { path: '/x' }, timeoutMs: 500 });
    expect(await call()).toMatchObject({ status: 200, functionError: null, executedVersion: release.version });
    site.breakSlot();
    expect(await call()).toMatchObject({ status: 503, functionError: { type: 'HTTP 503' } });
    stack.faults.set([{ operations: ['Host'], times: 1, effect: { heldMs: 2_000 } }]);
    expect(await failure(call())).toMatchObject({
      code: 'SLUICE_PROBE',
      message: expect.stringContaining('within 500 ms'),
    });
  });

  test('can stop the replaced release when it is deleted, and keeps it running otherwise', async () => {
    const kept = await stack.rollout();
    await kept.promote();
    await stack.driver().retire(context(), { spec: kept.spec, keep: [] });
    expect(kept.site.staging.running).toBe(true);
    const stopped = await stack.rollout({ configuration: { idle: 'stop' } });
    await stopped.promote();
    await stack.driver().retire(context(), { spec: stopped.spec, keep: [] });
    expect(stopped.site.staging.running).toBe(false);
  });
});

describe('errors', () => {
  test('of a throttled call say how long to wait, even if the response is empty', async () => {
    const site = await stack.site();
    const spec = stack.spec(site);
    stack.faults.set([
      { operations: ['GetSite'], times: 1, effect: { status: 429, headers: { 'retry-after': '11' } } },
    ]);
    expect(await failure(stack.driver().inspect(context(), spec))).toMatchObject({
      code: 'SLUICE_BUSY',
      retryAfterMs: 11_000,
    });
  });

  test('of the candidate are read from its log, the most frequent ones since its weight started, also after a rollback', async () => {
    const rollout = await stack.rollout();
    const { spec, release, site } = rollout;
    await rollout.shift(10);
    const call = (path: string) =>
      stack.driver().invoke(context(), { spec, version: release.version, payload: { path }, timeoutMs: 1_000 });
    const from = Date.now();
    await call('/fail/user-5');
    await call('/fail/user-10');
    await rollout.restore('shift');
    const of = { spec, version: release.version };
    const look = (since: number) => stack.driver().errors(context(), { ...of, from: since });
    const found = await until('the log to be written', async () => {
      const seen = await look(from);
      return seen[0]?.count === 2 && seen;
    });
    expect(found).toEqual([{ what: 'TypeError: no points for user-5', count: 2 }]);
    expect(await look(Date.now() + 60_000)).toEqual([]);
    stack.faults.set([{ operations: ['ListLogs'], times: 1, effect: { status: 500 } }]);
    expect(await look(from)).toEqual([]);
    expect(site.staging.running).toBe(true);
  });

  test("contain App Service's own code and text, which the SDK loses", async () => {
    const rollout = await stack.rollout();
    const body = { Code: 'BadRequest', Message: 'Percentages must add up.' };
    stack.faults.set([{ operations: ['UpdateConfiguration'], times: 1, effect: { status: 400, body } }]);
    const error = await failure(rollout.shift(10));
    expect(error.code).toBe('SLUICE_REFUSED');
    expect(error.message).toMatch(/BadRequest: Percentages must add up\. \(400, request [0-9a-f-]{36}\)$/);
  });
});
