/**
 * The memory of regions that are not in /dev/shm. The FIFOs of event loops are there (os/fifo.ts).
 * Processes that share another directory, such as containers, often have a /dev/shm each. So the
 * FIFO of one is not there for another, and nobody sleeps by a FIFO at such memory.
 *
 * @module
 */

import type { Mapping } from "../memory/mapping.ts";
import { DIRECTORY, directoryOf } from "./names.ts";

const elsewhere = new WeakSet<Mapping>();

/** Notes where the file of a mapping is. */
export function noteDirectory(mapping: Mapping, path: string): void {
  if (directoryOf(path) !== DIRECTORY) elsewhere.add(mapping);
}

/** Whether the file of a mapping is outside of /dev/shm. */
export function isElsewhere(mapping: Mapping): boolean {
  return elsewhere.has(mapping);
}
