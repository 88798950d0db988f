/**
 * What a platform allows and how people speak of it, as far as that needs none of its services: one record per platform, in
 * `<name>/kit.ts`. Everyone who needs it asks the registry. Pure.
 */
import type { SecretReference } from '../model/secrets.js';
import type {
  AlarmSpec,
  Configuration,
  Deadlines,
  JudgeRules,
  MetricSpec,
  PlatformMetricKind,
  ReleaseKind,
  Spec,
} from '../model/spec.js';
import type { PlatformName, TargetOf } from '../model/target.js';
import type { CommandLine } from './command-line.js';
import type { Packing } from './packing.js';

export interface PlatformKit<P extends PlatformName = PlatformName> {
  /** The platform as sentences name it: `Lambda`. */
  title: string;

  /** What of a rollout.yaml is possible here. */
  releases: readonly ReleaseKind[];
  /** Its own sources of counts; sources that anyone may run work on all platforms. */
  metrics: readonly PlatformMetricKind[];
  alarms: readonly AlarmSpec['kind'][];
  /** Calls that nobody waits for. Null: every call is answered while the caller waits. */
  events: EventRules | null;
  /** Why no caller can reach a release past its target; null where one can, so that `allowBypass` and `--move-callers` mean something. */
  noBareCallers: string | null;

  /** What a rollout.yaml has that does not say otherwise. */
  defaults: Defaults;
  /** `configuration` with what is there where the file leaves it out. */
  configured(configuration: Configuration): Configuration;
  /** Whether a candidate can be called, and get a part of the traffic, before all users have it. `target` may be unchecked. */
  runsBesideStable(target: Unchecked<TargetOf<P>>): boolean;

  /** What a query of a metric may name of the target, as `{name}`. */
  places: readonly string[];
  placesOf(target: TargetOf<P>): Record<string, string>;
  version: VersionRules;

  /** Whether a release needs capacity that is made ready before it gets weight: then the plan has the step `warm`. */
  needsCapacity(spec: Pick<Spec, 'configuration'>): boolean;

  packing: Packing;
  /** The identity for reading AWS's stores of secrets for a target, which a policy can restrict; null: the worker's own. */
  awsIdentity(target: TargetOf<P>): { region: string; roleArn?: string } | null;
  /** What is better than a secret's value in the release itself. */
  insteadOfSecret(reference: SecretReference | null): string;

  account: AccountRules;
  commandLine: CommandLine<P>;
}

/** As written, before any check. */
type Unchecked<T> = { readonly [K in keyof T]?: unknown };

interface Defaults {
  deadlines: Readonly<Partial<Record<keyof Deadlines, string>>>;
  metrics: readonly ({ name: string } & Readonly<Partial<Record<MetricSpec['kind'], object>>>)[];
  judge: Readonly<Partial<Pick<JudgeRules, 'probeBack'>>>;
}

interface EventRules {
  /** Shortest watched time in which a lost event is counted, in ms. */
  shortestBake: number;
  /** How long after the first try the last one fails, in words. */
  lastRetry: string;
  /** How many times a failed event is tried in all: so many failures are one. */
  tries: number;
  /** Alarms that see events which are lost. */
  alarms: string;
}

/** How `release.version` names a release that is there. */
interface VersionRules {
  /** Regular expression of the whole text. */
  form: string;
  /** What such a thing is called: `a version`. */
  called: string;
  /** What to write, with an example. */
  write: string;
  /** Any one. */
  example: number | string;
  /** A release's id as a spec has it. */
  written(id: string): number | string;
  /** What to do where something else is live and is to be adopted. */
  toAdopt: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** An account that a worker serves. */
interface AccountRules {
  /** How SLUICE_ACCOUNTS writes one. */
  form: string;
  /** Whether what was read by that form is one. */
  accepts(of: { account: string; roleArn?: string }): boolean;
  /** What `--account` names, what `--region` is unless given, and where credentials come from, as help says it after `on Lambda`. */
  help: { account: string; region: string; credentials: string };
  /** Whether a worker that names no account serves one. */
  hasDefault: boolean;
  /** The region of a process's environment. */
  regionIn(env: Environment): string | undefined;
  /** The account that a command is about. Errors: SLUICE_USAGE for what must be given. */
  chosen(
    given: { account?: string | undefined; region?: string | undefined },
    env: Environment,
  ): { account: string; region: string };
}
