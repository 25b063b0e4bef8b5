/**
 * Exercise 10: publish, and be killed.
 *
 * A sample is written already, and its number is `number`. Give it to all readers, by making their
 * words `number << 2 | READY`. A reader makes that `number << 2 | HELD` when it takes the sample, and
 * `number << 2 | NONE` when it gives it back; before, it is `NONE` of an earlier number, or of none if
 * the reader has just come. At the end, `sequence` must be the number. You may be killed before any
 * operation. Then the next writer calls `finish`, and it may be killed as well. Each sample must come
 * to all readers, once, or to none. What you have, an operation each:
 *
 *     words.load(k)                     the word of reader k, of `words.readers`: 32 bits, not negative
 *     words.compareExchange(k, a, b)    makes it b if it is a; returns what it was
 *     words.journal()   words.setJournal(n)     a number to remember; 6 at first
 *     words.sequence()  words.setSequence(n)    the last sample that all have got; 6 at first
 *
 * Run it with `deno run --allow-ffi tutorials/10_vring/exercise.ts`.
 *
 * @module
 */

import { checkPublish, READY, type Words } from "./check.ts";

/** Gives a sample to all readers. The last one was finished. */
function publish(words: Words, number: number): void {
  words.setSequence(number);
  for (let k = 0; k < words.readers; k++) {
    words.compareExchange(k, words.load(k), number << 2 | READY);
  }
}

/** What a new writer does first: finishes what the last one has begun, if there is anything. */
function finish(words: Words): void {
  const last = words.sequence();
  for (let k = 0; k < words.readers; k++) {
    words.compareExchange(k, words.load(k), last << 2 | READY);
  }
}

checkPublish({ publish, finish });
