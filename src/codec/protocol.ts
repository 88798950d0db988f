/** What Temporal's UI and CLI say to a codec server: payloads as protobuf's JSON. */
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { SluiceError } from '../model/errors.js';

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/** The payloads of `{"payloads":[{"metadata":{"encoding":BASE64},"data":BASE64}]}`. Errors: SLUICE_USAGE. */
export function readPayloads(body: string): Payload[] {
  try {
    const { payloads } = JSON.parse(body) as { payloads?: unknown };
    if (!Array.isArray(payloads) || !payloads.every(isPayload)) throw new Error('no list of payloads');
    return payloads.map((each) => PayloadMessage.fromObject(each) as Payload);
  } catch {
    throw new SluiceError('SLUICE_USAGE', 'the body is not {"payloads":[…]} of payloads in protobuf\'s JSON');
  }
}

export function writePayloads(payloads: Payload[]): string {
  return JSON.stringify({
    payloads: payloads.map((each) => PayloadMessage.toObject(PayloadMessage.fromObject(each), { bytes: String })),
  });
}

/** The library would read a number as nothing, and drop what it does not know. */
function isPayload(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const { metadata = {}, data = '', ...more } = value as Record<string, unknown>;
  if (typeof metadata !== 'object' || metadata === null || Object.keys(more).length > 0) return false;
  return [data, ...Object.values(metadata)].every((each) => typeof each === 'string');
}
