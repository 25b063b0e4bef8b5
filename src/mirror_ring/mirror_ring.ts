/**
 * A byte ring within one process, on memory that is mapped twice (memory/mirror.ts).
 *
 * @module
 */

import { byteLengthOf, checkedOptions, fill, inWords, partOf } from "../arguments.ts";
import { check, Errno, OsError } from "../errors.ts";
import { noteOpen } from "../region/registry.ts";
import type { Mapping } from "../memory/mapping.ts";
import { mapMirrored } from "../memory/mirror.ts";
import { allocate, close, memfd, MemfdFlag, truncate } from "../os/files.ts";
import { availableMemory, pageSize, wholePages } from "../os/page.ts";

/** The options of a {@linkcode MirrorRing}. */
export interface MirrorRingOptions {
  /** Uses 2 MiB pages if the system has some; otherwise `hugePagesRefused` states why not. */
  hugePages?: boolean | undefined;
}

const HUGE_PAGE = 2 * 1024 * 1024;
const CAPACITY_LIMIT = 2 ** 36;

/**
 * A byte ring within this process, on memory that is mapped at two adjacent addresses. So all
 * readable bytes are contiguous, and so is all free space. Every byte of its capacity can be used.
 *
 * @example Bytes that cross the seam stay in one piece
 * ```ts
 * import { MirrorRing } from "@vring/vring";
 *
 * using ring = new MirrorRing(4096);
 * ring.commit(ring.claim(ring.capacity - 3).length);
 * ring.consume(ring.available); // both positions are now 3 bytes before the end
 *
 * ring.write(new TextEncoder().encode("seamless"));
 * console.log(new TextDecoder().decode(ring.peek())); // "seamless"
 * ```
 */
export class MirrorRing implements Disposable {
  /** The capacity in bytes: the requested minimum, rounded up to whole pages. */
  readonly capacity: number;
  /** Whether the ring uses 2 MiB pages. */
  readonly hugePages: boolean;
  /** The reason for using small pages although 2 MiB pages were requested; else undefined. */
  readonly hugePagesRefused: string | undefined;
  readonly #mapping: Mapping;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #forget: () => void;
  // 0 <= #readAt < capacity and 0 <= #available <= capacity; the write position follows from both.
  #readAt = 0;
  #available = 0;
  #claimed = 0;

  /** Makes an empty ring of at least `minCapacity` bytes. */
  constructor(minCapacity: number, options?: MirrorRingOptions) {
    if (!Number.isSafeInteger(minCapacity) || minCapacity < 1 || minCapacity > CAPACITY_LIMIT) {
      throw new RangeError(
        `Cannot make a ring of ${
          inWords(minCapacity)
        } bytes: the capacity is a whole number of bytes ` +
          `from 1 to ${CAPACITY_LIMIT}`,
      );
    }
    const { hugePages } = checkedOptions(options, "make a ring");
    const huge = hugePages ? tryHugePages(minCapacity) : undefined;
    const memory = huge?.memory ?? smallPages(minCapacity);
    this.#mapping = memory.mapping;
    this.#bytes = memory.mapping.bytes;
    this.capacity = memory.capacity;
    this.hugePages = huge?.memory !== undefined;
    this.hugePagesRefused = huge?.reason;
    this.#forget = noteOpen(this, `a mirror ring of ${this.capacity} bytes`);
  }

  /** The number of readable bytes. */
  get available(): number {
    return this.#available;
  }

  /** The number of free bytes. */
  get free(): number {
    return this.capacity - this.#available;
  }

  /**
   * The memory of both windows, `2 * capacity` bytes: byte `i` and byte `i + capacity` are the same
   * byte.
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    this.#checkOpen();
    return this.#bytes;
  }

  /** Copies as many bytes into the ring as fit; returns their number. */
  write(source: Uint8Array): number {
    this.#checkOpen();
    const given = byteLengthOf(source, "write to", "the ring");
    const length = Math.min(given, this.capacity - this.#available);
    const part = length === given ? source : partOf(source, 0, length);
    this.#bytes.set(part, this.#writeAt()); // may run past the seam: the mirror makes it contiguous
    this.#available += length;
    this.#claimed = 0;
    return length;
  }

  /**
   * Copies as many readable bytes into the target as fit and removes them; returns their number.
   */
  read(target: Uint8Array): number {
    this.#checkOpen();
    const length = Math.min(byteLengthOf(target, "read from", "the ring"), this.#available);
    fill(target, this.#view(this.#readAt, length));
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
    if (!isWithin(length, this.free)) {
      throw new RangeError(
        `Cannot claim ${
          inWords(length)
        } bytes of the ring: ${this.free} of ${this.capacity} are free`,
      );
    }
    this.#claimed = length;
    return this.#view(this.#writeAt(), length);
  }

  /** Makes the first `length` bytes of the last claim readable. */
  commit(length?: number): void {
    if (length === undefined) length = this.#claimed;
    this.#checkOpen();
    if (!isWithin(length, this.#claimed)) {
      throw new RangeError(
        `Cannot commit ${inWords(length)} bytes to the ring: ${this.#claimed} are claimed`,
      );
    }
    this.#available += length;
    this.#claimed = 0;
  }

  /** Returns the first `length` readable bytes in place, contiguous; all of them by default. */
  peek(length?: number): Uint8Array<ArrayBuffer> {
    if (length === undefined) length = this.#available;
    this.#checkOpen();
    if (!isWithin(length, this.#available)) {
      throw new RangeError(
        `Cannot peek at ${inWords(length)} bytes of the ring: ${this.#available} are readable`,
      );
    }
    return this.#view(this.#readAt, length);
  }

  /** Removes the first `length` readable bytes. */
  consume(length: number): void {
    this.#checkOpen();
    if (!isWithin(length, this.#available)) {
      throw new RangeError(
        `Cannot consume ${inWords(length)} bytes of the ring: ${this.#available} are readable`,
      );
    }
    this.#consumed(length);
  }

  /** In place of `subarray`, which takes longer. */
  #view(start: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#mapping.buffer, start, length);
  }

  #consumed(length: number): void {
    const at = this.#readAt + length;
    this.#readAt = at < this.capacity ? at : at - this.capacity;
    this.#available -= length;
  }

  #writeAt(): number {
    const at = this.#readAt + this.#available;
    return at < this.capacity ? at : at - this.capacity;
  }

  /** Closes the ring: empties every view of it and releases its memory. */
  close(): void {
    this.#forget();
    this.#mapping.close();
  }

  /** Closes the ring, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#bytes.length === 0) throw this.#mapping.whyUnusable("the ring");
  }
}

function isWithin(length: number, limit: number): boolean {
  return Number.isInteger(length) && length >= 0 && length <= limit;
}

interface RingMemory {
  mapping: Mapping;
  capacity: number;
}

function smallPages(minCapacity: number): RingMemory {
  const capacity = wholePages(minCapacity);
  return mapMemfd(capacity, MemfdFlag.closeOnExec, pageSize());
}

/**
 * Maps 2 MiB pages, or returns a reason. Their pool is usually empty, so a refusal is an outcome,
 * not an error.
 */
function tryHugePages(minCapacity: number): { memory?: RingMemory; reason?: string | undefined } {
  const capacity = wholePages(minCapacity, HUGE_PAGE);
  try {
    const flags = MemfdFlag.closeOnExec | MemfdFlag.hugePages;
    return { memory: mapMemfd(capacity, flags, HUGE_PAGE) };
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    return {
      reason: `${error.message}; reserve ${capacity / HUGE_PAGE} or more huge pages with ` +
        "sysctl vm.nr_hugepages",
    };
  }
}

function mapMemfd(capacity: number, flags: number, alignment: number): RingMemory {
  const what = "a mirror ring";
  // The system already counts reserved huge pages as used.
  const available = flags & MemfdFlag.hugePages ? Infinity : availableMemory();
  if (capacity > available) {
    const state = `${capacity} bytes are needed and ${available} are available`;
    throw new OsError(Errno.ENOMEM, { syscall: "memfd_create", action: `make ${what}`, state });
  }
  const fd = memfd("vring", flags);
  check(fd, { syscall: "memfd_create", action: `make memory for ${what}` });
  try {
    check(truncate(fd, capacity), { syscall: "ftruncate", action: `size ${what}` });
    check(allocate(fd, 0, capacity), {
      syscall: "fallocate",
      action: `reserve ${capacity} bytes of memory for ${what}`,
    });
    return { mapping: mapMirrored(fd, { header: 0, capacity, alignment, what }), capacity };
  } finally {
    close(fd); // the mappings keep the memory
  }
}
