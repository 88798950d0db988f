/** What AWS itself counts: the sources and alarms of a target on Lambda. */
import { type CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { Alarms, Source, SourceOf } from '../../../health/sources/source.js';
import type { AlarmSpec, LambdaTarget, MetricSpec, Spec } from '../../../model/spec.js';
import { isOneOf } from '../../shared/own-metrics.js';
import { readContext } from '../../shared/read-context.js';
import { callFree, type LambdaDriverOptions, onLambda, type Session } from '../driver/client.js';
import { METRICS } from '../kit.js';
import { alarms } from './cloudwatch/alarms.js';
import { MetricBatch } from './cloudwatch/batch.js';
import { cloudwatchSource } from './cloudwatch/index.js';
import { lambdaLogsSource } from './lambda-logs/index.js';

export class LambdaSources {
  /** One for each set of credentials: a call counts for all rollouts that share them. */
  private readonly batches = new Map<CloudWatchClient, MetricBatch>();

  constructor(private readonly options: Pick<LambdaDriverOptions, 'clients' | 'budget'>) {}

  /** Null for a kind that is not Lambda's. */
  of(metric: MetricSpec, of: SourceOf): Source | null {
    const target = onLambda(of.spec.target);
    const open = (signal: AbortSignal) => this.open(target, signal);
    if (!isOneOf(METRICS, metric)) return null;
    switch (metric.kind) {
      case 'cloudwatch':
        return cloudwatchSource(metric, of, this.batchOf(target));
      case 'lambdaLogs':
        return lambdaLogsSource(metric, of, open);
    }
  }

  alarms(kind: AlarmSpec['kind'], { target }: Spec): Alarms | null {
    switch (kind) {
      case 'cloudwatch':
        return alarms((signal) => this.open(onLambda(target), signal));
    }
  }

  private batchOf(target: LambdaTarget): MetricBatch {
    const { cloudwatch } = this.options.clients(target);
    const known = this.batches.get(cloudwatch);
    if (known !== undefined) return known;
    const all: LambdaTarget = { ...target, function: '(all)', alias: '(all)' };
    const batch = new MetricBatch((input, signal) =>
      callFree(this.open(all, signal), cloudwatch, new GetMetricDataCommand(input)),
    );
    this.batches.set(cloudwatch, batch);
    return batch;
  }

  /** Sources live beside the watcher's own heartbeat and wait for no budget: CloudWatch has quotas of its own. */
  private open(target: LambdaTarget, signal: AbortSignal): Session {
    const { clients, budget } = this.options;
    return {
      ctx: readContext(signal, Date.now()),
      target,
      clients: clients(target),
      budget,
      seenWithoutPolicy: new Map(),
    };
  }
}
