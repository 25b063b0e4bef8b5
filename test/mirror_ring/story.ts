/**
 * Stories about byte rings within one process, told to a ring and to a model of it.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { bytesFrom } from "../memory/bytes.ts";

/** One step of a story about a ring; what it does depends on how full the ring is by then. */
export type Step = readonly [
  action: "write" | "read" | "claim and commit" | "claim and write" | "peek and consume",
  length: number,
  part: number,
];

/** Stories that fill, empty and overfill a ring of one or two pages. */
export const steps = (page: number) =>
  fc.array(
    fc.tuple(
      fc.constantFrom<Step[0]>(
        "write",
        "read",
        "claim and commit",
        "claim and write",
        "peek and consume",
      ),
      fc.oneof(fc.nat(2 * page + 5), fc.constantFrom(0, 1, page - 1, page, page + 1, 2 * page)),
      fc.double({ min: 0, max: 1, noNaN: true }),
    ),
    { maxLength: 60 },
  );

/** What the byte rings within one process have in common. */
export interface ByteRing {
  readonly capacity: number;
  readonly available: number;
  readonly free: number;
  write(source: Uint8Array): number;
  read(target: Uint8Array): number;
  claim(length?: number): Uint8Array;
  commit(length?: number): void;
  peek(length?: number): Uint8Array;
  consume(length: number): void;
}

/** The model: the bytes from `tail` to `head` of an endless sequence are in the ring. */
export function tell(ring: ByteRing, story: readonly Step[], check = () => {}): void {
  let [head, tail] = [0, 0];
  for (const [action, length, part] of story) {
    const [free, available] = [ring.capacity - (head - tail), head - tail];
    if (action === "write") {
      const moved = Math.min(length, free);
      assertEquals(ring.write(bytesFrom(head, length)), moved);
      head += moved;
    } else if (action === "read") {
      const target = new Uint8Array(length).fill(0xee);
      const moved = Math.min(length, available);
      assertEquals(ring.read(target), moved);
      assertEquals(target.subarray(0, moved), bytesFrom(tail, moved));
      assert(target.subarray(moved).every((byte) => byte === 0xee));
      tail += moved;
    } else if (action === "peek and consume") {
      if (length > available) {
        assertThrows(() => ring.peek(length), RangeError);
        assertThrows(() => ring.consume(length), RangeError);
      } else {
        assertEquals(ring.peek(length).slice(), bytesFrom(tail, length));
        ring.consume(Math.floor(part * length));
        tail += Math.floor(part * length);
      }
    } else if (length > free) {
      assertThrows(() => ring.claim(length), RangeError);
    } else if (action === "claim and commit") {
      const done = Math.floor(part * length);
      const space = length === free ? ring.claim() : ring.claim(length);
      assertEquals(space.length, length);
      space.set(bytesFrom(head, done));
      ring.commit(done);
      head += done;
    } else {
      ring.claim(length);
      assertEquals(ring.write(bytesFrom(head, 1)), Math.min(1, free));
      assertThrows(() => ring.commit(1), RangeError, "0 are claimed"); // the write took it back
      head += Math.min(1, free);
    }
    assertEquals([ring.available, ring.free], [head - tail, ring.capacity - (head - tail)]);
    assertEquals(ring.peek().slice(), bytesFrom(tail, head - tail));
    check();
  }
}
