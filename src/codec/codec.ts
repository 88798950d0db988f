/** Payloads under AES-256-GCM. The whole payload is encrypted, so that its metadata is hidden too. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { SluiceError } from '../model/errors.js';
import type { KeyPrint } from '../model/sealed.js';
import { clean } from '../model/text.js';
import type { CodecKey } from './keys.js';

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/** The encoding that Temporal's own samples name for it. */
const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
/** The 96 bits that NIST SP 800-38D recommends for GCM, random for each payload. */
const NONCE = 12;
const TAG = 16;

/**
 * Encrypts with the first key and decrypts with any. Without a key it encrypts nothing and still tells an encrypted
 * payload from others. What is not encrypted passes through a decode: it is from before the switch, or from a person
 * who signalled without a codec server.
 */
export class EncryptionCodec implements PayloadCodec {
  private readonly secrets: ReadonlyMap<string, Uint8Array>;

  constructor(private readonly keys: readonly CodecKey[]) {
    this.secrets = new Map(keys.map(({ id, secret }) => [id, secret]));
  }

  /** Whether there is a key to encrypt with. */
  get encrypts(): boolean {
    return this.keys.length > 0;
  }

  /** Ids of the keys; the first one encrypts. */
  get keyIds(): string[] {
    return this.keys.map(({ id }) => id);
  }

  /** The keys as they may be shown: no digest of 256 random bits opens anything. */
  get keyPrints(): KeyPrint[] {
    const digest = (secret: Uint8Array) =>
      createHash('sha256').update('sluice codec key\n').update(secret).digest('hex');
    return this.keys.map(({ id, secret }) => ({ id, print: digest(secret).slice(0, 16) }));
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    const [key] = this.keys;
    return key === undefined ? payloads : payloads.map((payload) => encrypt(payload, key));
  }

  /** Errors: SLUICE_SETUP for a key that is not there, or whose payload it does not open. */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => (this.isSealed(payload) ? this.open(payload) : payload));
  }

  isSealed(payload: Payload): boolean {
    return metadataOf(payload, 'encoding') === ENCODING;
  }

  /** Whether there is a key of the id that the payload names. */
  hasKeyOf(payload: Payload): boolean {
    return this.secrets.has(metadataOf(payload, KEY_ID) ?? '');
  }

  /** Errors: those of `decode`. */
  open(payload: Payload): Payload {
    const id = metadataOf(payload, KEY_ID) ?? '';
    const secret = this.secrets.get(id);
    if (secret === undefined) throw unknownKey(id, this.keyIds);
    const data = payload.data ?? new Uint8Array();
    try {
      const decipher = createDecipheriv('aes-256-gcm', secret, data.subarray(0, NONCE), { authTagLength: TAG });
      decipher.setAAD(boundTo(id)).setAuthTag(data.subarray(data.length - TAG));
      const plain = Buffer.concat([decipher.update(data.subarray(NONCE, data.length - TAG)), decipher.final()]);
      return PayloadMessage.decode(plain) as Payload;
    } catch {
      throw new SluiceError(
        'SLUICE_SETUP',
        `a payload under the encryption key "${clean(id, 80)}" cannot be decrypted with the key of that id: it was changed, or that id was given to another key. Give SLUICE_CODEC_KEYS the key it was written with`,
      );
    }
  }
}

function encrypt(payload: Payload, { id, secret }: CodecKey): Payload {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', secret, nonce, { authTagLength: TAG });
  cipher.setAAD(boundTo(id));
  const plain = PayloadMessage.encode(payload).finish();
  const data = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return { metadata: { encoding: Buffer.from(ENCODING), [KEY_ID]: Buffer.from(id) }, data };
}

/** The metadata that stays readable, authenticated: nobody can put a payload under another id. */
function boundTo(id: string): Buffer {
  return Buffer.from(`${ENCODING}\n${id}`);
}

function metadataOf(payload: Payload, name: string): string | undefined {
  const value = payload.metadata?.[name];
  return value == null ? undefined : Buffer.from(value).toString('utf8');
}

function unknownKey(id: string, known: string[]): SluiceError {
  const here = known.length === 0 ? 'has no keys' : `has the keys ${known.join(', ')}`;
  return new SluiceError(
    'SLUICE_SETUP',
    `a payload is encrypted under the key "${clean(id, 80)}" and this process ${here}; add that key to SLUICE_CODEC_KEYS or its file, and keep it as long as Temporal retains runs that used it`,
  );
}
