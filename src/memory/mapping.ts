/**
 * A mapped range of memory that closes safely.
 *
 * After `close()` every view is empty, because its ArrayBuffer is detached before the range is
 * unmapped: a stale view reads `undefined`, it does not crash. A forgotten mapping is unmapped
 * once its ArrayBuffer was garbage collected. While a thread of the pool may look at the range, it
 * is pinned: whoever pinned it is told of the close, and unmapping waits for the last unpin.
 *
 * @module
 */

import { check, ClosedError } from "../errors.ts";
import { onCollected } from "../os/clock.ts";
import { bufferAt, map, MapFlag, Protection, unmap } from "../os/files.ts";
import type { Memory } from "./word.ts";

/** Which part of a file to map. */
export interface FileRange {
  /** How many bytes. */
  readonly length: number;
  /** Map for reading only; a write through a view of it ends the process. */
  readonly readOnly?: boolean;
  /** What the memory is for, for the message if it fails, such as `region "demo"`. */
  readonly what: string;
}

/** A mapped range that this object owns. */
export class Mapping implements Memory, Disposable {
  /** Where the range begins in this process. */
  readonly address: number;
  /** How many bytes are mapped. */
  readonly length: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #doubles: Float64Array<ArrayBuffer>;
  readonly #forget: () => void;
  readonly #pins = new Set<() => void>();
  #closed = false;

  /** Takes over a range that is already mapped. */
  constructor(address: number, length: number) {
    this.address = address;
    this.length = length;
    this.#bytes = new Uint8Array(bufferAt(address, length));
    this.#doubles = new Float64Array(this.#bytes.buffer, 0, Math.floor(length / 8));
    this.#forget = onCollected(this.#bytes.buffer, () => unmap(address, length));
  }

  /** Maps the beginning of a file, shared with every process that does the same. */
  static ofFile(fd: number, range: FileRange): Mapping {
    const { length, readOnly, what } = range;
    const protection = readOnly ? Protection.read : Protection.read | Protection.write;
    const address = map({ length, protection, flags: MapFlag.shared, fd });
    check(address, { syscall: "mmap", action: `map ${length} bytes for ${what}` });
    return new Mapping(address, length);
  }

  /** Maps zeroed memory that belongs to no file. */
  static anonymous(length: number, what: string): Mapping {
    const protection = Protection.read | Protection.write;
    const address = map({ length, protection, flags: MapFlag.shared | MapFlag.anonymous });
    check(address, { syscall: "mmap", action: `map ${length} bytes for ${what}` });
    return new Mapping(address, length);
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

  /** Keeps the range mapped, though not its views, until `unpin`; `onClose` is called at close. */
  pin(onClose: () => void): void {
    if (this.#closed) throw new ClosedError("Cannot wait on this memory: it is closed");
    this.#pins.add(onClose);
  }

  /** Takes back one pin. */
  unpin(onClose: () => void): void {
    if (this.#pins.delete(onClose) && this.#closed && this.#pins.size === 0) this.#unmap();
  }

  /** Empties every view and unmaps the range. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    this.#bytes.buffer.transfer(0);
    if (this.#pins.size === 0) this.#unmap();
    for (const onClose of this.#pins) onClose();
  }

  #unmap(): void {
    check(unmap(this.address, this.length), { syscall: "munmap", action: "unmap memory" });
  }

  /** The same as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
