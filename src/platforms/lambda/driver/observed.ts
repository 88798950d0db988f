/** What was read of a target on Lambda before a rollout. */
import type { Alias } from './alias.js';
import type { LambdaConfiguration } from './configuration.js';

/** What was read of the target, for the checks. */
export interface Observed {
  alias: Alias | null;
  /** $LATEST; null: the function does not exist. */
  latest: LambdaConfiguration | null;
  /** The stable version's configuration. */
  stable: LambdaConfiguration | null;
  /** The version `release: {version}` names. */
  named: LambdaConfiguration | null;
}
