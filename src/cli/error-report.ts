/** An error as users see it: one wording and one exit code for the CLI and the worker. Pure. */
import { type ErrorCode, SluiceError } from '../model/errors.js';
import { clean } from '../model/text.js';
import { EXIT, exitOfError } from './exit-codes.js';

export interface ErrorReport {
  code: ErrorCode | 'SLUICE_INTERNAL';
  message: string;
  exit: number;
  /** `error CODE: message`, with its end of line, for stderr. */
  line: string;
  /** It is not a SluiceError: a bug. */
  defect: boolean;
}

export function describeError(error: unknown): ErrorReport {
  const known = error instanceof SluiceError;
  const code = known ? error.code : 'SLUICE_INTERNAL';
  const message = known
    ? error.message
    : `${clean(error instanceof Error ? error.message : error, 1_000)} (a bug in Sluice; set SLUICE_DEBUG=1 to see where)`;
  const lines = message.split('\n').map((line) => `${/^ */.exec(line)?.[0] ?? ''}${clean(line, 2_000)}`);
  return {
    code,
    message,
    exit: known ? exitOfError(error.code) : EXIT.error.code,
    line: `error ${code}: ${lines.join('\n  ')}\n`,
    defect: !known,
  };
}
