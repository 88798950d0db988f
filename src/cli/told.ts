/** How an error is told: the same words and exit code wherever it comes out. Pure. */
import { type ErrorCode, SluiceError } from '../model/errors.js';
import { clean } from '../model/text.js';
import { EXIT, exitOfError } from './exit-codes.js';

export interface Told {
  code: ErrorCode | 'SLUICE_INTERNAL';
  message: string;
  exit: number;
  /** `error CODE: message`, with its end of line, for stderr. */
  line: string;
  /** It is no SluiceError. */
  defect: boolean;
}

export function told(error: unknown): Told {
  const known = error instanceof SluiceError;
  const code = known ? error.code : 'SLUICE_INTERNAL';
  const message = known
    ? error.message
    : `${clean(error instanceof Error ? error.message : error, 1_000)} (a defect of sluice; SLUICE_DEBUG=1 shows where)`;
  const lines = message.split('\n').map((line) => `${/^ */.exec(line)?.[0] ?? ''}${clean(line, 2_000)}`);
  return {
    code,
    message,
    exit: known ? exitOfError(error.code) : EXIT.error.code,
    line: `error ${code}: ${lines.join('\n  ')}\n`,
    defect: !known,
  };
}
