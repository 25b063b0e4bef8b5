/**
 * A batch of messages, copied out of a ring in one copy.
 *
 * A copy of many messages fetches many lines of the cache at a time, while messages that are read one
 * by one wait for each. The copy has the lengths and the padding, too, so message `i` is at
 * `places[2 * i]` of the target. Lengths are checked in the copy, which no peer can change.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { byteLengthIn, byteLengthOf, dataOf } from "../arrays.ts";
import { copyOut } from "../memory/word.ts";
import type { LaneReceiver } from "./lane.ts";
import { RECORD_HEADER, recordBytes } from "./record.ts";

/** The memory for the batches of a receiver, which the caller passes to each call. */
export class Block {
  #target = new Uint8Array(0);
  #data: DataView = new DataView(this.#target.buffer); // of the target
  #places = new Uint32Array(0); // for each message where it begins, and where it ends
  #limit = 0; // messages

  /** Checks what the caller has passed. */
  use(target: Uint8Array<ArrayBuffer>, places: Uint32Array<ArrayBuffer>, what: string): void {
    const space = byteLengthOf(target, "receive from", what);
    this.#limit = Math.floor((byteLengthIn(places, "Uint32Array") ?? 0) / 8);
    if (this.#limit === 0) throw misplaced(places, what);
    this.#places = places;
    if (this.#target === target && this.space === space) return;
    this.#data = dataOf(target, 0, space);
    this.#target = target;
  }

  /** The bytes of the target. */
  get space(): number {
    return this.#data.byteLength;
  }

  /**
   * Copies as many whole messages as fit, and releases them; returns their number. The first one is
   * known to be there, with this length; returns 0 if it does not fit. Ends before a message whose
   * length is corrupt.
   */
  receive(lane: LaneReceiver, firstLength: number): number {
    const data = this.#data;
    const places = this.#places;
    const limit = this.#limit;
    const { known } = lane;
    const bytes = Math.min(known, this.space & ~7, limit * recordBytes(firstLength));
    if (bytes < recordBytes(firstLength)) return 0;
    copyOut(lane.place.mapping, lane.offset, this.#target, bytes);
    let at = 0;
    let count = 0;
    while (count < limit && at < bytes) {
      const start = at + RECORD_HEADER;
      const length = data.getFloat64(at, true);
      const whole = length >>> 0;
      if (whole !== length || start + whole > bytes) break; // the rest of it was not copied
      places[2 * count] = start;
      places[2 * count + 1] = start + whole;
      count++;
      at += recordBytes(whole);
    }
    if (count === 0) return 0;
    lane.advance(at, count);
    lane.announce();
    return count;
  }
}

function misplaced(places: unknown, what: string): TypeError {
  return new TypeError(
    `Cannot receive a batch from ${what}: the places of messages are ${inWords(places)}; pass a ` +
      "Uint32Array of at least 2",
  );
}
