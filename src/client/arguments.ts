/** What a client is given, checked where it comes in: whoever writes plain JavaScript has no compiler that would refuse it. */
import { SluiceError } from '../model/errors.js';
import { isName, parseRolloutId } from '../model/ids.js';
import { clean } from '../model/text.js';
import { UNTIL, type Until } from '../model/until.js';
import { MESSAGE_VERBS, type MessageVerb } from '../model/verbs.js';
import type { AppEnvironment } from './types.js';

const NAMES = 'letters, digits, ".", "_" and "-", 63 at most';

/** The target, or what else names one. Errors: SLUICE_WORKFLOW_ID. */
export function targeted<T extends AppEnvironment>(given: T): T {
  const { app, environment } = (given ?? {}) as Partial<AppEnvironment>;
  if (typeof app !== 'string' || typeof environment !== 'string') throw noTarget(given);
  if (parseRolloutId(`${app}/${environment}`) !== null) return given;
  throw new SluiceError(
    'SLUICE_WORKFLOW_ID',
    `"${clean(app)}/${clean(environment)}" is not <app>/<environment>: ${NAMES} each`,
  );
}

/** The rest of what was given stays unsaid: it may hold anything. */
function noTarget(given: unknown): SluiceError {
  const text = typeof given === 'string' ? given : null;
  const { app, environment } = parseRolloutId(text ?? '') ?? { app: 'checkout', environment: 'production' };
  const what = text === null ? 'the target has no app and environment' : `"${clean(text)}" is not a target`;
  return new SluiceError('SLUICE_WORKFLOW_ID', `${what}; pass {app: "${app}", environment: "${environment}"}`);
}

/** Errors: SLUICE_WORKFLOW_ID. */
export function mustBeNames(app: unknown, environment: unknown): void {
  const refuse = (what: string, given: unknown) =>
    new SluiceError('SLUICE_WORKFLOW_ID', `"${clean(given)}" is not the name of ${what}: ${NAMES}`);
  if (!isName(app)) throw refuse('an app', app);
  if (environment !== undefined && !isName(environment)) throw refuse('an environment', environment);
}

/** Errors: SLUICE_VERB. */
export function mustBeVerb(given: MessageVerb): void {
  if (!MESSAGE_VERBS.includes(given))
    throw new SluiceError(
      'SLUICE_VERB',
      `there is no verb "${clean(given)}"; the verbs are ${MESSAGE_VERBS.join(', ')}`,
    );
}

/** Errors: SLUICE_USAGE. */
export function mustBeUntil(given: Until): void {
  if (!UNTIL.includes(given))
    throw new SluiceError('SLUICE_USAGE', `one cannot wait for "${clean(given)}"; wait for ${UNTIL.join(', ')}`);
}
