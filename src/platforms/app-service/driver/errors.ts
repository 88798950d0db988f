/** Azure's errors in our words and codes. */
import { SluiceError } from '../../../model/errors.js';
import { clean } from '../../../model/text.js';

/** What is kept of a provider's answer: the SDK's own error loses App Service's code and text, and all of an empty body. */
export interface Answer {
  status: number;
  body: string;
  headers: { get(name: string): string | undefined };
}

/** An error from the provider, with what later decisions need. */
class AzureError extends SluiceError {
  constructor(
    code: SluiceError['code'],
    message: string,
    readonly reason: Reason,
    retryAfterMs?: number,
  ) {
    super(code, message, retryAfterMs);
  }
}

/** `inProgress`: another operation runs, maybe our own. `prepared`: a swap's first phase has been done and not its second. */
type Reason = 'inProgress' | 'prepared' | 'other';

interface Row {
  status: number;
  text: RegExp;
  code: SluiceError['code'];
  reason?: Reason;
  todo: string;
}

/** Responses whose status alone says too little, with what to do; each has occurred in practice (the issue is linked). */
const CATALOGUE: Row[] = [
  {
    // azure-cli#27820
    status: 409,
    text: /prepared for swap/i,
    code: 'SLUICE_BUSY',
    reason: 'prepared',
    todo: 'the swap must be completed or reset first',
  },
  {
    // azure-functions-host#11384, #4457
    status: 409,
    text: /another operation is in progress/i,
    code: 'SLUICE_BUSY',
    reason: 'inProgress',
    todo: 'Sluice waits for it',
  },
  {
    // azure-functions-host#12835
    status: 400,
    text: /allocation of VM instances.*has changed/i,
    code: 'SLUICE_BUSY',
    todo: 'the plan was scaled meanwhile; Sluice retries',
  },
  {
    // azure-functions-host#8969
    status: 417,
    text: /did not respond to http ping/i,
    code: 'SLUICE_REFUSED',
    todo: 'the slot does not answer the warm-up request: look at its log, and at configuration.warmUp',
  },
  {
    // azure-functions-host#8123
    status: 400,
    text: /application initialization.*(took too long|failed)/i,
    code: 'SLUICE_REFUSED',
    todo: 'the application does not start in time with the settings of production',
  },
  {
    // azure-pipelines-tasks#13003
    status: 400,
    text: /worker process.*could not be started/i,
    code: 'SLUICE_REFUSED',
    todo: 'the application does not start with the settings of production',
  },
];

const CREDENTIALS = new Set([
  'CredentialUnavailableError',
  'AuthenticationError',
  'AggregateAuthenticationError',
  'AuthenticationRequiredError',
]);

/** Longest wait that the provider may ask for, in seconds. */
const LONGEST_HINT = 300;

/** Another operation on the site is in progress. */
export function isInProgress(error: unknown): boolean {
  return error instanceof AzureError && error.reason === 'inProgress';
}

/** The slots are halfway through a swap with preview. */
export function isPrepared(error: unknown): boolean {
  return error instanceof AzureError && error.reason === 'prepared';
}

/**
 * What failed as ours: a code that says whether to try again, the provider's own code and sentence, and its request id.
 * Headers, bodies and the error object itself stay behind: they hold tokens. `answer`: the last one that came, if any.
 */
export function toSluiceError(error: unknown, answer: Answer | null, operation: string, subject: string): Error {
  if (error instanceof SluiceError) return error;
  const { name, message } = shapeOf(error);
  if (name === 'AbortError') return error as Error;
  const what = `${operation} of ${subject}`;
  if (CREDENTIALS.has(name)) return credentialError(error, `${what}: ${clean(firstLine(message), 300)}`);
  if (answer === null || (answer.status < 400 && !isFailedOperation(answer))) {
    return new SluiceError('SLUICE_PROVIDER', `${what}: ${clean(message === '' ? name : message, 300)}`);
  }
  return refusal(answer, operation, subject);
}

/** An answer that refuses, as an error. */
export function refusal(answer: Answer, operation: string, subject: string): SluiceError {
  const { code, message } = saidBy(answer);
  const status = isFailedOperation(answer) ? 400 : answer.status;
  const request = answer.headers.get('x-ms-request-id');
  const how = [`${answer.status}`, ...(request === undefined ? [] : [`request ${clean(request, 60)}`])].join(', ');
  const said = `${operation} of ${subject}: ${[code, message].filter((part) => part !== '').join(': ') || 'no reason given'} (${how})`;
  const row = CATALOGUE.find((one) => (one.status === status || isFailedOperation(answer)) && one.text.test(message));
  if (row !== undefined) {
    return new AzureError(row.code, `${said}; ${row.todo}`, row.reason ?? 'other', retryAfterMs(answer));
  }
  switch (status) {
    case 401:
      return new SluiceError(
        'SLUICE_CREDENTIALS',
        `${said}. Give the worker valid credentials for the subscription: SLUICE_AZURE_CREDENTIAL and AZURE_* where it runs`,
      );
    case 403:
      return new SluiceError(
        'SLUICE_PERMISSION',
        `${actionIn(message) ?? operation} is not allowed: ${said}. Allow it in the role of the worker's identity`,
      );
    case 404:
      return new SluiceError('SLUICE_NOT_FOUND', said);
    case 409:
      return new AzureError('SLUICE_BUSY', said, 'inProgress', retryAfterMs(answer));
    case 408:
      return new SluiceError('SLUICE_PROVIDER', said);
    case 429:
      return new SluiceError('SLUICE_BUSY', said, retryAfterMs(answer));
    default:
      return status >= 500
        ? new SluiceError('SLUICE_PROVIDER', said, retryAfterMs(answer))
        : new AzureError('SLUICE_REFUSED', said, 'other');
  }
}

/** A long-running operation's last answer is a success that tells of a failure. */
function isFailedOperation({ status, body }: Answer): boolean {
  if (status >= 300) return false;
  const { status: state } = parsed(body);
  return state === 'Failed' || state === 'Canceled';
}

/** ARM says `{error: {code, message}}`, App Service itself `{Code, Message}`, a proxy a page. */
function saidBy({ body }: Answer): { code: string; message: string } {
  const all = parsed(body);
  const inner = typeof all.error === 'object' && all.error !== null ? (all.error as Record<string, unknown>) : all;
  const code = inner.code ?? inner.Code ?? '';
  const message = inner.message ?? inner.Message ?? '';
  return { code: clean(code, 100), message: clean(message, 500) };
}

function parsed(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function credentialError(error: unknown, said: string): SluiceError {
  const status = (error as { statusCode?: unknown }).statusCode;
  if (typeof status === 'number' && status >= 500) return new SluiceError('SLUICE_PROVIDER', said);
  return new SluiceError(
    'SLUICE_CREDENTIALS',
    `${said}. Give the worker valid credentials for the subscription: SLUICE_AZURE_CREDENTIAL and AZURE_* where it runs`,
  );
}

function actionIn(message: string): string | undefined {
  return /perform action '([^']+)'/.exec(message)?.[1];
}

function retryAfterMs({ headers }: Answer): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, LONGEST_HINT) * 1000 : undefined;
}

function shapeOf(error: unknown): { name: string; message: string } {
  const { name, message } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  return { name: typeof name === 'string' ? name : 'Error', message: typeof message === 'string' ? message : '' };
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
