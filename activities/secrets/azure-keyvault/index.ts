/** Azure Key Vault. Permission: `Microsoft.KeyVault/vaults/secrets/getSecret/action`, as in the role Key Vault Secrets User. */
import type { TokenCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import type { SecretReference } from '../../../src/model/secrets.js';
import { clean } from '../../../src/model/text.js';
import { azureError, credentialOf } from '../../platform/app-service/index.js';
import { denied, missing, type SecretStore } from '../store.js';

const ENDPOINT = 'https://{vault}.vault.azure.net';
const ACTION = 'Microsoft.KeyVault/vaults/secrets/getSecret/action';

/** What the SDK's errors have that is looked at. Never recorded itself: it holds the request with its token. */
interface SdkError {
  statusCode?: number;
  code?: string;
  message?: string;
  response?: { status: number; bodyAsText?: string | null; headers: { get(name: string): string | undefined } };
}

/**
 * The credential is the one of App Service's driver. `SLUICE_AZURE_VAULT_ENDPOINT` has the address of another cloud's vaults,
 * with `{vault}` where the vault's name stands. `ca`: certificates to trust instead of the system's.
 */
export function azureKeyVaultStore(env: NodeJS.ProcessEnv, ca?: string): SecretStore {
  const { SLUICE_AZURE_VAULT_ENDPOINT: endpoint = ENDPOINT } = env;
  const known = new Map<string, SecretClient>();
  let credential: TokenCredential | undefined;
  const clientOf = (vault: string): SecretClient => {
    credential ??= credentialOf(env, ca);
    const options = {
      retryOptions: { maxRetries: 0 },
      // A vault at an address of one's own asks for tokens in Azure's name.
      disableChallengeResourceVerification: endpoint !== ENDPOINT,
      ...(ca === undefined ? {} : { tlsOptions: { ca } }),
    };
    const client = known.get(vault) ?? new SecretClient(endpoint.replace('{vault}', vault), credential, options);
    known.set(vault, client);
    return client;
  };
  return {
    read: async (reference, signal) => {
      const [vault = '', name = ''] = reference.name.split('/');
      const { version } = reference;
      try {
        const options = { abortSignal: signal, ...(version === null ? {} : { version }) };
        const { value, properties } = await clientOf(vault).getSecret(name, options);
        if (value === undefined) throw missing(reference, 'the secret has no value', 'give it one');
        return { value, version: properties.version ?? null };
      } catch (error) {
        throw failure(error as SdkError, reference);
      }
    },
  };
}

function failure(error: SdkError, reference: SecretReference): unknown {
  const said = clean(error.message?.split('\n')[0] ?? '', 300);
  switch (error.statusCode) {
    case 404:
      return missing(reference, said.replace(/\.$/, ''), 'make it, or mend the reference');
    case 403:
      return denied(reference, ACTION, said);
    default: {
      const { response } = error;
      const answer =
        response === undefined
          ? null
          : { status: response.status, body: response.bodyAsText ?? '', headers: response.headers };
      return azureError(error, answer, 'GetSecret', `secret://${reference.provider}/${reference.name}`);
    }
  }
}
