/** What the parser asks of a platform: the fields of its targets and of its configuration, and what no field alone shows. */
import type { z } from 'zod';
import type { Report, Spec } from '../model/spec.js';
import type { ConfigurationOf, PlatformName, TargetOf } from '../model/target.js';

/** A schema for each field of an object. */
type Shape<T> = { readonly [K in keyof T]-?: z.ZodType<T[K]> };

export interface SpecRules<P extends PlatformName = PlatformName> {
  /** The fields of `target`. */
  target: Shape<TargetOf<P>>;
  /** The fields of `configuration`, in whole. */
  configuration: Shape<ConfigurationOf<P>>;
  /** What no field alone shows. `variables` are those of the configuration whose values are known; a secret's is empty. */
  check(spec: Spec & { target: TargetOf<P> }, fault: Report, variables: Record<string, string>): void;
}
