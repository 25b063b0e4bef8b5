/**
 * What the publisher and the subscribers of the scans agree on.
 *
 * @module
 */

import { codec, type Input, layout } from "../mod.ts";

/** How many distances there are in a scan, all around. */
export const DIRECTIONS = 16_384;

/** One turn of a laser scanner, as it lies in shared memory: 64 KiB of distances. */
export const Scan = layout("scan", {
  time: { type: "f64", doc: "when it was finished, in milliseconds since 1970" },
  metres: { type: layout.array("f32", DIRECTIONS), doc: "how far it is, in each direction" },
});

/** A scan, to be published. */
export type ScanInput = Input<typeof Scan>;

/** How all open the topic: who comes first makes it, so all must say the same. */
export const TOPIC = { codec: codec.struct(Scan), size: Scan.size, depth: 64, maxSubscribers: 8 };
