/**
 * Writing an MCAP file: whole after each chunk, whenever the program or the disk ends.
 *
 * Messages are collected into a chunk in memory. A full chunk is appended with its index in one
 * write. So a file whose writer was killed is readable up to its last whole chunk: a reader goes
 * from record to record, and stops where one is cut.
 *
 * When the disk is full, the write fails in the middle. Then the writer cuts the file where the
 * failed chunk began, counts the messages of that chunk as lost, and ends the file: it drops chunks
 * from the end until the summary fits.
 *
 * @module
 */

import { crc32, zstdCompressSync } from "node:zlib";
import { MAGIC, Op, Writing } from "./format.ts";

/** Where the bytes of a file go. */
export interface Sink {
  /** Appends bytes, all of them; throws if that fails, when some may have been written. */
  write(bytes: Uint8Array<ArrayBuffer>): void;
  /** Cuts the file, and continues there. */
  truncate(length: number): void;
}

/** The kind of messages in a channel. */
export interface Schema {
  /** The name of the type, such as `vring/msg/Pose`. */
  readonly name: string;
  /** The language of `data`, such as `ros2msg` or `jsonschema`; empty without a schema. */
  readonly encoding: string;
  /** The definition of the type. */
  readonly data: string;
}

/** A series of messages with one name and one type. */
export interface Channel {
  /** The name, with a slash before it. */
  readonly topic: string;
  /** The form of the messages, such as `cdr` or `json`. */
  readonly encoding: string;
  /** The type of the messages, if other tools can read it. */
  readonly schema: Schema | undefined;
  /** More about it: here the definition of the topic, for replay. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A message to write. Times are in nanoseconds since 1970. */
export interface Entry {
  readonly channel: number;
  readonly sequence: number;
  readonly logTime: bigint;
  readonly publishTime: bigint;
  /** Bytes before `data`, such as the head of a CDR message. */
  readonly prefix?: Uint8Array | undefined;
  readonly data: Uint8Array;
}

/** The options of a writer. */
export interface WriterOptions {
  /** Whether chunks are compressed with zstd. */
  readonly compress: boolean;
  /** The size at which a chunk is written. */
  readonly chunkBytes: number;
}

/** A chunk in the file. */
interface ChunkIndex {
  readonly start: bigint;
  readonly end: bigint;
  readonly offset: number;
  readonly length: number;
  readonly indexOffsets: ReadonlyMap<number, number>;
  readonly indexLength: number;
  readonly compressedBytes: number;
  readonly bytes: number;
  readonly counts: ReadonlyMap<number, number>;
}

const LIBRARY = "vring";
const PROFILE = "";

/** Writes one file. */
export class McapWriter {
  readonly #sink: Sink;
  readonly #options: WriterOptions;
  readonly #schemas: Schema[] = [];
  readonly #channels: Channel[] = [];
  readonly #chunks: ChunkIndex[] = [];
  readonly #chunk: Writing;
  readonly #index = new Map<number, [bigint, number][]>();
  #offset = 0;
  #start = 0n;
  #end = 0n;
  /** Whether the disk was full; then nothing more is written. */
  isFull = false;

  constructor(sink: Sink, options: WriterOptions) {
    this.#sink = sink;
    this.#options = options;
    this.#chunk = new Writing(options.chunkBytes);
    const head = new Writing().raw(MAGIC);
    head.record(Op.header, () => head.text(PROFILE).text(LIBRARY));
    this.#append(head.bytes);
  }

  /** The bytes of the file so far. */
  get length(): number {
    return this.#offset;
  }

  /** The messages written so far, by channel; those in the chunk in memory are not. */
  get counts(): Map<number, number> {
    const sum = new Map<number, number>();
    for (const { counts } of this.#chunks) {
      for (const [channel, count] of counts) sum.set(channel, (sum.get(channel) ?? 0) + count);
    }
    return sum;
  }

  /** Adds a channel; returns its number. */
  addChannel(channel: Channel): number {
    const { schema } = channel;
    if (schema !== undefined && !this.#schemas.includes(schema)) this.#schemas.push(schema);
    return this.#channels.push(channel) - 1;
  }

  /** Adds a message. It is in the file once `flush()` has been called, or the chunk was full. */
  add({ channel, sequence, logTime, publishTime, prefix, data }: Entry): void {
    if (this.isFull) return;
    const chunk = this.#chunk;
    if (this.#index.size === 0) [this.#start, this.#end] = [logTime, logTime];
    if (!this.#index.has(channel)) {
      this.#writeChannel(chunk, channel); // so that each chunk can be read alone
      this.#index.set(channel, []);
    }
    this.#index.get(channel)!.push([logTime, chunk.length]);
    chunk.record(Op.message, () => {
      chunk.u16(channel).u32(sequence >>> 0).u64(logTime).u64(publishTime);
      if (prefix !== undefined) chunk.raw(prefix);
      chunk.raw(data);
    });
    if (logTime < this.#start) this.#start = logTime;
    if (logTime > this.#end) this.#end = logTime;
    if (chunk.length >= this.#options.chunkBytes) this.flush();
  }

  /** Appends the chunk in memory to the file. */
  flush(): void {
    if (this.isFull || this.#index.size === 0) return;
    const { record, index } = this.#encodeChunk();
    const begin = this.#offset;
    try {
      this.#append(record);
      this.#chunks.push(index);
    } catch {
      this.isFull = true;
      this.#cutAt(begin);
    }
    this.#chunk.clear();
    this.#index.clear();
  }

  /** Ends the file: the last chunk, metadata, and the summary, by which readers find everything. */
  end(metadata: Readonly<Record<string, Readonly<Record<string, string>>>> = {}): void {
    this.flush();
    for (;;) {
      const begin = this.#offset;
      try {
        this.#append(this.#encodeEnd(metadata, begin));
        return;
      } catch (error) {
        this.isFull = true;
        this.#cutAt(begin);
        const last = this.#chunks.pop();
        if (last === undefined) throw error; // not even an empty file fits
        this.#cutAt(last.offset);
      }
    }
  }

  #append(bytes: Uint8Array<ArrayBuffer>): void {
    this.#sink.write(bytes);
    this.#offset += bytes.length;
  }

  #cutAt(offset: number): void {
    this.#sink.truncate(offset);
    this.#offset = offset;
  }

  #writeChannel(target: Writing, id: number): void {
    const { topic, encoding, schema, metadata } = this.#channels[id]!;
    const schemaId = schema === undefined ? 0 : this.#schemas.indexOf(schema) + 1;
    if (schema !== undefined) {
      target.record(Op.schema, () => {
        target.u16(schemaId).text(schema.name).text(schema.encoding).text(schema.data);
      });
    }
    target.record(Op.channel, () => {
      target.u16(id).u16(schemaId).text(topic).text(encoding).texts(metadata);
    });
  }

  /** Encodes the chunk in memory and the index of its messages. */
  #encodeChunk(): { record: Uint8Array<ArrayBuffer>; index: ChunkIndex } {
    const content = this.#chunk.bytes;
    const { compress } = this.#options;
    const stored = compress ? new Uint8Array(zstdCompressSync(content)) : content;
    const written = new Writing(stored.length + 256);
    written.record(Op.chunk, () => {
      written.u64(this.#start).u64(this.#end).u64(content.length).u32(crc32(content));
      written.text(compress ? "zstd" : "").u64(stored.length).raw(stored);
    });
    const length = written.length;
    const indexOffsets = new Map<number, number>();
    for (const [channel, entries] of this.#index) {
      indexOffsets.set(channel, this.#offset + written.length);
      written.record(Op.messageIndex, () => {
        written.u16(channel).sized(() => {
          for (const [time, offset] of entries) written.u64(time).u64(offset);
        });
      });
    }
    const counts = new Map(Array.from(this.#index, ([id, entries]) => [id, entries.length]));
    const index: ChunkIndex = {
      start: this.#start,
      end: this.#end,
      offset: this.#offset,
      length,
      indexOffsets,
      indexLength: written.length - length,
      compressedBytes: stored.length,
      bytes: content.length,
      counts,
    };
    return { record: written.bytes, index };
  }

  #encodeEnd(
    metadata: Readonly<Record<string, Readonly<Record<string, string>>>>,
    offset: number,
  ): Uint8Array<ArrayBuffer> {
    const out = new Writing(4096);
    const places: { name: string; at: number; length: number }[] = [];
    for (const [name, values] of Object.entries(metadata)) {
      const at = out.length;
      out.record(Op.metadata, () => out.text(name).texts(values));
      places.push({ name, at: offset + at, length: out.length - at });
    }
    out.record(Op.dataEnd, () => out.u32(0));
    const start = out.length;
    const groups: [op: number, at: number, length: number][] = [];
    const group = (op: number, write: () => void) => {
      const at = out.length;
      write();
      if (out.length > at) groups.push([op, offset + at, out.length - at]);
    };
    group(Op.schema, () => {
      for (const [i, { name, encoding, data }] of this.#schemas.entries()) {
        out.record(Op.schema, () => out.u16(i + 1).text(name).text(encoding).text(data));
      }
    });
    group(Op.channel, () => {
      for (const [i, { topic, encoding, schema, metadata }] of this.#channels.entries()) {
        const schemaId = schema === undefined ? 0 : this.#schemas.indexOf(schema) + 1;
        out.record(Op.channel, () => {
          out.u16(i).u16(schemaId).text(topic).text(encoding).texts(metadata);
        });
      }
    });
    group(Op.statistics, () => this.#writeStatistics(out, places.length));
    group(Op.chunkIndex, () => {
      for (const chunk of this.#chunks) this.#writeChunkIndex(out, chunk);
    });
    group(Op.metadataIndex, () => {
      for (const { name, at, length } of places) {
        out.record(Op.metadataIndex, () => out.u64(at).u64(length).text(name));
      }
    });
    const offsets = out.length;
    for (const [op, at, length] of groups) {
      out.record(Op.summaryOffset, () => out.u8(op).u64(at).u64(length));
    }
    // The checksum covers the summary and the footer up to the checksum itself.
    out.u8(Op.footer).u64(20).u64(offset + start).u64(offset + offsets);
    out.u32(crc32(out.bytes.subarray(start)));
    return out.raw(MAGIC).bytes;
  }

  #writeStatistics(out: Writing, metadataCount: number): void {
    const counts = this.counts;
    const messages = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const starts = this.#chunks.map(({ start }) => start);
    const ends = this.#chunks.map(({ end }) => end);
    const first = starts.reduce((a, b) => a < b ? a : b, starts[0] ?? 0n);
    const last = ends.reduce((a, b) => a > b ? a : b, ends[0] ?? 0n);
    out.record(Op.statistics, () => {
      out.u64(messages).u16(this.#schemas.length).u32(this.#channels.length).u32(0);
      out.u32(metadataCount).u32(this.#chunks.length).u64(first).u64(last).sized(() => {
        for (const [channel, count] of counts) out.u16(channel).u64(count);
      });
    });
  }

  #writeChunkIndex(out: Writing, chunk: ChunkIndex): void {
    out.record(Op.chunkIndex, () => {
      out.u64(chunk.start).u64(chunk.end).u64(chunk.offset).u64(chunk.length).sized(() => {
        for (const [channel, offset] of chunk.indexOffsets) out.u16(channel).u64(offset);
      });
      out.u64(chunk.indexLength).text(this.#options.compress ? "zstd" : "");
      out.u64(chunk.compressedBytes).u64(chunk.bytes);
    });
  }
}
