/** What Azure itself counts: the sources of a target on App Service. */
import type { Source, SourceOf } from '../../../health/sources/source.js';
import type { MetricSpec } from '../../../model/spec.js';
import { isOneOf } from '../../shared/own-metrics.js';
import { METRICS } from '../kit.js';
import { type AzureMonitorOptions, azureMonitorSource } from './azure-monitor/index.js';

/** Null for a kind that is not App Service's. */
export function sourceOf(metric: MetricSpec, of: SourceOf, options: AzureMonitorOptions): Source | null {
  if (!isOneOf(METRICS, metric)) return null;
  switch (metric.kind) {
    case 'azureMonitor':
      return azureMonitorSource(metric, of, options);
  }
}
