/** Lambda, emulated: `checkout` behind its alias `live`. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { startAws } from '../../../emulators/aws/index.js';
import type { Cloud, Users } from '../cloud.js';

export type Aws = Awaited<ReturnType<typeof startAws>>;

/** What a process needs in its environment to use an emulated AWS. */
export function awsEnv(endpoint: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'demo',
    AWS_SECRET_ACCESS_KEY: 'demo',
    AWS_REGION: 'us-east-1',
    SLUICE_ALLOW_ADDRESSES: 'loopback',
  };
}

export async function startLambda(): Promise<Cloud> {
  const aws = await startAws();
  return {
    platform: 'lambda',
    api: { name: 'Lambda API', url: aws.endpoint },
    env: awsEnv(aws.endpoint),
    users: () => lambdaUsers(aws.endpoint, { function: 'checkout', alias: 'live' }),
    takenBackAt: () =>
      aws.writes().findLast(({ status, request }) => status === 200 && request.description?.endsWith(':restore'))
        ?.time ?? null,
    stop: () => aws.stop(),
  };
}

/** Users who call a function through its alias. */
export function lambdaUsers(endpoint: string, target: { function: string; alias: string }): Users {
  const client = new LambdaClient({
    endpoint,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'demo', secretAccessKey: 'demo' },
  });
  return {
    async ask(user, cart) {
      const Payload = Buffer.from(JSON.stringify({ user, cart }));
      try {
        const answer = await client.send(
          new InvokeCommand({ FunctionName: target.function, Qualifier: target.alias, Payload }),
        );
        return { version: answer.ExecutedVersion ?? '?', failed: answer.FunctionError !== undefined };
      } catch (error) {
        return { version: '?', failed: true, why: String(error) };
      }
    },
    close: () => client.destroy(),
  };
}
