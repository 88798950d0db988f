/** AWS Systems Manager's Parameter Store. Permission: `ssm:GetParameter`, and `kms:Decrypt` for a key of one's own. */
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { SecretReference } from '../../model/secrets.js';
import { type AwsAccess, awsFailure, regionIn } from '../aws.js';
import { missing, type SecretStore } from '../store.js';

export function awsSsmStore(access: AwsAccess): SecretStore {
  return {
    read: async (reference, signal) => {
      const { name, version } = reference;
      // A version or a label follows the name ("Working with parameter versions").
      const Name = version === null ? name : `${name}:${version}`;
      try {
        const client = access.client(SSMClient, regionIn(name));
        const command = new GetParameterCommand({ Name, WithDecryption: true });
        const { Parameter: found } = await client.send(command, { abortSignal: signal });
        if (found?.Value === undefined) throw missing(reference, 'the parameter has no value', 'give it one');
        return { value: found.Value, version: found.Version === undefined ? null : String(found.Version) };
      } catch (error) {
        throw failure(error, reference);
      }
    },
  };
}

function failure(error: unknown, reference: SecretReference): unknown {
  return awsFailure(error, reference, {
    operation: 'GetParameter',
    action: 'ssm:GetParameter',
    missing: ['ParameterNotFound', 'ParameterVersionNotFound'],
    denied: [],
  });
}
