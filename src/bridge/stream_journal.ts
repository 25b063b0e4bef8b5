/**
 * A bridge notes in shared memory which messages of another machine's ring it has stored. If it is
 * killed before it answers a batch, the next bridge drops the messages that are noted.
 *
 * ```
 *   ring | incarnation | lane 0 | lane 1 | ...       f64 each
 * ```
 *
 * `ring` names the region here, and `incarnation` the one there. A lane has the number of its last
 * message that was stored, plus 1; 0 before the first. One process writes at a time, each word with
 * one store, so a kill falls between two of them:
 *
 * C1  Before a message is published: its lane has an older number. It comes again, and is stored.
 * C2  After it is published and before its number is written: it comes again, and is stored twice.
 *     Only one message can be between the two.
 * C3  After that: it comes again, and is dropped.
 * C4  While the journal begins anew: `ring` is 0, which names no region, from before the first lane
 *     is cleared until the last one is. The next bridge begins anew.
 *
 * If the ring here was replaced, the messages in it have gone with it, so the journal begins anew.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import {
  type SharedMemory,
  sharedMemory,
  type SharedMemoryDefinition,
} from "../shared/shared_memory.ts";

const LANES = 64; // the most producers of a ring
const [RING, INCARNATION, FIRST] = [0, 1, 2];

/** The numbers of the messages that were stored from one ring of one host. */
export class StreamJournal {
  readonly #definition: SharedMemoryDefinition;
  readonly #memory: SharedMemory;
  readonly #words: Float64Array;

  private constructor(definition: SharedMemoryDefinition) {
    this.#definition = definition;
    this.#memory = definition.open();
    const { buffer, byteOffset } = this.#memory.bytes;
    this.#words = new Float64Array(buffer, byteOffset, FIRST + LANES);
  }

  /** Opens the journal of a ring; undefined if /dev/shm is full, or the names are too long together. */
  static open(name: string, host: string): StreamJournal | undefined {
    const own = host.replace(/[^A-Za-z0-9-]/g, (sign) => `_${sign.charCodeAt(0).toString(16)}`);
    const size = 8 * (FIRST + LANES);
    try {
      return new StreamJournal(sharedMemory(`bridge.${name}.${own}`, { size, persist: true }));
    } catch (error) {
      if (error instanceof VringError || error instanceof TypeError) return undefined;
      throw error;
    }
  }

  /** Returns what was stored from this incarnation in this ring, by lane; begins anew otherwise. */
  stored(ring: number, incarnation: number): Map<number, number> {
    return storedIn(this.#words, ring, incarnation);
  }

  /** Notes that a message was stored. */
  note(lane: number, sequence: number): void {
    if (lane < LANES) this.#words[FIRST + lane] = sequence + 1; // C2 until here
  }

  /** Closes the journal, and removes it unless the next bridge needs it. */
  close(isNeeded: boolean): void {
    this.#memory.close();
    if (!isNeeded) this.#definition.unlink();
  }
}

/** As `StreamJournal.stored()`, in any words. */
export function storedIn(
  words: Pick<Float64Array, number | "fill">,
  ring: number,
  incarnation: number,
): Map<number, number> {
  const stored = new Map<number, number>();
  if (words[RING] === ring && words[INCARNATION] === incarnation) {
    for (let lane = 0; lane < LANES; lane++) {
      const next = words[FIRST + lane]!;
      if (next > 0) stored.set(lane, next - 1);
    }
    return stored;
  }
  words[RING] = 0; // C4
  words.fill(0, FIRST);
  words[INCARNATION] = incarnation;
  words[RING] = ring;
  return stored;
}
