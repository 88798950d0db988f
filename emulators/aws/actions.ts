/** What a request needs a permission for, as IAM names it, and whether a role has it. */
import type { Call } from '../http.js';
import { Refusal } from './refusal.js';
import { lambdaRequest, scopeOf } from './route.js';

/** Operations whose action has another name ("Actions, resources, and condition keys for AWS Lambda"). */
const OTHER_NAMES: Record<string, string> = { Invoke: 'InvokeFunction', InvokeWithResponseStream: 'InvokeFunction' };

/** Lambda's routes that are about no function, or about its URLs, with their method. */
const ROUTES: [RegExp, string][] = [
  [/^GET \/[\d-]+\/account-settings\/?$/, 'GetAccountSettings'],
  [/^GET \/[\d-]+\/event-source-mappings\/?$/, 'ListEventSourceMappings'],
  [/^GET \/[\d-]+\/functions\/[^/]+\/code-signing-config$/, 'GetFunctionCodeSigningConfig'],
  [/^GET \/[\d-]+\/functions\/?$/, 'ListFunctions'],
  [/^GET \/[\d-]+\/functions\/[^/]+\/urls$/, 'ListFunctionUrlConfigs'],
  [/^PUT \/[\d-]+\/event-source-mappings\/[^/]+$/, 'UpdateEventSourceMapping'],
  [/^GET \/[\d-]+\/tags\//, 'ListTags'],
  [/^POST \/[\d-]+\/tags\//, 'TagResource'],
  [/^DELETE \/[\d-]+\/tags\//, 'UntagResource'],
];

/** The prefix of a service's actions, by the name it is signed for. */
const SERVICES: Record<string, string> = { monitoring: 'cloudwatch' };

/** `lambda:UpdateAlias`. Null where the request tells no operation. */
export function actionOf({ method, path, headers, body }: Call): string | null {
  const { service } = scopeOf(headers);
  const at = path.split('?')[0] ?? '';
  if (service === null) return null;
  if (service === 'lambda') return lambdaAction(method, path, at, headers);
  if (service === 's3') return s3Action(method, path, headers);
  const target = String(headers['x-amz-target'] ?? '').split('.')[1];
  const operation = target ?? /\/operation\/(\w+)$/.exec(at)?.[1] ?? new URLSearchParams(body.toString()).get('Action');
  return operation === null || operation === '' ? null : `${SERVICES[service] ?? service}:${operation}`;
}

/**
 * Creating is an action of its own here: a bucket's policy can ask for `If-None-Match: *` (the condition key s3:if-none-match), and
 * a role with `s3:PutObject` alone is one that it is asked of.
 */
function s3Action(method: string, path: string, headers: Call['headers']): string | null {
  const lists = /[?&](?:list-type|prefix|delimiter)=/.test(path) || /^\/[^/?]*\/?(?:\?|$)/.test(path);
  switch (method) {
    case 'GET':
    case 'HEAD':
      return lists ? 's3:ListBucket' : 's3:GetObject';
    case 'DELETE':
      return lists ? 's3:DeleteBucket' : 's3:DeleteObject';
    case 'PUT':
      if (lists) return 's3:CreateBucket';
      return headers['if-none-match'] === '*' ? 's3:PutObject' : 's3:PutObject over another';
    default:
      return null;
  }
}

function lambdaAction(method: string, path: string, at: string, headers: Call['headers']): string | null {
  const [, route] = ROUTES.find(([shape]) => shape.test(`${method} ${at}`)) ?? [];
  const operation = route ?? lambdaRequest(method, path, headers)?.operation;
  return operation === undefined ? null : `lambda:${OTHER_NAMES[operation] ?? operation}`;
}

/** Refuses what a role does not allow. `roles`: actions by the access key that has them; a key without a role may do everything. */
export function checkRole(call: Call, roles: Record<string, readonly string[]>): void {
  const { accessKey } = scopeOf(call.headers);
  const allowed = roles[accessKey];
  if (allowed === undefined) return;
  const action = actionOf(call);
  if (action !== null && allowed.includes(action)) return;
  throw new Refusal(
    403,
    'AccessDeniedException',
    `User: arn:aws:iam::000000000000:user/${accessKey} is not authorized to perform: ${action ?? 'this'} because no identity-based policy allows it`,
  );
}
