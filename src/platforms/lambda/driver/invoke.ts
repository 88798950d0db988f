/** One call of exactly one version. */
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { bounded, TimeOver } from '../../../health/bounded.js';
import { SluiceError } from '../../../model/errors.js';
import { clean } from '../../../model/text.js';
import type { ReleaseAnswer } from '../../port.js';
import { callFree, type Session } from './client.js';

/** How a function sees that a probe calls it: `context.clientContext.custom.sluiceProbe`. */
const PROBE_CONTEXT = Buffer.from(JSON.stringify({ custom: { sluiceProbe: true } })).toString('base64');

/**
 * One synchronous call of one address (a version, or an alias that holds it). A failed function is an answer, not an error.
 * Errors: SLUICE_PROBE when there is no answer within `timeoutMs`, and what Lambda itself refuses.
 */
export async function invoke(
  session: Session,
  args: { qualifier: string; payload: unknown; timeoutMs: number },
): Promise<ReleaseAnswer> {
  const command = new InvokeCommand({
    FunctionName: session.target.function,
    Qualifier: args.qualifier,
    InvocationType: 'RequestResponse',
    ClientContext: PROBE_CONTEXT,
    Payload: Buffer.from(JSON.stringify(args.payload ?? {})),
  });
  const started = performance.now();
  try {
    const answer = await bounded(session.ctx.signal, args.timeoutMs, (signal) =>
      callFree(session, session.clients.lambda, command, signal),
    );
    const latencyMs = performance.now() - started;
    const body = parse(answer.Payload);
    return {
      executedVersion: answer.ExecutedVersion ?? null,
      functionError: answer.FunctionError === undefined ? null : functionError(answer.FunctionError, body),
      body,
      latencyMs,
      ...(answer.$metadata.requestId === undefined ? {} : { requestId: answer.$metadata.requestId }),
    };
  } catch (error) {
    if (error instanceof TimeOver && !session.ctx.signal.aborted) {
      throw new SluiceError(
        'SLUICE_PROBE',
        `${session.target.function}:${args.qualifier} did not answer within ${args.timeoutMs} ms`,
      );
    }
    throw error;
  }
}

function parse(payload: Uint8Array | undefined): unknown {
  const text = Buffer.from(payload ?? []).toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function functionError(kind: string, body: unknown): { type: string; message: string } {
  const said = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  return { type: clean(said.errorType ?? kind, 100), message: clean(said.errorMessage ?? '', 300) };
}
