/**
 * The scans and the topic that the publisher and its subscribers share.
 *
 * @module
 */

import { codec, type Input, layout } from "../mod.ts";

/** The number of distances in a scan, all around. */
export const DIRECTIONS = 16_384;

/** One turn of a laser scanner in its layout in shared memory: 64 KiB of distances. */
export const Scan = layout("scan", {
  time: { type: "f64", doc: "when it was finished, in milliseconds since 1970" },
  metres: { type: layout.array("f32", DIRECTIONS), doc: "how far it is, in each direction" },
});

/** A scan, to be published. */
export type ScanInput = Input<typeof Scan>;

/** The options of the topic, the same in all programs, because the first one makes it. */
export const TOPIC = { codec: codec.struct(Scan), size: Scan.size, depth: 64, maxSubscribers: 8 };
