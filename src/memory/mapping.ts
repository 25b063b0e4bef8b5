/**
 * A mapped range of memory that closes safely.
 *
 * `close()` detaches the ArrayBuffer, so that every view is empty: a stale view reads `undefined`.
 * Then it retires the range (native/memory.c): the memory is given back at once, and private zeros
 * take its place. So native code that still uses the range does not crash. A buffer that was
 * transferred away reads zeros. A runtime call that still uses a view reads zeros, too, and no
 * process sees its stores: a write to a file writes zeros, a key is derived from zeros. The range
 * of a forgotten mapping is retired after its ArrayBuffer was garbage collected. The sentinel
 * retires the ranges of an isolate that ends.
 *
 * A buffer that was transferred away leaves this object without its memory, so it cannot inform its
 * peers. `close()` still releases everything, and then throws. The peers see a killed process, and
 * only a change of the program prevents that.
 *
 * A peer that may write to the file of a mapping may also shorten it. A touch of memory that is gone
 * would end this process (SIGBUS). The library puts private zeros in the place of the whole mapping
 * instead, and sets its fault word, for good. So an operation must not trust what it has read, nor
 * what it has stored, before it has looked at that word after its last access: `checkWhole()`. A
 * fault is also found by the size and the header of the file (`checkFile`), at which waits look after
 * each slice. Where only words can end a wait, they look once a word has changed, as a raised bell
 * does, or after some seconds. That matters for a file that was shortened and lengthened again: its
 * memory is zeros without a fault. A part that is zeros while the size and the header are right looks
 * like any other bytes of a peer.
 *
 * @module
 */

import { check, ClosedError, CorruptRegionError } from "../errors.ts";
import { onCollected } from "../os/clock.ts";
import { bufferAt, map, MapFlag, Protection, retire } from "../os/files.ts";
import { Fault } from "./fault.ts";
import { endViews } from "./views.ts";
import type { Memory } from "./word.ts";

/** The part of a file to map, from its beginning. */
export interface FileRange {
  /** The number of bytes. */
  readonly length: number;
  /** Maps for reading only. Words refuse to store then; a store through a view ends the process. */
  readonly readOnly?: boolean | undefined;
  /** The purpose of the memory, for error messages, such as `region "demo"`. */
  readonly what: string;
}

/** How often waits look at the file of a mapping, in nanoseconds: once a slice. */
const FILE_NS = 250e6;

const TRANSFERRED = "the buffer of a view of its memory was transferred away (by postMessage, " +
  "structuredClone, transfer() or a BYOB reader)";

/** A mapped range that this object owns. */
export class Mapping implements Memory, Disposable {
  /** The address of the range in this process. */
  readonly address: number;
  /** The number of mapped bytes. */
  readonly length: number;
  /** The purpose of the memory, such as `region "demo"`. */
  readonly what: string;
  /** Whether the memory can only be read. */
  readonly readOnly: boolean;
  /** A random number that all mappings of one region share; 0 for other memory. */
  seed = 0;
  /** The buffer of all views of the memory. */
  readonly buffer: ArrayBuffer;
  /** The memory for values of all types; its methods throw a TypeError once it is closed. */
  readonly values: DataView<ArrayBuffer>;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #doubles: Float64Array<ArrayBuffer>;
  readonly #fault: Fault;
  readonly #forget: () => void;
  readonly #listeners = new Set<() => void>();
  #isFileWhole: (() => boolean) | undefined;
  #fileCheckedAt: number | undefined; // the first call begins the first slice
  #closed = false;

  /** Takes ownership of a range that `map` returned. */
  constructor(address: number, { length, what, readOnly = false }: FileRange) {
    this.address = address;
    this.length = length;
    this.readOnly = readOnly;
    this.buffer = bufferAt(address, length);
    this.#bytes = new Uint8Array(this.buffer);
    this.values = new DataView(this.buffer);
    this.#doubles = new Float64Array(this.buffer, 0, Math.floor(length / 8));
    this.#fault = new Fault(address);
    this.#forget = onCollected(this.buffer, () => retire(address));
    this.what = what;
  }

  /** Maps the beginning of a file, shared with every process that maps it. */
  static ofFile(fd: number, range: FileRange): Mapping {
    const { length, readOnly = false, what } = range;
    const protection = readOnly ? Protection.read : Protection.read | Protection.write;
    const address = map({ length, protection, flags: MapFlag.shared, fd });
    check(address, { syscall: "mmap", action: `map ${length} bytes for ${what}` });
    return new Mapping(address, { length, what, readOnly });
  }

  /** Maps zeroed memory that belongs to no file. */
  static anonymous(length: number, what: string): Mapping {
    const protection = Protection.read | Protection.write;
    const address = map({ length, protection, flags: MapFlag.shared | MapFlag.anonymous });
    check(address, { syscall: "mmap", action: `map ${length} bytes for ${what}` });
    return new Mapping(address, { length, what });
  }

  /** The memory; empty once closed. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** The memory as numbers; empty once closed. */
  get doubles(): Float64Array<ArrayBuffer> {
    return this.#doubles;
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether views of the memory are usable: it was neither closed nor transferred away. */
  get usable(): boolean {
    return this.#bytes.length > 0;
  }

  /** Whether a peer has taken memory of it away. */
  get isLost(): boolean {
    return this.#fault.isSet && this.usable;
  }

  /**
   * Throws a CorruptRegionError if a peer has taken memory away. Call it after the last access of an
   * operation: what that has read may be zeros, and what it has stored may have reached nobody. A
   * look before the first access would only find the same sooner.
   */
  checkWhole(): void {
    if (this.isLost) throw this.#lost(this.what);
  }

  /** Sets how `checkFile` finds out whether the file still has its length and its header. */
  watchFile(isWhole: () => boolean): void {
    this.#isFileWhole = isWhole;
  }

  /** Throws as `checkWhole` does, and looks at the file first unless it has in this slice. */
  checkFile(time: number): void {
    if (time - (this.#fileCheckedAt ??= time) >= FILE_NS && this.usable && !this.isLost) {
      this.#fileCheckedAt = time;
      if (this.#isFileWhole?.() === false) this.#fault.set();
    }
    this.checkWhole();
  }

  /** Makes the error for using `what`, such as `topic "demo"`, while it is not usable. */
  whyUnusable(what: string): Error {
    if (this.#closed) return new ClosedError(`Cannot use ${what}: it is closed`);
    if (this.isLost) return this.#lost(what);
    return new TypeError(
      `Cannot use ${what}: ${TRANSFERRED}; close it, and transfer a copy instead`,
    );
  }

  #lost(what: string): CorruptRegionError {
    return new CorruptRegionError(
      `Cannot use ${what}: its file was truncated by a peer, or the system had no memory for a ` +
        "page of it; close this handle, and open another one",
    );
  }

  /** Registers a listener that is called just before the close, until `offClose`. */
  onClose(listener: () => void): void {
    if (this.#closed) throw new ClosedError(`Cannot wait on ${this.what}: it is closed`);
    this.#listeners.add(listener);
  }

  /** Removes a listener. */
  offClose(listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /** Empties every view and releases the memory; throws a TypeError if it was transferred away. */
  close(): void {
    if (this.#closed) return;
    const transferred = !this.usable;
    for (const listener of this.#listeners) listener();
    this.#closed = true;
    this.#forget();
    endViews(this);
    if (!transferred) this.buffer.transfer(0);
    check(retire(this.address), { syscall: "mmap", action: `unmap ${this.what}` });
    if (!transferred) return;
    throw new TypeError(
      `Cannot close ${this.what} in order: ${TRANSFERRED}; everything it held is given back, and ` +
        "to its peers it is as if this process had been killed; transfer a copy instead",
    );
  }

  /** Closes it, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }
}
