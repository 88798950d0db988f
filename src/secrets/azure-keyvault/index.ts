/** Azure Key Vault. Permission: `Microsoft.KeyVault/vaults/secrets/getSecret/action`, as in the role Key Vault Secrets User. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { TokenCredential } from '@azure/identity';
import { SecretClient, type SecretClientOptions } from '@azure/keyvault-secrets';
import { SluiceError } from '../../model/errors.js';
import type { SecretReference } from '../../model/secrets.js';
import { clean } from '../../model/text.js';
import { azureError, credentialOf } from '../../platforms/app-service/driver/index.js';
import { denied, missing, type SecretStore } from '../store.js';

const ENDPOINT = 'https://{vault}.vault.azure.net';
const ACTION = 'Microsoft.KeyVault/vaults/secrets/getSecret/action';

/** What is kept of a vault's last answer: the SDK has no error for one without a body, such as a proxy's. */
interface Answer {
  status: number;
  body: string;
  headers: { get(name: string): string | undefined };
}

const asking = new AsyncLocalStorage<{ answer: Answer | null }>();

type Policy = NonNullable<SecretClientOptions['additionalPolicies']>[number];

const KEEP_ANSWERS: Policy = {
  // Each try, so that what is kept is never an older answer than the failure.
  position: 'perRetry',
  policy: {
    name: 'sluiceKeepsAnswers',
    async sendRequest(request, next) {
      const call = asking.getStore();
      if (call === undefined) return next(request);
      call.answer = null;
      const answer = await next(request);
      call.answer = { status: answer.status, body: answer.bodyAsText ?? '', headers: answer.headers };
      return answer;
    },
  },
};

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
      additionalPolicies: [KEEP_ANSWERS],
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
      const call: { answer: Answer | null } = { answer: null };
      try {
        const options = { abortSignal: signal, ...(version === null ? {} : { version }) };
        const { value, properties } = await asking.run(call, () => clientOf(vault).getSecret(name, options));
        if (value === undefined) throw missing(reference, 'the secret has no value', 'give it one');
        return { value, version: properties.version ?? null };
      } catch (error) {
        throw failure(error, call.answer, reference);
      }
    },
  };
}

function failure(error: unknown, answer: Answer | null, reference: SecretReference): unknown {
  const ours = azureError(error, answer, 'GetSecret', `secret://${reference.provider}/${reference.name}`);
  if (!(ours instanceof SluiceError)) return ours;
  // The reference, and what to do, are given once.
  const said = clean(ours.message.replace(/^.*GetSecret of \S+: /, '').replace(/\. Allow it in .*$/, ''), 400);
  switch (ours.code) {
    case 'SLUICE_NOT_FOUND':
      return missing(reference, said, 'create it, or correct the reference');
    case 'SLUICE_PERMISSION':
      return denied(reference, ACTION, said);
    default:
      return ours;
  }
}
