import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type EmulatedAzure, startAzure } from '../../../emulators/azure/index.js';
import { azureClients } from '../../../src/platforms/app-service/driver/index.js';

/** Each credential that SLUICE_AZURE_CREDENTIAL can name, but for the CLI's login, reaches the emulated Azure through Microsoft's own library. */
let azure: EmulatedAzure;
let folder: string;
const before = { ...process.env };
beforeAll(async () => {
  azure = await startAzure({ throttle: false });
  await azure.createSite({ name: 'mine', resourceGroup: 'shop' });
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-credentials-'));
});
afterAll(async () => {
  await azure.stop();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => {
  process.env = { ...before };
});

/** Reads a site with the credential; the library looks at this process's own environment too. */
async function read(env: Record<string, string>): Promise<string | undefined> {
  Object.assign(process.env, env);
  const { subscription, ca, endpoint } = azure;
  const known = { SLUICE_AZURE_ENDPOINT: endpoint, AZURE_AUTHORITY_HOST: endpoint, ...env };
  const { arm } = azureClients({ subscription, region: 'westeurope', env: known, ca });
  return (await arm.webApps.get('shop', 'mine')).name;
}

test('a client secret is used', async () => {
  const { AZURE_TENANT_ID = '', AZURE_CLIENT_ID = '', AZURE_CLIENT_SECRET = '' } = azure.env;
  const named = { SLUICE_AZURE_CREDENTIAL: 'clientSecret', AZURE_TENANT_ID, AZURE_CLIENT_ID };
  expect(await read({ ...named, AZURE_CLIENT_SECRET })).toBe('mine');
  await expect(read({ ...named, AZURE_CLIENT_SECRET: 'wrong' })).rejects.toThrow('Invalid client secret');
});

test('a managed identity is used', async () => {
  const { endpoint, header } = azure.managedIdentity;
  const named = { SLUICE_AZURE_CREDENTIAL: 'managedIdentity', IDENTITY_ENDPOINT: endpoint };
  expect(await read({ ...named, IDENTITY_HEADER: header })).toBe('mine');
});

test('a workload identity is used, with the token that the cluster wrote to a file', async () => {
  const file = path.join(folder, 'token');
  writeFileSync(file, 'a token of the cluster');
  const { AZURE_TENANT_ID = '', AZURE_CLIENT_ID = '' } = azure.env;
  const named = { SLUICE_AZURE_CREDENTIAL: 'workloadIdentity', AZURE_TENANT_ID, AZURE_CLIENT_ID };
  expect(await read({ ...named, AZURE_FEDERATED_TOKEN_FILE: file })).toBe('mine');
});

test("Azure's own chain is used if none is named", async () => {
  const { AZURE_TENANT_ID = '', AZURE_CLIENT_ID = '', AZURE_CLIENT_SECRET = '' } = azure.env;
  expect(await read({ AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET })).toBe('mine');
});
