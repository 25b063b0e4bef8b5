/**
 * The records of MCAP files (https://mcap.dev/spec), as bytes.
 *
 * ```
 *   magic | Header | Schema, Channel .. | Chunk, MessageIndex .. | DataEnd | summary | Footer | magic
 *                      each before its use     messages, compressed            indexes of all that
 * ```
 *
 * A record is an opcode, a length of 8 bytes and its content; numbers are little-endian. The format
 * is small, so it is written here by hand: the usual library brings its own file abstraction, two
 * compression libraries in WebAssembly and bigint throughout, and holds whole chunks as objects.
 * Its reader and one in Python judge this code in the tests.
 *
 * @module
 */

/** The first and the last bytes of a file. */
export const MAGIC: Uint8Array<ArrayBuffer> = new Uint8Array([137, 77, 67, 65, 80, 48, 13, 10]);

/** The kinds of records. */
export const Op = {
  header: 1,
  footer: 2,
  schema: 3,
  channel: 4,
  message: 5,
  chunk: 6,
  messageIndex: 7,
  chunkIndex: 8,
  statistics: 11,
  metadata: 12,
  metadataIndex: 13,
  summaryOffset: 14,
  dataEnd: 15,
} as const;

/** The bytes of a record before its content. */
export const RECORD_HEAD = 9;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Bytes that grow, to write records into. */
export class Writing {
  #bytes: Uint8Array<ArrayBuffer>;
  #data: DataView;
  /** The number of bytes written. */
  length = 0;

  constructor(sizeBytes = 256) {
    this.#bytes = new Uint8Array(sizeBytes);
    this.#data = new DataView(this.#bytes.buffer);
  }

  /** The bytes written so far, valid until the next write. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.length);
  }

  /** Forgets everything written. */
  clear(): void {
    this.length = 0;
  }

  /** Makes room for more bytes, perhaps in another array; returns the offset where they begin. */
  #grow(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#data = new DataView(larger.buffer);
    }
    return at;
  }

  u8(value: number): this {
    const at = this.#grow(1);
    this.#data.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#grow(2);
    this.#data.setUint16(at, value, true);
    return this;
  }

  u32(value: number): this {
    const at = this.#grow(4);
    this.#data.setUint32(at, value, true);
    return this;
  }

  u64(value: bigint | number): this {
    const at = this.#grow(8);
    this.#data.setBigUint64(at, BigInt(value), true);
    return this;
  }

  raw(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** A text with its length. */
  text(value: string): this {
    return this.block(encoder.encode(value));
  }

  /** Bytes with their length. */
  block(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  /** A map of texts. */
  texts(values: Readonly<Record<string, string>>): this {
    return this.sized(() => {
      for (const [key, value] of Object.entries(values)) this.text(key).text(value);
    });
  }

  /** Content behind its length in 4 bytes. */
  sized(write: () => void): this {
    const at = this.#grow(4);
    write();
    this.#data.setUint32(at, this.length - at - 4, true);
    return this;
  }

  /** A record. */
  record(op: number, write: () => void): this {
    this.u8(op);
    const at = this.#grow(8);
    write();
    this.#data.setBigUint64(at, BigInt(this.length - at - 8), true);
    return this;
  }
}

/** Reads what {@linkcode Writing} writes; throws a RangeError at the end of the bytes. */
export class Reading {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #data: DataView;
  /** The offset of the next byte. */
  at = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The number of bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.at;
  }

  u8(): number {
    return this.#data.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#data.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#data.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#data.getBigUint64(this.#take(8), true);
  }

  raw(length: number): Uint8Array<ArrayBuffer> {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  text(): string {
    return decoder.decode(this.block());
  }

  block(): Uint8Array<ArrayBuffer> {
    return this.raw(this.u32());
  }

  texts(): Record<string, string> {
    const inner = new Reading(this.block());
    const values: Record<string, string> = {};
    while (inner.left > 0) {
      const key = inner.text();
      values[key] = inner.text();
    }
    return values;
  }

  #take(length: number): number {
    const at = this.at;
    if (length > this.left) throw new RangeError("the record ends early");
    this.at += length;
    return at;
  }
}
