/** Continuous WebJobs run in every slot that has them, and beside production they take production's work. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Slot } from '../../../emulators/azure/index.js';
import type { Spec } from '../../../src/model/spec.js';
import { webJobsIn } from '../../../src/platforms/app-service/driver/web-jobs.js';
import { until } from '../../support/until.js';
import { context, Rollout, Stack, type TestSite } from './stack.js';

let stack: Stack;
let queue: string;
beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(() => stack.stop());
beforeEach(() => {
  queue = mkdtempSync(path.join(tmpdir(), 'sluice-queue-'));
});
afterEach(() => rmSync(queue, { recursive: true, force: true }));

const refusals = async (spec: Spec) =>
  (await stack.driver().inspect(context(), spec)).findings
    .filter(({ level }) => level === 'refuse')
    .map(({ code, message }) => `${code} ${message}`);

/** A message for the job; resolves with the slot whose job has taken it. */
async function handled(message: string): Promise<string> {
  writeFileSync(path.join(queue, `${message}.todo`), '');
  const taken = () => readdirSync(queue).find((name) => name.startsWith(`${message}.by-`));
  await until(`${message} to be taken`, () => taken() !== undefined);
  return taken()?.replace(`${message}.by-`, '') ?? '';
}

/** A site whose slots have production's queue, and a release with a job. */
async function released(): Promise<{ site: TestSite; spec: Spec }> {
  const site = await stack.site();
  site.production.settings = { QUEUE: queue };
  site.staging.settings = { QUEUE: queue };
  return { site, spec: stack.spec(site, { release: { artifact: await stack.pack('shop', { job: 'mailer' }) } }) };
}

async function deployed(site: TestSite, spec: Spec): Promise<Rollout> {
  const { before } = await stack.driver().inspect(context(), spec);
  const { release } = await stack.driver().deploy(context(), { spec, before, mark: 'sluice:a/b:run1:deploy' });
  return new Rollout(stack, site, spec, before, release);
}

const runs = ({ content }: Slot) => stack.azure.azure.runtime.runsJob(content.id, 'mailer');

/** What the command that the refusal names does. */
function stop(site: TestSite): void {
  site.staging.settings.WEBJOBS_STOPPED = '1';
  site.arm.sticky = ['WEBJOBS_STOPPED'];
}

test("a job of a release at 0 % takes production's messages, which is why the plan refuses it", async () => {
  const { site, spec } = await released();
  const command = `az webapp config appsettings set --name ${site.name} --resource-group shop --slot staging --slot-settings WEBJOBS_STOPPED=1`;
  const refused = [expect.stringMatching(new RegExp(`^SLUICE_TARGET continuous WebJob mailer .*\`${command}\``))];
  // A first job stands in neither slot yet: the package tells.
  expect(await refusals(spec)).toEqual(refused);
  await deployed(site, spec);
  expect(await handled('order-1')).toBe('staging');
  // Now App Service lists it, and a release without jobs is refused too.
  expect(await refusals({ ...spec, release: { artifact: await stack.pack('no jobs') } })).toEqual(refused);
});

test('a job stopped by a slot setting waits in the slot, and works in production after the swap', async () => {
  const { site, spec } = await released();
  stop(site);
  expect(await refusals(spec)).toEqual([]);
  const rollout = await deployed(site, spec);
  expect(runs(site.staging)).toBe(false);
  await rollout.promote();
  expect([runs(site.production), runs(site.staging)]).toEqual([true, false]);
  await handled('order-2');
});

test('a setting that would be swapped too, or that is not 1, does not stop a job', async () => {
  const { site, spec } = await released();
  stop(site);
  site.arm.sticky = [];
  expect(await refusals(spec)).toHaveLength(1);
  stop(site);
  site.staging.settings.WEBJOBS_STOPPED = '0';
  expect(await refusals(spec)).toHaveLength(1);
});

test('jobs are looked for in a kept release, and not in one that needs no slot', async () => {
  const { site, spec } = await released();
  stop(site);
  const kept = (await deployed(site, spec)).release.version;
  await deployed(site, { ...spec, release: { artifact: await stack.pack('no jobs') } });
  site.arm.sticky = [];
  expect(await refusals({ ...spec, release: { version: kept } })).toHaveLength(1);
  const { slot: _, ...target } = spec.target as Extract<Spec['target'], { platform: 'app-service' }>;
  const direct: Spec = {
    ...spec,
    target,
    strategy: { type: 'direct', bake: 0 },
    health: { ...spec.health, probes: [] },
  };
  expect(await refusals(direct)).toEqual([]);
});

test('jobs are found in a package whatever the case of their folder, and only continuous ones', () => {
  const names = [
    'App_Data/jobs/continuous/mailer/',
    'App_Data/jobs/continuous/mailer/run.js',
    'app_data\\Jobs\\Continuous\\feed\\run.cmd',
  ];
  expect([...new Set(webJobsIn(names))]).toEqual(['mailer', 'feed']);
  const others = [
    'App_Data/jobs/triggered/nightly/run.js',
    'lib/App_Data/jobs/continuous/x/run.js',
    'App_Data/jobs/continuous/readme.txt',
  ];
  expect(webJobsIn(others)).toEqual([]);
});
