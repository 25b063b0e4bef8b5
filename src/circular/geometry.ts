/**
 * The size of a circular buffer, and opening one.
 *
 * @module
 */

import { checkedOptions, inWords } from "../arguments.ts";
import type { Again } from "../region/poll.ts";
import type { Region } from "../region/region.ts";
import { type RingOptions, ringProduct, RingRegions } from "../lane/geometry.ts";
import { CIRCULAR_BUFFER, initialise, type Ring, ringOf } from "./circular_buffer.ts";

/** The options for opening a circular buffer. */
export type CircularBufferOptions = RingOptions;

/** Copies the options of a circular buffer and checks them. */
export function checkedBuffer<O extends CircularBufferOptions>(name: string, options: O): O {
  return checkedOptions(options, `open circular buffer ${inWords(name)}`);
}

const BUFFERS = new RingRegions(
  ringProduct(CIRCULAR_BUFFER, undefined, initialise),
);

/** Opens a buffer, or creates it: writers and readers may open in any order. */
export function openBuffer(name: string, options: CircularBufferOptions): Ring {
  return ringOf(name, BUFFERS.open(name, options));
}

/** Performs one step of attaching to a buffer as an observer; returns undefined if none exists. */
export function observeBuffer(
  name: string,
  options: { anyOwner?: boolean | undefined },
): Region | Again | undefined {
  return BUFFERS.observeOnce(name, options);
}

/** Removes the name of a buffer; existing handles keep working. Returns false when the name is free. */
export function unlinkBuffer(name: string): boolean {
  return BUFFERS.unlink(name);
}
