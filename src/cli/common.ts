/** Arguments and options that many commands share. */
import type { Decision } from '../model/view.js';
import { argument, choice, duration, flag, type Options, person, target, text, type Values } from './inputs.js';

/** Options every command has. */
export const EVERYWHERE = {
  output: choice(
    'format',
    ['text', 'json'],
    'Print text (the default) or JSON; while watching, one object a line.',
    'o',
  ),
  noColor: flag('Print without colours; NO_COLOR does the same.'),
} satisfies Options;

export const TARGET = target('App and environment, such as checkout/production');

export const SPEC_FILE = argument('The spec, rollout.yaml; - reads stdin');

export const ENVIRONMENT = text('environment', 'Environment to use, if the file has several.', 'e');

export const LOGIN = flag(
  'Sign with a browser login instead of your key. SLUICE_LOGIN=1 makes that the default if you have no key.',
);

export const BY = person('Name to record (default: $SLUICE_BY, then your OS user).');

export const MESSAGE = text('text', 'Why; shown wherever the rollout is shown.', 'm');

/** Of every message to a running rollout. */
export const DECISION = {
  by: BY,
  login: LOGIN,
  comment: text('text', 'Why; recorded with your decision.', 'm'),
} satisfies Options;

/** Of commands that start something and can stay with it. */
export const FOLLOW = {
  watch: flag('Show progress until it ends.', 'w'),
  wait: flag('Print only the result; progress, and any wait for a person, goes to stderr.'),
  timeout: duration('With --watch or --wait: stop waiting after this long.'),
} satisfies Options;

/** Who decides, and why. */
export function decisionOf({ by, comment }: Values<typeof DECISION>): Decision {
  return { by, ...(comment === undefined ? {} : { comment }) };
}
