/**
 * The four stages by name, and messages in which a wrong byte shows.
 *
 * @module
 */

import { SlotRing } from "./ring1_slots.ts";
import { PositionRing } from "./ring2_positions.ts";
import { CachedRing } from "./ring3_cached.ts";
import { MirroredRing } from "./ring4_mirrored.ts";
import type { Ring, RingMemory } from "./ring_memory.ts";

/** The stages in order. */
export const STAGES = ["1 slots", "2 positions", "3 cached positions", "4 mirrored"] as const;
/** One of the stages. */
export type Stage = (typeof STAGES)[number];

/** The ring of a stage. */
export function ringOf(stage: Stage, memory: RingMemory): Ring {
  switch (stage) {
    case "1 slots":
      return new SlotRing(memory);
    case "2 positions":
      return new PositionRing(memory);
    case "3 cached positions":
      return new CachedRing(memory);
    case "4 mirrored":
      return new MirroredRing(memory);
  }
}

/** The bytes of a message that is counted or measured. */
export const MESSAGE_BYTES = 20;

/**
 * The messages of a window, which is timed as a whole: so few that most windows pass while both sides
 * have a processor.
 */
export const WINDOW = 200;

/** Messages by number; after these they come again. */
const MESSAGES = Array.from(
  { length: 251 }, // a prime, so that a message out of place is another one
  (_, number) => Uint8Array.from({ length: MESSAGE_BYTES }, (_, i) => number + 37 * i),
);

/** The message with this number: its bytes follow from the number, and from their place. */
export function messageOf(number: number): Uint8Array {
  return MESSAGES[number % MESSAGES.length]!;
}

/** Whether the first `length` bytes of `message` are the message with this number. */
export function isMessage(message: Uint8Array, length: number, number: number): boolean {
  const expected = messageOf(number);
  for (let i = 0; i < MESSAGE_BYTES; i++) {
    if (message[i] !== expected[i]) return false;
  }
  return length === MESSAGE_BYTES;
}
