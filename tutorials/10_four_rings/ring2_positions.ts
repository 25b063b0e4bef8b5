/**
 * A ring, stage 2: positions. Two words count all bytes ever written and ever read.
 *
 * @module
 */

import { copyIn, copyOut, Word32 } from "../../src/memory/word.ts";
import { HEAD, type Ring, type RingMemory, TAIL } from "./ring_memory.ts";

/** The bytes of a length, in front of each message. */
const LENGTH = 4;

/** A ring of bytes: messages have any length, and take only the room that they need. */
export class PositionRing implements Ring {
  looks = 0;
  copies = 0;
  readonly #memory: RingMemory;
  readonly #lengths: Uint32Array;
  readonly #head: Word32; // only the writer stores it
  readonly #tail: Word32; // only the reader stores it

  constructor(memory: RingMemory) {
    this.#memory = memory;
    this.#lengths = new Uint32Array(memory.bytes.buffer, memory.data);
    this.#head = new Word32(memory, HEAD);
    this.#tail = new Word32(memory, TAIL);
  }

  write(message: Uint8Array): boolean {
    const head = this.#head.load();
    const needed = sizeOf(message.length);
    if (needed > this.#free(head)) return false;
    this.#lengths[this.#place(head) / LENGTH] = message.length;
    this.#copyIn(head + LENGTH, message);
    this.#head.store(head + needed); // from here on the reader may have it
    return true;
  }

  read(target: Uint8Array<ArrayBuffer>): number | undefined {
    const tail = this.#tail.load();
    if (this.#available(tail) === 0) return undefined;
    const length = this.#lengths[this.#place(tail) / LENGTH]!;
    this.#copyOut(tail + LENGTH, target, length);
    this.#tail.store(tail + sizeOf(length)); // from here on the writer may have it
    return length;
  }

  #free(head: number): number {
    this.looks++;
    return this.#memory.capacity - ((head - this.#tail.load()) >>> 0);
  }

  #available(tail: number): number {
    this.looks++;
    return (this.#head.load() - tail) >>> 0;
  }

  #copyIn(position: number, message: Uint8Array): void {
    const { data, capacity } = this.#memory;
    const place = this.#place(position);
    const first = Math.min(message.length, capacity - place);
    this.copies++;
    if (first === message.length) return copyIn(this.#memory, data + place, message);
    copyIn(this.#memory, data + place, message.subarray(0, first));
    this.copies++;
    copyIn(this.#memory, data, message.subarray(first));
  }

  #copyOut(position: number, target: Uint8Array<ArrayBuffer>, length: number): void {
    const { data, capacity } = this.#memory;
    const place = this.#place(position);
    const first = Math.min(length, capacity - place);
    this.copies++;
    copyOut(this.#memory, data + place, target, first);
    if (first === length) return;
    this.copies++;
    copyOut(this.#memory, data, target.subarray(first), length - first);
  }

  #place(position: number): number {
    return position % this.#memory.capacity; // which divides 2^32
  }
}

/** What a message takes. A multiple of 4, so that no length lies across the end. */
function sizeOf(length: number): number {
  return LENGTH + Math.ceil(length / LENGTH) * LENGTH;
}
