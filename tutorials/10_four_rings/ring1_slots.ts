/**
 * A ring, stage 1: slots. The flag of each slot says whose turn it is.
 *
 * @module
 */

import { copyIn, copyOut, Word32 } from "../../src/memory/word.ts";
import type { Ring, RingMemory } from "./ring_memory.ts";

/** The bytes of a slot, its flag included. */
const SLOT = 64;
const FLAG = 4;

/** A ring of slots of one size. */
export class SlotRing implements Ring {
  looks = 0;
  copies = 0;
  readonly #memory: RingMemory;
  readonly #flags: readonly Word32[]; // 0: the writer's turn; else the reader's, and length + 1
  #writing = 0;
  #reading = 0;

  constructor(memory: RingMemory) {
    const { capacity, data } = memory;
    this.#memory = memory;
    this.#flags = Array.from(
      { length: capacity / SLOT },
      (_, slot) => new Word32(memory, { path: `flag ${slot}`, offset: data + slot * SLOT }),
    );
  }

  write(message: Uint8Array): boolean {
    if (message.length > SLOT - FLAG) {
      throw new RangeError(`Cannot write ${message.length} bytes: a slot has ${SLOT - FLAG}`);
    }
    const flag = this.#flags[this.#writing]!;
    this.looks++;
    if (flag.load() !== 0) return false;
    this.copies++;
    copyIn(this.#memory, this.#place(this.#writing), message);
    flag.store(message.length + 1); // from here on it is the reader's turn
    this.#writing = (this.#writing + 1) % this.#flags.length;
    return true;
  }

  read(target: Uint8Array<ArrayBuffer>): number | undefined {
    const flag = this.#flags[this.#reading]!;
    this.looks++;
    const filled = flag.load();
    if (filled === 0) return undefined;
    this.copies++;
    copyOut(this.#memory, this.#place(this.#reading), target, filled - 1);
    flag.store(0); // from here on it is the writer's turn
    this.#reading = (this.#reading + 1) % this.#flags.length;
    return filled - 1;
  }

  #place(slot: number): number {
    return this.#memory.data + slot * SLOT + FLAG;
  }
}
