/**
 * My ring: the whole work.
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
  readonly #bell: RingWord;

  constructor(memory: RingMemory, bell: RingWord = memory.word("bell")) {
    this.#memory = memory;
    this.#head = memory.word("head");
    this.#tail = memory.word("tail");
    this.#bell = bell;
  }

  trySend(message: Uint8Array): boolean {
    const { capacity, size } = this.#memory;
    const head = this.#head.glance();
    const used = (head - this.#tail.load()) >>> 0;
    if (used + size > capacity) return false;
    this.#memory.copyIn(head % capacity, message);
    this.#head.store(head + size); // the message is there once this is seen
    if ((this.#bell.load() & 1) === 1) this.#bell.addAndWake();
    return true;
  }

  tryReceive(): Uint8Array | undefined {
    const { capacity, size } = this.#memory;
    const tail = this.#tail.glance();
    if (this.#head.load() === tail) return undefined;
    const message = this.#memory.copyOut(tail % capacity);
    this.#tail.store(tail + size); // the bytes are read once this is seen
    return message;
  }

  receive(): Uint8Array {
    return waitFor(this.#bell, () => this.tryReceive());
  }
}

/** A consumer of many rings, which takes turns. */
export class Many {
  readonly #rings: readonly Ring[];
  readonly #bell: RingWord;
  #last = 0;

  constructor(lanes: readonly RingMemory[]) {
    this.#bell = lanes[0]!.word("bell");
    this.#rings = lanes.map((lane) => new Ring(lane));
  }

  tryReceive(): Uint8Array | undefined {
    const { length } = this.#rings;
    for (let i = 1; i <= length; i++) {
      const lane = (this.#last + i) % length;
      const message = this.#rings[lane]!.tryReceive();
      if (message === undefined) continue;
      this.#last = lane;
      return message;
    }
    return undefined;
  }

  receive(): Uint8Array {
    return waitFor(this.#bell, () => this.tryReceive());
  }
}

/** Looks, raises the bell, looks again, and sleeps on the value that it raised. */
function waitFor(bell: RingWord, take: () => Uint8Array | undefined): Uint8Array {
  for (;;) {
    const message = take();
    if (message !== undefined) return message;
    const raised = bell.or(1) | 1;
    const late = take();
    if (late !== undefined) return late;
    bell.sleepWhile(raised);
  }
}

if (import.meta.main) checkRing({ mapRing, Ring, Many }, import.meta.url);
