/** Emulated AWS: the log of writes to Lambda's control plane, and counts of the calls by version. */
import { type Answer, parse } from '../http.js';
import { Log } from '../log.js';
import type { Invocation } from './metrics.js';
import type { LambdaRequest } from './route.js';
import { weightsOf } from './rules-alias.js';

/** One write to Lambda's control plane, refused ones too, in the order in which they took effect. */
export interface Write {
  /** From 1, in the order of effect. */
  seq: number;
  /** When it was answered, ms since the epoch. */
  time: number;
  operation: string;
  /** Access key of who asked: that of an assumed role's session is its own. */
  accessKey: string;
  function: string;
  /** Alias or version it is about; null for the function itself. */
  qualifier: string | null;
  /** What it asked for; a field that it left out is absent. */
  request: {
    functionVersion?: string;
    /** Extra version to weight, 0-1. `{}` clears. */
    weights?: Record<string, number>;
    description?: string;
    revisionId?: string;
    codeSha256?: string;
    provisioned?: number;
    reserved?: number;
  };
  status: number;
  /** Name of the exception, when refused. */
  error: string | null;
  /** Of what was written, after it. */
  revisionId: string | null;
  /** Version the answer names (published, or the alias's primary). */
  version: string | null;
}

/** Log of the writes of all functions. Refused ones are in it too. */
export class WriteLog extends Log<Write> {
  add(
    request: Pick<LambdaRequest, 'operation' | 'function' | 'qualifier' | 'scope'>,
    body: Buffer,
    answer: Answer,
  ): void {
    const asked = parse(body);
    const got = parse(answer.body);
    const weights = weightsOf(asked);
    this.append({
      operation: request.operation,
      accessKey: request.scope.accessKey,
      function: request.function || String(asked.FunctionName ?? ''),
      qualifier: request.qualifier ?? (request.operation === 'CreateAlias' ? String(asked.Name ?? '') : null),
      request: {
        ...text('functionVersion', asked.FunctionVersion),
        ...(weights === null ? {} : { weights }),
        ...text('description', asked.Description),
        ...text('revisionId', asked.RevisionId),
        ...text('codeSha256', asked.CodeSha256),
        ...number('provisioned', asked.ProvisionedConcurrentExecutions),
        ...number('reserved', asked.ReservedConcurrentExecutions),
      },
      status: answer.status,
      error: answer.status < 300 ? null : String(answer.headers['x-amzn-errortype'] ?? got.__type ?? answer.status),
      revisionId: typeof got.RevisionId === 'string' ? got.RevisionId : null,
      version: String(got.FunctionVersion ?? got.Version ?? '') || null,
    });
  }
}

/** Invocations of one version through one alias since the start. */
interface VersionTraffic {
  requests: number;
  /** Of them, those whose handler failed. */
  errors: number;
  /** Turned away; not in `requests`. */
  throttled: number;
}

/** By `function:alias` (or `function:version`, or `function`), then by executed version. */
export type TrafficCounts = Record<string, Record<string, VersionTraffic>>;

export class Traffic {
  #counts: TrafficCounts = {};

  counts(): TrafficCounts {
    return structuredClone(this.#counts);
  }

  clear(): void {
    this.#counts = {};
  }

  add({ where, resource, version, outcome }: Invocation): void {
    const name = resource === null ? where.function : `${where.function}:${resource}`;
    const versions = this.#counts[name] ?? {};
    const counts = versions[version] ?? { requests: 0, errors: 0, throttled: 0 };
    this.#counts[name] = { ...versions, [version]: counts };
    if (outcome === 'throttled') counts.throttled++;
    else counts.requests++;
    if (outcome === 'error') counts.errors++;
  }
}

function text(
  name: 'functionVersion' | 'description' | 'revisionId' | 'codeSha256',
  value: unknown,
): Partial<Write['request']> {
  return typeof value === 'string' ? { [name]: value } : {};
}

function number(name: 'provisioned' | 'reserved', value: unknown): Partial<Write['request']> {
  return typeof value === 'number' ? { [name]: value } : {};
}
