/** Emulated AWS: takes the path of a request to Lambda's API apart. */
import type { IncomingHttpHeaders } from 'node:http';

/** A request to Lambda's API for one function, taken apart. */
export interface LambdaRequest {
  /** Lambda's name of the operation; `GET …` and the like where the gateway has no rule for it. */
  operation: string;
  /** Plain name, without ARN and qualifier. */
  function: string;
  /** Alias or version the request names, in the path, the query or the ARN. */
  qualifier: string | null;
  /** Path without the qualifier in the function's name, and the query. */
  prefix: string;
  rest: string;
  query: URLSearchParams;
  scope: Scope;
}

/** Whose and where: what the signature's credential says. */
export interface Scope {
  accessKey: string;
  region: string;
}

const FUNCTIONS = /^(\/\d{4}-\d\d-\d\d\/functions)(?:\/([^/?]+)((?:\/[^?]*)?))?(?:\?(.*))?$/;

/** Operations by method and what follows the function's name. `*` is one more part. */
const OPERATIONS: Record<string, string> = {
  'GET ': 'GetFunction',
  'DELETE ': 'DeleteFunction',
  'GET /configuration': 'GetFunctionConfiguration',
  'PUT /configuration': 'UpdateFunctionConfiguration',
  'PUT /code': 'UpdateFunctionCode',
  'POST /versions': 'PublishVersion',
  'GET /versions': 'ListVersionsByFunction',
  'POST /aliases': 'CreateAlias',
  'GET /aliases': 'ListAliases',
  'GET /aliases/*': 'GetAlias',
  'PUT /aliases/*': 'UpdateAlias',
  'DELETE /aliases/*': 'DeleteAlias',
  'POST /invocations': 'Invoke',
  'POST /response-streaming-invocations': 'InvokeWithResponseStream',
  'PUT /provisioned-concurrency': 'PutProvisionedConcurrencyConfig',
  'GET /provisioned-concurrency': 'GetProvisionedConcurrencyConfig',
  'DELETE /provisioned-concurrency': 'DeleteProvisionedConcurrencyConfig',
  'PUT /concurrency': 'PutFunctionConcurrency',
  'GET /concurrency': 'GetFunctionConcurrency',
  'DELETE /concurrency': 'DeleteFunctionConcurrency',
  'POST /policy': 'AddPermission',
  'GET /policy': 'GetPolicy',
  'DELETE /policy/*': 'RemovePermission',
  'POST /url': 'CreateFunctionUrlConfig',
  'PUT /url': 'UpdateFunctionUrlConfig',
  'DELETE /url': 'DeleteFunctionUrlConfig',
};

/** Takes a request to `/<api version>/functions…` apart; null when it is another one. */
export function lambdaRequest(method: string, path: string, headers: IncomingHttpHeaders): LambdaRequest | null {
  const found = FUNCTIONS.exec(path);
  const scope = scopeOf(headers);
  if (found === null || (scope.service !== null && scope.service !== 'lambda')) return null;
  const [, prefix = '', reference = '', tail = '', search = ''] = found;
  const rest = tail.replace(/\/+$/, '');
  const query = new URLSearchParams(search);
  const named = nameAndQualifier(decodeURIComponent(reference));
  const parts = rest.split('/');
  const aliasInPath = parts[1] === 'aliases' ? decodeURIComponent(parts[2] ?? '') : '';
  return {
    operation: operationOf(method, reference, rest, query),
    function: named.name,
    qualifier: aliasInPath || named.qualifier || query.get('Qualifier'),
    prefix: `${prefix}/${encodeURIComponent(named.name)}`,
    rest,
    query,
    scope: { accessKey: scope.accessKey, region: scope.region },
  };
}

function operationOf(method: string, reference: string, rest: string, query: URLSearchParams): string {
  if (reference === '') return method === 'POST' ? 'CreateFunction' : `${method} functions`;
  const shape = rest.replace(/^(\/[^/]+)\/.+$/, '$1/*');
  const operation = OPERATIONS[`${method} ${shape}`] ?? `${method} ${rest}`;
  return operation === 'GetProvisionedConcurrencyConfig' && query.has('List')
    ? 'ListProvisionedConcurrencyConfigs'
    : operation;
}

/** `name`, `name:qualifier`, `account:function:name[:qualifier]` and ARNs all name a function. */
function nameAndQualifier(reference: string): { name: string; qualifier: string | null } {
  const parts = reference.split(':');
  const at = parts.lastIndexOf('function');
  const [name = '', qualifier] = at >= 0 && parts.length > at + 1 ? parts.slice(at + 1) : parts;
  return { name, qualifier: qualifier ?? null };
}

/** Who signed, for which service. */
export function scopeOf(headers: IncomingHttpHeaders): Scope & { service: string | null } {
  const found = /Credential=([^/,\s]+)\/\d+\/([^/]+)\/([^/]+)\//.exec(headers.authorization ?? '');
  const [, accessKey = 'test', region = 'us-east-1', service = null] = found ?? [];
  return { accessKey, region, service };
}
