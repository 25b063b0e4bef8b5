/**
 * Named shared memory with a count of its users; the last one to close it removes it.
 *
 * The user's bytes begin one page into the file `/dev/shm/vring.shm.<name>`. A program in C maps
 * that file and finds them at `offset` (4096 where pages are 4 KiB).
 *
 * @module
 */

import { checkedOptions, inWords, isArrayConstructor } from "../arguments.ts";
import { Errno, OsError } from "../errors.ts";
import { isLayout } from "../layout/fields.ts";
import { layout } from "../layout/layout.ts";
import type { AnyLayout } from "../layout/layout.ts";
import { create, joinOnce, open, type OpenRequest, type Product } from "../region/open.ts";
import { retrySync } from "../region/poll.ts";
import { Region } from "../region/region.ts";
import { isCount } from "../layout/sizes.ts";
import { describe } from "../region/file.ts";
import type { RegionType } from "../region/header.ts";
import { regionPath } from "../region/names.ts";
import { Word32 } from "../memory/word.ts";
import { disposeAtEnd } from "../os/clock.ts";

/** The control block of shared memory. */
export const SHARED_MEMORY_CONTROL = layout("shared_memory_control", {
  references: {
    type: "u32",
    line: true,
    doc: "the number of handles when one last opened or closed; it may count killed ones",
  },
});

/** The region type of shared memory. */
export const SHARED_MEMORY: RegionType = {
  name: "shm",
  title: "shared memory",
  control: SHARED_MEMORY_CONTROL,
  mirrored: false,
};

const MEMORY: Product<{ readonly size: number }> = {
  regionType: SHARED_MEMORY,
  usual: { size: 0 }, // no default: every program states a size
  plan({ size }, what) {
    if (!isCount(size) || size === 0) {
      throw new RangeError(
        `Cannot open ${what} with ${inWords(size)} bytes: pass a size, a whole number from 1 on`,
      );
    }
    return { geometry: { size }, dataBytes: size };
  },
  geometryOf: ({ dataBytes }) => ({ size: dataBytes }),
};

/** The options for joining {@linkcode SharedMemory} that exists. */
export interface SharedMemoryConnectOptions {
  /** The exact size; any by default. */
  size?: number | undefined;
  /**
   * Observes: maps for reading only, without becoming a member, so it does not keep the memory. A write
   * through a view ends the process.
   */
  readOnly?: boolean | undefined;
  /** Also attaches if it belongs to another user than you or root. */
  anyOwner?: boolean | undefined;
}

/** The options for creating {@linkcode SharedMemory}, or joining it. */
export interface SharedMemoryOptions {
  /** The size in bytes; the same in all programs. */
  size: number;
  /** The permission bits of new memory; 0o600 by default, 0o640 with a group. */
  mode?: number | undefined;
  /** The name or number of its group, whose members can observe it. */
  group?: string | number | undefined;
  /** Keeps the memory when its last member leaves, until it is unlinked. */
  persist?: boolean | undefined;
  /** Also attaches if it belongs to another user than you or root. */
  anyOwner?: boolean | undefined;
}

/** A constructor of typed arrays, such as `Float64Array`. */
export interface TypedArrayConstructor<T> {
  /** The size of an element. */
  readonly BYTES_PER_ELEMENT: number;
  /** Makes an array over a part of a buffer. */
  new (buffer: ArrayBuffer, offset: number, length: number): T;
}

/**
 * Named memory that processes share: zeroed when new, and removed when the last one closes it.
 *
 * @example Two handles, one memory
 * ```ts
 * import { SharedMemory } from "@vring/vring";
 *
 * using mine = SharedMemory.open("example-memory", { size: 1024 });
 * using yours = SharedMemory.open("example-memory", { size: 1024 }); // as another process would
 * mine.as(Float64Array)[3] = 0.5;
 * console.log(yours.as(Float64Array)[3], yours.references); // 0.5 2
 * ```
 */
export class SharedMemory implements Disposable {
  /** The name. */
  readonly name: string;
  readonly #region: Region;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #references: Word32;

  private constructor(name: string, region: Region) {
    this.name = name;
    this.#region = region;
    const { dataOffset, dataBytes, mapping, controlOffset } = region;
    this.#bytes = mapping.bytes.subarray(dataOffset, dataOffset + dataBytes);
    const place = SHARED_MEMORY_CONTROL.fields.references;
    this.#references = new Word32(mapping, place, controlOffset);
    this.#noteReferences(0);
    disposeAtEnd(this);
  }

  /** Joins the memory of this name, or creates it. */
  static open(name: string, options: SharedMemoryOptions): SharedMemory {
    return new SharedMemory(name, open(MEMORY, requestFor(name, options)).region);
  }

  /** Creates the memory; throws an OsError (EEXIST) if a living process uses one of this name. */
  static create(name: string, options: SharedMemoryOptions): SharedMemory {
    return new SharedMemory(name, create(MEMORY, requestFor(name, options)).region);
  }

  /** Joins the memory of this name; throws an OsError (ENOENT) if it does not exist. */
  static connect(name: string, options: SharedMemoryConnectOptions = {}): SharedMemory {
    const joined = retrySync(() => joinOnce(MEMORY, requestFor(name, options)));
    if (joined !== undefined) return new SharedMemory(name, joined.region);
    const action = `connect to ${describe(SHARED_MEMORY, pathOf(name))}`;
    throw new OsError(Errno.ENOENT, { syscall: "openat", action, remedy: "open it to make it" });
  }

  /** Removes the name; existing handles keep working. Returns false if it does not exist. */
  static unlink(name: string): boolean {
    return Region.unlink(SHARED_MEMORY, pathOf(name));
  }

  /** The size in bytes. */
  get size(): number {
    return this.#region.dataBytes;
  }

  /** The offset of the bytes in the file, for programs that map it themselves. */
  get offset(): number {
    return this.#region.dataOffset;
  }

  /**
   * The number of living handles in all processes, this one included; 0 once it is closed. If one
   * closes and another opens during the count, both may be counted.
   */
  get references(): number {
    return this.#region.closed ? 0 : this.#region.countMembers();
  }

  /** Whether the memory outlives its last member. */
  get persist(): boolean {
    return this.#region.persist;
  }

  /** The memory. Empty once it is closed. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /**
   * Returns the memory as an array of numbers, such as `as(Float64Array)`, without a remainder at
   * the end.
   */
  as<T>(array: TypedArrayConstructor<T>): T {
    this.#region.checkOpen();
    if (!isArrayConstructor(array)) {
      throw new TypeError(
        `Cannot view shared memory "${this.name}" as ${
          inWords(array)
        }: pass a constructor of arrays, such as ` +
          "Float64Array",
      );
    }
    const length = Math.floor(this.size / array.BYTES_PER_ELEMENT);
    return new array(this.#bytes.buffer, this.#bytes.byteOffset, length);
  }

  /** Returns accessors for a layout that begins at an offset. */
  view<L extends AnyLayout>(layout: L, offset = 0): ReturnType<L["view"]> {
    this.#region.checkOpen();
    if (!isLayout(layout)) {
      throw new TypeError(
        `Cannot view shared memory "${this.name}" by ${
          inWords(layout)
        }: pass one that layout() returned`,
      );
    }
    return layout.view(this.#bytes, offset) as ReturnType<L["view"]>;
  }

  /**
   * Closes this handle and empties every view; the last handle to close removes the memory. An
   * asynchronous call that still works on a view (a write to a file, say) finds zeros from then on.
   * Throws a TypeError, after everything was given back, if a view's buffer was transferred away.
   */
  close(): void {
    this.#region.close(() => this.#noteReferences(-1));
  }

  /** Closes it, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Records the count for readers of the control block; the truth is in the locks. */
  #noteReferences(change: number): void {
    if (!this.#region.readOnly) this.#references.store(this.#region.countMembers() + change);
  }
}

function pathOf(name: string): string {
  return regionPath(SHARED_MEMORY.name, name);
}

function checked<O extends object>(name: string, options: O): O {
  return checkedOptions(options, `open shared memory ${inWords(name)}`);
}

function requestFor<O extends SharedMemoryOptions | SharedMemoryConnectOptions>(
  name: string,
  options: O,
): OpenRequest<O> {
  return { path: pathOf(name), options: checked(name, options) };
}
