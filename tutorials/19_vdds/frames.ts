/**
 * The frames that are sent here, and the shape of the topic. A frame is a short text.
 *
 * @module
 */

import type { TopicMessage } from "../../mod.ts";

/** There is room for three frames. */
export const SHAPE = { depth: 3, size: 64 };

/** A text as bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Bytes as a text; of a message, its value. */
export function textOf(received: Uint8Array | TopicMessage | undefined): string {
  if (received === undefined) return "nothing";
  return new TextDecoder().decode(received instanceof Uint8Array ? received : received.value);
}
