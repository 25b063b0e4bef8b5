/**
 * The topic that the publisher and the subscribers of scans share: both programs import its
 * definition. A name on the command line makes it another topic.
 *
 * @module
 */

import { array, struct, topic } from "../mod.ts";

/** One turn of a laser scanner: 64 KiB of distances, all around. */
export const Scan = struct("scan", {
  metres: { type: array("f32", 16_384), doc: "how far it is, in each direction" },
});

const name = Deno.args.find((word) => !word.startsWith("--")) ?? "/robot/scan";

/**
 * The topic. Its publisher never waits: a subscriber that is too slow loses the oldest scans, and
 * learns how many.
 */
export const scans = topic(name, { type: Scan, depth: 64, subscribers: 8, policy: "dropOldest" });

const WALL = Float32Array.from({ length: 1024 }, (_, i) => 4 + Math.sin(i / 163));

/** Measures one turn, or pretends to: walls, and something that moves in front of them. */
export function measure(metres: Float32Array, turn: number): void {
  for (let at = 0; at < metres.length; at += WALL.length) metres.set(WALL, at);
  const direction = 8 * turn % metres.length;
  metres.fill(1 + direction / metres.length, direction, direction + 64);
}
