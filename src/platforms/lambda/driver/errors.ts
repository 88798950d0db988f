/** AWS's errors in our words and codes. */
import { SluiceError } from '../../../model/errors.js';
import { clean } from '../../../model/text.js';
import { hasCode } from '../../shared/failures.js';

/** What the SDK's errors have that we look at. Never recorded itself: it holds headers and bodies. */
interface SdkError {
  name: string;
  message: string;
  code?: string;
  /** Why a call was throttled. */
  Reason?: unknown;
  retryAfterSeconds?: unknown;
  $metadata?: { httpStatusCode?: number };
  $response?: { headers?: Record<string, string> };
}

const CREDENTIALS = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidAccessKeyId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'CredentialsProviderError',
  'TokenProviderError',
  'ProviderError',
]);
const DENIED = new Set(['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation', 'NotAuthorized']);
const THROTTLED = new Set(['TooManyRequestsException', 'Throttling', 'ThrottlingException', 'ThrottledException']);
/** 409 and 400 that pass by themselves. */
const BUSY = new Set(['ResourceConflictException', 'ResourceInUseException', 'ResourceNotReadyException']);
const NOT_FOUND = new Set(['ResourceNotFoundException', 'ProvisionedConcurrencyConfigNotFoundException', 'NoSuchKey']);

/** Operations for which a conflict means that the thing exists, not that something is in progress. */
const CREATING = new Set(['AddPermission', 'CreateAlias', 'CreateFunction']);

/** Operations whose IAM action has another name than the operation. */
const ACTIONS: Record<string, string> = { Invoke: 'lambda:InvokeFunction' };
const SERVICES: Record<string, string> = {
  GetMetricData: 'cloudwatch',
  DescribeAlarms: 'cloudwatch',
  FilterLogEvents: 'logs',
  AssumeRole: 'sts',
};

export function isThrottle(error: unknown): boolean {
  return isErrorLike(error) && (THROTTLED.has(error.name) || statusOf(error) === 429);
}

/** Refusals that a write's fence causes. They are answers, and become errors only where nobody asks for them. */
class Refused extends SluiceError {
  constructor(
    code: SluiceError['code'],
    message: string,
    readonly provider: string,
  ) {
    super(code, message);
  }
}

/** The RevisionId of a write was not the current one: HTTP 412. */
export function isPrecondition(error: unknown): boolean {
  return error instanceof Refused && error.provider === 'PreconditionFailedException';
}

/** What was to be created exists already. Lambda answers it with the same 409 as an operation in progress. */
export function existsAlready(error: unknown): boolean {
  return error instanceof Refused && error.provider === 'ResourceConflictException';
}

/**
 * An SDK error as ours: a code that says whether to try again, and the provider's own sentence. Headers, bodies and the
 * error object itself stay behind. `operation` is the API's name of the call, `subject` what it was done to.
 */
export function toSluiceError(error: unknown, operation: string, subject: string): Error {
  if (error instanceof SluiceError) return error;
  if (!isErrorLike(error)) return new SluiceError('SLUICE_PROVIDER', `${operation} of ${subject} failed`);
  // A cancel stays one.
  if (error.name === 'AbortError') return error;
  const sdk = error;
  const status = statusOf(sdk);
  const said = `${operation} of ${subject}: ${saidBy(sdk)}`;
  if (CREDENTIALS.has(sdk.name)) {
    return new SluiceError(
      'SLUICE_CREDENTIALS',
      `${asSentence(said)} Give the worker valid credentials for the account: AWS_* where it runs, or the role of the spec`,
    );
  }
  if (DENIED.has(sdk.name) || (status === 403 && sdk.$metadata !== undefined)) {
    return notAllowed(actionOf(sdk, operation), said);
  }
  if (CREATING.has(operation) && sdk.name === 'ResourceConflictException') {
    return new Refused('SLUICE_REFUSED', said, sdk.name);
  }
  if (isThrottle(sdk) || BUSY.has(sdk.name)) return new SluiceError('SLUICE_BUSY', said, retryAfterMs(sdk));
  if (NOT_FOUND.has(sdk.name)) return new SluiceError('SLUICE_NOT_FOUND', said);
  if (status !== undefined && status >= 400 && status < 500 && status !== 408) {
    return new Refused('SLUICE_REFUSED', said, sdk.name);
  }
  return new SluiceError('SLUICE_PROVIDER', said, retryAfterMs(sdk));
}

/** A refusal for lack of a permission: which action, the provider's words, and what to do. */
export function notAllowed(action: string, said: string): SluiceError {
  return new SluiceError(
    'SLUICE_PERMISSION',
    `${action} is not allowed: ${asSentence(said)} Allow it in the policy of the worker's identity, or of the role of the spec`,
  );
}

/** The provider ends some of its sentences with a full stop and others not. */
function asSentence(said: string): string {
  return said.endsWith('.') ? said : `${said}.`;
}

/** Why a role could not be assumed, as ours, with what to do when it may not be. */
export function roleRefused(error: unknown, roleArn: string): Error {
  const ours = toSluiceError(error, 'AssumeRole', roleArn);
  if (!hasCode(ours, 'SLUICE_PERMISSION')) return ours;
  return new SluiceError(
    ours.code,
    `${ours.message}. Name the worker's identity in the role's trust policy and allow it sts:AssumeRole on the role, or give another role (target.roleArn, SLUICE_ACCOUNTS)`,
  );
}

/** By shape: errors of node's own modules and of the SDK may come from another realm. */
function isErrorLike(error: unknown): error is SdkError {
  return typeof error === 'object' && error !== null && 'name' in error && 'message' in error;
}

function statusOf(error: SdkError): number | undefined {
  return error.$metadata?.httpStatusCode;
}

function saidBy(error: SdkError): string {
  const name = error.code === undefined || error.code === error.name ? error.name : `${error.name} ${error.code}`;
  // An unreadable answer (a proxy's HTML page) makes the SDK throw a SyntaxError whose message quotes the page.
  const message = error.name === 'SyntaxError' ? unreadable(error) : clean(error.message, 500);
  const reason = typeof error.Reason === 'string' && error.Reason !== '' ? ` (${clean(error.Reason, 100)})` : '';
  return message === '' || message === error.name ? `${name}${reason}` : `${name}${reason}: ${message}`;
}

function unreadable(error: SdkError): string {
  const status = statusOf(error);
  return `the answer could not be read${status === undefined ? '' : ` (status ${status})`}`;
}

/** The action a policy must allow: as the provider names it, else from the operation. */
function actionOf(error: SdkError, operation: string): string {
  const named = /perform:?\s+([a-z0-9-]+:[A-Za-z]+)/.exec(error.message)?.[1];
  return named ?? ACTIONS[operation] ?? `${SERVICES[operation] ?? 'lambda'}:${operation}`;
}

function retryAfterMs(error: SdkError): number | undefined {
  const hint = error.retryAfterSeconds ?? error.$response?.headers?.['retry-after'];
  const seconds = hint === undefined ? Number.NaN : Number(hint);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 300) * 1000 : undefined;
}
