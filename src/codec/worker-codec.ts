/** How a worker's workflows get payloads: messages as they were sent, everything else opened. */
import { defaultPayloadConverter, type Payload, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { failureOf } from '../model/rollout/failure.js';
import { SEALED, UNREAD, type Unsealed, type Unsealer } from '../model/sealed.js';
import type { EncryptionCodec } from './codec.js';

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

type Context = Parameters<PayloadCodec['decode']>[1];

/**
 * The SDK decodes before a workflow runs, and a codec cannot see whether a payload is a message, a start or a state that is
 * carried on. So what belongs to a workflow never fails here: it carries how it was sent, and why it could not be read, and the
 * workflows' interceptor knows which of them counts. What belongs to an activity, such as its result, is Sluice's own: under
 * a key that is only late, its task fails and waits for a worker that has the key.
 */
export class WorkerCodec implements PayloadCodec {
  constructor(private readonly codec: EncryptionCodec) {}

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return this.codec.encode(payloads);
  }

  /** Errors: those of `EncryptionCodec.decode`, for what does not belong to a workflow. */
  async decode(payloads: Payload[], context?: Context): Promise<Payload[]> {
    if (context?.type !== 'workflow') return this.codec.decode(payloads);
    return payloads.map((payload) => (this.codec.isSealed(payload) ? this.sealed(payload) : inClear(payload)));
  }

  private sealed(payload: Payload): Payload {
    const message = json({ sealed: Buffer.from(PayloadMessage.encode(payload).finish()).toString('base64') });
    try {
      const opened = this.codec.open(payload);
      defaultPayloadConverter.fromPayload(opened);
      return { ...opened, metadata: { ...opened.metadata, [SEALED]: message } };
    } catch (error) {
      return unread(failureOf(error).message, { [SEALED]: message });
    }
  }
}

function inClear(payload: Payload): Payload {
  // Nobody but this codec says how a payload arrived.
  const { [SEALED]: _sealed, [UNREAD]: _unread, ...metadata } = payload.metadata ?? {};
  try {
    const plain = { ...payload, metadata };
    defaultPayloadConverter.fromPayload(plain);
    return plain;
  } catch (error) {
    return unread(failureOf(error).message, {});
  }
}

/** The SDK can read it wherever it stands. */
function unread(why: string, metadata: Record<string, Uint8Array>): Payload {
  return {
    metadata: { encoding: Buffer.from('json/plain'), ...metadata, [UNREAD]: json(why) },
    data: json('cannot be read'),
  };
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** For the activity that opens what a workflow got sealed. */
export function unsealerOf(codec: EncryptionCodec): Unsealer {
  return { keyPrints: codec.keyPrints, unseal: (sealed) => unseal(codec, sealed) };
}

function unseal(codec: EncryptionCodec, sealed: string[]): Unsealed[] {
  return sealed.map((message) => {
    let payload: Payload;
    try {
      payload = PayloadMessage.decode(Buffer.from(message, 'base64')) as Payload;
    } catch {
      return { ok: false, why: 'it is not an encrypted message', late: false };
    }
    try {
      const value: unknown = defaultPayloadConverter.fromPayload(codec.open(payload));
      // All answers go into one payload, so none may be larger than what was sent.
      if (JSON.stringify(value ?? null).length <= message.length) return { ok: true, value: value ?? null };
      return { ok: false, why: 'it is larger than it was sent', late: false };
    } catch (error) {
      return { ok: false, why: failureOf(error).message, late: !codec.hasKeyOf(payload) };
    }
  });
}
