/**
 * Looking at a region of any type from outside, for tools.
 *
 * The observer copies with `read(2)` instead of mapping the file. So it need not know the type, and
 * a hole stays a hole. If another process shortens the file, the copy ends and this process
 * continues. Members may store during a copy: each word is whole, but several words or bytes may be
 * from different moments.
 *
 * @module
 */

import { checkedOptions, inWords } from "../arguments.ts";
import { check, Errno, LayoutMismatchError, OsError } from "../errors.ts";
import { type AnyLayout, isLayout } from "../layout/fields.ts";
import { isCount } from "../layout/sizes.ts";
import * as files from "../os/files.ts";
import { REGION_HEADER } from "./header.ts";
import { detailsOf, type RegionDetails } from "./list.ts";
import { LockFile } from "./liveness.ts";
import { topicPath } from "./names.ts";
import { noteOpen } from "./registry.ts";
import {
  COUNTS,
  FIRST_COUNT,
  FIRST_ROLE,
  identityOf,
  isNameOf,
  type OpenFile,
  openFile,
} from "./opened.ts";

/** The longest copy. */
const LONGEST_COPY = 2 ** 31 - 1;

/** The options of {@linkcode observe}. */
export interface ObserveOptions {
  /** Also opens a region of a user other than you or root; false by default. */
  anyOwner?: boolean | undefined;
  /** The directory of the region, as in its definition; `/dev/shm` by default. */
  directory?: string | undefined;
}

/**
 * Opens a region of any kind for reading its bytes, even one without living members. The observer
 * takes no lock, maps nothing and needs no right to write. Throws an OsError (ENOENT) if the region
 * does not exist.
 *
 * @example Look into shared memory
 * ```ts
 * import { observe, sharedMemory } from "@vring/vring";
 *
 * using memory = sharedMemory("example-looked-at", { size: 64 }).open();
 * memory.bytes.set([1, 2, 3]);
 * using observer = observe("shm", "example-looked-at");
 * console.log(observer.members, observer.details.dataBytes); // 1 64
 * console.log(observer.read(0, 3)); // Uint8Array(3) [ 1, 2, 3 ]
 * ```
 *
 * @param kind The kind of the region, as `regions()` lists it.
 * @param name The name.
 */
export function observe(kind: string, name: string, options?: ObserveOptions): RegionObserver {
  if (typeof kind !== "string" || !/^[a-z0-9_]+$/.test(kind)) {
    throw new TypeError(
      `Cannot observe a region of kind ${
        inWords(kind)
      }: pass one that regions() lists, such as "spsc"`,
    );
  }
  const own = checkedOptions(options, `observe region ${inWords(name)}`);
  return new RegionObserver(kind, name, own);
}

/** Reads the header, the members and the bytes of a region of any kind; `observe()` opens it. */
export class RegionObserver implements Disposable {
  /** The type of the region, such as `spsc`. */
  readonly kind: string;
  /** The name of the region. */
  readonly name: string;
  /** The file that holds it. */
  readonly path: string;
  /** The contents of the header at the time of opening. */
  readonly details: RegionDetails;
  readonly #file: OpenFile;
  readonly #locks: LockFile;
  readonly #what: string;
  readonly #forget: () => void;

  /** @ignore */
  constructor(kind: string, name: string, options: ObserveOptions) {
    this.kind = kind;
    this.name = name;
    this.path = topicPath(kind, name, "a region", options.directory);
    const what = this.#what = `region "${name}" (${kind})`;
    using stack = new DisposableStack();
    const file = openFile(this.path, what, { ...options, readOnly: true });
    if (file === undefined) {
      throw new OsError(Errno.ENOENT, {
        syscall: "openat",
        action: `open ${what}`,
        remedy: "regions() lists those that exist",
      });
    }
    this.#file = stack.use(file);
    this.#locks = stack.use(new LockFile(files.pathOfFd(file.fd), { write: false, what }));
    const details = detailsOf(file.fd);
    if (typeof details === "string") {
      throw new LayoutMismatchError(`Cannot open ${what}: ${details}`);
    }
    this.details = details;
    this.#forget = noteOpen(this, `the observer of ${what}`, this.path);
    stack.move();
  }

  /** The number of members at this moment. */
  get members(): number {
    return this.#locks.countOthers(FIRST_COUNT, COUNTS);
  }

  /** Whether the name still belongs to this region: it was not unlinked or taken by another one. */
  get hasName(): boolean {
    return isNameOf(this.path, identityOf(this.#locks.status()));
  }

  /** Whether a living party has a role, such as producer or reader, by its number. */
  isHeld(role: number): boolean {
    if (isCount(role, FIRST_COUNT - FIRST_ROLE - 1)) {
      return this.#locks.isHeldByOther(FIRST_ROLE + role);
    }
    throw new RangeError(`Cannot look at role ${inWords(role)} of ${this.#what}: pass a count`);
  }

  /**
   * Returns a copy of the values of the control block. Throws a LayoutMismatchError unless it has
   * this layout.
   */
  control<L extends AnyLayout>(layout: L): ReturnType<L["read"]> {
    const bytes = this.controlBytes(layout);
    return layout.read(bytes) as ReturnType<L["read"]>;
  }

  /** Returns a copy of the bytes of the control block, as `control()` reads them.
   * @ignore */
  controlBytes(layout: AnyLayout): Uint8Array<ArrayBuffer> {
    if (!isLayout(layout)) {
      throw new TypeError(
        `Cannot read the control block of ${this.#what}: ${inWords(layout)} is no layout; pass one`,
      );
    }
    const { abiHash } = this.details;
    if (layout.hash !== abiHash) {
      throw new LayoutMismatchError(
        `Cannot read the control block of ${this.#what}: it has layout ${abiHash.toString(16)}, ` +
          `and you passed ${layout.hash.toString(16)}; pass the layout that its creator has`,
      );
    }
    const bytes = this.#copy(REGION_HEADER.size, layout.size);
    if (bytes.length === layout.size) return bytes;
    throw new LayoutMismatchError(
      `Cannot read the control block of ${this.#what}: its file ends after ` +
        `${REGION_HEADER.size + bytes.length} bytes; unlink it`,
    );
  }

  /** Returns a copy of `length` bytes of the data from `offset`, or fewer where the data ends. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    const { dataOffset, dataBytes } = this.details;
    if (!isCount(offset, dataBytes) || !isCount(length, LONGEST_COPY)) {
      throw new RangeError(
        `Cannot read ${inWords(length)} bytes at ${inWords(offset)} of ${this.#what}: it has ` +
          `${dataBytes}, and a copy at most ${LONGEST_COPY}`,
      );
    }
    return this.#copy(dataOffset + offset, Math.min(length, dataBytes - offset));
  }

  #copy(offset: number, length: number): Uint8Array<ArrayBuffer> {
    this.#locks.status(); // throws a ClosedError once it is closed
    const bytes = new Uint8Array(length);
    const read = files.read(this.#file.fd, bytes, offset);
    return bytes.subarray(0, check(read, { syscall: "read", action: `read ${this.#what}` }));
  }

  /** Closes the observer; all its methods then throw a ClosedError. */
  close(): void {
    this.#forget();
    this.#locks.close();
    this.#file[Symbol.dispose]();
  }

  /** Closes the observer, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }
}
