import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { GetAliasCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { type FaultRule, startAws, type Write } from '../../../emulators/aws/index.js';
import { awsEnv, lambdaUsers } from '../../../src/demo/clouds/lambda.js';
import type { CloudFault, Ground, OnWrite } from '../ground.js';

const TARGET = { function: 'checkout', alias: 'live' };

const FAULTS: Record<CloudFault, FaultRule> = {
  throttle: { error: { code: 'TooManyRequestsException' } },
  serverError: { error: { code: 'ServiceException', status: 500 } },
  reset: { reset: true },
  lostAnswer: { response: { abort_bytes: 0 } },
};

/** The good one answers, the bad one passes its smoke test and then fails. */
const HANDLERS = {
  good: 'export const handler = async (event, context) => ({ statusCode: 200, release: context.functionVersion, user: event.user });\n',
  // Once, whatever instance it meets: on a busy machine each call of a probe may meet a new one.
  bad: `import { closeSync, openSync } from 'node:fs';
const isFirst = () => {
  try {
    closeSync(openSync(process.env.SMOKED, 'wx'));
    return true;
  } catch {
    return false;
  }
};
export const handler = async (event, context) => {
  if (event.user === 'probe' && isFirst()) return { statusCode: 200 };
  if (Math.random() < 0.6) throw new Error('bad release');
  return { statusCode: 200, release: context.functionVersion };
};
`,
};

export async function lambdaGround(onWrite?: OnWrite): Promise<Ground> {
  const aws = await startAws({
    faults: true,
    ...(onWrite === undefined
      ? {}
      : { afterWrite: async (write: Write) => (isTraffic(write) ? onWrite({ swap: false }) : undefined) }),
  });
  const client = new LambdaClient({
    endpoint: aws.gatewayUrl,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  });
  return {
    env: awsEnv(aws.endpoint),
    users: () => lambdaUsers(aws.gatewayUrl, TARGET),
    writeExamples: (folder) => {
      for (const [name, code] of Object.entries(HANDLERS)) {
        mkdirSync(path.join(folder, name), { recursive: true });
        writeFileSync(path.join(folder, name, 'index.mjs'), code);
      }
    },
    spec: (round, examples) => ({
      target: { platform: 'lambda', ...TARGET, region: 'us-east-1', account: 'default' },
      release: { folder: path.join(examples, round.good ? 'good' : 'bad') },
      configuration: {
        runtime: 'nodejs20.x',
        handler: 'index.handler',
        role: 'arn:aws:iam::000000000000:role/checkout',
        // Each round is a release of its own.
        environment: { ROUND: String(round.number), SMOKED: path.join(examples, `smoked-${round.number}`) },
      },
      probe: { invoke: { payload: { user: 'probe' } } },
    }),
    state: async () => {
      const found = await client
        .send(new GetAliasCommand({ FunctionName: TARGET.function, Name: TARGET.alias }))
        .catch(() => null);
      if (found === null) return null;
      const weights = found.RoutingConfig?.AdditionalVersionWeights ?? {};
      const left = Object.keys(weights).length > 0 ? [`the alias is left split: ${JSON.stringify(weights)}`] : [];
      return { version: found.FunctionVersion ?? '', left };
    },
    fault: (kind) => aws.faults.set([{ service: 'lambda', operation: 'UpdateAlias', times: 2, ...FAULTS[kind] }]),
    heal: () => aws.faults.clear(),
    writes: () =>
      aws
        .writes()
        .filter((write) => isTraffic(write) && write.qualifier === TARGET.alias)
        .map(({ seq, request }) => {
          const [weight] = Object.values(request.weights ?? {});
          return {
            seq,
            mark: request.description ?? null,
            weight: weight === undefined ? null : weight * 100,
            swap: false,
          };
        }),
    holdSwap: () => false,
    stop: async () => {
      client.destroy();
      await aws.stop();
    },
  };
}

function isTraffic({ operation, status }: Write): boolean {
  return operation === 'UpdateAlias' && status < 300;
}
