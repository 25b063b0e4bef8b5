/**
 * Reading an MCAP file from record to record, also one whose writer was killed.
 *
 * @module
 */

import { crc32, zstdDecompressSync } from "node:zlib";
import { checkValue } from "../arguments.ts";
import { byteLengthOf } from "../arrays.ts";
import { VringError } from "../errors.ts";
import { FUNCTION, TEXT } from "../tool_rules.ts";
import { MAGIC, Op, Reading, RECORD_HEAD } from "./format.ts";
import type { Channel, Schema } from "./writer.ts";

/** A message in a file. */
export interface RecordedMessage {
  /** The channel that it belongs to. */
  readonly channel: Channel;
  /** Its number there, modulo 2^32. */
  readonly sequence: number;
  /** When it was recorded, in nanoseconds since 1970. */
  readonly logTime: bigint;
  /** When it was published, in nanoseconds since 1970. */
  readonly publishTime: bigint;
  /** The bytes, in the form that the channel states. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Reads bytes of a file at an offset; fewer where the file ends. */
export type ReadAt = (offset: number, length: number) => Uint8Array<ArrayBuffer>;

/** The largest record that is read: a chunk with a message of 2 GiB does not fit into memory. */
const LARGEST_RECORD = 2 ** 31 - 1;

/** A file, read in order. */
export class McapReader {
  readonly #readAt: ReadAt;
  readonly #schemas = new Map<number, Schema>();
  readonly #channels = new Map<number, Channel>();
  /** The metadata found so far, by name. */
  readonly metadata: Map<string, Record<string, string>> = new Map();
  /** Whether the file was ended in order; known once all messages were read. */
  isWhole = false;

  /**
   * Reads a file; throws a VringError unless it is a recording.
   *
   * @param readAt Reads bytes of the file.
   * @param what The file in messages, such as its path.
   */
  constructor(readAt: ReadAt, what: string) {
    checkValue(FUNCTION, "readAt", readAt, "read a recording");
    checkValue(TEXT, "the name", what, "read a recording");
    this.#readAt = (offset, length) => {
      const bytes = readAt(offset, length);
      byteLengthOf(bytes, "read", what);
      return bytes;
    };
    const magic = this.#readAt(0, MAGIC.length);
    if (magic.length === MAGIC.length && magic.every((byte, i) => byte === MAGIC[i])) return;
    throw new VringError(
      `Cannot read ${what}: it is not an MCAP file; record it with vring record`,
    );
  }

  /** The channels found so far. */
  get channels(): Channel[] {
    return [...this.#channels.values()];
  }

  /**
   * Returns all messages in the order of the file, up to the end or to the first record that is cut
   * or damaged.
   */
  *messages(): Generator<RecordedMessage, void, void> {
    let at = MAGIC.length;
    for (;;) {
      const head = this.#readAt(at, RECORD_HEAD);
      if (head.length < RECORD_HEAD) return;
      const reading = new Reading(head);
      const op = reading.u8();
      const length = Number(reading.u64());
      if (op === Op.dataEnd) {
        this.isWhole = true;
        return;
      }
      if (length > LARGEST_RECORD) return;
      const content = this.#readAt(at + RECORD_HEAD, length);
      if (content.length < length) return;
      at += RECORD_HEAD + length;
      try {
        yield* this.#record(op, content);
      } catch (error) {
        if (error instanceof RangeError) return; // damaged
        throw error;
      }
    }
  }

  *#record(op: number, content: Uint8Array<ArrayBuffer>): Generator<RecordedMessage, void, void> {
    const reading = new Reading(content);
    if (op === Op.schema) {
      const id = reading.u16();
      this.#schemas.set(id, {
        name: reading.text(),
        encoding: reading.text(),
        data: reading.text(),
      });
    } else if (op === Op.channel) this.#addChannel(reading);
    else if (op === Op.message) yield* this.#message(reading);
    else if (op === Op.metadata) this.metadata.set(reading.text(), reading.texts());
    else if (op === Op.chunk) yield* this.#chunk(reading);
  }

  #addChannel(reading: Reading): void {
    const id = reading.u16();
    if (this.#channels.has(id)) return;
    const schema = this.#schemas.get(reading.u16());
    const [topic, encoding] = [reading.text(), reading.text()];
    this.#channels.set(id, { topic, encoding, schema, metadata: reading.texts() });
  }

  *#message(reading: Reading): Generator<RecordedMessage, void, void> {
    const channel = this.#channels.get(reading.u16());
    if (channel === undefined) throw new RangeError("a message has no channel");
    const [sequence, logTime, publishTime] = [reading.u32(), reading.u64(), reading.u64()];
    yield { channel, sequence, logTime, publishTime, data: reading.raw(reading.left) };
  }

  *#chunk(reading: Reading): Generator<RecordedMessage, void, void> {
    reading.raw(16); // the times of its messages
    const [length, checksum, compression] = [Number(reading.u64()), reading.u32(), reading.text()];
    const stored = reading.raw(Number(reading.u64()));
    if (length > LARGEST_RECORD) throw new RangeError("a chunk is too large");
    const content = decompressed(stored, compression, length);
    if (content.length !== length) throw new RangeError("a chunk has another length");
    if (checksum !== 0 && crc32(content) !== checksum) throw new RangeError("a chunk is damaged");
    const inner = new Reading(content);
    while (inner.left > 0) {
      const op = inner.u8();
      yield* this.#record(op, inner.raw(Number(inner.u64())));
    }
  }
}

function decompressed(
  stored: Uint8Array<ArrayBuffer>,
  compression: string,
  length: number,
): Uint8Array<ArrayBuffer> {
  if (compression === "") return stored;
  if (compression !== "zstd") {
    throw new VringError(
      `Cannot read a chunk: it is compressed with ${compression}; vring reads zstd and none`,
    );
  }
  try {
    return new Uint8Array(zstdDecompressSync(stored, { maxOutputLength: Math.max(1, length) }));
  } catch {
    throw new RangeError("a chunk is damaged");
  }
}
