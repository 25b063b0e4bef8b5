/**
 * The log entries and the ring that the producers and the consumer share.
 *
 * @module
 */

import { codec, mpsc } from "../mod.ts";

/** One entry of the log. */
export interface Entry {
  /** The number of entries that this process has sent before. */
  number: number;
  /** When it was sent, in milliseconds since 1970. */
  time: number;
  /** The message. */
  text: string;
}

/** Defines the ring, for all programs. */
export const ring = (name: string) =>
  mpsc(name, { type: codec.json<Entry>(), producers: 16, capacity: 2 ** 16 });
