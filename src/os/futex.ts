/**
 * Futexes: sleeping on a word of shared memory, and waking the sleepers. Every function returns a
 * value or -errno, without policy. Deadlines are absolute, in nanoseconds of `clock.now()`;
 * Infinity means no deadline. A leaf: the explorer swaps this file for one that a scheduler drives.
 *
 * @module
 */

import { Errno } from "../errors.ts";
import { directFutexes, native } from "../native/load.ts";
import { bufferAt, map, MapFlag, Protection, unmap } from "./files.ts";

/** The bitset that matches every waiter and every waker. */
export const MATCH_ANY = 0xffffffff;

/** The most words that the kernel's futex_waitv accepts. */
export const VECTOR_LIMIT = 128;

/**
 * Sleeps while the word is `expected`; returns 0 when woken, -EAGAIN if the word differs,
 * -ETIMEDOUT or -EINTR.
 */
export function wait(
  address: number,
  expected: number,
  deadline: number,
  bits = MATCH_ANY,
): number {
  return directFutexes().vring_futex_wait(address, expected, deadline, bits);
}

/** Wakes up to `count` waiters with overlapping bits; returns their number. */
export function wake(address: number, count: number, bits = MATCH_ANY): number {
  return directFutexes().vring_futex_wake(address, count, bits);
}

/**
 * Adds 1 to the word and wakes all waiters on it, in one system call; returns the number woken.
 */
export function addAndWake(address: number): number {
  return directFutexes().vring_futex_add_wake(address);
}

/**
 * Orders all other threads that publish: what each stored before is visible when this returns, and
 * what it loads after shows what this thread stored before. Returns -errno if the kernel refuses;
 * then a moment has passed in which every store becomes visible unless its processor is stopped.
 */
export function orderOthers(): number {
  return directFutexes().vring_order_others();
}

/** Counts the SIGINTs that have reached this process while it had a listener for them. */
export function interrupts(): number {
  return native().vring_interrupts();
}

const ENTRY_BYTES = 24;
const FUTEX2_SIZE_U32 = 2;

/** The interval at which words that the kernel does not watch are checked. */
const SCAN_NS = 1e6;

let waitvWorks: boolean | undefined;

/** Whether futex_waitv exists and is permitted here; asks the kernel once. */
export function hasWaitv(): boolean {
  // An empty list is EINVAL where the call exists, and ENOSYS or EPERM where it does not.
  return waitvWorks ??= native().vring_futex_waitv(0, 0, 0) === -Errno.EINVAL;
}

/** Makes this isolate scan as on a kernel without futex_waitv, or undoes that; for tests. */
export function forceScan(force: boolean): void {
  waitvWorks = force ? false : undefined;
}

/**
 * A list of (word, expected value) pairs for one sleep on all of them. It lies in memory that the
 * garbage collector does not move. Do not change it during a `wait`.
 */
export class FutexVector {
  #address = 0;
  #buffer = new ArrayBuffer(0);
  #view = new DataView(this.#buffer);
  #length = 0;

  /** The number of words on the list. */
  get length(): number {
    return this.#length;
  }

  /** Empties the list. */
  clear(): void {
    this.#length = 0;
  }

  /** Adds a word. */
  push(address: number, expected: number): void {
    const at = this.#length * ENTRY_BYTES;
    if (at + ENTRY_BYTES > this.#buffer.byteLength) this.#grow();
    this.#view.setFloat64(at, 0, true);
    this.#view.setUint32(at, expected, true);
    this.#view.setUint32(at + 8, address % 2 ** 32, true);
    this.#view.setUint32(at + 12, Math.floor(address / 2 ** 32), true);
    this.#view.setUint32(at + 16, FUTEX2_SIZE_U32, true);
    this.#length++;
  }

  #grow(): void {
    const { shared, anonymous } = MapFlag;
    const protection = Protection.read | Protection.write;
    const length = Math.max(4096, 2 * this.#buffer.byteLength);
    const address = map({ length, protection, flags: shared | anonymous });
    if (address < 0) throw new RangeError("Cannot wait: no memory for the list of words");
    const buffer = bufferAt(address, length);
    new Uint8Array(buffer).set(new Uint8Array(this.#buffer));
    this.#release();
    this.#address = address;
    this.#buffer = buffer;
    this.#view = new DataView(buffer);
  }

  /** Whether the list is more than the kernel can sleep on in one call. */
  get #isTooMuch(): boolean {
    return !hasWaitv() || this.#length > VECTOR_LIMIT;
  }

  /**
   * Sleeps until a word differs or is woken (a result >= 0), or returns -ETIMEDOUT or -EINTR. With a
   * `slice` in nanoseconds, it checks all words again after each slice, including words that no waker
   * wakes; and it returns -EINTR once `interrupts()` is not `interruptsBefore`.
   */
  waitSync(deadline: number, slice = Infinity, interruptsBefore = interrupts()): number {
    const every = this.#isTooMuch ? SCAN_NS : slice;
    const result = every < Infinity
      ? native().vring_futex_scan(
        this.#address,
        this.#length,
        deadline,
        every,
        Number(hasWaitv()),
        interruptsBefore,
      )
      : native().vring_futex_waitv(this.#address, this.#length, deadline);
    return settled(result);
  }

  /** Sleeps as `waitSync()` does, on a thread of Deno's pool. */
  async wait(deadline: number, slice = Infinity): Promise<number> {
    const every = this.#isTooMuch ? SCAN_NS : slice;
    const result = every < Infinity
      ? native().futex_scan_async(
        this.#address,
        this.#length,
        deadline,
        every,
        Number(hasWaitv()),
        interrupts(),
      )
      : native().futex_waitv_async(this.#address, this.#length, deadline);
    return settled(await result);
  }

  /** Empties the list and gives its memory back. */
  close(): void {
    this.clear();
    this.#release();
  }

  #release(): void {
    if (this.#address === 0) return;
    const length = this.#buffer.byteLength;
    this.#buffer.transfer(0);
    unmap(this.#address, length);
    this.#address = 0;
    this.#buffer = new ArrayBuffer(0);
    this.#view = new DataView(this.#buffer);
  }
}

/** Maps -EAGAIN to 0: for the caller, a word that already differs is the same as one woken. */
function settled(result: number): number {
  return result === -Errno.EAGAIN ? 0 : result;
}
