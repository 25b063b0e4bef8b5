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
import { check } from "../errors.ts";
import { Mapping } from "../memory/mapping.ts";
import { onCollected } from "../os/clock.ts";
import { close, map, MapFlag, MemfdFlag, Protection } from "../os/files.ts";
import { wholePages } from "../os/page.ts";
import { makeMemory } from "./ring_memory.ts";
import { checkCapacity, WindowedRing } from "./windowed_ring.ts";

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
export class LeapfrogRing extends WindowedRing {
  /** The first address of the range. */
  readonly start: number;
  /** The address behind the range. */
  readonly end: number;
  readonly #fd: number;
  readonly #keepFd: () => void;
  // Offsets from `start`: small integers, which the engine adds faster than addresses.
  #first = 0;
  #tail = 0;
  /** The offset of a window that stayed at the end of the range (I4); -1 without one. */
  #left = -1;
  #leaps = 0;
  #laps = 0;

  /** Makes an empty ring of at least `minCapacity` bytes. */
  constructor(minCapacity: number, options?: LeapfrogRingOptions) {
    checkCapacity(minCapacity);
    const { range } = checkedOptions(options, "make a ring", ["range"]);
    const capacity = wholePages(minCapacity);
    const length = rangeFor(capacity, range);
    const fd = makeMemory(capacity, WHAT, MemfdFlag.closeOnExec);
    let mapping: Mapping;
    try {
      mapping = reserve(length);
    } catch (error) {
      close(fd);
      throw error;
    }
    super(mapping, capacity, WHAT);
    this.#fd = fd;
    this.#keepFd = onCollected(mapping.buffer, () => close(fd));
    this.start = mapping.address;
    this.end = this.start + length;
    try {
      this.#show(0);
      this.#show(capacity);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The address of the next byte to write; `head - tail` bytes are readable. */
  get head(): number {
    return this.tail + this.available;
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

  /** Closes the ring: empties every view of it and releases its memory and its addresses. */
  override close(): void {
    if (!this.mapping.closed) {
      this.#keepFd();
      close(this.#fd);
    }
    super.close();
  }

  /** @ignore */
  protected override get readAt(): number {
    return this.#tail;
  }

  /** @ignore */
  protected override pass(length: number): void {
    this.#tail += length;
  }

  /** Moves the windows so that they show the next `length` bytes behind the head.
   * @ignore */
  protected override reach(length: number): number {
    const end = this.#tail + this.available + length;
    if (end > this.#first + 2 * this.capacity) this.#leap();
    return this.#tail + this.available;
  }

  #leap(): void {
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
