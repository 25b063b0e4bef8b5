/**
 * A byte ring whose positions are addresses that only grow, as those of an endless queue would.
 *
 * ```
 *   reserved addresses   start                                                        end
 *                        |  consumed: zeros  |  first  |  second |  not reached: zeros |
 *                                              tail ^.......^ head
 *                        both windows show the same C bytes of memory
 *
 *   the next bytes end   |  consumed: zeros            |  second |  first  |           |
 *   behind the second                                    tail ^....^ ... head
 * ```
 *
 * In the mirror ring, the read position jumps back by C at the seam. Here, the first window leaps
 * over the second, and both positions go on. The memory stays C bytes, and one page is enough.
 *
 * - I1 Both windows show the whole memory, and both begin at a multiple of C from `start`. So
 *   address `a` shows byte `(a - start) % C` of the memory, whichever window has it.
 * - I2 `first <= tail <= head <= tail + C`, and `head <= first + 2C`: the windows show all readable
 *   bytes, in one piece.
 * - I3 A claim of `length <= tail + C - head` bytes that ends behind the second window has
 *   `tail > first + C`. So every byte of the first window is consumed, and it can leap.
 * - I4 If the range ends before the third window's place, both windows appear at `start`. The second
 *   one also stays where it was until all bytes that it showed are consumed. So a view of
 *   unconsumed bytes is valid in every case.
 *
 * A window that leaves is replaced by private zeros, not by a hole. A view of consumed bytes that a
 * program has kept reads zeros, and does not end the process.
 *
 * A leap is two system calls. The kernel removes the old window from the page tables, and stops
 * every other processor that runs this process until that one has dropped the addresses too
 * (`bench/leapfrog_ring.ts` counts this). The tables themselves stay: 4 KiB for each 2 MiB of
 * addresses that the ring has passed.
 *
 * Two processes cannot share such a ring: a leap moves a window in the tables of one process only.
 *
 * @module
 */

import { checkedOptions, inWords } from "../arguments.ts";
import { byteLengthOf, fill, partOf } from "../arrays.ts";
import { check } from "../errors.ts";
import { Mapping } from "../memory/mapping.ts";
import { onCollected } from "../os/clock.ts";
import { close, map, MapFlag, MemfdFlag, Protection } from "../os/files.ts";
import { wholePages } from "../os/page.ts";
import { noteOpen } from "../region/registry.ts";
import { checkCapacity, checkClaim, checkCommit, checkConsume, checkPeek } from "./positions.ts";
import { makeMemory } from "./ring_memory.ts";

/** The options of a {@linkcode LeapfrogRing}. */
export interface LeapfrogRingOptions {
  /**
   * The number of bytes of addresses to reserve, at least four times the capacity; 64 MiB by
   * default, or four times the capacity if that is more. Addresses take no memory.
   */
  range?: number | undefined;
}

const WHAT = "a leapfrog ring";
const USUAL_RANGE = 64 * 1024 * 1024;
const RANGE_LIMIT = 2 ** 40;
const READ_WRITE = Protection.read | Protection.write;

/**
 * A byte ring within this process whose positions are addresses that only grow: one memory, mapped
 * at two adjacent addresses, of which the first leaps over the second once it is consumed. All
 * readable bytes are contiguous, and a consumed byte is not readable at its address any more. At
 * the end of its range of addresses the ring starts over at the beginning.
 *
 * `MirrorRing` does the same work without system calls, and is faster. This ring shows where an
 * endless queue would be, and turns the use of a consumed byte into a zero.
 *
 * @example One page of memory that moves forward
 * ```ts
 * import { LeapfrogRing } from "@vring/vring";
 *
 * using ring = new LeapfrogRing(4096);
 * const start = ring.head;
 * for (let i = 0; i < 10; i++) {
 *   ring.write(new Uint8Array(3000).fill(i));
 *   ring.consume(3000);
 * }
 * console.log(ring.head - start, ring.capacity); // 30000 4096
 * ```
 */
export class LeapfrogRing implements Disposable {
  /** The capacity in bytes: the requested minimum, rounded up to whole pages. */
  readonly capacity: number;
  /** The first address of the range. */
  readonly start: number;
  /** The address behind the range. */
  readonly end: number;
  readonly #mapping: Mapping;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #fd: number;
  readonly #forget: () => void;
  readonly #keepFd: () => void;
  // Offsets from `start`: small integers, which the engine adds faster than addresses.
  #first = 0;
  #tail = 0;
  #available = 0;
  #claimed = 0;
  /** The offset of a window that stayed at the end of the range (I4); -1 without one. */
  #left = -1;
  #leaps = 0;
  #laps = 0;

  /** Makes an empty ring of at least `minCapacity` bytes. */
  constructor(minCapacity: number, options?: LeapfrogRingOptions) {
    checkCapacity(minCapacity);
    const { range } = checkedOptions(options, "make a ring", ["range"]);
    this.capacity = wholePages(minCapacity);
    const length = rangeFor(this.capacity, range);
    this.#fd = makeMemory(this.capacity, WHAT, MemfdFlag.closeOnExec);
    try {
      this.#mapping = reserve(length);
    } catch (error) {
      close(this.#fd);
      throw error;
    }
    const fd = this.#fd;
    this.#keepFd = onCollected(this.#mapping.buffer, () => close(fd));
    this.#bytes = this.#mapping.bytes;
    this.start = this.#mapping.address;
    this.end = this.start + length;
    this.#forget = noteOpen(this, `${WHAT} of ${this.capacity} bytes`);
    try {
      this.#show(0);
      this.#show(this.capacity);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The number of readable bytes. */
  get available(): number {
    return this.#available;
  }

  /** The number of free bytes. */
  get free(): number {
    return this.capacity - this.#available;
  }

  /** The address of the next byte to write; `head - tail` bytes are readable. */
  get head(): number {
    return this.start + this.#tail + this.#available;
  }

  /** The address of the next byte to read. */
  get tail(): number {
    return this.start + this.#tail;
  }

  /** The address of the first window; the second follows `capacity` bytes later. */
  get window(): number {
    return this.start + this.#first;
  }

  /** The number of times that a window has moved. */
  get leaps(): number {
    return this.#leaps;
  }

  /** The number of times that the ring has reached the end of its range and started over. */
  get laps(): number {
    return this.#laps;
  }

  /** Copies as many bytes into the ring as fit; returns their number. */
  write(source: Uint8Array): number {
    this.#checkOpen();
    const given = byteLengthOf(source, "write to", "the ring");
    const length = Math.min(given, this.capacity - this.#available);
    const part = length === given ? source : partOf(source, 0, length);
    this.#claimed = 0;
    this.#reach(length);
    this.#bytes.set(part, this.#tail + this.#available);
    this.#available += length;
    return length;
  }

  /**
   * Copies as many readable bytes into the target as fit and removes them; returns their number.
   */
  read(target: Uint8Array): number {
    this.#checkOpen();
    const length = Math.min(byteLengthOf(target, "read from", "the ring"), this.#available);
    fill(target, this.#view(this.#tail, length));
    this.#consumed(length);
    return length;
  }

  /**
   * Returns contiguous free space to write in place; `commit` makes the bytes readable. The next
   * claim or `write` discards this claim. Throws a RangeError if less space is free.
   */
  claim(length?: number): Uint8Array<ArrayBuffer> {
    if (length === undefined) length = this.free;
    this.#checkOpen();
    checkClaim(length, this.free, this.capacity);
    this.#claimed = 0;
    this.#reach(length);
    this.#claimed = length;
    return this.#view(this.#tail + this.#available, length);
  }

  /** Makes the first `length` bytes of the last claim readable. */
  commit(length?: number): void {
    if (length === undefined) length = this.#claimed;
    this.#checkOpen();
    checkCommit(length, this.#claimed);
    this.#available += length;
    this.#claimed = 0;
  }

  /** Returns the first `length` readable bytes in place, contiguous; all of them by default. */
  peek(length?: number): Uint8Array<ArrayBuffer> {
    if (length === undefined) length = this.#available;
    this.#checkOpen();
    checkPeek(length, this.#available);
    return this.#view(this.#tail, length);
  }

  /** Removes the first `length` readable bytes. */
  consume(length: number): void {
    this.#checkOpen();
    checkConsume(length, this.#available);
    this.#consumed(length);
  }

  /** Closes the ring: empties every view of it and releases its memory and its addresses. */
  close(): void {
    this.#forget();
    if (this.#mapping.closed) return;
    this.#keepFd();
    close(this.#fd);
    this.#mapping.close();
  }

  /** Closes the ring, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Moves the windows so that they show the next `length` bytes behind the head. */
  #reach(length: number): void {
    if (this.#tail + this.#available + length <= this.#first + 2 * this.capacity) return;
    const { capacity } = this;
    const consumed = this.#first;
    // All of their bytes are consumed: I3, I4. They go first, so that a leap needs no more mappings
    // of the kernel than it gives back. If it refuses one, the same leap can be tried again.
    this.#hide(consumed);
    if (this.#left >= 0) this.#hide(this.#left);
    if (consumed + 3 * capacity <= this.end - this.start) {
      this.#show(consumed + 2 * capacity);
      this.#first += capacity;
      this.#left = -1;
    } else {
      this.#show(0);
      this.#show(capacity);
      this.#left = consumed + capacity;
      this.#tail -= this.#left; // I1: the windows that begin at `left` and at 0 show the same
      this.#first = 0;
      this.#laps++;
    }
    this.#leaps++;
  }

  /** Shows the memory in the window at an offset. Its pages are entered in the page tables at once. */
  #show(offset: number): void {
    const { shared, fixed, populate } = MapFlag;
    const request = { protection: READ_WRITE, flags: shared | fixed | populate, fd: this.#fd };
    this.#place(offset, request, "move a window of");
  }

  /** Replaces the window at an offset by private zeros. */
  #hide(offset: number): void {
    const flags = MapFlag.private | MapFlag.anonymous | MapFlag.noReserve | MapFlag.fixed;
    this.#place(offset, { protection: READ_WRITE, flags }, "remove a window of");
  }

  #place(
    offset: number,
    request: { protection: number; flags: number; fd?: number },
    doing: string,
  ): void {
    const mapped = map({ address: this.start + offset, length: this.capacity, ...request });
    check(mapped, { syscall: "mmap", action: `${doing} ${WHAT}` });
  }

  /** In place of `subarray`, which takes longer. */
  #view(start: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#mapping.buffer, start, length);
  }

  #consumed(length: number): void {
    this.#tail += length;
    this.#available -= length;
  }

  #checkOpen(): void {
    if (this.#bytes.length === 0) throw this.#mapping.whyUnusable("the ring");
  }
}

/** Returns the bytes of addresses to reserve: whole windows, and at least four (I4). */
function rangeFor(capacity: number, range: number | undefined): number {
  const least = 4 * capacity;
  const wanted = range ?? Math.max(USUAL_RANGE, least);
  const isPossible = Number.isSafeInteger(wanted) && wanted >= least && wanted <= RANGE_LIMIT;
  if (isPossible) return Math.ceil(wanted / capacity) * capacity;
  throw new RangeError(
    `Cannot make a ring of ${capacity} bytes in a range of ${
      inWords(wanted)
    } bytes: pass a whole ` +
      `number of bytes from ${least}, four times the capacity, to ${RANGE_LIMIT}`,
  );
}

/** Reserves addresses, which show private zeros until a window comes there. */
function reserve(length: number): Mapping {
  const flags = MapFlag.private | MapFlag.anonymous | MapFlag.noReserve;
  const address = map({ length, protection: READ_WRITE, flags });
  check(address, {
    syscall: "mmap",
    action: `reserve ${length} bytes of addresses for ${WHAT}`,
  });
  return new Mapping(address, { length, what: WHAT });
}
