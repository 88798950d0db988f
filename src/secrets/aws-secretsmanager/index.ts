/** AWS Secrets Manager. Permission: `secretsmanager:GetSecretValue`, and `kms:Decrypt` for a key of one's own. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SecretReference } from '../../model/secrets.js';
import { type AwsAccess, awsFailure, regionIn } from '../aws.js';
import { missing, type SecretStore } from '../store.js';

/** The ids of versions are UUIDs or as long ("GetSecretValue", VersionId); shorter names are staging labels. */
const ID = /^[A-Za-z0-9-]{32,64}$/;

export function awsSecretsManagerStore(access: AwsAccess): SecretStore {
  return {
    read: async (reference, signal) => {
      const { name, version } = reference;
      const pinned = version === null ? {} : ID.test(version) ? { VersionId: version } : { VersionStage: version };
      try {
        const client = access.client(SecretsManagerClient, regionIn(name));
        const found = await client.send(new GetSecretValueCommand({ SecretId: name, ...pinned }), {
          abortSignal: signal,
        });
        if (found.SecretString === undefined) {
          throw missing(reference, 'the secret is binary', 'keep it as text');
        }
        return { value: found.SecretString, version: found.VersionId ?? null };
      } catch (error) {
        throw failure(error, reference);
      }
    },
  };
}

function failure(error: unknown, reference: SecretReference): unknown {
  return awsFailure(error, reference, {
    operation: 'GetSecretValue',
    action: 'secretsmanager:GetSecretValue',
    // A secret that is scheduled for deletion is an InvalidRequestException.
    missing: ['ResourceNotFoundException', 'InvalidRequestException'],
    // What decrypts is KMS, and it refuses by this name.
    denied: ['DecryptionFailure'],
  });
}
