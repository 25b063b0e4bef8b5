/**
 * A byte ring within one process, on memory that is mapped twice (memory/mirror.ts).
 *
 * @module
 */

import { checkedOptions } from "../arguments.ts";
import { OsError } from "../errors.ts";
import type { Mapping } from "../memory/mapping.ts";
import { mapMirrored } from "../memory/mirror.ts";
import { close, MemfdFlag } from "../os/files.ts";
import { pageSize, wholePages } from "../os/page.ts";
import { makeMemory } from "./ring_memory.ts";
import { checkCapacity, WindowedRing } from "./windowed_ring.ts";

/** The options of a {@linkcode MirrorRing}. */
export interface MirrorRingOptions {
  /** Uses 2 MiB pages if the system has some; otherwise `hugePagesRefused` states why not. */
  hugePages?: boolean | undefined;
}

const WHAT = "a mirror ring";
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
export class MirrorRing extends WindowedRing {
  /** Whether the ring uses 2 MiB pages. */
  readonly hugePages: boolean;
  /** The reason for using small pages although 2 MiB pages were requested; else undefined. */
  readonly hugePagesRefused: string | undefined;
  #readAt = 0; // below the capacity

  /** Makes an empty ring of at least `minCapacity` bytes. */
  constructor(minCapacity: number, options?: MirrorRingOptions) {
    checkCapacity(minCapacity);
    const { hugePages } = checkedOptions(options, "make a ring");
    const huge = hugePages ? tryHugePages(minCapacity) : undefined;
    const { mapping, capacity } = huge?.memory ?? smallPages(minCapacity);
    super(mapping, capacity, WHAT);
    this.hugePages = huge?.memory !== undefined;
    this.hugePagesRefused = huge?.reason;
  }

  /**
   * The memory of both windows, `2 * capacity` bytes: byte `i` and byte `i + capacity` are the same
   * byte.
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    this.checkOpen();
    return this.mapping.bytes;
  }

  /** @ignore */
  protected override get readAt(): number {
    return this.#readAt;
  }

  /** Returns where the free bytes begin: both windows always show all of them.
   * @ignore */
  protected override reach(_length: number): number {
    return this.#within(this.#readAt + this.available);
  }

  /** @ignore */
  protected override pass(length: number): void {
    this.#readAt = this.#within(this.#readAt + length);
  }

  #within(at: number): number {
    return at < this.capacity ? at : at - this.capacity;
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
  const fd = makeMemory(capacity, WHAT, flags);
  try {
    return { mapping: mapMirrored(fd, { header: 0, capacity, alignment, what: WHAT }), capacity };
  } finally {
    close(fd); // the mappings keep the memory
  }
}
