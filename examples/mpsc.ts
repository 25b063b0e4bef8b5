/**
 * What the processes that keep a log agree on with the one that reads it.
 *
 * @module
 */

import { codec } from "../mod.ts";

/** One entry of the log. */
export interface Entry {
  /** How many entries this process has sent before. */
  number: number;
  /** When it was sent, in milliseconds since 1970. */
  time: number;
  /** What there is to say. */
  text: string;
}

/** How all open the ring: who comes first makes it, so all must say the same. */
export const RING = { codec: codec.json<Entry>(), producers: 16, capacity: 2 ** 16 };
