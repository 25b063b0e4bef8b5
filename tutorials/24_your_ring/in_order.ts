/**
 * How a ring stores and loads its words, and whether that is enough on Arm. The explorer keeps each
 * store behind the earlier loads of its party, which Arm does not. So it cannot show all of this.
 *
 * @module
 */

import { expect } from "../check.ts";
import type { RingMemory, RingWord, RingWork, WordName } from "./memory.ts";

/** Memory of one process that notes each operation. */
class Noted implements RingMemory {
  readonly capacity = 64;
  readonly size = 16;
  readonly notes: string[] = [];
  readonly #values: Record<WordName, number> = { head: 16, tail: 0, bell: 0 };
  readonly #bytes = new Uint8Array(128);

  word(name: WordName): RingWord {
    const values = this.#values;
    const note = (what: string) => this.notes.push(`${name}.${what}`);
    const load = (what: string) => () => {
      note(what);
      return values[name];
    };
    const store = (what: string) => (value: number) => {
      note(what);
      values[name] = value;
    };
    return {
      load: load("load"),
      glance: load("glance"),
      store: store("store"),
      storePlainly: store("storePlainly"),
      or: (bits) => {
        note("or");
        const before = values[name];
        values[name] |= bits;
        return before;
      },
      sleepWhile: () => void note("sleepWhile"),
      addAndWake: () => void note("addAndWake"),
    };
  }

  copyIn(place: number, message: Uint8Array): void {
    this.notes.push("copy");
    this.#bytes.set(message, place);
  }

  copyOut(place: number): Uint8Array {
    this.notes.push("copy");
    return this.#bytes.slice(place, place + this.size);
  }
}

/** Fails unless the words are stored and loaded in a sufficient order. */
export function orderedLikeThis(Ring: NonNullable<RingWork["Ring"]>): void {
  const told = (memory: Noted) => `Its operations are: ${memory.notes.join(", ")}.`;
  const sent = new Noted();
  new Ring(sent).trySend(new Uint8Array(16));
  expect(
    sent.notes.includes("tail.load"),
    `trySend() must load the tail with \`load\`: the consumer has read the bytes once that is seen.\n` +
      told(sent),
  );
  expect(
    sent.notes.includes("head.store"),
    `trySend() must store the head with \`store\`.\n${told(sent)}`,
  );
  const received = new Noted();
  new Ring(received).tryReceive();
  expect(
    received.notes.includes("head.load"),
    `tryReceive() must load the head with \`load\`.\n${told(received)}`,
  );
  expect(
    received.notes.includes("tail.store"),
    `tryReceive() must store the tail with \`store\`: Arm may let a plain store pass the reads of\n` +
      `the bytes, and the producer would overwrite them.\n${told(received)}`,
  );
}
