/**
 * The layout of a topic's region, and the values of its words.
 *
 * ```
 *   | header | META | READER[0] .. [K] | DESC[0] .. [N] | DETAIL[0] .. [N] | AVAIL | USED[0] .. [K] | samples |
 * ```
 *
 * The words of a row are one in each DESC.
 *
 * @module
 */

import { layout } from "../layout/layout.ts";
import { LINE_BYTES, roundUp } from "../layout/sizes.ts";
import { ORIGIN } from "../origin.ts";

/** The geometry of a topic, and the words that all parties share. */
export const TOPIC_CONTROL = layout("topic_control", {
  depth: { type: "u32", doc: "the number of descriptors" },
  readers: { type: "u32", doc: "the most readers" },
  sample_bytes: { type: "f64", doc: "the largest sample" },
  published: { type: "f64", doc: "the writer counts: samples published" },
  delivered: { type: "f64", doc: "the writer counts: samples given, once for each reader" },
  dropped: { type: "f64", doc: "the writer counts: samples that a reader lost" },
  journal: {
    type: "f64",
    doc: "the writer: stamp * 2048 + descriptor + 1 of the sample it publishes; 0 if none",
  },
  sequence: { type: "f64", doc: "the writer: the last sample's number" },
  latest: { type: "u32", atomic: true, doc: "the writer: its low half, stored last" },
  writer: { type: "u32", line: true, doc: "the writer: 0 never existed, 1 open, 2 closed" },
  members: { type: "u32", line: true, doc: "grows with each reader that joins or leaves" },
  rows: { type: "u32", line: true, doc: "one more than the highest reader that ever existed" },
  available: { type: "u32", line: true, doc: "AVAIL: the number of descriptors put in" },
  space_bell: { type: "u32", line: true, doc: "rung by readers; raised by a writer that waits" },
  space_loop: { type: "u32", atomic: true, doc: "the FIFO of the writer's event loop; 0 if none" },
});

/** The words of each reader, besides its row and its USED ring. */
export const TOPIC_READER = layout("topic_reader", {
  online: { type: "u32", line: true, doc: "the reader: 1 while it accepts samples" },
  first: {
    type: "u64",
    atomic: true,
    line: true,
    doc: "the first sample it was given; 0 for none",
  },
  bell: { type: "u32", line: true, doc: "rung by the writer; raised by the reader when it waits" },
  used: { type: "u32", atomic: true, doc: "USED, by the writer: the number of entries put in" },
  newest: { type: "f64", doc: "the writer: the last entry, on the line that the reader polls" },
  loop: { type: "u32", atomic: true, doc: "the FIFO of the reader's event loop; 0 if none" },
});

/** The length of a sample with an origin is this much greater. */
export const MARK: number = 2 ** 32;

/** The rarely read facts about a sample, apart from the line of its words. */
export const TOPIC_DETAIL = layout("topic_detail", {
  committed: { type: "f64", doc: "the writer: the number of bytes with memory" },
  origin: { type: ORIGIN, doc: "the writer: the first publisher, if a bridge republished it" },
});

/**
 * The words of each sample: one line for up to 8 readers. `words` has one word for each reader, so
 * it may be longer than declared here.
 *
 * Words of several parties share a line here. They are those of one sample, and the line travels
 * from the writer to each reader anyway, as it describes the sample.
 */
export const TOPIC_DESCRIPTOR = layout("topic_descriptor", {
  sequence: { type: "f64", doc: "the writer: the number of the sample" },
  time: { type: "f64", doc: "the writer: the time of the publish in ms since 1970" },
  length: { type: "f64", doc: "the writer: the bytes of the sample; 2^32 more with an origin" },
  references: { type: "u32", atomic: true, doc: "a hint: the number of holders; see referencesOf" },
  pin: { type: "u32", atomic: true, doc: "the word of the writer" },
  words: { type: layout.array("u32", 8), doc: "the words of readers, one each, by both" },
});

/** The most descriptors of a topic. */
export const DEPTH_MAX = 1024;

/** The most readers of a topic. */
export const READERS_MAX = 64;

/** The largest sample. */
export const SAMPLE_BYTES_MAX: number = 2 ** 31;

/** The largest size of all samples of a topic, well within what a process can map. */
export const TOPIC_BYTES_MAX: number = 2 ** 34;

/** The sizes that determine the layout. */
export interface Shape {
  /** The number of descriptors. */
  readonly depth: number;
  /** The most readers. */
  readonly readers: number;
  /** The largest sample in bytes. */
  readonly sampleBytes: number;
}

/** The geometry of a topic: offsets from the beginning of the data. */
export interface TopicOffsets extends Shape {
  /** The entries of AVAIL and of each USED ring: a power of two, at least the depth. */
  readonly entries: number;
  readonly readersAt: number;
  readonly descriptorsAt: number;
  /** The bytes from one descriptor to the next, with a word for each reader. */
  readonly descriptorBytes: number;
  readonly detailsAt: number;
  readonly availableAt: number;
  readonly usedAt: number;
  readonly samplesAt: number;
  /** The bytes from one sample to the next. */
  readonly stride: number;
  /** The size of all data in bytes. */
  readonly bytes: number;
}

const ENTRY_BYTES = 8;

/** Whether a topic can have this shape. */
export function isShape({ depth, readers, sampleBytes }: Shape): boolean {
  const within = (value: number, most: number) =>
    Number.isInteger(value) && value >= 1 && value <= most;
  return within(depth, DEPTH_MAX) && within(readers, READERS_MAX) &&
    within(sampleBytes, SAMPLE_BYTES_MAX) && depth * sampleBytes <= TOPIC_BYTES_MAX;
}

/** Lays a topic out; samples of a page or more begin on a page. */
export function planOf(shape: Shape, pageBytes: number): TopicOffsets {
  const { depth, readers, sampleBytes } = shape;
  const entries = 2 ** Math.ceil(Math.log2(depth));
  const stride = roundUp(sampleBytes, sampleBytes < pageBytes ? LINE_BYTES : pageBytes);
  const descriptorBytes = roundUp(wordOffset(readers), LINE_BYTES);
  const ringBytes = roundUp(ENTRY_BYTES * entries, LINE_BYTES);
  const readersAt = 0;
  const descriptorsAt = readersAt + readers * TOPIC_READER.size;
  const detailsAt = descriptorsAt + depth * descriptorBytes;
  const availableAt = roundUp(detailsAt + depth * TOPIC_DETAIL.size, LINE_BYTES);
  const usedAt = availableAt + ringBytes;
  const samplesAt = roundUp(usedAt + readers * ringBytes, pageBytes);
  return {
    ...shape,
    entries,
    readersAt,
    descriptorsAt,
    descriptorBytes,
    detailsAt,
    availableAt,
    usedAt,
    samplesAt,
    stride,
    bytes: samplesAt + depth * stride,
  };
}

/** Returns the offset of a reader's word in a descriptor. */
export function wordOffset(reader: number): number {
  return TOPIC_DESCRIPTOR.fields.words.offset + 4 * reader;
}

/** Returns the offset of a reader's USED ring. */
export function usedRingAt(plan: TopicOffsets, reader: number): number {
  return plan.usedAt + reader * roundUp(ENTRY_BYTES * plan.entries, LINE_BYTES);
}

/** No descriptor. */
export const NONE = -1;

/** The states of a word: the relation of one reader to a descriptor. */
export const State = {
  /** Never given, or given back. */
  none: 0,
  /** Given, and not taken yet. In the writer's row: pinned, as a part of the history. */
  ready: 1,
  /** Held by the reader, which reads it in place. */
  held: 2,
  /** The reader asks for it, as a part of the history. */
  asking: 3,
} as const;

/** Returns the state in a word. */
export function stateOf(word: number): number {
  return word & 3;
}

/** Returns the stamp in a word. */
export function stampOf(word: number): number {
  return word >>> 2;
}

/** Makes a word. */
export function wordOf(stamp: number, state: number): number {
  return (stamp << 2 | state) >>> 0;
}

const STAMPS = 2 ** 30 - 1;

/** Returns the stamp of a sample's number: 1 to 2^30 - 1. Stamp 0 belongs to no sample. */
export function stampOfSequence(sequence: number): number {
  return sequence % STAMPS + 1;
}

/** Returns the stamp after this one, without a division. */
export function stampAfter(stamp: number): number {
  return stamp === STAMPS ? 1 : stamp + 1;
}

const COUNTS = 2 ** 8;
const COUNTED_STAMPS = 2 ** 24;

/** The references to a sample with a single holder, whatever its stamp. */
export const ALONE = 1;

/**
 * Combines the number of a sample's holders with the low bits of its stamp, so that a late release
 * does not count for the next sample.
 */
export function referencesOf(stamp: number, count: number): number {
  return count === 1 ? ALONE : stamp % COUNTED_STAMPS * COUNTS + count;
}

/** Returns the number of a sample's holders. */
export function countOf(references: number): number {
  return references % COUNTS;
}

/**
 * Returns the number of holders of the sample with this stamp; undefined for references to another.
 */
export function countIn(references: number, stamp: number): number | undefined {
  const count = countOf(references);
  return references - count === stamp % COUNTED_STAMPS * COUNTS ? count : undefined;
}

/** Packs a descriptor and a stamp into one number: an entry of a USED ring, and the journal. */
export function entryOf(stamp: number, descriptor: number): number {
  return stamp * (2 * DEPTH_MAX) + descriptor + 1;
}

/**
 * Returns the descriptor in an entry. It is out of range, or a fraction, if the entry is invalid.
 */
export function descriptorOf(entry: number): number {
  return entry % (2 * DEPTH_MAX) - 1;
}

/** Returns the stamp in an entry. */
export function stampOfEntry(entry: number): number {
  return Math.floor(entry / (2 * DEPTH_MAX));
}
