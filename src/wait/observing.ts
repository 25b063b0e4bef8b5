/**
 * The wait of an observer. It cannot raise a bell in memory that it can only read, so no writer
 * wakes it. It sleeps on a private bell for a short slice, then looks again.
 *
 * A slice is at most a tenth of the time that the observer has waited, from 1 to 64 ms. So a
 * message is late by at most a tenth of the time since the last one. After a long silence the
 * observer looks 16 times a second. Slices are powers of two, so that those of many observers end
 * together.
 *
 * @module
 */

import { Mapping } from "../memory/mapping.ts";
import type { Word32 } from "../memory/word.ts";
import { now, perIsolate } from "../os/clock.ts";
import { pageSize } from "../os/page.ts";
import type { Condition } from "./condition.ts";
import { Doorbell } from "./doorbell.ts";

const BELL = { path: "observer.bell", offset: 0 };

const SHORTEST_SLICE_NS = 1e6;
const MOST_DOUBLINGS = 6;

/** A bell of this isolate that nobody rings. */
const silentBell: () => Doorbell = perIsolate(() =>
  new Doorbell(Mapping.anonymous(pageSize(), "observing"), BELL)
);

/** The news that an observer waits for. */
export interface Observation {
  /** A word to spin on, if there is one. */
  readonly watch: Word32 | undefined;
  /** Whether there is news; throws a ClosedError once the observer is closed. */
  ready(): boolean;
  /** Checks whether another region has the name; attaches to it and returns true if so. */
  look(): boolean;
}

/** Makes the condition for one wait of an observer, which begins now. */
export function observing({ watch, ready, look }: Observation): Condition {
  const bell = silentBell();
  const start = now();
  return {
    bell,
    watch: watch ?? bell.word,
    get sliceNs(): number {
      const slices = Math.floor((now() - start) / 10 / SHORTEST_SLICE_NS);
      return SHORTEST_SLICE_NS * 2 ** Math.min(Math.log2(Math.max(slices, 1)) | 0, MOST_DOUBLINGS);
    },
    ready,
    beforeSleep: () => look() ? "ready" : undefined,
  };
}
