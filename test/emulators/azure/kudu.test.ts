import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unzipSync } from 'fflate';
import { type EmulatedAzure, startAzure } from '../../../emulators/azure/index.js';
import { packageOf, server } from './app.js';
import { ask, GROUP, hosts, publish, said, sdk, tokenOf, until } from './client.js';

/** Contract: "Kudu service REST API" (projectkudu/kudu wiki), "Deploy files to App Service". */
let azure: EmulatedAzure;
let host: string;
let scm: string;
let token: string;
beforeAll(async () => {
  azure = await startAzure({ throttle: false });
  await azure.createSite({ name: 'shop', resourceGroup: GROUP });
  ({ host, scm } = await hosts(sdk(azure), 'shop'));
  token = await tokenOf(azure);
});
afterAll(() => azure.stop());

const PUBLISH = '/api/publish?type=zip&async=true&clean=true';
const post = (body: Buffer) => ask(azure, `https://${scm}${PUBLISH}`, { method: 'POST', body, token });

test("a site without a deployment shows the platform's page, and has no latest deployment", async () => {
  await azure.createSite({ name: 'empty', resourceGroup: GROUP });
  const empty = await hosts(sdk(azure), 'empty');
  expect(await said(azure, empty.host)).toMatchObject({
    status: 200,
    text: expect.stringContaining('waiting for your content'),
  });
  expect((await ask(azure, `https://${empty.scm}/api/deployments/latest`, { token })).status).toBe(404);
});

test('Kudu requires a token', async () => {
  expect((await ask(azure, `https://${scm}/api/deployments/latest`)).status).toBe(401);
  expect((await ask(azure, `https://${scm}/api/deployments/latest`, { token: 'a.b.c' })).status).toBe(401);
});

test('a package is accepted at once, then deployed and started; ARM says when', async () => {
  const sent = await post(server('one'));
  expect(sent.status).toBe(202);
  expect(sent.headers.location).toBe(`https://${scm}/api/deployments/latest`);
  const id = sent.headers['scm-deployment-id'] ?? '';
  const status = await sdk(azure).webApps.getProductionSiteDeploymentStatus(GROUP, 'shop', id).pollUntilDone();
  expect(status).toMatchObject({ status: 'RuntimeSuccessful', numberOfInstancesSuccessful: 1 });
  expect(await said(azure, host)).toMatchObject({ text: 'one' });
});

test('a second simultaneous deployment gets 409', async () => {
  azure.faults.set([{ operations: ['Deploy'], times: 1, effect: { hangs: true } }]);
  const [first, second] = [await post(server('one')), await post(server('two'))];
  expect([first.status, second.status]).toEqual([202, 409]);
  azure.faults.clear();
  await until(async () => {
    const { body } = await ask(azure, `https://${scm}/api/deployments/latest`, { token });
    return (JSON.parse(body.toString('utf8')) as { complete: boolean }).complete;
  });
});

test('a file that is not a zip fails, and the old files stay', async () => {
  await publish(azure, scm, server('good'));
  await publish(azure, scm, Buffer.from('no zip'));
  const { body } = await ask(azure, `https://${scm}/api/deployments/latest`, { token });
  expect(JSON.parse(body.toString('utf8'))).toMatchObject({
    status: 3,
    complete: true,
    status_text: expect.stringContaining('failed'),
  });
  expect(await said(azure, host)).toMatchObject({ text: 'good' });
});

test('a deployed package that does not start has a status that says so', async () => {
  const id = await publish(
    azure,
    scm,
    packageOf({ 'package.json': JSON.stringify({ scripts: { start: 'node missing.mjs' } }) }),
  );
  const status = await sdk(azure).webApps.getProductionSiteDeploymentStatus(GROUP, 'shop', id).pollUntilDone();
  expect(status).toMatchObject({ status: 'RuntimeFailed', numberOfInstancesFailed: 1 });
});

test('files of the volume can be written, listed, read, and replaced only with their current version', async () => {
  const file = `https://${scm}/api/vfs/data/notes/a.txt`;
  const put = (body: string, match?: string) =>
    ask(azure, file, {
      method: 'PUT',
      body,
      token,
      ...(match === undefined ? {} : { headers: { 'if-match': match } }),
    });
  expect((await put('one')).status).toBe(201);
  expect((await put('two')).status).toBe(412);
  expect((await put('two', '*')).status).toBe(204);
  const read = await ask(azure, file, { token });
  expect(read.body.toString('utf8')).toBe('two');
  expect((await put('three', read.headers.etag ?? '')).status).toBe(204);
  expect((await ask(azure, `https://${scm}/api/vfs/data/notes`, { token })).status).toBe(307);
  const list = await ask(azure, `https://${scm}/api/vfs/data/notes/`, { token });
  expect(JSON.parse(list.body.toString('utf8'))).toMatchObject([{ name: 'a.txt', size: 5 }]);
  expect((await ask(azure, file, { method: 'DELETE', token })).status).toBe(412);
  expect((await ask(azure, file, { method: 'DELETE', token, headers: { 'if-match': '*' } })).status).toBe(200);
  expect((await ask(azure, file, { token })).status).toBe(404);
  expect((await ask(azure, `https://${scm}/api/vfs/..%2f..%2fstate.json`, { token })).status).toBe(404);
});

test("the application's output is in its log, each line with its time; the end of a file can be requested", async () => {
  await publish(azure, scm, server('one', "console.log('begin'); console.error('here');"));
  const list = await until(async () => {
    const { body } = await ask(azure, `https://${scm}/api/logs/docker`, { token });
    const [log] = JSON.parse(body.toString('utf8')) as { href: string; lastUpdated: string; size: number }[];
    return log !== undefined && log.size > 0;
  }).then(() => ask(azure, `https://${scm}/api/logs/docker`, { token }));
  const [log] = JSON.parse(list.body.toString('utf8')) as { href: string }[];
  const whole = await ask(azure, log?.href ?? '', { token });
  expect(whole.body.toString('utf8')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z begin$/m);
  const end = await ask(azure, log?.href ?? '', { token, headers: { range: 'bytes=-5' } });
  expect([end.status, end.body.length]).toEqual([206, 5]);
});

test('the served files can be downloaded as a zip', async () => {
  await publish(azure, scm, packageOf({ 'server.js': '1', 'deep/er.txt': 'here' }));
  const { body } = await ask(azure, `https://${scm}/api/zip/site/wwwroot/`, { token });
  const files = unzipSync(body);
  expect(Object.keys(files).sort()).toEqual(['deep/er.txt', 'server.js']);
});

/** Zipped by Info-ZIP in a folder of its own; what is `->` a link. */
function zipped(files: Record<string, string>, ...options: string[]): Buffer {
  const home = mkdtempSync(path.join(tmpdir(), 'sluice-kudu-'));
  const folder = path.join(home, 'code');
  mkdirSync(folder);
  try {
    for (const [name, text] of Object.entries(files)) {
      const at = path.join(folder, name);
      mkdirSync(path.dirname(at), { recursive: true });
      if (text.startsWith('->')) symlinkSync(text.slice(2), at);
      else if (!name.endsWith('/')) writeFileSync(at, text);
      else mkdirSync(at, { recursive: true });
    }
    execFileSync('zip', ['-q', '-r', ...options, '../made.zip', '.'], { cwd: folder });
    return readFileSync(path.join(home, 'made.zip'));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

test('a zip with a zip64 end is deployed with its empty folders, and a link in it becomes a text file', async () => {
  const files = { 'server.js': '1', 'uploads/': '', 'linked.js': '->server.js' };
  await publish(azure, scm, zipped(files, '-fz', '--symlinks'));
  const { body } = await ask(azure, `https://${scm}/api/zip/site/wwwroot/`, { token });
  const found = Object.entries(unzipSync(body)).map(([name, bytes]) => [name, Buffer.from(bytes).toString('utf8')]);
  expect(Object.fromEntries(found)).toEqual({ 'server.js': '1', 'uploads/': '', 'linked.js': 'server.js' });
});

test('on Linux a period in a setting name reaches the application as an underscore', async () => {
  const properties = { 'spring.profile': 'prod', Plain: 'as it is' };
  await sdk(azure).webApps.updateApplicationSettings(GROUP, 'shop', { properties });
  await publish(
    azure,
    scm,
    server('one', "answer = () => [200, { 'x-environment': Object.keys(process.env).join(',') }];"),
  );
  const { headers } = await ask(azure, `https://${host}/`);
  const names = (headers['x-environment'] ?? '').split(',');
  expect(names).toEqual(expect.arrayContaining(['spring_profile', 'APPSETTING_spring_profile', 'Plain']));
  expect(names).not.toContain('spring.profile');
});
