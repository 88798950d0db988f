/** JSON over HTTP, for sources that are servers. */
import { SluiceError } from '../../model/errors.js';
import { clean } from '../../model/text.js';
import type { Net } from '../../net/index.js';
import { readBody } from '../http.js';
import { fetchReason } from '../reason.js';

/** Bytes of an answer: thousands of series. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Characters of an answer that a message quotes. */
const QUOTED = 200;

export interface JsonRequest {
  net: Net;
  url: string;
  headers?: Record<string, string> | undefined;
  /** Sent as a form, by POST. */
  form?: Record<string, string>;
  signal: AbortSignal;
}

export interface JsonAnswer {
  status: number;
  /** Undefined: the body is no JSON. */
  value: unknown;
  text: string;
}

/**
 * Sends a request and reads the answer, whatever its status. A redirect is an answer: a token must not travel elsewhere.
 * Errors: SLUICE_ADDRESS, SLUICE_PROVIDER without an answer; an AbortError when cancelled.
 */
export async function askJson({ net, url, headers, form, signal }: JsonRequest): Promise<JsonAnswer> {
  const init = {
    headers: { accept: 'application/json', ...headers },
    signal,
    ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
  };
  try {
    const response = await net.fetch(url, init);
    const { body, cut } = await readBody(response, MOST_BYTES);
    if (cut) throw new SluiceError('SLUICE_PROVIDER', `${url} answered more than ${MOST_BYTES} bytes; ask for less`);
    return { status: response.status, value: parsed(body), text: body };
  } catch (error) {
    if (signal.aborted) throw new DOMException('the read was cancelled', 'AbortError');
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('SLUICE_PROVIDER', `${url} could not be reached: ${fetchReason(error)}`);
  }
}

/** An answer that is of no use, as an error. */
export function refused(url: string, { status, text }: JsonAnswer): SluiceError {
  const said = clean(text, QUOTED);
  return new SluiceError('SLUICE_PROVIDER', `${url} answered status ${status}${said === '' ? '' : `: ${said}`}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
