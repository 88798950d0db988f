/** Emulated AWS: reserved and provisioned concurrency, with Lambda's rules for both. */
import { type Answer, json, parse } from '../http.js';
import { invalidValue, Refusal } from './refusal.js';
import type { LambdaRequest } from './route.js';
import { splitOf } from './rules-alias.js';
import { key, type Store, type Where } from './store.js';

const isVersion = (qualifier: string): boolean => /^\d+$/.test(qualifier);

/**
 * Provisioned concurrency takes its time: after a write it is IN_PROGRESS, then READY.
 * Source: "Configuring provisioned concurrency for a function".
 */
export class ProvisionedConcurrency {
  /** When what was asked for is ready, in ms since the epoch, by function and then by qualifier. */
  readonly #readyAt = new Map<string, Map<string, number>>();

  /** `takes`: milliseconds from the write to READY. */
  constructor(readonly takes: number) {}

  /**
   * Never for $LATEST, never on a split alias, once for each version, and never with SnapStart ("Improving startup
   * performance with Lambda SnapStart").
   */
  async check(store: Store, request: LambdaRequest): Promise<void> {
    const { qualifier } = request;
    if (qualifier === null || qualifier === '$LATEST') {
      throw invalidValue('Provisioned Concurrency Configs cannot be applied to unpublished function versions.');
    }
    if (isVersion(qualifier)) return refuseSnapStart(store, request, qualifier);
    const alias = await store.alias(request, qualifier);
    if (Object.keys(splitOf(alias)).length > 0) {
      throw invalidValue('Alias with weights can not be used with Provisioned Concurrency');
    }
    if (this.#of(request).has(alias.FunctionVersion)) {
      throw invalidValue('Provisioned Concurrency is configured already on the version this alias points to');
    }
    await refuseSnapStart(store, request, alias.FunctionVersion);
  }

  put(request: LambdaRequest, answer: Answer): Answer {
    if (answer.status >= 300) return answer;
    this.#of(request).set(request.qualifier ?? '', Date.now() + this.takes);
    return this.shown(request, answer);
  }

  deleted(request: LambdaRequest): void {
    this.#of(request).delete(request.qualifier ?? '');
  }

  /** DeleteFunction: of one version, or of all. */
  functionDeleted(request: LambdaRequest): void {
    if (request.qualifier === null) this.#readyAt.delete(key(request));
    else this.deleted(request);
  }

  /** An alias moved to another version allocates anew. */
  aliasMoved(where: Where, alias: string): void {
    if (this.#of(where).has(alias)) this.#of(where).set(alias, Date.now() + this.takes);
  }

  /** The server's answer, which says READY at once, as it is on AWS by now. */
  shown(request: LambdaRequest, answer: Answer): Answer {
    if (answer.status >= 300) return answer;
    return json(answer.status, this.#at(request, request.qualifier ?? '', parse(answer.body)), answer.headers);
  }

  /** ListProvisionedConcurrencyConfigs, which the server does not have. */
  async list(store: Store, request: LambdaRequest): Promise<Answer> {
    const { FunctionArn } = await store.configuration(request, null);
    const configs = [];
    for (const qualifier of this.#of(request).keys()) {
      const query = `provisioned-concurrency?Qualifier=${encodeURIComponent(qualifier)}`;
      const config = await store.get(request, '2019-09-30', query).catch(() => null);
      if (config === null) continue;
      configs.push({ FunctionArn: `${FunctionArn}:${qualifier}`, ...this.#at(request, qualifier, config) });
    }
    return json(200, { ProvisionedConcurrencyConfigs: configs });
  }

  #at(where: Where, qualifier: string, config: Record<string, unknown>): Record<string, unknown> {
    if (Date.now() >= (this.#of(where).get(qualifier) ?? 0)) return config;
    return {
      ...config,
      AvailableProvisionedConcurrentExecutions: 0,
      AllocatedProvisionedConcurrentExecutions: 0,
      Status: 'IN_PROGRESS',
    };
  }

  #of(where: Where): Map<string, number> {
    const found = this.#readyAt.get(key(where)) ?? new Map<string, number>();
    this.#readyAt.set(key(where), found);
    return found;
  }
}

async function refuseSnapStart(store: Store, where: Where, version: string): Promise<void> {
  const { SnapStart } = await store.configuration(where, version);
  if (SnapStart?.ApplyOn !== 'PublishedVersions') return;
  throw invalidValue('Provisioned Concurrency is not supported on a version with SnapStart');
}

/** A function with reserved concurrency 0 is switched off: every invocation is throttled ("PutFunctionConcurrency"). */
export async function checkReserved(store: Store, where: Where): Promise<void> {
  if ((await store.reserved(where)) !== 0) return;
  throw new Refusal(429, 'TooManyRequestsException', 'Rate Exceeded.', {
    Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
  });
}
