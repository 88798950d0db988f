/** The SDK clients of an account, and the one way to call them: within the budget, with errors in our words. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { CALL_LIFE } from '../../../model/call-life.js';
import { SluiceError } from '../../../model/errors.js';
import type { LambdaTarget, Target } from '../../../model/spec.js';
import type { Artifacts } from '../../../store/index.js';
import type { CallContext } from '../../port.js';
import type { Budget } from '../../shared/budget.js';
import { isThrottle, roleRefused, toSluiceError } from './errors.js';

/** The SDK clients of one account, region and role. */
export interface Clients {
  lambda: LambdaClient;
  cloudwatch: CloudWatchClient;
  logs: CloudWatchLogsClient;
}

export interface LambdaDriverOptions {
  clients: (target: LambdaTarget) => Clients;
  budget: Budget;
  artifacts: Artifacts;
}

const CONNECT_TIMEOUT = 5_000;
/** Name of the worker's sessions of an assumed role, by which CloudTrail shows who acted. */
const ROLE_SESSION = 'sluice';

export interface AwsClientOptions {
  region: string;
  maxAttempts: number;
  requestHandler: NonNullable<LambdaClientConfig['requestHandler']>;
  credentials?: ReturnType<typeof fromTemporaryCredentials>;
}

/**
 * What every client of AWS is made with: a region, and the AWS chain's credentials or those of an assumed role. One attempt a
 * call: Temporal owns the retries, and a retry of the SDK's own would be a call that the budget has not counted.
 */
export function awsClientOptions(region: string, roleArn?: string): AwsClientOptions {
  return {
    region,
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT,
      // An upload of 50 MB included.
      requestTimeout: CALL_LIFE,
      throwOnRequestTimeout: true,
      // Probes hold sockets for as long as the function takes; control-plane calls must not wait behind them.
      httpAgent: { maxSockets: 500 },
      httpsAgent: { maxSockets: 500 },
    },
    ...(roleArn === undefined ? {} : { credentials: credentialsOf(roleArn) }),
  };
}

/** Clients for a region, with the AWS chain's credentials or those of an assumed role. */
export function awsClients(region: string, roleArn?: string): Clients {
  const common = awsClientOptions(region, roleArn);
  return {
    lambda: new LambdaClient(common),
    cloudwatch: new CloudWatchClient(common),
    logs: new CloudWatchLogsClient(common),
  };
}

/**
 * Credentials of an assumed role; each client asks again before they expire. Errors name the role: SLUICE_PERMISSION when
 * it may not be assumed, SLUICE_CREDENTIALS when the worker has none to assume it with.
 */
function credentialsOf(roleArn: string): ReturnType<typeof fromTemporaryCredentials> {
  const assume = fromTemporaryCredentials({ params: { RoleArn: roleArn, RoleSessionName: ROLE_SESSION } });
  return async (properties) => {
    try {
      return await assume(properties);
    } catch (error) {
      throw roleRefused(error, roleArn);
    }
  };
}

/** A target as this driver's own. Errors: SLUICE_TARGET for another platform's. */
export function onLambda(target: Target): LambdaTarget {
  if (target.platform === 'lambda') return target;
  throw new SluiceError('SLUICE_TARGET', `a target on ${target.platform} was passed to the driver of Lambda`);
}

/** One target during one call of the driver: what every helper of this folder needs. */
export interface Session {
  ctx: CallContext;
  target: LambdaTarget;
  clients: Clients;
  budget: Budget;
  /** The revision at which an alias was seen last without the mark of a policy, by its ARN-like name. */
  seenWithoutPolicy: Map<string, string>;
}

/** A call's name in messages, as AWS's API names it. */
function operationOf(command: { constructor: { name: string } }): string {
  return command.constructor.name.replace(/Command$/, '');
}

/** What a call was about, as far as its input says: the function with the version or the alias that was named. */
function subjectOf({ target }: Session, command: object): string {
  const { FunctionName, Qualifier, Name } = (command as { input?: Record<string, unknown> }).input ?? {};
  if (typeof FunctionName !== 'string') return `${target.function}:${target.alias}`;
  const part = Qualifier ?? Name;
  return typeof part === 'string' ? `${FunctionName}:${part}` : FunctionName;
}

/** What all SDK clients have. */
interface Sender<Input, Output> {
  send(
    command: { input: Input; constructor: { name: string } },
    options: { abortSignal: AbortSignal },
  ): Promise<Output>;
}

type OutputOf<C> = C extends { resolveMiddleware: (...args: never[]) => infer Handler }
  ? Handler extends (...args: never[]) => Promise<{ output: infer Output }>
    ? Output
    : never
  : never;

/** A control-plane call of Lambda: waits for the account's budget, and fails with a SluiceError. */
export async function call<C extends { constructor: { name: string } }>(
  session: Session,
  command: C,
): Promise<OutputOf<C>> {
  const answered = await session.budget.acquire(session.ctx.urgent, session.ctx.signal);
  try {
    return await callFree(session, session.clients.lambda, command);
  } finally {
    answered();
    session.ctx.heartbeat();
  }
}

/** A call outside the control plane's budget: Invoke, CloudWatch. */
export async function callFree<C extends { constructor: { name: string } }>(
  session: Session,
  client: { send: (...args: never[]) => unknown },
  command: C,
  signal: AbortSignal = session.ctx.signal,
): Promise<OutputOf<C>> {
  try {
    const sender = client as unknown as Sender<unknown, OutputOf<C>>;
    return await sender.send(command as never, { abortSignal: signal });
  } catch (error) {
    if (isThrottle(error) && operationOf(command) !== 'Invoke') session.budget.throttled();
    throw toSluiceError(error, operationOf(command), subjectOf(session, command));
  }
}
