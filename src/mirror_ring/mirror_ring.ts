/**
 * A byte ring within one process, on memory that is mapped twice (memory/mirror.ts).
 *
 * @module
 */

import { checkedOptions } from "../arguments.ts";
import { byteLengthOf, fill, partOf } from "../arrays.ts";
import { OsError } from "../errors.ts";
import { noteOpen } from "../region/registry.ts";
import type { Mapping } from "../memory/mapping.ts";
import { mapMirrored } from "../memory/mirror.ts";
import { close, MemfdFlag } from "../os/files.ts";
import { pageSize, wholePages } from "../os/page.ts";
import { checkCapacity, checkClaim, checkCommit, checkConsume, checkPeek } from "./positions.ts";
import { makeMemory } from "./ring_memory.ts";

/** The options of a {@linkcode MirrorRing}. */
export interface MirrorRingOptions {
  /** Uses 2 MiB pages if the system has some; otherwise `hugePagesRefused` states why not. */
  hugePages?: boolean | undefined;
}

const HUGE_PAGE = 2 * 1024 * 1024;

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
    checkCapacity(minCapacity);
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
    checkClaim(length, this.free, this.capacity);
    this.#claimed = length;
    return this.#view(this.#writeAt(), length);
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
    return this.#view(this.#readAt, length);
  }

  /** Removes the first `length` readable bytes. */
  consume(length: number): void {
    this.#checkOpen();
    checkConsume(length, this.#available);
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
  const fd = makeMemory(capacity, what, flags);
  try {
    return { mapping: mapMirrored(fd, { header: 0, capacity, alignment, what }), capacity };
  } finally {
    close(fd); // the mappings keep the memory
  }
}
