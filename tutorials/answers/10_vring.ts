/**
 * An answer to exercise 10: a note before the first reader is given anything, `sequence` after the
 * last, and in between only those are given the sample whose words do not have its number.
 *
 * @module
 */

import { checkPublish, READY, type Words } from "../10_vring/check.ts";

function publish(words: Words, number: number): void {
  words.setJournal(number);
  deliver(words, number);
}

function finish(words: Words): void {
  const number = words.journal();
  if (number === words.sequence() + 1) deliver(words, number);
}

function deliver(words: Words, number: number): void {
  for (let k = 0; k < words.readers; k++) {
    const before = words.load(k);
    if (before >>> 2 !== number) words.compareExchange(k, before, number << 2 | READY);
  }
  words.setSequence(number);
}

checkPublish({ publish, finish });
