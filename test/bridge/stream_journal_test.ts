/** What a bridge noted of a ring, for the next one: it is complete, or not used. */

import { assertEquals } from "@std/assert";
import { storedIn, StreamJournal } from "../../src/bridge/stream_journal.ts";
import { namespace } from "../../src/testing/namespace.ts";

const [RING, INCARNATION] = [7, 3];

/** Begins a journal, notes some messages, and leaves it as a bridge that is killed. */
function leave(lanes: Record<number, number>): void {
  const journal = StreamJournal.open("jobs", "a")!;
  journal.stored(RING, INCARNATION);
  for (const [lane, sequence] of Object.entries(lanes)) journal.note(Number(lane), sequence);
  journal.close(true);
}

/** What the next bridge finds. */
function found(ring: number, incarnation: number): [number, number][] {
  const journal = StreamJournal.open("jobs", "a")!;
  try {
    return [...journal.stored(ring, incarnation)];
  } finally {
    journal.close(false);
  }
}

Deno.test("a journal is found by the next bridge, for this ring and that run of the other one", () => {
  using _place = namespace();
  leave({ 0: 0, 5: 41 });
  assertEquals(found(RING, INCARNATION), [[0, 0], [5, 41]]);
  leave({ 0: 0 });
  assertEquals(found(RING + 1, INCARNATION), []);
  leave({ 0: 0 });
  assertEquals(found(RING, INCARNATION + 1), []);
});

Deno.test("a journal whose bridge is killed before any store of a new one is old or empty", () => {
  const old = [RING, INCARNATION, ...Array.from({ length: 64 }, (_, lane) => 101 + lane)];
  const anew: [ring: number, incarnation: number][] = [
    [RING + 1, INCARNATION],
    [RING, INCARNATION + 1],
  ];
  for (const [ring, incarnation] of anew) {
    let isDead = true;
    for (let steps = 0; isDead; steps++) {
      const words = [...old];
      isDead = dies(() => storedIn(killedAfter(steps, words), ring, incarnation));
      const before = storedIn(Float64Array.from(words), RING, INCARNATION).size;
      assertEquals(before, steps === 0 ? 64 : 0, `${steps} stores, ${words}`);
      assertEquals(storedIn(Float64Array.from(words), ring, incarnation).size, 0);
    }
  }
});

/** Makes words whose writer dies after so many stores. */
function killedAfter(steps: number, words: number[]): Float64Array {
  return new Proxy(words, {
    set(target, index, value) {
      if (steps-- === 0) throw new Death();
      return Reflect.set(target, index, value);
    },
  }) as unknown as Float64Array;
}

class Death extends Error {}

function dies(act: () => void): boolean {
  try {
    act();
    return false;
  } catch (error) {
    if (error instanceof Death) return true;
    throw error;
  }
}

Deno.test("a journal with names that are too long together is left out", () => {
  using _place = namespace();
  assertEquals(StreamJournal.open("j".repeat(190), "a".repeat(64)), undefined);
});
