/** The worker's log: what the SDK and its activities say, without what nobody may read there. */
import type { Logger } from '@temporalio/worker';
import { type DestinationStream, pino } from 'pino';
import { scrubText } from '../secrets/index.js';

/** Where libraries log secrets: one and two levels down, which is where the SDKs keep them. */
const HIDDEN = [
  'environment',
  'headers',
  'payload',
  'body',
  'config',
  'request',
  'response',
  '$response',
  'authorization',
  'password',
  'secret',
  'token',
].flatMap((name) => [name, `*.${name}`, `*.*.${name}`].map(pathOf));

/** pino's paths take names with signs in brackets. */
function pathOf(path: string): string {
  return path.replace(/\.?(\$\w+)$/, '["$1"]');
}

/** Of an error: who, what and where; never its other fields, which in SDKs are requests and answers, nor its cause. */
function said(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, type, code, stack } = error as Error & { type?: unknown; code?: unknown };
  const frames = (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return {
    name,
    message,
    ...(typeof type === 'string' ? { type } : {}),
    ...(typeof code === 'string' ? { code } : {}),
    stack: frames.map((frame) => frame.trim()),
  };
}

/** JSON lines at this level and above. */
export function workerLogger(level: string, to: DestinationStream): Logger {
  const logger = pino(
    {
      level,
      redact: HIDDEN,
      serializers: { error: said, err: said, cause: said, reason: said },
      // What an activity logs while it runs is without the values that it has read.
      hooks: { streamWrite: scrubText },
    },
    to,
  );
  return {
    log: (at, message, meta) => logger[at.toLowerCase() as 'info'](meta ?? {}, message),
    trace: (message, meta) => logger.trace(meta ?? {}, message),
    debug: (message, meta) => logger.debug(meta ?? {}, message),
    info: (message, meta) => logger.info(meta ?? {}, message),
    warn: (message, meta) => logger.warn(meta ?? {}, message),
    error: (message, meta) => logger.error(meta ?? {}, message),
  };
}
