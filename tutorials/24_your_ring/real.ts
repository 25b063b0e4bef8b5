/**
 * A ring on real memory, which your `mapRing` has mapped. Other processes can map the same.
 *
 * @module
 */

import { errnoName } from "../../src/errors.ts";
import { copyIn, copyOut, type Memory, Word32 } from "../../src/memory/word.ts";
import { now } from "../../src/os/clock.ts";
import { allocate, bufferAt, close, memfd, Open, open, unmap } from "../../src/os/files.ts";
import { addAndWake, wait } from "../../src/os/futex.ts";
import { pageSize } from "../../src/os/page.ts";
import { PLACES, type RingMemory, type RingWork, type WordName } from "./memory.ts";

/** A sleep lasts no longer, because a waker may be killed between its message and the bell. */
const SLICE_NS = 250e6;

/** The bytes of a message. They do not divide a page, so messages cross the end. */
export const SIZE = 24;

/** Makes memory for a ring of one page, and returns its file. */
export function makeRing(): number {
  const fd = memfd("your ring");
  allocate(fd, 0, 2 * pageSize());
  return fd;
}

/** Opens the file of a ring that another process has made. */
export function openRing(pid: number, fd: number): number {
  return open(`/proc/${pid}/fd/${fd}`, Open.write | Open.follow);
}

/** A ring of one page behind a header of one page. */
export class RealMemory implements RingMemory, Disposable {
  readonly capacity: number = pageSize();
  readonly size: number;
  readonly #memory: Memory;
  readonly #header = pageSize();
  /** Called before each operation. */
  readonly #before: () => void;

  constructor(
    mapRing: NonNullable<RingWork["mapRing"]>,
    fd: number,
    { size = SIZE, before = () => {} }: { size?: number; before?: () => void } = {},
  ) {
    this.size = size;
    this.#before = before;
    const address = mapRing(fd, this.#header, this.capacity);
    if (address < 0) throw new Error(`mapRing() returned ${address}: ${errnoName(-address)}`);
    const buffer = bufferAt(address, this.#header + 2 * this.capacity);
    this.#memory = {
      address,
      buffer,
      bytes: new Uint8Array(buffer),
      doubles: new Float64Array(buffer),
      values: new DataView(buffer),
    };
  }

  word(name: WordName) {
    const word = new Word32(this.#memory, { path: name, offset: PLACES[name] });
    const plain = new Uint32Array(this.#memory.buffer, PLACES[name], 1);
    const then = <T>(operate: () => T): T => {
      this.#before();
      return operate();
    };
    return {
      load: () => then(() => word.load()),
      glance: () => then(() => plain[0]!),
      store: (value: number) => then(() => word.store(value)),
      storePlainly: (value: number) => then(() => void (plain[0] = value)),
      or: (bits: number) => then(() => word.or(bits)),
      sleepWhile: (value: number) => void then(() => wait(word.address, value, now() + SLICE_NS)),
      addAndWake: () => void then(() => addAndWake(word.address)),
    };
  }

  copyIn(place: number, message: Uint8Array): void {
    const half = message.length >> 1;
    this.#before();
    copyIn(this.#memory, this.#header + place, message.subarray(0, half));
    this.#before();
    copyIn(this.#memory, this.#header + place + half, message.subarray(half));
  }

  copyOut(place: number): Uint8Array<ArrayBuffer> {
    const message = new Uint8Array(this.size);
    this.#before();
    copyOut(this.#memory, this.#header + place, message, this.size);
    return message;
  }

  [Symbol.dispose](): void {
    const { address, bytes } = this.#memory;
    const { length } = bytes;
    bytes.buffer.transfer(0);
    unmap(address, length);
  }
}

/** Closes a file. */
export function closeRing(fd: number): void {
  close(fd);
}

/** The message with this number: every byte depends on the number and on its place. */
export function messageOf(number: number, size = SIZE): Uint8Array<ArrayBuffer> {
  const message = Uint8Array.from({ length: size }, (_, i) => number * 7 + i * 13);
  new DataView(message.buffer).setUint32(0, number);
  return message;
}

/** The number of a message; undefined if a byte is wrong. */
export function numberOf(message: Uint8Array): number | undefined {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const number = view.getUint32(0);
  const right = messageOf(number, message.length);
  return message.every((byte, i) => byte === right[i]) ? number : undefined;
}
