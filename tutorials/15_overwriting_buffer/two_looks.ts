/**
 * Chapter 15: a reader that copies the only place of a ring while a writer overwrites it, for the
 * machine of chapter 13.
 *
 * @module
 */

import { Machine, type Party, type SharedWord } from "../13_doorbell/machine.ts";
import { deathsIn, tracksOf } from "../13_doorbell/tracks.ts";
import type { TracksPicture } from "../stage/story.ts";

/** A ring of one place. Message 0 is in it, and nothing is lost yet. */
interface OnePlace {
  /** The number of the last message that was published. */
  readonly published: SharedWord;
  /** The number of the oldest message that is intact. */
  readonly oldest: SharedWord;
  /** Each half of a message is its number. */
  readonly half1: SharedWord;
  readonly half2: SharedWord;
}

const WORDS = ["published", "oldest", "half1", "half2"];

const writer: Party<OnePlace> = {
  name: "writer",
  code: ({ published, oldest, half1, half2 }) => {
    const number = published.load() + 1;
    oldest.store(number);
    half1.store(number);
    half2.store(number);
    published.store(number);
    return true;
  },
};

const reader: Party<OnePlace> = {
  name: "reader",
  code: ({ oldest, half1, half2 }) => {
    half1.load();
    half2.load();
    oldest.load();
    return true;
  },
};

/** Draws a torn copy, the look that notices, and what a death after each operation leaves. */
export function tornAndNoticed(): TracksPicture {
  const parties = [writer, reader];
  const machine = new Machine(parties, WORDS);
  const events = [0, 1, 0, 0, 0, 1, 1, 0].map((index) => machine.step(index));
  return tracksOf(events, parties, {
    title: "A ring with one place, one operation at a time",
    end: "The copy has half of message 0 and half of message 1. Row 7 says that 0 is gone.",
    deaths: deathsIn(events, parties),
  });
}
