/**
 * Exercise: publish, and be killed.
 *
 * The sample with the number `number` is written already. Publish it to all readers: set their
 * words to `number << 2 | READY`. A reader stores `number << 2 | HELD` when it takes the sample,
 * and `number << 2 | NONE` when it releases it. Before, its word is `NONE` with an earlier number,
 * or 0 if the reader has just joined. At the end, `sequence` must be the number. You may be killed
 * before any operation. Then the next writer calls `finish`, and may be killed too. Each sample
 * must reach all readers once, or none. You have these operations:
 *
 *     words.load(k)                   the word of reader k, of `words.readers`; never negative
 *     words.compareExchange(k, a, b)  sets it to b if it is a; returns the value before
 *     words.journal()   words.setJournal(n)     a number to remember; 6 at first
 *     words.sequence()  words.setSequence(n)    the last sample published to all; 6 at first
 *
 * Run it with `deno run --allow-ffi tutorials/18_vring/exercise.ts`.
 *
 * @module
 */

import { checkPublish, READY, type Words } from "./check.ts";

/** Publishes a sample to all readers. The sample before it is finished. */
function publish(words: Words, number: number): void {
  words.setSequence(number);
  for (let k = 0; k < words.readers; k++) {
    words.compareExchange(k, words.load(k), number << 2 | READY);
  }
}

/** Finishes the sample that the last writer had begun, if any. A new writer does this first. */
function finish(words: Words): void {
  const last = words.sequence();
  for (let k = 0; k < words.readers; k++) {
    words.compareExchange(k, words.load(k), last << 2 | READY);
  }
}

checkPublish({ publish, finish });
