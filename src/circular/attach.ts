/**
 * Opening circular buffers, from either end.
 *
 * @module
 */

import { checkedOptions, inWords } from "../arguments.ts";
import { dataOffsetOf } from "../region/header.ts";
import { openRing, type RingOptions } from "../lane/attach.ts";
import { CIRCULAR_BUFFER, initialise, type Ring, ringOf } from "./circular_buffer.ts";

/** How to open a circular buffer. */
export type CircularBufferOptions = RingOptions;

/** The options of a circular buffer, each read once and checked. */
export function checkedBuffer<O extends CircularBufferOptions>(name: string, options: O): O {
  return checkedOptions(options, `open circular buffer ${inWords(name)}`);
}

/** Opens a buffer, or makes it: writers and readers may come in any order. */
export function openBuffer(name: string, options: CircularBufferOptions): Ring {
  const start = dataOffsetOf(CIRCULAR_BUFFER);
  const region = openRing(CIRCULAR_BUFFER, name, options, {
    initialise: (mapping) => initialise(mapping, start),
  });
  return ringOf(name, region);
}
