/**
 * Messages in a lane. Each is a length, as a number of 8 bytes, and the payload, padded to a
 * multiple of 8. So payloads begin at multiples of 8 and typed arrays can view them in place.
 *
 * A length is an assertion of the sender: it is checked against the published bytes before use.
 *
 * @module
 */

import { CorruptRegionError } from "../errors.ts";
import { LINE_BYTES } from "../layout/sizes.ts";
import { copyIn, copyOut, loadDouble, prefetch, storeDouble } from "../memory/word.ts";
import type { LaneReceiver, LaneSender } from "./lane.ts";

/** The bytes before a payload. */
export const RECORD_HEADER = 8;

/** Returns the bytes that a message of this length takes. */
export function recordBytes(length: number): number {
  return (RECORD_HEADER + length + 7) & ~7;
}

/** Returns the longest message that a lane can hold. */
export function longestRecord(capacity: number): number {
  return capacity - RECORD_HEADER;
}

/** Returns the offset of the next message's payload, in the sender's mapping. */
export function payloadOffset(lane: LaneSender): number {
  return lane.offset + RECORD_HEADER;
}

/** Writes the length of the next message, whose payload is in place, and counts it as written. */
export function finishRecord(lane: LaneSender, length: number): void {
  storeDouble(lane.place.mapping, lane.offset, length);
  lane.advance(recordBytes(length));
}

/** Writes a message into free space, and counts it as written. */
export function writeRecord(lane: LaneSender, message: Uint8Array, length: number): void {
  copyIn(lane.place.mapping, payloadOffset(lane), message, length); // may run past the seam
  finishRecord(lane, length);
}

/** Writes a message, and publishes it. */
export function sendRecord(lane: LaneSender, message: Uint8Array, length: number): void {
  if (lane.send(message, length, recordBytes(length))) return;
  writeRecord(lane, message, length);
  lane.announce();
}

/** Copies the first readable message, of this length, and releases it. */
export function receiveRecord(
  lane: LaneReceiver,
  target: Uint8Array<ArrayBuffer>,
  length: number,
): void {
  const bytes = recordBytes(length);
  if (lane.receive(target, lane.offset + RECORD_HEADER, length, bytes)) return;
  readRecord(lane, target, length);
  lane.release(bytes);
}

/** Returns the length of the first readable message; -1 if the lane is empty. */
export function recordLength(lane: LaneReceiver): number {
  return lane.available(RECORD_HEADER) === 0 ? -1 : knownLength(lane);
}

/** Returns the length of the first readable message of a lane that is known to have one. */
function knownLength(lane: LaneReceiver): number {
  const available = lane.known;
  // The second line is prefetched while the first is on its way, but only if it was published.
  if (available > LINE_BYTES) prefetch(lane.place.mapping, lane.offset + LINE_BYTES);
  const length = loadDouble(lane.place.mapping, lane.offset);
  const whole = length >>> 0; // -0 becomes 0
  if (whole === length && whole <= available - RECORD_HEADER && (available & 7) === 0) return whole;
  throw misfit(lane, length, available);
}

/** Returns that length; excludes a corrupt lane, and throws. */
export function nextLength(
  source: { exclude(lane: LaneReceiver): void },
  lane: LaneReceiver,
): number {
  try {
    return knownLength(lane);
  } catch (error) {
    source.exclude(lane);
    throw error;
  }
}

function misfit({ place }: LaneReceiver, length: number, available: number): CorruptRegionError {
  return new CorruptRegionError(
    `Cannot read from ${place.what}: a message states ${length} bytes of the ${available} ` +
      "that were published; unlink it and make a new one",
  );
}

/** Copies the message of this length at an offset, by default that of the first readable one. */
export function readRecord(
  lane: LaneReceiver,
  target: Uint8Array<ArrayBuffer>,
  length: number,
  offset: number = lane.offset + RECORD_HEADER,
) {
  copyOut(lane.place.mapping, offset, target, length);
}
