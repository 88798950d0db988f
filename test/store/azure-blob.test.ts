/** Azure Blob Storage as a store, on Azurite: with the rights that each side has, and between processes that share no folder. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  BlobServiceClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { freePort, type Running, startProcess } from '../../emulators/process.js';
import { azureBlobStore } from '../../src/store/azure-blob.js';
import { openArtifacts } from '../../src/store/index.js';
import { breaking } from './breaking.js';
import { storeSuite } from './conformance.js';
import { packed } from './packing-process.js';
import { turning } from './silent.js';

/** Azurite's own account, the same everywhere (its README). */
const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
const CONTAINER = 'code';
const HOUR = 3_600_000;

let azurite: Running;
let home: string;
let url: string;
const key = new StorageSharedKeyCredential(ACCOUNT, KEY);

beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'sluice-azurite-'));
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}/${ACCOUNT}`;
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js');
  azurite = await startProcess({
    name: 'Azurite',
    command: process.execPath,
    args: [
      program,
      ...['--blobHost', '127.0.0.1', '--blobPort', String(port)],
      ...['--inMemoryPersistence', '--disableTelemetry', '--silent', '--skipApiVersionCheck'],
    ],
    ports: [port],
    // Any answer is one: it refuses who does not sign.
    ready: async () => (await fetch(endpoint)).status > 0,
    within: 30_000,
  });
  await new BlobServiceClient(endpoint, key).createContainer(CONTAINER);
  url = `${endpoint}/${CONTAINER}`;
});
afterAll(async () => {
  await azurite?.stop();
  rmSync(home, { recursive: true, force: true });
});

/** A shared access signature with these permissions: `c` creates, `r` reads, `d` deletes, `l` lists, `w` overwrites. */
function token(permissions: string): string {
  return generateBlobSASQueryParameters(
    {
      containerName: CONTAINER,
      permissions: ContainerSASPermissions.parse(permissions),
      protocol: SASProtocol.HttpsAndHttp,
      expiresOn: new Date(Date.now() + HOUR),
    },
    key,
  ).toString();
}

const store = (permissions = 'rcdl', container = url) =>
  azureBlobStore({ container, prefix: 'sluice/' }, { AZURE_STORAGE_SAS_TOKEN: token(permissions) });

storeSuite('Azure Blob', store);

test('someone who may only create can store code, repeatedly, and do nothing else', async () => {
  const creator = store('c');
  expect(await creator.create('default/shop/a.zip', Buffer.from('a'))).toBe(true);
  expect(await creator.create('default/shop/a.zip', Buffer.from('b'))).toBe(false);
  const refused = (action: string) => ({
    code: 'SLUICE_PERMISSION',
    message: expect.stringMatching(new RegExp(`the artifact store .*/code/sluice/ refuses ${action}`)),
  });
  await expect(creator.read('default/shop/a.zip', 10)).rejects.toMatchObject(refused('blobs/read'));
  await expect(creator.remove('default/shop/a.zip')).rejects.toMatchObject(refused('blobs/delete'));
  await expect(creator.list('').next()).rejects.toMatchObject(refused('blobs/read'));
  await expect(store('r').create('default/shop/a.zip', Buffer.from('b'))).rejects.toMatchObject(
    refused('blobs/add/action'),
  );
  const error = await creator.remove('default/shop/a.zip').catch((failed: Error) => failed);
  expect(String((error as Error).message)).not.toContain('sig=');
});

test('an artifact too large to pass through here is left, and a person is told to delete it', async () => {
  const move = store().move('default/shop/large.zip', 'x', { tag: 'any', size: 3 * 1024 ** 3 });
  await expect(move).rejects.toMatchObject({
    code: 'SLUICE_ARTIFACT',
    message: expect.stringContaining('Delete it by hand and start again'),
  });
});

test('a refusal is not cached, since the right may be granted while a client runs', async () => {
  const creator = store('c');
  await creator.create('late/shop/a.zip', Buffer.from('a'));
  const permissions = { AZURE_STORAGE_SAS_TOKEN: token('r') };
  const turned = await turning(url, () => permissions.AZURE_STORAGE_SAS_TOKEN);
  try {
    const client = azureBlobStore({ container: turned.url, prefix: 'sluice/' }, permissions);
    await expect(client.create('late/shop/a.zip', Buffer.from('a'))).rejects.toMatchObject({
      code: 'SLUICE_PERMISSION',
    });
    permissions.AZURE_STORAGE_SAS_TOKEN = token('c');
    expect(await client.create('late/shop/a.zip', Buffer.from('a'))).toBe(false);
  } finally {
    await turned.close();
  }
});

test('a store that could not be opened is opened again', async () => {
  const env: Record<string, string> = { SLUICE_AZURE_CREDENTIAL: 'no such kind' };
  const artifacts = openArtifacts({ setting: url, namespace: 'again', env, cwd: home });
  const shelf = artifacts.of({ app: 'shop', target: { account: 'prod', region: 'eu-west-1' } });
  await expect(shelf.putDocument('{}')).rejects.toMatchObject({ code: 'SLUICE_SETUP' });
  env.AZURE_STORAGE_SAS_TOKEN = token('rcd');
  const digest = await shelf.putDocument('{}');
  expect(await shelf.getDocument(digest)).toBe('{}');
});

test('one process packs and stores with only the right to create; another reads', async () => {
  const artifact = await packed(home, { SLUICE_STORE: `${url}/{region}`, AZURE_STORAGE_SAS_TOKEN: `?${token('c')}` });
  const env = { AZURE_STORAGE_SAS_TOKEN: token('rcd') };
  const worker = openArtifacts({ setting: `${url}/{region}`, namespace: 'default', env, cwd: home });
  const of = { app: 'shop', target: { account: 'prod', region: 'eu-west-1' } };
  expect(await worker.of(of).read(artifact)).toHaveLength(artifact.bytes);
  expect(await worker.of(of).inS3(artifact)).toBeNull();
});

test('an interrupted upload is repeated, and so is one whose answer was lost', async () => {
  const proxy = await breaking(new URL(url).origin, ['body', 'answer']);
  try {
    const bytes = randomBytes(2_000_000);
    const through = store('rc', `${proxy.url}${new URL(url).pathname}`);
    await through.create('default/shop/broken.zip', bytes);
    expect(proxy.broken()).toEqual(['body', 'answer']);
    expect((await store().read('default/shop/broken.zip', bytes.length))?.bytes?.equals(bytes)).toBe(true);
  } finally {
    await proxy.close();
  }
});

test('a missing container is reported by name', async () => {
  const none = `${url.replace(/code$/, '')}none`;
  await expect(
    azureBlobStore({ container: none, prefix: '' }, { AZURE_STORAGE_SAS_TOKEN: accountToken() }).create(
      'a',
      Buffer.alloc(1),
    ),
  ).rejects.toMatchObject({
    code: 'SLUICE_SETUP',
    message: expect.stringContaining('create the container, or correct SLUICE_STORE'),
  });
});

/** For a container that is not there. */
function accountToken(): string {
  return generateBlobSASQueryParameters(
    {
      containerName: 'none',
      permissions: ContainerSASPermissions.parse('c'),
      protocol: SASProtocol.HttpsAndHttp,
      expiresOn: new Date(Date.now() + HOUR),
    },
    key,
  ).toString();
}
