import type { FunctionEnvelope } from '@azure/arm-appservice';
import fc from 'fast-check';
import { credentialOf } from '../../../src/cloud/azure-credentials.js';
import { mark } from '../../../src/model/ids.js';
import type { AppServiceTarget, Spec } from '../../../src/model/spec.js';
import {
  checkFunctions,
  checkNames,
  checkPackage,
  checkPlan,
  checkProbes,
  checkSettings,
  checkSlots,
  checkStacks,
} from '../../../src/platforms/app-service/driver/checks.js';
import { environmentsOf, idleSide } from '../../../src/platforms/app-service/driver/environments.js';
import type { Observed } from '../../../src/platforms/app-service/driver/observed.js';
import { releaseId } from '../../../src/platforms/app-service/driver/release.js';
import { differing, withoutRelease, withRelease } from '../../../src/platforms/app-service/driver/settings.js';
import {
  isExplained,
  releaseOf,
  revisionOf,
  type Slot,
  type State,
  sameTraffic,
  splitOf,
} from '../../../src/platforms/app-service/driver/state.js';
import type { BeforeState } from '../../../src/platforms/port.js';
import { specFor } from '../../support/specs.js';

const TARGET: AppServiceTarget = {
  platform: 'app-service',
  site: 'checkout',
  resourceGroup: 'shop',
  slot: 'staging',
  region: 'westeurope',
  account: '00000000-0000-0000-0000-000000000001',
};
const ONE = 'r-111111111111';
const TWO = 'r-222222222222';

function slotOf(slot: string | null, release: string | null, over: Partial<Slot> = {}): Slot {
  return {
    slot,
    name: slot ?? 'checkout',
    host: '127.0.0.1:1',
    scm: '127.0.0.1:2',
    running: true,
    release,
    side: null,
    deployment: release === null ? null : `deployment of ${release}`,
    arm: { location: 'westeurope' },
    ...over,
  };
}

function stateOf(over: Partial<State> = {}): State {
  return {
    production: slotOf(null, ONE),
    slot: slotOf('staging', TWO),
    rules: [],
    config: {},
    text: 'of the shop team',
    mark: null,
    generation: '',
    pending: null,
    operation: null,
    ...over,
  };
}

const split10 = [{ name: 'staging', actionHostName: '127.0.0.1:1', reroutePercentage: 10 }];
const by = (step: string, run = 'run1') => mark('checkout', 'production', run, step);

describe('a release', () => {
  test('has the same id for the same code and settings in any order, and another id for anything else', () => {
    const settings = fc.dictionary(fc.string(), fc.string());
    fc.assert(
      fc.property(fc.string(), settings, (sha, environment) => {
        const turned = Object.fromEntries(Object.entries(environment).reverse());
        expect(releaseId(sha, turned)).toBe(releaseId(sha, environment));
        expect(releaseId(sha, { ...environment, added: 'x' })).not.toBe(releaseId(`${sha}.`, environment));
      }),
    );
    expect(releaseId('a', { A: '1' })).toMatch(/^r-[0-9a-f]{12}$/);
    expect(releaseId('a', { A: '1' })).not.toBe(releaseId('a', { A: '2' }));
  });

  test('is identified by the setting only while the deployment is the one that brought it', () => {
    const running = { release: ONE, deployment: 'd1' };
    expect(releaseOf({ setting: ONE, deployment: 'd1', running })).toBe(ONE);
    expect(releaseOf({ setting: ONE, deployment: 'd2', running })).toMatch(/^f-/);
    expect(releaseOf({ setting: TWO, deployment: 'd1', running })).toMatch(/^f-/);
    expect(releaseOf({ setting: undefined, deployment: 'd1', running: null })).toMatch(/^f-/);
    expect(releaseOf({ setting: undefined, deployment: null, running: null })).toBeNull();
    expect(
      releaseOf({ setting: undefined, deployment: 'd3', running: { release: null, deployment: 'd3' } }),
    ).toBeNull();
  });
});

describe('the stand-in for a revision', () => {
  test("changes with traffic, the mark, the owner's text and a restore, not with the slot's content", () => {
    const changed: Partial<State>[] = [
      { rules: split10 },
      { production: slotOf(null, TWO) },
      { production: slotOf(null, ONE, { deployment: 'another' }) },
      { mark: by('shift') },
      { text: 'by hand' },
      { generation: 'run1.abc' },
    ];
    const all = [stateOf(), ...changed.map((over) => stateOf(over))].map(revisionOf);
    expect(new Set(all).size).toBe(all.length);
    expect(revisionOf(stateOf({ slot: slotOf('staging', ONE) }))).toBe(revisionOf(stateOf()));
  });

  test('distinguishes an announced write from another state', () => {
    const revision = revisionOf(stateOf());
    expect(sameTraffic(stateOf({ mark: by('shift') }), revision)).toBe(true);
    expect(sameTraffic(stateOf({ mark: by('shift'), generation: 'run1.abc' }), revision)).toBe(false);
    expect(sameTraffic(stateOf({ mark: by('shift'), rules: split10 }), revision)).toBe(false);
  });
});

describe('rolling back', () => {
  const before: BeforeState = {
    split: splitOf(stateOf()),
    release: null,
    revision: revisionOf(stateOf()),
    description: '',
    mark: null,
    environments: null,
    capacity: 1,
  };
  const shifted = { mark: by('shift'), split: { stable: ONE, candidate: TWO, weight: 10 } };
  const explained = (now: State | null, over = {}) =>
    isExplained(now, { before, attempted: [shifted], lastRevision: null, mark: by('restore'), ...over });

  test('recognizes its own writes, done or only announced', () => {
    expect(explained(stateOf())).toBe(true);
    expect(explained(stateOf({ mark: by('shift') }))).toBe(true);
    expect(explained(stateOf({ mark: by('shift'), rules: split10 }))).toBe(true);
    expect(explained(stateOf({ mark: by('restore'), generation: 'run1.a' }))).toBe(true);
  });

  test('recognizes a half-done publication to production by the mark before it', () => {
    const half = slotOf(null, 'f-123456789abc');
    expect(explained(stateOf({ mark: by('shift'), production: half }))).toBe(true);
    expect(explained(stateOf({ mark: null, production: half }))).toBe(false);
  });

  test("does not take another run's writes for its own", () => {
    expect(explained(null)).toBe(false);
    expect(explained(stateOf({ rules: split10 }))).toBe(false);
    const more = split10.map((rule) => ({ ...rule, reroutePercentage: 90 }));
    expect(explained(stateOf({ mark: by('shift'), rules: more }))).toBe(false);
    expect(explained(stateOf({ mark: by('shift', 'run2'), rules: split10 }))).toBe(false);
  });
});

describe('blue and green', () => {
  test('share one name, and each swap exchanges them', () => {
    const first = environmentsOf({ release: ONE, side: null }, { release: TWO, side: 'green' });
    expect(first).toEqual({ blue: ONE, green: TWO, live: 'blue' });
    const swapped = environmentsOf({ release: TWO, side: 'green' }, { release: ONE, side: null });
    expect(swapped).toEqual({ blue: ONE, green: TWO, live: 'green' });
    expect(environmentsOf({ release: ONE, side: null }, { release: TWO, side: null })).toBeNull();
  });

  test('never give the live one as idle, also when asked again', () => {
    expect(idleSide({ release: ONE, side: null }, { release: null, side: null })).toBe('green');
    expect(idleSide({ release: ONE, side: null }, { release: TWO, side: 'green' })).toBe('green');
    expect(idleSide({ release: TWO, side: 'green' }, { release: ONE, side: null })).toBe('blue');
    expect(idleSide({ release: null, side: null }, { release: ONE, side: 'blue' })).toBe('blue');
  });
});

describe('app settings', () => {
  const release = { release: ONE, settings: { FLAG: 'on', COLOUR: 'red' }, side: null };

  test('of a release replace those of the previous one, and leave others alone', () => {
    const first = withRelease({ OWN: 'stays' }, release);
    expect(first).toMatchObject({ OWN: 'stays', FLAG: 'on', COLOUR: 'red', SLUICE_RELEASE: ONE });
    const second = withRelease(first, { release: TWO, settings: { FLAG: 'off' }, side: 'green' });
    expect(second).toEqual({
      OWN: 'stays',
      FLAG: 'off',
      SLUICE_RELEASE: TWO,
      SLUICE_ENVIRONMENT: 'green',
      SLUICE_SETTINGS: 'FLAG',
    });
    expect(withoutRelease(second)).toEqual({ OWN: 'stays' });
  });

  test('for a swap have the path and the statuses of the spec, and never accept 500 by default', () => {
    const warmUp = { path: '/health', statuses: [200, 204] };
    expect(withRelease({}, { ...release, warmUp })).toMatchObject({
      WEBSITE_SWAP_WARMUP_PING_PATH: '/health',
      WEBSITE_SWAP_WARMUP_PING_STATUSES: '200,204',
    });
  });

  test('are compared by name, without those that stay with a slot or belong to a release', () => {
    const production = withRelease({ A: 'secret one', STICKY: '1', SAME: 'x' }, release);
    const slot = withRelease({ A: 'secret two', STICKY: '2', SAME: 'x', NEW: 'y' }, { ...release, release: TWO });
    expect(differing(production, slot, ['STICKY'])).toEqual(['A', 'NEW']);
  });
});

describe('a rollout is refused for', () => {
  const seenOf = (over: Partial<Observed> = {}): Observed => ({
    state: stateOf(),
    plan: { location: 'westeurope', sku: { tier: 'Standard' } },
    settings: { production: {}, slot: {} },
    sticky: [],
    slotConfig: {},
    functions: [],
    webJobs: [],
    ...over,
  });
  const blueGreen = specFor({ type: 'blueGreen', bake: 0, testBake: 0 }, { target: TARGET });
  const canary = specFor({ type: 'canary', stages: [] }, { target: TARGET });
  const direct = specFor({ type: 'direct', bake: 0 }, { target: TARGET });
  const onPlan = (tier: string, reserved = false) =>
    seenOf({
      plan: { location: 'westeurope', sku: { tier } },
      state: stateOf({ production: slotOf(null, ONE, { arm: { location: 'westeurope', reserved } }) }),
    });
  const trigger = (name: string, type: string): FunctionEnvelope => ({
    name: `checkout/${name}`,
    config: { bindings: [{ type: 'blob' }, { type }] },
  });

  test('Flex Consumption and Consumption for Linux, and plans without slots unless no slot is needed', () => {
    expect(checkPlan(TARGET, direct, onPlan('FlexConsumption'))[0]?.message).toContain('Flex Consumption');
    expect(checkPlan(TARGET, direct, onPlan('Dynamic', true))[0]?.message).toContain('retired');
    expect(checkPlan(TARGET, direct, onPlan('Dynamic'))).toEqual([]);
    expect(checkPlan(TARGET, canary, onPlan('Basic'))[0]?.message).toContain('no slots');
    expect(checkPlan(TARGET, direct, onPlan('Basic'))).toEqual([]);
    expect(checkPlan(TARGET, canary, onPlan('Standard'))).toEqual([]);
  });

  test('a missing slot, one that is not named, one with auto swap, a half-done swap, or a stopped production', () => {
    const refusals = (seen: Observed, target = TARGET, spec: Spec = canary) =>
      checkSlots(target, spec, seen).map(({ message }) => message);
    const { slot: _, ...without } = TARGET;
    expect(refusals(seenOf())).toEqual([]);
    expect(refusals(seenOf({ state: stateOf({ slot: null }) }))).toEqual([expect.stringContaining('allows 5 of them')]);
    expect(refusals(seenOf(), without)).toEqual([expect.stringContaining('target.slot is missing')]);
    expect(refusals(seenOf(), without, direct)).toEqual([]);
    expect(refusals(seenOf({ slotConfig: { autoSwapSlotName: 'production' } }))).toEqual([
      expect.stringContaining('swaps by itself'),
    ]);
    expect(refusals(seenOf({ state: stateOf({ pending: 'staging' }) }))).toEqual([
      expect.stringContaining('--action reset'),
    ]);
    const stopped = slotOf(null, ONE, { running: false });
    expect(refusals(seenOf({ state: stateOf({ production: stopped }) }))).toEqual([
      expect.stringContaining('is stopped'),
    ]);
  });

  test('slots with different stacks, by configuration or by setting', () => {
    expect(checkStacks(seenOf())).toEqual([]);
    const newer = seenOf({ slotConfig: { linuxFxVersion: 'NODE|22-lts' } });
    expect(checkStacks(newer)[0]?.message).toContain('(linuxFxVersion)');
    const settings = { production: { FUNCTIONS_EXTENSION_VERSION: '~4' }, slot: { FUNCTIONS_EXTENSION_VERSION: '~3' } };
    expect(checkStacks(seenOf({ settings }))[0]?.message).toContain('FUNCTIONS_EXTENSION_VERSION');
  });

  test("functions that would receive production's messages in the slot", () => {
    const functions = [trigger('api', 'httpTrigger'), trigger('orders', 'queueTrigger')];
    const name = 'AzureWebJobs.orders.Disabled';
    const disabled = { production: {}, slot: { [name]: 'true' } };
    expect(checkFunctions(blueGreen, seenOf({ functions: [trigger('api', 'httpTrigger')] }))).toEqual([]);
    expect(checkFunctions(blueGreen, seenOf({ functions }))[0]?.message).toContain(name);
    expect(checkFunctions(blueGreen, seenOf({ functions, settings: disabled }))).toHaveLength(1);
    expect(checkFunctions(blueGreen, seenOf({ functions, settings: disabled, sticky: [name] }))).toEqual([]);
    const percentage = checkFunctions(canary, seenOf({ functions, settings: disabled, sticky: [name] }));
    expect(percentage[0]?.message).toContain('routes only HTTP requests');
  });

  test('settings of the spec that stay with their slot, and files that a zip cannot replace', () => {
    const spec = { ...canary, configuration: { environment: { DB: 'secret', FLAG: 'on' } } };
    const [stuck] = checkSettings(spec, seenOf({ sticky: ['DB'] }));
    expect(stuck?.message).toContain('DB is a slot setting');
    expect(stuck?.message).not.toContain('secret');
    const settings = { production: { WEBSITE_RUN_FROM_PACKAGE: 'https://store/app.zip?sig=s' }, slot: {} };
    const [elsewhere] = checkSettings(canary, seenOf({ settings }));
    expect(elsewhere?.message).toContain('WEBSITE_RUN_FROM_PACKAGE');
    expect(elsewhere?.message).not.toContain('sig=');
    expect(checkSettings(spec, seenOf())).toEqual([]);
  });

  test('setting names that Linux does not allow, each with what to write; a period that becomes an underscore is only reported', () => {
    const onLinux = (environment: Record<string, string>) => {
      const production = slotOf(null, ONE, { arm: { location: 'westeurope', reserved: true } });
      return checkNames({ ...canary, configuration: { environment } }, seenOf({ state: stateOf({ production }) }));
    };
    expect(onLinux({ 'Logging:LogLevel:Default': 'x', 'my-name': 'y', PLAIN: 'z' })).toMatchObject([
      {
        level: 'refuse',
        message: expect.stringMatching(/Logging:LogLevel:Default .* Write Logging__LogLevel__Default$/),
      },
      { level: 'refuse', message: expect.stringMatching(/my-name .* Write my_name$/) },
    ]);
    expect(onLinux({ 'spring.profile': 'x' })).toMatchObject([
      { level: 'warn', code: 'SETTING_RENAMED', message: expect.stringContaining('spring.profile reaches') },
    ]);
    expect(onLinux({ 'spring.profile': 'x', spring_profile: 'y' })).toMatchObject([
      { level: 'refuse', message: expect.stringContaining('that name is in the spec too') },
    ]);
    const environment = { 'Logging:LogLevel:Default': 'x', 'spring.profile': 'y' };
    expect(checkNames({ ...canary, configuration: { environment } }, seenOf())).toEqual([]);
  });

  test('a package over 2 GB, which Kudu would refuse after the upload', () => {
    const of = (bytes: number) => ({ ...canary, release: { artifact: { uri: 'file:///x', sha256: '', bytes } } });
    expect(checkPackage(of(2049 * 1024 * 1024))).toMatchObject([
      { level: 'refuse', message: expect.stringContaining('App Service takes 2048.0 MB at most') },
    ]);
    expect(checkPackage(of(60 * 1024 * 1024))).toEqual([]);
  });

  test('probes that need a slot to call the release in', () => {
    const { slot: _, ...without } = TARGET;
    expect(checkProbes(without, direct)[0]?.message).toContain('smoke');
    expect(checkProbes(TARGET, direct)).toEqual([]);
  });
});

describe('credentials by name', () => {
  test('with an unknown name, or a client secret without all of its parts, are reported when the worker starts', () => {
    expect(() => credentialOf({ SLUICE_AZURE_CREDENTIAL: 'secret' })).toThrow(/workloadIdentity, managedIdentity/);
    const half = {
      SLUICE_AZURE_CREDENTIAL: 'clientSecret',
      AZURE_TENANT_ID: 't',
      AZURE_CLIENT_SECRET: 'not to be told',
    };
    expect(() => credentialOf(half)).toThrow(/lacks AZURE_CLIENT_ID$/);
  });

  test('are made for each name', () => {
    const env = {
      AZURE_TENANT_ID: 't',
      AZURE_CLIENT_ID: 'c',
      AZURE_CLIENT_SECRET: 's',
      AZURE_FEDERATED_TOKEN_FILE: '/f',
    };
    const kinds = ['workloadIdentity', 'managedIdentity', 'clientSecret', 'cli', ''].map(
      (name) => credentialOf({ ...env, SLUICE_AZURE_CREDENTIAL: name }).constructor.name,
    );
    expect(kinds).toEqual([
      'WorkloadIdentityCredential',
      'ManagedIdentityCredential',
      'ClientSecretCredential',
      'AzureCliCredential',
      'DefaultAzureCredential',
    ]);
  });
});
