/**
 * Lanes: a ring of tutorial 10 for each producer, a word of hints, and one consumer for all.
 *
 * @module
 */

import { Word32 } from "../../src/memory/word.ts";
import { MirroredRing } from "../10_four_rings/ring4_mirrored.ts";
import { makeMemory } from "../10_four_rings/ring_memory.ts";

/** A place for hints, behind the words of the first lane's ring. */
const HINT = { path: "hint", offset: 192 };

/** Reads a message and returns its lane; undefined if all are empty. */
export type ReadOne = (target: Uint8Array<ArrayBuffer>) => number | undefined;

/** Up to 32 lanes. */
export class Lanes {
  /** A bit for each lane: 1 if it may have a message. */
  readonly hint: Word32;
  /** How often the consumer looked at the hint. */
  hintLooks = 0;
  readonly #senders: readonly MirroredRing[];
  readonly #receivers: readonly MirroredRing[];
  #bits = 0; // hints whose lanes were not yet found empty
  #last = -1; // the lane that was served last

  constructor(count: number) {
    const memories = Array.from({ length: count }, makeMemory);
    this.hint = new Word32(memories[0]!, HINT);
    this.#senders = memories.map((memory) => new MirroredRing(memory));
    this.#receivers = memories.map((memory) => new MirroredRing(memory));
  }

  /** How often the consumer looked at the head of a lane. */
  get laneLooks(): number {
    return this.#receivers.reduce((sum, { looks }) => sum + looks, 0);
  }

  /** A producer writes into its lane; false if that is full. */
  write(lane: number, message: Uint8Array): boolean {
    if (!this.#senders[lane]!.write(message)) return false;
    const bit = (1 << lane) >>> 0;
    if ((this.hint.load() & bit) === 0) this.hint.or(bit);
    return true;
  }

  /** Looks at every lane, from the first on. */
  readFirst: ReadOne = (target) => {
    const found = this.#receivers.findIndex((ring) => ring.read(target) !== undefined);
    return found === -1 ? undefined : found;
  };

  /** Looks at hinted lanes, beginning behind the lane that was served last. */
  readNext: ReadOne = (target) => {
    this.hintLooks++;
    if (this.hint.load() !== 0) this.#bits |= this.hint.exchange(0);
    const count = this.#receivers.length;
    for (let i = 1; i <= count && this.#bits !== 0; i++) {
      const lane = (this.#last + i) % count;
      if ((this.#bits & 1 << lane) === 0) continue;
      if (this.#receivers[lane]!.read(target) !== undefined) return this.#last = lane;
      this.#bits &= ~(1 << lane);
    }
    return undefined;
  };
}
