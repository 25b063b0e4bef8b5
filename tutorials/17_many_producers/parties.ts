/**
 * Producers and consumers, one operation at a time, for the machine of tutorial 13.
 *
 * @module
 */

import type { Party, SharedWord } from "../13_doorbell/machine.ts";

/** A ring that two producers write to: the number of messages, and the first two of them. */
export interface OneRing {
  readonly head: SharedWord;
  readonly first: SharedWord;
  readonly second: SharedWord;
}

/** The words of {@linkcode OneRing} in order. */
export const RING_WORDS = ["head", "first", "second"];

/** Writes a message at the head, and moves the head. That is right only for a single producer. */
export function rival(name: string, message: number): Party<OneRing> {
  return {
    name,
    code: ({ head, first, second }) => {
      const at = head.load();
      (at === 0 ? first : second).store(message);
      head.store(at + 1);
      return true;
    },
  };
}

/** One of many lanes, and the word of hints. */
export interface HintedLane {
  /** How many messages the lane has. */
  readonly head: SharedWord;
  /** Not 0: look at the lane. */
  readonly hint: SharedWord;
}

/** The words of {@linkcode HintedLane} in order. */
export const LANE_WORDS = ["head", "hint"];

/** Publishes two messages, and a hint after each. */
export function producer(options: Partial<Party<HintedLane>> = {}): Party<HintedLane> {
  const code = ({ head, hint }: HintedLane) => {
    for (let i = 0; i < 2; i++) {
      head.add(1);
      hint.or(1);
      hint.wakeAll();
    }
    return true;
  };
  return { name: "producer", code, ...options };
}

/** Waits for a hint, looks into the lane, and then clears the hint. */
export const looksThenClears: Party<HintedLane> = {
  name: "consumer",
  code: ({ head, hint }) => {
    hint.sleepWhile(0);
    if (head.load() >= 2) return true;
    hint.store(0);
    return false;
  },
};

/** Waits for a hint, clears it, and then looks into the lane. */
export const clearsThenLooks: Party<HintedLane> = {
  name: "consumer",
  code: ({ head, hint }) => {
    hint.sleepWhile(0);
    hint.exchange(0);
    return head.load() >= 2;
  },
};
