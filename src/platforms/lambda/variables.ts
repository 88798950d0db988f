/** What AWS Lambda allows, as far as the spec alone tells. Pure. */
import type { Fault } from '../fault.js';

/** The model of `EnvironmentVariables` in Lambda's API reference. */
const NAME = /^[a-zA-Z][a-zA-Z0-9_]+$/;

/** "Using Lambda environment variables", the reserved ones. */
const RESERVED = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_DEFAULT_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_LAMBDA_RUNTIME_API',
  'AWS_REGION',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
]);

/** "Lambda quotas": all variables together, as the JSON of their names and values, which is what Lambda measures. */
const MOST_BYTES = 4096;

/** What Lambda would refuse of a function's variables. Leave the values of references out: they are not what it gets. */
export function lambdaVariables(variables: Record<string, string>): Fault[] {
  const faults = Object.keys(variables).flatMap((name): Fault[] => {
    if (RESERVED.has(name)) return [{ path: [name], message: 'is a variable that Lambda sets itself (remove it)' }];
    if (NAME.test(name)) return [];
    const message =
      name.length === 1
        ? 'is too short: Lambda requires at least two characters'
        : 'is not a valid variable name on Lambda: letters, digits and "_" only, a letter first';
    return [{ path: [name], message }];
  });
  const bytes = Buffer.byteLength(JSON.stringify(variables));
  if (bytes <= MOST_BYTES) return faults;
  const message = `has ${bytes} bytes as JSON, and Lambda takes ${MOST_BYTES} for all variables together (put large values into the package, or into a parameter that the function reads)`;
  return [...faults, { path: [], message }];
}
