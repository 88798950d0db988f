/** What the command line must know of a platform: which options name a target, and what a first rollout.yaml says of it. Pure. */
import { SluiceError } from '../model/errors.js';
import type { PlatformName, TargetOf } from '../model/target.js';

/** An option that names a part of a target. */
interface TargetOption {
  /** Its name in code: `resourceGroup` is `--resource-group`. */
  name: string;
  help: string;
  /** `adopt` reads this part from its argument. */
  initOnly?: boolean;
}

/** What was given for an option of the platform. */
type GivenOption = (name: string) => string | undefined;

interface Where {
  account: string;
  region: string;
}

/** A field of a target in a first rollout.yaml. */
export interface TargetField {
  name: string;
  /** As an object: the field is not set, and the file shows this example of it in a comment. */
  value: string | { example: string };
  /** What a newcomer must know of it. */
  comment?: string;
}

export interface CommandLine<P extends PlatformName> {
  options: readonly TargetOption[];
  /** The target of `init`. Errors: SLUICE_USAGE. */
  target(app: string, option: GivenOption, where: Where): TargetOf<P>;
  /** How `adopt` names a target: `FUNCTION:ALIAS`. */
  nameForm: string;
  /** The target that `adopt` names so. Errors: SLUICE_USAGE. */
  targetNamed(name: string, option: GivenOption, where: Where): TargetOf<P>;
  /** The app, if nobody names one. */
  appOf(target: TargetOf<P>): string;
  /** The fields of a target after `platform`, in the order in which the first rollout.yaml has them. */
  fieldsOf(target: TargetOf<P>): TargetField[];
  /** What may replace `folder` in `release`. */
  otherSources: string;
}

/** An option that the platform needs and nobody gave. */
export function missingOption(title: string, what: string, option: string): SluiceError {
  return new SluiceError('SLUICE_USAGE', `${title} needs ${what}: add ${option}`);
}
