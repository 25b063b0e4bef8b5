/**
 * The checks of the exercise: each answer works in a real mirror ring, and a plain array says what must
 * come out.
 *
 * @module
 */

import { MirrorRing } from "../../mod.ts";
import { type Check, expect, runChecks, Wrong } from "../check.ts";

/** What an answer works with. */
export interface Ring {
  /** The bytes of memory; a power of two. */
  readonly capacity: number;
  /** Copies bytes between places 0 to 2 * capacity; the ranges must not overlap. */
  copy(to: number, from: number, length: number): void;
}

/** An answer. */
export type Repeat = (ring: Ring, head: number, distance: number, length: number) => number;

/** One repeat. */
interface Case {
  readonly head: number;
  readonly distance: number;
  readonly length: number;
}

/** Checks an answer and prints the results. */
export function checkRepeat(repeat: Repeat): void {
  runChecks(import.meta.url, checksOf(repeat));
}

/** The checks that an answer must pass. */
export function checksOf(repeat: Repeat): Check[] {
  return [
    {
      what: "a repeat that does not overlap",
      check: () => inRing((ring) => ring.expect(repeat, { head: 100, distance: 40, length: 40 })),
      hint: "the bytes begin at the place of head - distance, and go to the place of head.",
    },
    {
      what: "a repeat that begins before the end of the memory",
      check: () => inRing((ring) => expectNearTheEnd(repeat, ring)),
      hint: "mask one place. The other follows it, perhaps in the second window.",
    },
    {
      what: "a repeat that overlaps itself",
      check: () =>
        inRing((ring) => {
          ring.expect(repeat, { head: 100, distance: 5, length: 8 });
          ring.expect(repeat, { head: 200, distance: 1, length: 9 });
          ring.expect(repeat, { head: ring.capacity - 3, distance: 7, length: 100 });
        }),
      hint: "copy a piece of `distance` bytes first. Then you have twice as many to copy from.",
    },
    {
      what: "any repeat, wherever it is",
      check: () => inRing((ring) => expectAny(repeat, ring)),
      hint: "the pattern always begins at the same place. How much follows it, after each piece?",
    },
    {
      what: "it returns the new head",
      check: () => inRing((ring) => expectHead(repeat, ring)),
      hint: "the head counts all bytes, also past the capacity. Do not mask what you return.",
    },
    {
      what: "few calls",
      check: () => inRing((ring) => expectFew(repeat, ring)),
      hint: "let each piece be as long as all that is there: distance, then twice, four times.",
    },
  ];
}

function expectNearTheEnd(repeat: Repeat, ring: Bench): void {
  const { capacity } = ring;
  ring.expect(repeat, { head: capacity + 10, distance: 30, length: 30 });
  ring.expect(repeat, { head: capacity - 10, distance: 60, length: 60 });
  ring.expect(repeat, { head: 5 * capacity, distance: 60, length: 60 });
  ring.expect(repeat, { head: 2 ** 31 + 12, distance: 40, length: 20 });
}

/** Repeats of many distances and lengths, by a seed. */
function expectAny(repeat: Repeat, ring: Bench): void {
  let state = 6;
  const dice = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
  for (let i = 0; i < 200; i++) {
    const distance = 1 + dice(i % 2 === 0 ? 20 : ring.capacity / 2);
    const length = 1 + dice(i % 3 === 0 ? 20 : ring.capacity - distance);
    ring.expect(repeat, { head: ring.capacity + dice(4 * ring.capacity), distance, length });
  }
  ring.expect(repeat, { head: 3 * ring.capacity + 1, distance: 1, length: ring.capacity - 1 });
}

function expectHead(repeat: Repeat, ring: Bench): void {
  for (const head of [100, ring.capacity + 100]) {
    const returned = repeat(ring, head, 10, 25);
    expect(
      returned === head + 25,
      `The head was ${head}, and the repeat had 25 bytes. You returned ${returned}.`,
    );
  }
}

function expectFew(repeat: Repeat, ring: Bench): void {
  for (const [distance, length, most] of [[40, 40, 1], [10, 70, 3], [1, 1000, 10]] as const) {
    ring.calls = 0;
    repeat(ring, 100, distance, length);
    expect(
      ring.calls <= most,
      `A repeat of ${length} bytes, ${distance} back, is possible with ${most} ` +
        `${most === 1 ? "call" : "calls"}. You made ${ring.calls}.`,
    );
  }
}

function inRing(use: (ring: Bench) => void): void {
  using bench = new Bench();
  use(bench);
}

/** A mirror ring whose copies are checked before they are made. */
class Bench implements Ring, Disposable {
  readonly #ring = new MirrorRing(4096);
  readonly capacity = this.#ring.capacity;
  calls = 0;

  copy(to: number, from: number, length: number): void {
    const call = `You call copy(${to}, ${from}, ${length}).`;
    for (const [place, what] of [[from, "reads"], [to, "writes"]] as const) {
      const isInside = place >= 0 && length >= 0 && place + length <= 2 * this.capacity;
      if (isInside) continue;
      throw new Wrong(
        `${call}\nIt ${what} the places ${place} to ${
          place + length
        }. The memory has the places 0 ` +
          `to ${2 * this.capacity}.`,
      );
    }
    if (to < from + length && from < to + length) {
      throw new Wrong(
        `${call}\nIt reads ${from} to ${from + length} and writes ${to} to ${
          to + length
        }: the two ` +
          "overlap.",
      );
    }
    if (++this.calls > 2 * this.capacity) throw new Wrong(`${call}\nThis is call ${this.calls}.`);
    this.#ring.bytes.copyWithin(to, from, from + length);
  }

  /** Lets the answer repeat, and compares every byte of the memory. */
  expect(repeat: Repeat, { head, distance, length }: Case): void {
    const { capacity } = this;
    const memory = this.#ring.bytes.subarray(0, capacity);
    for (let i = 0; i < capacity; i++) memory[i] = i * 7 + (i >> 8);
    const expected = memory.slice();
    const place = (position: number) => position & (capacity - 1);
    for (let i = 0; i < length; i++) {
      expected[place(head + i)] = expected[place(head - distance + i)]!;
    }
    this.calls = 0;
    repeat(this, head, distance, length);
    const wrong = expected.findIndex((byte, i) => byte !== memory[i]);
    expect(
      wrong === -1,
      `The head is ${head}, ${distance} back, ${length} bytes, in a ring of ${capacity}.\n` +
        `Byte ${wrong} of the memory should be ${expected[wrong]}, and is ${memory[wrong]}` +
        `${this.calls === 0 ? ": you have made no call" : ""}.`,
    );
  }

  [Symbol.dispose](): void {
    this.#ring.close();
  }
}
