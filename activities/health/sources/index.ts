/** The sources of users' counts: the platform's own, and those that are servers of anybody's. */
import { SluiceError } from '../../../src/model/errors.js';
import type { MetricSpec } from '../../../src/model/spec.js';
import type { PlatformDriver } from '../../platform/platform.js';
import { httpSource } from './http/index.js';
import { prometheusSource } from './prometheus/index.js';
import type { Source, SourceOf } from './source.js';

export type { Asked, Source, SourceOf, SourceTick } from './source.js';

/** Errors: SLUICE_SPEC for a kind that the target's platform does not have. */
export function sourceOf(metric: MetricSpec, of: SourceOf, driver: Pick<PlatformDriver, 'source'>): Source {
  switch (metric.kind) {
    case 'prometheus':
      return prometheusSource(metric, of);
    case 'http':
      return httpSource(metric, of);
    case 'cloudwatch':
    case 'lambdaLogs': {
      const source = driver.source(metric, of);
      if (source !== null) return source;
      throw new SluiceError(
        'SLUICE_SPEC',
        `metric ${metric.name} is of kind ${metric.kind}, which ${of.spec.target.platform} does not have`,
      );
    }
  }
}
