/**
 * A ring, stage 4: mirrored. The data is mapped twice, so every message is in one piece.
 *
 * @module
 */

import { copyIn, copyOut, Word32 } from "../../src/memory/word.ts";
import { HEAD, type Ring, type RingMemory, TAIL } from "./ring_memory.ts";

/** The bytes of a length, in front of each message. */
const LENGTH = 4;

/** A ring of bytes in which the beginning follows the end. */
export class MirroredRing implements Ring {
  looks = 0;
  copies = 0;
  readonly #memory: RingMemory;
  readonly #lengths: Uint32Array;
  readonly #head: Word32; // only the writer stores it
  readonly #tail: Word32; // only the reader stores it
  #written: number; // the writer's own head ..
  #tailSeen: number; // .. and the tail when it last looked: at worst, there is more room by now
  #read: number; // the reader's own tail ..
  #headSeen: number; // .. and the head when it last looked: at worst, there is more to read by now

  constructor(memory: RingMemory) {
    this.#memory = memory;
    this.#lengths = new Uint32Array(memory.bytes.buffer, memory.data);
    this.#head = new Word32(memory, HEAD);
    this.#tail = new Word32(memory, TAIL);
    this.#written = this.#headSeen = this.#head.load();
    this.#read = this.#tailSeen = this.#tail.load();
  }

  write(message: Uint8Array): boolean {
    const head = this.#written;
    const needed = sizeOf(message.length);
    if (needed > this.#free(head) && needed > this.#lookForFree(head)) return false;
    this.#lengths[this.#place(head) / LENGTH] = message.length;
    this.#copyIn(head + LENGTH, message);
    this.#written = (head + needed) >>> 0;
    this.#head.store(this.#written); // from here on the reader may have it
    return true;
  }

  read(target: Uint8Array<ArrayBuffer>): number | undefined {
    const tail = this.#read;
    if (this.#available(tail) === 0 && this.#lookForMore(tail) === 0) return undefined;
    const length = this.#lengths[this.#place(tail) / LENGTH]!;
    this.#copyOut(tail + LENGTH, target, length);
    this.#read = (tail + sizeOf(length)) >>> 0;
    this.#tail.store(this.#read); // from here on the writer may have it
    return length;
  }

  /** Shows the next message in place, without a copy; false if the ring is empty. */
  readInPlace(handler: (message: Uint8Array) => void): boolean {
    const tail = this.#read;
    if (this.#available(tail) === 0 && this.#lookForMore(tail) === 0) return false;
    const length = this.#lengths[this.#place(tail) / LENGTH]!;
    const place = this.#memory.data + this.#place(tail + LENGTH);
    handler(this.#memory.bytes.subarray(place, place + length)); // in one piece, always
    this.#read = (tail + sizeOf(length)) >>> 0;
    this.#tail.store(this.#read); // not before the handler is done
    return true;
  }

  #free(head: number): number {
    return this.#memory.capacity - ((head - this.#tailSeen) >>> 0);
  }

  #lookForFree(head: number): number {
    this.looks++;
    this.#tailSeen = this.#tail.load();
    return this.#free(head);
  }

  #available(tail: number): number {
    return (this.#headSeen - tail) >>> 0;
  }

  #lookForMore(tail: number): number {
    this.looks++;
    this.#headSeen = this.#head.load();
    return this.#available(tail);
  }

  #copyIn(position: number, message: Uint8Array): void {
    this.copies++;
    copyIn(this.#memory, this.#memory.data + this.#place(position), message); // beyond the end too
  }

  #copyOut(position: number, target: Uint8Array<ArrayBuffer>, length: number): void {
    this.copies++;
    copyOut(this.#memory, this.#memory.data + this.#place(position), target, length);
  }

  #place(position: number): number {
    return position % this.#memory.capacity; // which divides 2^32
  }
}

/** What a message takes. A multiple of 4, so that no length lies across the end. */
function sizeOf(length: number): number {
  return LENGTH + Math.ceil(length / LENGTH) * LENGTH;
}
