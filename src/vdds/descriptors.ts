/**
 * The descriptors of a VRing: for each sample its fields, its words and its references; vring.ts
 * explains the algorithm.
 *
 * @module
 */

import type { Mapping } from "../memory/mapping.ts";
import { loadDouble, storeDouble, Word32, type WordPlace } from "../memory/word.ts";
import { ALONE, countIn, TOPIC_DESCRIPTOR, type TopicOffsets, wordOffset } from "./vring_layout.ts";

/** The fields that describe a sample. */
export type Described = "sequence" | "length" | "committed";

/** The descriptors of a topic. */
export class Descriptors {
  readonly depth: number;
  readonly references: readonly Word32[];
  readonly #mapping: Mapping;
  // The offsets in the mapping.
  readonly #at: number;
  readonly #bytes: number;
  readonly #samplesAt: number;
  readonly #stride: number;
  #pins: readonly Word32[] | undefined;

  /** @param dataOffset The offset of the region's data in the mapping. */
  constructor(mapping: Mapping, plan: TopicOffsets, dataOffset: number) {
    this.depth = plan.depth;
    this.#mapping = mapping;
    this.#at = dataOffset + plan.descriptorsAt;
    this.#bytes = plan.descriptorBytes;
    this.#samplesAt = dataOffset + plan.samplesAt;
    this.#stride = plan.stride;
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

const { sequence, length, committed } = TOPIC_DESCRIPTOR.fields;

/** Returns the offset of a field, by comparison: an engine is slow at looking up varying names. */
function offsetOf(field: Described): number {
  if (field === "sequence") return sequence.offset;
  return field === "length" ? length.offset : committed.offset;
}
