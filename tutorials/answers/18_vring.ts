/**
 * An answer: store the journal before the first reader gets the sample, and
 * `sequence` after the last. In between, skip the readers whose words have its number.
 *
 * @module
 */

import { checkPublish, READY, type Words } from "../18_vring/check.ts";

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
