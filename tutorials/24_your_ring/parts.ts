/**
 * What the checks of your ring share: rings on real memory and on the explorer's, and messages.
 *
 * @module
 */

import { expect, Wrong } from "../check.ts";
import { SIZE, type Trial, tryRings } from "./explored.ts";
import type { RingMemory, RingWork } from "./memory.ts";
import { closeRing, makeRing, messageOf, numberOf, RealMemory, SIZE as REAL_SIZE } from "./real.ts";

/** The chapters after which the parts are written. */
const AFTER = {
  mapRing: "The mirror ring",
  Ring: "A ring in four stages",
  receive: "Sleeping without losing a wake-up",
  Many: "Many producers, one doorbell",
} as const;

/** Says when to write a part. */
function writeIt(name: keyof typeof AFTER): string {
  return `Write \`${name}\` after the chapter "${AFTER[name]}"`;
}

/** Returns a part of the work, or says when to write it. */
export function part<K extends keyof RingWork>(
  work: RingWork,
  name: K,
): NonNullable<RingWork[K]> {
  const own = work[name];
  expect(own !== undefined, `${writeIt(name)}, and pass it to checkRing.`);
  return own;
}

/** Uses a ring on real memory. */
export function useRing(work: RingWork, use: (memory: RealMemory) => void, size = REAL_SIZE): void {
  const fd = makeRing();
  try {
    using memory = new RealMemory(part(work, "mapRing"), fd, { size });
    use(memory);
  } finally {
    closeRing(fd);
  }
}

/** A message as a failure tells it. */
export function said(message: Uint8Array | undefined): string {
  if (message === undefined) return "no message";
  const number = numberOf(message);
  return number === undefined ? "bytes of no message" : `message ${number}`;
}

/** Where both positions begin: the second message crosses the end. */
export const START = 12;

const text = (number: number) => messageOf(number, SIZE);

/** Sends those of these messages for which there is room. Returns how many. */
export function sending(work: RingWork, numbers: readonly number[], lane = 0) {
  return (lanes: readonly RingMemory[]) => {
    const Ring = part(work, "Ring");
    const ring = lanes.length === 1
      ? new Ring(lanes[0]!)
      : new Ring(lanes[lane]!, lanes[0]!.word("bell"));
    return numbers.filter((number) => ring.trySend(text(number))).length;
  };
}

/** What a party has received: the numbers, or "torn". */
export function heard(messages: readonly (Uint8Array | undefined)[]): string {
  const told = messages.filter((message) => message !== undefined).map((message) =>
    numberOf(message) ?? "torn"
  );
  return told.join();
}

/** Fails with a picture if an order goes wrong. */
export function run(trial: Trial): void {
  const { wrong, picture } = tryRings(trial);
  if (wrong !== undefined) throw new Wrong(`In this order: ${wrong}.`, picture);
}

/** Receives a message, sleeping. */
export function receive(ring: { receive?(): Uint8Array }): Uint8Array {
  expect(typeof ring.receive === "function", `${writeIt("receive")}.`);
  return ring.receive();
}
