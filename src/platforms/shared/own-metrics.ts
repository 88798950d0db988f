/** Which metrics are a platform's own, so that the compiler knows those that its driver has to make a source of. */
import type { MetricOf, MetricSpec, PlatformMetricKind } from '../../model/spec.js';

export function isOneOf<K extends PlatformMetricKind>(own: readonly K[], metric: MetricSpec): metric is MetricOf<K> {
  return own.some((kind) => kind === metric.kind);
}
