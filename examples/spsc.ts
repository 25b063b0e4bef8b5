/**
 * What the producer and the consumer of the readings agree on.
 *
 * @module
 */

import { codec, layout, type Value } from "../mod.ts";

/** One reading of a sensor, as it lies in shared memory. */
export const Reading = layout("reading", {
  number: { type: "f64", doc: "how many were sent before it" },
  time: { type: "f64", doc: "when it was sent, in milliseconds since 1970" },
  celsius: { type: "f32", doc: "what was measured" },
});

/** What a reading tells. */
export type ReadingValue = Value<typeof Reading>;

/** How both ends open the ring: who comes first makes it, so both must say the same. */
export const RING = { codec: codec.struct(Reading), capacity: 2 ** 16 };
