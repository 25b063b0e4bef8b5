/**
 * Chapter 21: a write of one message, an operation at a time, for the machine of chapter 13.
 *
 * @module
 */

import { Machine, type Party, type SharedWord } from "../13_doorbell/machine.ts";
import { deathsIn, tracksOf } from "../13_doorbell/tracks.ts";
import type { TracksPicture } from "../stage/story.ts";

/** The words of a slot, and one entry. No message is written yet. */
interface OneEntry {
  /** The seat of the writer that writes, or 0. */
  readonly writer: SharedWord;
  /** The number of the newest complete message. */
  readonly sequence: SharedWord;
  readonly stamp: SharedWord;
  /** Each half of the text is the number of its message. */
  readonly half1: SharedWord;
  readonly half2: SharedWord;
}

const WORDS = ["writer", "sequence", "stamp", "half1", "half2"];

const SEAT = 1;

const painter: Party<OneEntry> = {
  name: "painter",
  code: ({ writer, sequence, stamp, half1, half2 }) => {
    writer.exchange(SEAT);
    const number = sequence.load() + 1;
    stamp.store(0);
    half1.store(number);
    half2.store(number);
    stamp.store(number);
    sequence.store(number);
    writer.store(0);
    return true;
  },
};

const reader: Party<OneEntry> = {
  name: "reader",
  code: ({ sequence, stamp, half1, half2 }) => {
    if (sequence.load() === 0) return true;
    half1.load();
    half2.load();
    stamp.load();
    return true;
  },
};

/** Draws a write, and what a death after each operation leaves. */
export function oneWrite(): TracksPicture {
  const parties = [painter, reader];
  const machine = new Machine(parties, WORDS);
  const events = [0, 0, 0, 0, 0, 0, 0, 1, 0].map((index) => machine.step(index));
  return tracksOf(events, parties, {
    title: "The first message of a slot, one operation at a time",
    deaths: deathsIn(events, parties),
  });
}
