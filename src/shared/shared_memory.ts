/**
 * Named shared memory with a count of its users; the last one to close it removes it.
 *
 * The user's bytes begin one page into the file `/dev/shm/vring.shm.<name>`. A program in C maps
 * that file and finds them at `offset` (4096 where pages are 4 KiB).
 *
 * @module
 */

import { checkedOptions, inWords, isArrayConstructor } from "../arguments.ts";
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

/** The definition of named memory, which {@linkcode sharedMemory} makes. */
export class SharedMemoryDefinition extends Definition<{ readonly size: number }> {
  /** The size in bytes. */
  readonly size: number;

  /** @ignore */
  constructor(name: string, options: SharedMemoryOptions) {
    const own = checkedOptions(options, `define shared memory ${inWords(name)}`);
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
  open(options: HandleOptions = {}): SharedMemory {
    const { open } = checkedOptions(options, `open ${this.what()}`);
    return new SharedMemory(this.name, this.attach(open).region);
  }

  /**
   * Opens existing memory for reading only. The handle needs no right to write. It is not a
   * member, and does not keep the memory. A write through one of its views ends the process. Throws an OsError
   * (ENOENT) if the memory does not exist.
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
 * Named memory that processes share: zeroed when new, and removed when the last one closes it.
 */
export class SharedMemory implements Disposable {
  /** The name. */
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
   * The number of living handles in all processes, this one included; 0 once it is closed. If one
   * closes and another opens during the count, both may be counted.
   */
  get references(): number {
    return this.#region.closed ? 0 : this.#region.countMembers();
  }

  /** The number of living handles besides this one, in all processes. */
  get peers(): number {
    return this.#region.countMembers() - Number(!this.#region.readOnly);
  }

  /** Resolves once the memory has at least `count` other handles. */
  waitForPeers(count = 1, options: WaitOptions = {}): Promise<void> {
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

  /** Returns accessors for the fields of a struct that begins at an offset. */
  view<L extends AnyLayout>(layout: L, offset = 0): ReturnType<L["view"]> {
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
