/** Emulated AWS: Lambda's rules for a function's configuration and upload. */
import { parse } from '../http.js';
import { invalidModel, invalidValue, Refusal } from './refusal.js';

/** "Using Lambda environment variables": names that a function's configuration may not set. */
const RESERVED = new Set([
  ...[
    '_HANDLER',
    '_X_AMZN_TRACE_ID',
    'AWS_DEFAULT_REGION',
    'AWS_REGION',
    'AWS_EXECUTION_ENV',
    'AWS_LAMBDA_RUNTIME_API',
  ],
  ...['AWS_LAMBDA_FUNCTION_NAME', 'AWS_LAMBDA_FUNCTION_MEMORY_SIZE', 'AWS_LAMBDA_FUNCTION_VERSION', 'LAMBDA_TASK_ROOT'],
  ...[
    'AWS_LAMBDA_INITIALIZATION_TYPE',
    'AWS_LAMBDA_LOG_GROUP_NAME',
    'AWS_LAMBDA_LOG_STREAM_NAME',
    'LAMBDA_RUNTIME_DIR',
  ],
  ...['AWS_ACCESS_KEY', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
]);
/** "Lambda quotas". */
const MOST_OF_VARIABLES = 4096;
/** 50 MB in base64, with what stands around it. */
const MOST_OF_CODE = 69_905_067;

/** Rules of the variables in CreateFunction and UpdateFunctionConfiguration: the model of their names, then the reserved ones, then the size. */
export function checkVariables(body: Buffer): void {
  const { Environment } = parse(body) as { Environment?: { Variables?: Record<string, string> } };
  const variables = Environment?.Variables ?? {};
  const names = Object.keys(variables);
  if (names.some((name) => !/^[a-zA-Z]([a-zA-Z0-9_])+$/.test(name) && !RESERVED.has(name))) {
    throw invalidModel(
      `Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]`,
    );
  }
  const reserved = names.filter((name) => RESERVED.has(name));
  const unable =
    'Lambda was unable to configure your environment variables because the environment variables you have provided';
  if (reserved.length > 0) {
    throw invalidValue(
      `${unable} contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`,
    );
  }
  const measured = JSON.stringify(variables);
  if (Buffer.byteLength(measured) > MOST_OF_VARIABLES)
    throw invalidValue(`${unable} exceeded the 4KB limit. String measured: ${measured}`);
}

/** The size of a request that carries code. */
export function checkUpload(operation: string, body: Buffer): void {
  if (body.length < MOST_OF_CODE) return;
  throw new Refusal(
    413,
    'RequestEntityTooLargeException',
    `Request must be smaller than ${MOST_OF_CODE} bytes for the ${operation} operation`,
  );
}
