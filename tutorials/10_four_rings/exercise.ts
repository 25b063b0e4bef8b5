/**
 * Exercise 7: four rings, four mistakes.
 *
 * Here is one function from each stage, with one mistake in each. Two of them show the reader bytes
 * that were never sent, one is wrong after 4 GiB, and one is only slow. Find the mistakes. Run it
 * with `deno run --allow-ffi tutorials/10_four_rings/exercise.ts`.
 *
 * @module
 */

import { checkRings, type Reader, type Slot, type Writer } from "./check.ts";

/** Stage 1: stores a text in a free slot. The reader may look at any moment. */
function fillSlot(slot: Slot, text: string): void {
  slot.isFull = true;
  slot.text = text;
}

/** Stage 2: returns how many bytes are free. Both positions wrap to 0 at 2^32. */
function free(head: number, tail: number, capacity: number): number {
  return capacity - (head - tail);
}

/** Stage 3: returns whether there is room. `loadTail` is slow; `tailSeen` keeps its last result. */
function hasRoom(writer: Writer, length: number): boolean {
  writer.tailSeen = writer.loadTail();
  return writer.capacity - ((writer.head - writer.tailSeen) >>> 0) >= length;
}

/** Stage 4: shows the message in place, and gives its room back to the writer. */
function readInPlace(reader: Reader, handler: (message: Uint8Array) => void): void {
  const message = reader.bytes.subarray(reader.place, reader.place + reader.length);
  reader.storeTail(reader.place + reader.length);
  handler(message);
}

checkRings({ fillSlot, free, hasRoom, readInPlace });
