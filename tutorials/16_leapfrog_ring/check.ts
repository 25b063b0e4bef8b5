/**
 * The checks of the exercise: the windows are real ones, and the check looks into the kernel's list
 * before it touches an address.
 *
 * @module
 */

import {
  allocate,
  bufferAt,
  close,
  map,
  MapFlag,
  memfd,
  Protection,
  unmap,
} from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { type Check, expect, runChecks, Wrong } from "../check.ts";
import type { PagesPicture } from "../stage/story.ts";
import { stripPicture, windowsIn } from "./strip.ts";

/** A ring whose positions are addresses. */
export interface Ring {
  /** The range of addresses. */
  readonly start: number;
  readonly end: number;
  /** The bytes of memory, and of a window. */
  readonly capacity: number;
  /** The first window; the second follows. */
  first: number;
  /** The next byte to read, and the next byte to write. */
  tail: number;
  head: number;
  /** A window that has stayed at the end of the range; 0 if there is none. */
  left: number;
  /** Shows the memory at an address. */
  show(address: number): void;
  /** Shows zeros at an address. */
  hide(address: number): void;
}

/** An answer. */
export type Reach = (ring: Ring, length: number) => void;

const PAGES = 5;

/** Checks an answer and prints the results. */
export function checkReach(reach: Reach): void {
  runChecks(import.meta.url, checksOf(reach));
}

/** The checks that an answer must pass. */
export function checksOf(reach: Reach): Check[] {
  const inRing = (use: (ring: Bench) => void) => () => {
    using ring = new Bench(reach);
    use(ring);
  };
  return [
    {
      what: "nothing moves while the windows have room",
      check: inRing((ring) => {
        const page = ring.capacity;
        ring.write(page / 2);
        ring.write(page / 2);
        ring.consume(page);
        ring.write(page);
        ring.expect(ring.moves === 0, "You moved a window, although there was room.");
      }),
      hint: "two windows have room up to first + 2 * capacity.",
    },
    {
      what: "the first window leaps over the second",
      check: inRing((ring) => {
        for (let i = 0; i < 7; i++) ring.pass(ring.capacity / 2);
        ring.expectWindows([2, 3]);
      }),
      hint: "hide the first window, show the place behind the second, and move `first` on.",
    },
    {
      what: "at the end of the range, the ring starts over",
      check: inRing((ring) => {
        for (let i = 0; i < 10; i++) ring.pass(ring.capacity / 2);
        ring.write(ring.capacity / 4);
        ring.expect(ring.first === ring.start, "`first` should be `start` now.");
        ring.expectWindows([0, 1, 4]);
      }),
      hint: "is first + 3 * capacity still within `end`? If not, show both windows at `start`.",
    },
    {
      what: "unread bytes keep their values when the ring starts over",
      check: inRing((ring) => {
        for (let i = 0; i < 9; i++) ring.pass(ring.capacity / 2);
        ring.write(ring.capacity / 2);
        const view = ring.unread();
        const before = view.toHex();
        ring.write(ring.capacity / 4);
        ring.expect(
          ring.unread().subarray(0, view.length).toHex() === before,
          `The unread bytes have changed: \`tail\` does not mean the same byte of the memory.`,
        );
        ring.expect(
          view.toHex() === before,
          `A reader holds a view of unread bytes, which has changed. Its window must stay.`,
        );
      }),
      hint:
        "`tail` and `head` move back by the same whole number of windows. The second window stays.",
    },
    {
      what: "the window that has stayed leaves at the next leap",
      check: inRing((ring) => {
        for (let i = 0; i < 13; i++) ring.pass(ring.capacity / 2);
        ring.expectWindows([1, 2]);
        ring.expect(
          ring.left === 0,
          `No window is left behind, but \`left\` is ${ring.left}.`,
        );
      }),
      hint: "if `left` is not 0, hide it, and set it to 0.",
    },
    {
      what: "many messages of any length, for many laps",
      check: inRing((ring) => {
        let state = 16;
        for (let i = 0; i < 400; i++) {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          ring.write(Math.floor(state / 2 ** 32 * (ring.capacity - ring.unread().length + 1)));
          ring.consume(Math.floor(ring.unread().length * ((i * 7) % 11) / 10));
        }
      }),
      hint: "compare with the picture: which two pages should have windows, and which has `head`?",
    },
  ];
}

/** A ring with real windows, which the answer moves. */
class Bench implements Ring, Disposable {
  readonly capacity = pageSize();
  readonly start: number;
  readonly end: number;
  first: number;
  tail: number;
  head: number;
  left = 0;
  moves = 0;
  readonly #fd: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #reach: Reach;
  /** What is unread, as an endless queue would have it. */
  readonly #queue: number[] = [];
  #written = 0;

  constructor(reach: Reach) {
    this.#reach = reach;
    this.#fd = memfd("exercise");
    allocate(this.#fd, 0, this.capacity);
    const flags = MapFlag.private | MapFlag.anonymous | MapFlag.noReserve;
    const protection = Protection.read | Protection.write;
    this.start = map({ length: PAGES * this.capacity, protection, flags });
    this.end = this.start + PAGES * this.capacity;
    this.first = this.tail = this.head = this.start;
    this.#bytes = new Uint8Array(bufferAt(this.start, PAGES * this.capacity));
    this.show(this.start);
    this.show(this.start + this.capacity);
    this.moves = 0;
  }

  show(address: number): void {
    this.#place(address, "show", MapFlag.shared, this.#fd);
  }

  hide(address: number): void {
    this.#place(address, "hide", MapFlag.private | MapFlag.anonymous, -1);
  }

  #place(address: number, what: string, flags: number, fd: number): void {
    const offset = address - this.start;
    const isPlace = Number.isSafeInteger(offset) && offset >= 0 && offset % this.capacity === 0 &&
      offset < PAGES * this.capacity;
    if (!isPlace) {
      throw new Wrong(
        `You ${what} a window ${offset / this.capacity} windows behind \`start\`, ` +
          `which is no place in the range of ${PAGES}.`,
        this.#picture,
      );
    }
    const protection = Protection.read | Protection.write;
    map({ address, length: this.capacity, protection, flags: flags | MapFlag.fixed, fd });
    this.moves++;
  }

  /** Writes bytes that depend on how many were written before. */
  write(length: number): void {
    this.#reach(this, length);
    this.#expectShown(this.tail, this.head + length);
    const at = this.head - this.start;
    for (let i = 0; i < length; i++, this.#written++) {
      const byte = this.#written * 7 + (this.#written >> 8) & 0xff;
      this.#bytes[at + i] = byte;
      this.#queue.push(byte);
    }
    this.head += length;
    const found = this.unread();
    const wrong = this.#queue.findIndex((byte, i) => byte !== found[i]);
    this.expect(
      wrong === -1 && found.length === this.#queue.length,
      `${this.#queue.length} bytes are unread. From \`tail\` on, byte ${wrong} should be ` +
        `${this.#queue[wrong]}, and is ${found[wrong]}.`,
    );
  }

  consume(length: number): void {
    this.tail += length;
    this.#queue.splice(0, length);
  }

  /** Writes bytes and consumes them. */
  pass(length: number): void {
    this.write(length);
    this.consume(length);
  }

  /** A view of what is unread. */
  unread(): Uint8Array {
    return this.#bytes.subarray(this.tail - this.start, this.head - this.start);
  }

  expectWindows(wanted: readonly number[]): void {
    const found = windowsIn(this.start, PAGES).flatMap((is, i) => is ? [i] : []);
    this.expect(
      `${found}` === `${wanted}`,
      `The places ${wanted.join(", ")} should have windows, and no others.`,
    );
  }

  /** All bytes from one position to another must lie in windows. */
  #expectShown(from: number, to: number): void {
    const shown = windowsIn(this.start, PAGES);
    const isShown = from >= this.start && to <= this.end &&
      shown.every((is, i) =>
        is || this.start + (i + 1) * this.capacity <= from || this.start + i * this.capacity >= to
      );
    this.expect(
      isShown,
      `The bytes from \`tail\` to ${
        this.#inWindows(to)
      }, where the write ends, do not all lie in windows.`,
    );
  }

  #inWindows(address: number): string {
    return `${((address - this.start) / this.capacity).toFixed(2)}`;
  }

  /** Fails with a picture unless the condition holds. */
  expect(condition: boolean, message: string): void {
    expect(condition, message, () => this.#picture);
  }

  /** The places of the range, and the positions, in windows from the start. */
  get #picture(): PagesPicture {
    const at = (["first", "tail", "head"] as const)
      .map((name) => `${name} ${this.#inWindows(this[name])}`).join(", ");
    return stripPicture(`The places of the range; ${at}`, this.start, PAGES);
  }

  [Symbol.dispose](): void {
    this.#bytes.buffer.transfer(0);
    unmap(this.start, PAGES * this.capacity);
    close(this.#fd);
  }
}
