/**
 * The readings and the ring that the producer and the consumer share.
 *
 * @module
 */

import { codec, layout, spsc, type Value } from "../mod.ts";

/** One reading of a sensor in its layout in shared memory. */
export const Reading = layout("reading", {
  number: { type: "f64", doc: "how many were sent before it" },
  time: { type: "f64", doc: "when it was sent, in milliseconds since 1970" },
  celsius: { type: "f32", doc: "what was measured" },
});

/** The values of a reading. */
export type ReadingValue = Value<typeof Reading>;

/** Defines the ring, for both ends. */
export const ring = (name: string) =>
  spsc(name, { type: codec.struct(Reading), capacity: 2 ** 16 });
