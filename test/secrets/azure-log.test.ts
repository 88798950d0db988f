import { startAzure } from '../../emulators/azure/index.js';

const VALUE = 'correct-horse-battery';
const ASK = { app: 'shop', environment: 'production', use: 'probe', host: 'x' } as const;

test("Azure's own log at its most verbose contains neither the value nor the token nor the client secret", async () => {
  // Read once, when the SDK is loaded.
  process.env.AZURE_LOG_LEVEL = 'verbose';
  const { createSecrets } = await import('../../src/secrets/index.js');
  const azure = await startAzure();
  const printed: string[] = [];
  const write = process.stderr.write;
  process.stderr.write = (text: string | Uint8Array) => printed.push(String(text)) > 0;
  try {
    azure.state.secrets = { 'https://shop.vault.azure.net/secrets/db': VALUE };
    const env = { ...azure.env, AZURE_CLIENT_SECRET: 'demo' };
    const secrets = createSecrets({ env, region: 'us-east-1', ca: azure.ca });
    await secrets.resolve('secret://azure-keyvault/shop/db', ASK, new AbortController().signal);
  } finally {
    process.stderr.write = write;
    delete process.env.AZURE_LOG_LEVEL;
    await azure.stop();
  }
  const text = printed.join('');
  expect(text).toContain('/vaults/shop/secrets/db');
  expect(text).not.toContain(VALUE);
  expect(text).not.toMatch(/Bearer ey/);
  expect(text).not.toContain('client_secret');
});
