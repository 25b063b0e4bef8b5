/**
 * Memory in which each store of a fused call goes to a page of its own.
 *
 * @module
 */

import type { Mapping } from "../../src/memory/mapping.ts";
import { Word32 } from "../../src/memory/word.ts";
import { pageSize } from "../../src/os/page.ts";
import { bytesFrom } from "./bytes.ts";
import type { inSteps } from "./fused.ts";

/** The calls. */
export type Calls = ReturnType<typeof inSteps<Mapping, Word32>>;

/** The pages that each call stores to, in order. */
export const STORES: Readonly<Record<keyof Calls, readonly number[]>> = {
  sendIn: [1, 0, 2], // the message, its length, the position
  receiveOut: [0, 1, 2], // both numbers, the position
};

/** All pages: the last one has the bell, and a message to receive. */
export const PAGES = 4;

/** Returns the word of the position. */
export function positionIn(mapping: Mapping): Word32 {
  return new Word32(mapping, { path: "test.position", offset: 2 * pageSize() });
}

/** Performs a call. */
export function perform(
  call: keyof Calls,
  calls: Calls,
  mapping: Mapping,
  position: Pick<Word32, "storeThenGlance"> = positionIn(mapping),
): void {
  const page = pageSize();
  const bell = new Word32(mapping, { path: "test.bell", offset: 3 * page });
  const word = position as Word32;
  if (call === "sendIn") {
    calls.sendIn(mapping, page - 8, bytesFrom(1, 100), 100, word, 7, bell);
  } else {
    const target = new Uint8Array(100);
    calls.receiveOut(mapping, 3 * page + 64, target, 100, page - 8, 5, word, 7, bell);
  }
}
