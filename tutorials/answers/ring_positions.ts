/**
 * My ring, second stage: positions, and publishing last.
 *
 * @module
 */

import { map, MapFlag, Protection, unmap } from "../../src/os/files.ts";
import { checkRing } from "../24_your_ring/check.ts";
import type { RingMemory, RingWord } from "../24_your_ring/memory.ts";

/** Returns the address of the header, or the kernel's error with nothing left mapped. */
export function mapRing(fd: number, header: number, capacity: number): number {
  const length = header + 2 * capacity;
  const base = map({
    length,
    protection: Protection.none,
    flags: MapFlag.private | MapFlag.anonymous | MapFlag.noReserve,
  });
  if (base < 0) return base;
  const protection = Protection.read | Protection.write;
  const flags = MapFlag.shared | MapFlag.fixed;
  const second = base + header + capacity;
  let mapped = map({ address: base, length: header + capacity, protection, flags, fd });
  if (mapped >= 0) {
    mapped = map({ address: second, length: capacity, protection, flags, fd, offset: header });
  }
  if (mapped >= 0) return base;
  unmap(base, length);
  return mapped;
}

/** Positions count all bytes ever sent and received, and wrap at 2^32. */
export class Ring {
  readonly #memory: RingMemory;
  readonly #head: RingWord; // only the producer stores it
  readonly #tail: RingWord; // only the consumer stores it

  constructor(memory: RingMemory) {
    this.#memory = memory;
    this.#head = memory.word("head");
    this.#tail = memory.word("tail");
  }

  trySend(message: Uint8Array): boolean {
    const { capacity, size } = this.#memory;
    const head = this.#head.glance();
    const used = (head - this.#tail.glance()) >>> 0;
    if (used + size > capacity) return false;
    this.#memory.copyIn(head % capacity, message);
    this.#head.storePlainly(head + size); // the message is there once this is seen
    return true;
  }

  tryReceive(): Uint8Array | undefined {
    const { capacity, size } = this.#memory;
    const tail = this.#tail.glance();
    if (this.#head.glance() === tail) return undefined;
    const message = this.#memory.copyOut(tail % capacity);
    this.#tail.storePlainly(tail + size); // the bytes are read once this is seen
    return message;
  }
}

if (import.meta.main) checkRing({ mapRing, Ring }, import.meta.url);
