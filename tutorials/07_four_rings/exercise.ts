/**
 * Exercise 7: four rings, four mistakes.
 *
 * Here is one function from each stage, with one mistake in each. With two of them the reader sees
 * what nobody has sent, one is wrong after 4 GiB, and one is only slow. Find them. Run it with
 * `deno run --allow-ffi tutorials/07_four_rings/exercise.ts`.
 *
 * @module
 */

import { checkRings, type Reader, type Slot, type Writer } from "./check.ts";

/** Stage 1: puts a text into a slot that is free. The reader may look at any moment. */
function fillSlot(slot: Slot, text: string): void {
  slot.isFull = true;
  slot.text = text;
}

/** Stage 2: how many bytes are free. Both positions are below 2^32, and begin again at 0 after
 * that. */
function free(head: number, tail: number, capacity: number): number {
  return capacity - (head - tail);
}

/** Stage 3: whether there is room. `loadTail` is slow; what it gave last stays in `tailSeen`. */
function hasRoom(writer: Writer, length: number): boolean {
  writer.tailSeen = writer.loadTail();
  return writer.capacity - ((writer.head - writer.tailSeen) >>> 0) >= length;
}

/** Stage 4: shows the message where it lies, and gives its place back to the writer. */
function readInPlace(reader: Reader, handler: (message: Uint8Array) => void): void {
  const message = reader.bytes.subarray(reader.place, reader.place + reader.length);
  reader.storeTail(reader.place + reader.length);
  handler(message);
}

checkRings({ fillSlot, free, hasRoom, readInPlace });
