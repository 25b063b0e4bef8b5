/**
 * Messages in the form in which commands print them.
 *
 * @module
 */

import { harmless } from "./output.ts";

/** A value on one line, as people read it. */
export function shown(value: unknown): string {
  if (value instanceof Uint8Array) {
    const start = value.subarray(0, 32).toHex();
    return `${value.length} bytes: ${start}${value.length > 32 ? "..." : ""}`;
  }
  return harmless(Deno.inspect(value, { breakLength: Infinity, compact: true, iterableLimit: 16 }));
}
