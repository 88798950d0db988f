/**
 * Finds marks in bytes, in every form in which software writes bytes: as they are, escaped, in base64 wherever it begins, in
 * hex, in UTF-16, inside what was packed. One pass, however many marks there are.
 */
import { inflateRawSync } from 'node:zlib';

export interface Mark {
  /** Where it may stand; never its value. */
  name: string;
  /** Parts of the value that are random enough to be nothing else. */
  cores: Buffer[];
}

export interface Hit {
  mark: string;
  form: string;
}

interface Needle extends Hit {
  bytes: Buffer;
}

/** How deep something may be packed in something. */
const DEEPEST = 3;
/** Longest content of something packed, in bytes. */
const LARGEST = 64 * 1024 * 1024;
/** Shorter runs of base64 hold nothing that is packed. */
const RUN = /[A-Za-z0-9+/_-]{24,}/g;
const GZIP = Buffer.from([0x1f, 0x8b, 0x08]);
const ZIP = Buffer.from([0x50, 0x4b, 0x03, 0x04]);

/** A mark by its value's core, in halves, so that one is found that was cut in the middle. */
export function markOf(name: string, core: string | Buffer): Mark {
  const bytes = Buffer.from(core as string);
  const half = bytes.length >> 1;
  return { name, cores: [bytes.subarray(0, half), bytes.subarray(half)] };
}

export class Finder {
  readonly #needles = new Map<number, Needle[]>();
  /** Which pairs of bytes a needle begins with: almost all of a text is dismissed by it. */
  readonly #begins = new Uint8Array(65_536);

  constructor(marks: readonly Mark[]) {
    for (const mark of marks) {
      for (const { form, bytes } of mark.cores.flatMap(formsOf)) {
        const key = bytes.readUInt32BE(0);
        this.#begins[key >>> 16] = 1;
        this.#needles.set(key, [...(this.#needles.get(key) ?? []), { mark: mark.name, form, bytes }]);
      }
    }
  }

  /** Each mark with the first form in which it stands; `in gzip` and the like in front for what was packed. */
  find(bytes: Buffer): Hit[] {
    const found = new Map<string, Hit>();
    this.#look(bytes, '', 0, found);
    return [...found.values()];
  }

  #look(bytes: Buffer, inside: string, depth: number, found: Map<string, Hit>): void {
    this.#scan(bytes, inside, found);
    if (depth === DEEPEST) return;
    for (const { how, content } of packedIn(bytes)) this.#look(content, `${inside}in ${how}: `, depth + 1, found);
  }

  #scan(bytes: Buffer, inside: string, found: Map<string, Hit>): void {
    const begins = this.#begins;
    const last = bytes.length - 4;
    for (let at = 0; at <= last; at += 1) {
      if (begins[((bytes[at] as number) << 8) | (bytes[at + 1] as number)] === 0) continue;
      for (const { mark, form, bytes: needle } of this.#needles.get(bytes.readUInt32BE(at)) ?? []) {
        if (found.has(mark) || needle.compare(bytes, at, Math.min(at + needle.length, bytes.length)) !== 0) continue;
        found.set(mark, { mark, form: `${inside}${form}` });
      }
    }
  }
}

/** All that a core may look like without being packed. */
export function formsOf(core: Buffer): { form: string; bytes: Buffer }[] {
  const text = core.toString('latin1');
  const units = [...core];
  const hex = core.toString('hex');
  const each = (write: (byte: number) => string) => Buffer.from(units.map(write).join(''));
  const two = (byte: number) => byte.toString(16).padStart(2, '0');
  const forms = [
    { form: 'plain', bytes: core },
    { form: 'hex', bytes: Buffer.from(hex) },
    { form: 'hex', bytes: Buffer.from(hex.toUpperCase()) },
    { form: 'URL', bytes: each((byte) => `%${two(byte)}`) },
    { form: 'URL', bytes: each((byte) => `%${two(byte).toUpperCase()}`) },
    { form: 'JSON', bytes: each((byte) => `\\u00${two(byte)}`) },
    { form: 'JSON', bytes: each((byte) => `\\u00${two(byte).toUpperCase()}`) },
    { form: 'UTF-16', bytes: Buffer.from(text, 'utf16le') },
    { form: 'UTF-16', bytes: Buffer.from(text, 'utf16le').swap16() },
    ...[0, 1, 2].flatMap((shift) => inBase64(core, shift)),
  ];
  return forms.filter(({ bytes }, at) => forms.findIndex((one) => one.bytes.equals(bytes)) === at);
}

/** The signs that are the core's alone, where `shift` bytes stand before it in its group of three. */
function inBase64(core: Buffer, shift: number): { form: string; bytes: Buffer }[] {
  const whole = Buffer.concat([Buffer.alloc(shift), core]);
  const signs = whole.toString('base64').replace(/=+$/, '');
  const own = signs.slice(shift === 0 ? 0 : shift + 1, signs.length - (whole.length % 3 === 0 ? 0 : 1));
  return [
    { form: 'base64', bytes: Buffer.from(own) },
    { form: 'base64url', bytes: Buffer.from(own.replaceAll('+', '-').replaceAll('/', '_')) },
  ];
}

/** What is packed in these bytes: gzip streams, the entries of a zip, and runs of base64 that hold one of them. */
function* packedIn(bytes: Buffer): Generator<{ how: string; content: Buffer }> {
  for (const at of placesOf(GZIP, bytes)) {
    // Ten bytes, then a name where flag 8 is set (RFC 1952, 2.3). What follows the stream is not its business.
    const from = ((bytes[at + 3] ?? 0) & 8) === 0 ? at + 10 : bytes.indexOf(0, at + 10) + 1;
    const content = inflated(bytes.subarray(from));
    if (content !== null) yield { how: 'gzip', content };
  }
  for (const at of placesOf(ZIP, bytes)) {
    // Method 8 is deflate; the names' lengths are in the local header (APPNOTE 4.3.7).
    if (bytes.length < at + 30 || bytes.readUInt16LE(at + 8) !== 8) continue;
    const from = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
    const content = inflated(bytes.subarray(from));
    if (content !== null) yield { how: 'zip', content };
  }
  for (const [run] of bytes.toString('latin1').matchAll(RUN)) {
    for (let shift = 0; shift < 4; shift += 1) {
      const content = Buffer.from(run.slice(shift), 'base64');
      const packed = content.includes(GZIP) || content.includes(ZIP);
      if (packed || (shift === 0 && isText(content))) yield { how: 'base64', content };
    }
  }
}

/** What base64 holds in base64 again is text; anything else was looked at where it stands. */
function isText(bytes: Buffer): boolean {
  return bytes.subarray(0, 32).every((byte) => byte >= 9 && byte < 127);
}

function* placesOf(what: Buffer, bytes: Buffer): Generator<number> {
  for (let at = bytes.indexOf(what); at !== -1; at = bytes.indexOf(what, at + 1)) yield at;
}

/** Null: these bytes are no deflate stream, or one that is larger than anything here may be. */
function inflated(bytes: Buffer): Buffer | null {
  try {
    return inflateRawSync(bytes, { maxOutputLength: LARGEST });
  } catch {
    return null;
  }
}
