/** Which credentials a process uses at Azure. */
import {
  AzureCliCredential,
  ClientSecretCredential,
  DefaultAzureCredential,
  ManagedIdentityCredential,
  type TokenCredential,
  WorkloadIdentityCredential,
} from '@azure/identity';
import { SluiceError } from '../model/errors.js';

/** Hosts that Microsoft's own library knows; any other is taken as it is named. */
const MICROSOFT = /^https:\/\/login\.(microsoftonline\.(com|us)|partner\.microsoftonline\.cn|chinacloudapi\.cn)\/?$/;

const NAMES = ['workloadIdentity', 'managedIdentity', 'clientSecret', 'cli'] as const;

/**
 * The credential that `SLUICE_AZURE_CREDENTIAL` names, or else Azure's default chain. Errors: SLUICE_SETUP for an unknown
 * name, or if the named credential lacks a part.
 */
export function credentialOf(env: NodeJS.ProcessEnv, ca?: string): TokenCredential {
  const { AZURE_AUTHORITY_HOST: authorityHost, AZURE_CLIENT_ID: clientId } = env;
  const options = {
    ...(authorityHost === undefined ? {} : { authorityHost, disableInstanceDiscovery: !MICROSOFT.test(authorityHost) }),
    ...(ca === undefined ? {} : { tlsOptions: { ca } }),
  };
  switch (env.SLUICE_AZURE_CREDENTIAL) {
    case undefined:
    case '':
      return new DefaultAzureCredential(options);
    case 'workloadIdentity':
      return workloadIdentity(env, options);
    case 'managedIdentity':
      return clientId === undefined
        ? new ManagedIdentityCredential(options)
        : new ManagedIdentityCredential(clientId, options);
    case 'clientSecret':
      return clientSecret(env, options);
    case 'cli':
      return new AzureCliCredential();
    default:
      throw new SluiceError(
        'SLUICE_SETUP',
        `SLUICE_AZURE_CREDENTIAL is "${env.SLUICE_AZURE_CREDENTIAL}"; it names one of ${NAMES.join(', ')}, or is absent for Azure's default chain`,
      );
  }
}

function workloadIdentity(env: NodeJS.ProcessEnv, options: object): TokenCredential {
  const [tenantId, clientId, tokenFilePath] = needed(
    env,
    'AZURE_TENANT_ID',
    'AZURE_CLIENT_ID',
    'AZURE_FEDERATED_TOKEN_FILE',
  );
  return new WorkloadIdentityCredential({ ...options, tenantId, clientId, tokenFilePath });
}

function clientSecret(env: NodeJS.ProcessEnv, options: object): TokenCredential {
  const [tenant, id, secret] = needed(env, 'AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET');
  return new ClientSecretCredential(tenant, id, secret, options);
}

function needed(env: NodeJS.ProcessEnv, ...names: [string, string, string]): [string, string, string] {
  const missing = names.filter((name) => !env[name]);
  if (missing.length > 0) {
    throw new SluiceError(
      'SLUICE_SETUP',
      `SLUICE_AZURE_CREDENTIAL is ${env.SLUICE_AZURE_CREDENTIAL}, and the worker's environment lacks ${missing.join(', ')}`,
    );
  }
  return names.map((name) => env[name] ?? '') as [string, string, string];
}
