/**
 * The frames that are sent here, and the shape of the topic. A frame is a short text.
 *
 * @module
 */

import type { ValueOutcome } from "../../mod.ts";

/** There is room for three frames. */
export const SHAPE = { depth: 3, size: 64 };

/** A text as bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Bytes as a text; of an outcome, those that were received. */
export function textOf(received: Uint8Array | ValueOutcome<Uint8Array>): string {
  if (received instanceof Uint8Array) return new TextDecoder().decode(received);
  return received.state === "ok" ? textOf(received.value) : received.state;
}
