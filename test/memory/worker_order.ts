/**
 * A Worker that is one of the two sides of store buffering: in each round both store 1 to a word of
 * their own, and then load the other one's.
 *
 * ```
 *   side 0:  x = 1;  a = y        side 1:  y = 1;  b = x        a = b = 0 in no sequential order
 * ```
 *
 * @module
 */

import { Mapping } from "../../src/memory/mapping.ts";
import { Word32, Word64 } from "../../src/memory/word.ts";
import { orderOthers } from "../../src/os/futex.ts";
import { type Access, ORDER_BYTES, ORDER_ROUNDS as ROUNDS } from "./words.ts";

/** The task. */
export interface Task {
  /** The file: a line for the step of each side, and then two lines a round. */
  readonly fd: number;
  readonly side: 0 | 1;
  readonly access: Access;
}

const LINE = 64;

const port = self as unknown as { onmessage: unknown; postMessage(message: unknown): void };

/** A word without any promise of order. */
class PlainWord {
  readonly #cell: Uint32Array<ArrayBuffer>;

  constructor({ bytes }: Mapping, { offset }: { offset: number }) {
    this.#cell = new Uint32Array(bytes.buffer, bytes.byteOffset + offset, 1);
  }

  storeThenLoad(value: number, other: PlainWord): number {
    this.#cell[0] = value;
    return other.#cell[0]!;
  }
}

/** A waker: it publishes, and looks at the bell. */
function glance<W extends Word32 | Word64>(own: W, other: W): number {
  return own.storeThenGlance(1, other as Word32); // the lower half, of 64 bits
}

/** A sleeper: it raises the bell, and looks. */
function order<W extends Word32 | Word64>(own: W, other: W): number {
  own.or(1);
  orderOthers();
  return other.load();
}

/** Returns the values that this side loaded, one for each round. */
function play<W>(
  { mapping, side }: { mapping: Mapping; side: 0 | 1 },
  Word: new (mapping: Mapping, place: { path: string; offset: number }) => W,
  storeThenLoad: (own: W, other: W) => number,
): Uint8Array {
  const at = (line: number) => ({ path: "order.word", offset: line * LINE });
  const steps = [new Word32(mapping, at(0)), new Word32(mapping, at(1))];
  const [mine, others] = [steps[side]!, steps[1 - side]!];
  const words = Array.from({ length: 2 * ROUNDS }, (_, i) => new Word(mapping, at(2 + i)));
  const loaded = new Uint8Array(ROUNDS);
  for (let round = 0; round < ROUNDS; round++) {
    mine.store(round + 1);
    while (others.load() <= round);
    loaded[round] = storeThenLoad(words[2 * round + side]!, words[2 * round + 1 - side]!);
  }
  return loaded;
}

port.onmessage = ({ data: { fd, side, access } }: MessageEvent<Task>) => {
  using mapping = Mapping.ofFile(fd, { length: ORDER_BYTES, what: "a test" });
  const scene = { mapping, side };
  const loaded = {
    "plain": () => play(scene, PlainWord, (own, other) => own.storeThenLoad(1, other)),
    "Word32": () => {
      return play(scene, Word32, (own, other) => {
        own.store(1);
        return other.load();
      });
    },
    "Word32 in one call": () => {
      return play(scene, Word32, (own, other) => own.storeThenLoad(1, other));
    },
    "bell of Word32": () => play(scene, Word32, side === 0 ? glance : order),
    "bell of Word64": () => play(scene, Word64, side === 0 ? glance : order),
    "bell without orderOthers()": () => {
      return play(
        scene,
        Word32,
        side === 0 ? glance : (own, other) => {
          own.or(1);
          return other.load();
        },
      );
    },
  }[access]();
  port.postMessage(loaded);
};
port.postMessage("ready");
