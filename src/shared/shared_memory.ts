/**
 * Named shared memory with a count of its handles. The last handle to close removes it.
 *
 * The data begins one page into the file `/dev/shm/vring.shm.<name>`. A program in C maps that file
 * and finds the data at `offset` (4096 where pages are 4 KiB).
 *
 * @module
 */

import { checkedOptions, definitionOptions, inWords } from "../arguments.ts";
import { isArrayConstructor } from "../arrays.ts";
import { Definition, type DefinitionOptions, type HandleOptions } from "../definition.ts";
import { isLayout } from "../layout/fields.ts";
import { layout } from "../layout/layout.ts";
import type { AnyLayout } from "../layout/layout.ts";
import { checkSize, type Product } from "../region/open.ts";
import type { Region } from "../region/region.ts";
import type { RegionType } from "../region/header.ts";
import { checkName, regionPath } from "../region/names.ts";
import { waitForPeers } from "../region/peers.ts";
import { Word32 } from "../memory/word.ts";
import { disposeAtEnd } from "../os/clock.ts";
import type { WaitOptions } from "../wait/until.ts";

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
  usual: { size: 0 }, // no default: a definition states a size
  plan({ size }, what) {
    checkSize(what, "size", size);
    return { geometry: { size }, dataBytes: size };
  },
  geometryOf: ({ dataBytes }) => ({ size: dataBytes }),
};

/** The options of {@linkcode sharedMemory}. */
export interface SharedMemoryOptions extends DefinitionOptions {
  /** The size in bytes. */
  size: number;
}

/**
 * Defines named memory that processes share.
 *
 * @example Two handles, one memory
 * ```ts
 * import { sharedMemory, struct } from "@vring/vring";
 *
 * // a module that all programs import
 * const Pose = struct("pose", { x: "f64", y: "f64", seen: "u32" });
 * const state = sharedMemory("example-memory", { size: Pose.size });
 *
 * using mine = state.open();
 * using yours = state.open(); // as another process would
 * mine.view(Pose).x = 0.5;
 * console.log(yours.view(Pose).x, yours.as(Float64Array)[0], yours.references); // 0.5 0.5 2
 * ```
 */
export function sharedMemory(name: string, options: SharedMemoryOptions): SharedMemoryDefinition {
  return new SharedMemoryDefinition(name, options);
}

/** Opens named memory; {@linkcode sharedMemory} makes this definition. */
export class SharedMemoryDefinition extends Definition<{ readonly size: number }> {
  /** The size in bytes. */
  readonly size: number;

  /** @ignore */
  constructor(name: string, options: SharedMemoryOptions) {
    const own = checkedOptions(
      options,
      `define shared memory ${inWords(name)}`,
      definitionOptions("size"),
    );
    if (own.size === undefined) {
      throw new TypeError(
        `Cannot define shared memory ${
          inWords(name)
        }: it has no size; pass the option size, in bytes`,
      );
    }
    const path = regionPath(SHARED_MEMORY.name, name, "the name of shared memory");
    super({
      product: MEMORY,
      name: checkName(name, "the name of shared memory"),
      path,
      options: own,
    });
    this.size = own.size;
  }

  /** Opens the memory, or creates it with all bytes 0. */
  open(options?: HandleOptions): SharedMemory {
    const { open } = checkedOptions(options, `open ${this.what()}`);
    return new SharedMemory(this.name, this.attach(open).region);
  }

  /**
   * Opens existing memory for reading only, without the right to write. Throws an OsError (ENOENT)
   * if the memory does not exist. The handle does not keep the memory alive, and `references` does
   * not count it. A store through one of its views kills the process (SIGSEGV).
   */
  observer(): SharedMemory {
    return new SharedMemory(this.name, this.attach("join", { readOnly: true }).region);
  }
}

/** A constructor of typed arrays, such as `Float64Array`. */
export interface TypedArrayConstructor<T> {
  /** The size of an element. */
  readonly BYTES_PER_ELEMENT: number;
  /** Makes an array over a part of a buffer. */
  new (buffer: ArrayBuffer, offset: number, length: number): T;
}

/**
 * Named memory that processes share. It is zeroed when new. The last handle to close removes it,
 * unless it was opened with `persist`.
 */
export class SharedMemory implements Disposable {
  /** The name of the memory. */
  readonly name: string;
  readonly #region: Region;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #references: Word32;

  /** @ignore */
  constructor(name: string, region: Region) {
    this.name = name;
    this.#region = region;
    const { dataOffset, dataBytes, mapping, controlOffset } = region;
    this.#bytes = mapping.bytes.subarray(dataOffset, dataOffset + dataBytes);
    const place = SHARED_MEMORY_CONTROL.fields.references;
    this.#references = new Word32(mapping, place, controlOffset);
    this.#noteReferences(0);
    mapping.checkWhole();
    disposeAtEnd(this);
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
   * The number of open handles in all processes, including this one but no observers; 0 once it is
   * closed. If one handle closes and another opens during the count, both may be counted.
   */
  get references(): number {
    return this.#region.closed ? 0 : this.#region.countMembers();
  }

  /** The number of other open handles in all processes; observers do not count. */
  get peers(): number {
    return this.#region.countMembers() - Number(!this.#region.readOnly);
  }

  /** Resolves once the memory has at least `count` other handles. */
  waitForPeers(count: number, options?: WaitOptions): Promise<void> {
    return waitForPeers(
      this,
      count,
      { noun: "other handle", what: `shared memory "${this.name}"` },
      options,
    );
  }

  /** Whether the handle is closed. */
  get closed(): boolean {
    return this.#region.closed;
  }

  /** Whether the memory outlives its last member. */
  get persist(): boolean {
    return this.#region.persist;
  }

  /**
   * The memory in place; empty once the handle is closed. Throws a CorruptRegionError once a peer
   * has truncated the file: look again after reading, as the bytes may have been zeros.
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    this.#region.mapping.checkWhole();
    return this.#bytes;
  }

  /**
   * Returns the memory in place as an array of numbers, such as `as(Float64Array)`. It leaves out
   * the bytes at the end that fill no element.
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

  /**
   * Returns accessors that read and write the fields of a struct in place, at `offset`. Once the memory is
   * closed, the fields throw TypeErrors.
   */
  view<L extends AnyLayout>(layout: L, offset?: number): ReturnType<L["view"]> {
    if (offset === undefined) offset = 0;
    this.#region.checkOpen();
    if (!isLayout(layout)) {
      throw new TypeError(
        `Cannot view shared memory "${this.name}" by ${
          inWords(layout)
        }: pass one that struct() returned`,
      );
    }
    return layout.view(this.#bytes, offset) as ReturnType<L["view"]>;
  }

  /**
   * Closes this handle and empties every view. The last handle to close removes the memory, unless
   * it persists. An asynchronous call that still uses a view, such as a write to a file, reads
   * zeros from then on. If a view's buffer was transferred away, `close()` releases everything and
   * throws a TypeError.
   */
  close(): void {
    this.#region.close(() => this.#noteReferences(-1));
  }

  /** Closes this handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Records the count for readers of the control block; the truth is in the locks. */
  #noteReferences(change: number): void {
    if (!this.#region.readOnly) this.#references.store(this.#region.countMembers() + change);
  }
}
