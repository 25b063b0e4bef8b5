/**
 * Exercise: four rings, four mistakes.
 *
 * Here is one function from each stage, with one mistake in each. Two of them show the reader bytes
 * that were never sent, one is wrong after 4 GiB, and one is only slow. Find the mistakes. You have:
 *
 *     slot.isFull, slot.text     the flag of a slot, and its content
 *     writer.head, .capacity     the writer's own position, and the bytes of the ring
 *     writer.tailSeen            the tail as the writer last saw it
 *     writer.loadTail()          looks at the tail, which is slow
 *     reader.bytes               both windows of a ring in which there is a message
 *     reader.place, .length      where the message begins, and how long it is
 *     reader.storeTail(place)    gives everything before this place back to the writer
 *
 * Run it with `deno run --allow-ffi tutorials/10_four_rings/exercise.ts`.
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
