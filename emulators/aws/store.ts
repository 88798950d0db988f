/** Emulated AWS: reads functions, versions and aliases from ministack. */
import { type Answer, parse, type Upstream } from '../http.js';
import { notFound, Refusal } from './refusal.js';
import type { LambdaRequest } from './route.js';

/** An alias, as `GetAlias` answers. */
export interface Alias {
  FunctionVersion: string;
  Description?: string;
  RevisionId: string;
  RoutingConfig?: { AdditionalVersionWeights?: Record<string, number> };
}

/** What `GetFunctionConfiguration` answers, as far as the rules look at it. */
export interface Configuration extends Record<string, unknown> {
  FunctionArn: string;
  Version: string;
  CodeSha256: string;
  RevisionId: string;
  Role?: string;
  State?: string;
  LastUpdateStatus?: string;
  PackageType?: string;
  DeadLetterConfig?: { TargetArn?: string };
  LoggingConfig?: { LogFormat?: string; LogGroup?: string };
  MemorySize?: number;
  SnapStart?: { ApplyOn?: string };
}

/** A function of one account and region. */
export type Where = Pick<LambdaRequest, 'function' | 'scope'>;

/**
 * Reads of the state behind the gateway. What every invocation needs is kept, and forgotten at the function's next
 * write, which works because all writes pass through the gateway.
 */
export class Store {
  readonly #kept = new Map<string, Map<string, Promise<unknown>>>();

  constructor(readonly upstream: Upstream) {}

  async configuration(where: Where, qualifier: string | null): Promise<Configuration> {
    const query = qualifier === null ? '' : `?Qualifier=${encodeURIComponent(qualifier)}`;
    return (await this.get(where, `2015-03-31`, `configuration${query}`)) as Configuration;
  }

  /** The configuration of what was invoked, from memory. */
  configurationForInvoke(where: Where, version: string): Promise<Configuration> {
    return this.#keep(where, `configuration ${version}`, () => this.configuration(where, version));
  }

  async versions(where: Where): Promise<Configuration[]> {
    const listed = await this.get(where, '2015-03-31', 'versions?MaxItems=100000');
    return (listed.Versions as Configuration[] | undefined) ?? [];
  }

  async alias(where: Where, name: string): Promise<Alias> {
    return (await this.get(where, '2015-03-31', `aliases/${encodeURIComponent(name)}`)) as unknown as Alias;
  }

  /** The alias as its last write left it, from memory. */
  aliasForInvoke(where: Where, name: string): Promise<Alias> {
    return this.#keep(where, `alias ${name}`, () => this.alias(where, name));
  }

  /** Reserved concurrency, null when none is set; from memory. */
  reserved(where: Where): Promise<number | null> {
    return this.#keep(where, 'reserved', async () => {
      const answer = await this.get(where, '2019-09-30', 'concurrency').catch(() => ({}) as Record<string, unknown>);
      return typeof answer.ReservedConcurrentExecutions === 'number' ? answer.ReservedConcurrentExecutions : null;
    });
  }

  forget(where: Where): void {
    this.#kept.delete(key(where));
  }

  /** A GET below the function. Answers other than 200 become the same refusal. */
  async get(where: Where, version: string, rest: string): Promise<Record<string, unknown>> {
    const path = `/${version}/functions/${encodeURIComponent(where.function)}/${rest}`;
    const answer = await this.upstream.call({ method: 'GET', path, headers: signed(where), body: Buffer.alloc(0) });
    if (answer.status === 200) return parse(answer.body);
    throw refusalOf(answer);
  }

  #keep<T>(where: Where, what: string, read: () => Promise<T>): Promise<T> {
    const kept = this.#kept.get(key(where)) ?? new Map<string, Promise<unknown>>();
    this.#kept.set(key(where), kept);
    const name = `${where.scope.accessKey} ${what}`;
    const found = kept.get(name) as Promise<T> | undefined;
    if (found !== undefined) return found;
    const reading = read();
    kept.set(name, reading);
    // A failure is told to those who wait, not to those who come later.
    reading.catch(() => kept.delete(name));
    return reading;
  }
}

/** By which a function's writes are put in a row and its kept state is found. Access keys of one account share it. */
export function key(where: Where): string {
  return `${where.scope.region}/${where.function}`;
}

/** The credential is what tells the server account and region; nobody checks the signature. */
export function signed(where: Pick<Where, 'scope'>, service = 'lambda'): Record<string, string> {
  const credential = `${where.scope.accessKey}/19700101/${where.scope.region}/${service}/aws4_request`;
  return { authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=none` };
}

function refusalOf(answer: Answer): Refusal {
  const said = parse(answer.body);
  const message = String(said.message ?? said.Message ?? answer.body.toString('utf8').slice(0, 200));
  if (answer.status === 404) return notFound(message);
  const code = answer.headers['x-amzn-errortype'] ?? said.__type ?? 'ServiceException';
  return new Refusal(answer.status, String(code), message);
}
