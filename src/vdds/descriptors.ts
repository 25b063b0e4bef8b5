/**
 * The descriptors of a VRing: for each sample its fields, its words and its references; vring.ts
 * explains the algorithm.
 *
 * @module
 */

import type { Mapping } from "../memory/mapping.ts";
import {
  copyIn,
  copyOut,
  loadDouble,
  storeDouble,
  Word32,
  Word64,
  type WordPlace,
} from "../memory/word.ts";
import { type Origin, OriginCodec } from "../origin.ts";
import {
  ALONE,
  countIn,
  TOPIC_DESCRIPTOR,
  TOPIC_DETAIL,
  type TopicOffsets,
  wordOffset,
} from "./vring_layout.ts";

/** The fields that describe a sample. */
export type Described = "sequence" | "time" | "length";

/** The descriptors of a topic. */
export class Descriptors {
  readonly depth: number;
  readonly references: readonly Word32[];
  readonly #mapping: Mapping;
  // The offsets in the mapping.
  readonly #at: number;
  readonly #bytes: number;
  readonly #detailsAt: number;
  readonly #origins: OriginCodec = new OriginCodec();
  readonly #samplesAt: number;
  readonly #stride: number;
  readonly #sampleBytes: number;
  readonly #committed: Float64Array; // as last loaded; it only grows
  #pins: readonly Word32[] | undefined;
  #numbers: readonly Word64[] | undefined;

  /** @param dataOffset The offset of the region's data in the mapping. */
  constructor(mapping: Mapping, plan: TopicOffsets, dataOffset: number) {
    this.depth = plan.depth;
    this.#mapping = mapping;
    this.#at = dataOffset + plan.descriptorsAt;
    this.#bytes = plan.descriptorBytes;
    this.#detailsAt = dataOffset + plan.detailsAt;
    this.#samplesAt = dataOffset + plan.samplesAt;
    this.#stride = plan.stride;
    this.#sampleBytes = plan.sampleBytes;
    this.#committed = new Float64Array(plan.depth);
    this.references = this.#makeRow(TOPIC_DESCRIPTOR.fields.references);
  }

  /** Makes the row of a reader. */
  rowOf(reader: number): readonly Word32[] {
    return this.#makeRow({ path: "row", offset: wordOffset(reader) });
  }

  /** The writer's row. */
  get pins(): readonly Word32[] {
    return this.#pins ??= this.#makeRow(TOPIC_DESCRIPTOR.fields.pin);
  }

  /** Invalidates a sample for observers, before anything of it is written. */
  invalidate(d: number): void {
    this.#number(d).storeFirst(0); // P6 .. also the bits of 0 as a double
  }

  /**
   * Invalidates a sample for observers without a barrier. The caller must store `VRing.latest` by
   * `storeInOrder` before it writes any part of the next sample.
   */
  invalidateSoon(d: number): void {
    this.store(d, "sequence", 0);
  }

  /** Begins to read a sample that the writer may overwrite; pass the result to `isStill`. */
  look(d: number): number {
    return this.#number(d).load();
  }

  /** Whether a sample still is the one with this number, after all that was loaded of it before. */
  isStill(d: number, sequence: number, look: number): boolean {
    // A look is the bits of a double, rounded: up to 2^43 samples each has another one. Beyond, the
    // first of these loads tells neighbours apart.
    return this.load(d, "sequence") === sequence && this.#number(d).loadLast() === look; // .. P6
  }

  #number(d: number): Word64 {
    this.#numbers ??= Array.from(
      { length: this.depth },
      (_, d) => new Word64(this.#mapping, sequence, this.#descriptorAt(d)),
    );
    return this.#numbers[d]!;
  }

  #makeRow(place: WordPlace): Word32[] {
    return Array.from(
      { length: this.depth },
      (_, d) => new Word32(this.#mapping, place, this.#descriptorAt(d)),
    );
  }

  #descriptorAt(d: number): number {
    return this.#at + d * this.#bytes;
  }

  /** Returns the offset of a sample in the mapping. */
  sampleAt(d: number): number {
    return this.#samplesAt + d * this.#stride;
  }

  /** Loads a field. */
  load(d: number, field: Described): number {
    return loadDouble(this.#mapping, this.#descriptorAt(d) + offsetOf(field)) + 0; // -0 becomes 0
  }

  /** Stores a field of a descriptor that the writer holds. */
  store(d: number, field: Described, value: number): void {
    storeDouble(this.#mapping, this.#descriptorAt(d) + offsetOf(field), value);
  }

  /** Whether the sample of a descriptor has memory for `length` bytes. */
  hasMemory(d: number, length: number): boolean {
    if (length <= this.#committed[d]!) return true;
    const committed = loadDouble(this.#mapping, this.#detailAt(d) + DETAIL.committed.offset);
    this.#committed[d] = Math.min(committed, this.#sampleBytes);
    return length <= this.#committed[d]!;
  }

  /** Stores how many bytes of a sample have memory. */
  commit(d: number, committed: number): void {
    storeDouble(this.#mapping, this.#detailAt(d) + DETAIL.committed.offset, committed);
  }

  /** Stores the origin of a sample that the writer holds. */
  storeOrigin(d: number, origin: Origin): void {
    const bytes = this.#origins.encode(origin);
    copyIn(this.#mapping, this.#detailAt(d) + DETAIL.origin.offset, bytes);
  }

  /** Returns a copy of the origin of a sample, or undefined if the stored one is invalid. */
  loadOrigin(d: number): Origin | undefined {
    const { bytes } = this.#origins;
    copyOut(this.#mapping, this.#detailAt(d) + DETAIL.origin.offset, bytes);
    return this.#origins.decode();
  }

  #detailAt(d: number): number {
    return this.#detailsAt + d * TOPIC_DETAIL.size;
  }

  /** Whether a number is the index of a descriptor. */
  has(d: number): boolean {
    return Number.isInteger(d) && d >= 0 && d < this.depth;
  }

  /** Returns all descriptors by the age of their samples, oldest first. */
  byAge(): number[] {
    return Array.from({ length: this.depth }, (_, d) => ({ d, sequence: this.load(d, "sequence") }))
      .sort((a, b) => a.sequence - b.sequence)
      .map(({ d }) => d);
  }

  /**
   * Drops one reference to a sample; returns true for the last one, which stays counted. The
   * caller then owes the writer a hint.
   */
  isLastReference(d: number, stamp: number): boolean {
    const references = this.references[d]!;
    let seen = references.load();
    while (seen !== ALONE) {
      const count = countIn(seen, stamp);
      if (count === undefined) return false; // the descriptor has already been reused
      if (count <= 1) return true;
      const found = references.compareExchange(seen, seen - 1);
      if (found === seen) return false;
      seen = found;
    }
    return true;
  }
}

const { sequence, time, length } = TOPIC_DESCRIPTOR.fields;
const DETAIL = TOPIC_DETAIL.fields;

/** Returns the offset of a field, by comparison: an engine is slow at looking up varying names. */
function offsetOf(field: Described): number {
  if (field === "sequence") return sequence.offset;
  return field === "length" ? length.offset : time.offset;
}
