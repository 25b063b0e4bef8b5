/**
 * The log of an actor: the results of its operations, with a hash of every beginning of the log.
 *
 * The owner keeps the length. Going back is a smaller length; entries beyond it are overwritten.
 *
 * @module
 */

import { mix, SEED_A, SEED_B } from "./hash.ts";
import type { Operation } from "./operation.ts";
import { hashOf } from "./values.ts";

/** One line of a log. */
export type Entry =
  | { readonly kind: "done"; readonly operation: Operation; readonly result: unknown }
  /** A fact that only this actor can see, established once. */
  | { readonly kind: "local"; readonly result: unknown }
  /** The actor asked a thread of its pool for something and has a promise. */
  | { readonly kind: "begun" }
  /** The thread of the pool began on it. */
  | { readonly kind: "started"; readonly thread: number }
  /** The actor learned the result. */
  | { readonly kind: "settled"; readonly thread: number; readonly result: unknown };

const KINDS: readonly Entry["kind"][] = ["done", "local", "begun", "started", "settled"];

/** Entries in the order in which they were made. */
export class Log {
  readonly #entries: Entry[] = [];
  readonly #hashA = [SEED_A];
  readonly #hashB = [SEED_B];

  /** Returns the entry at a position below the length. */
  at(position: number): Entry {
    return this.#entries[position]!;
  }

  /** Writes an entry behind the first `length` ones, and returns the new length. */
  append(length: number, entry: Entry): number {
    const result = "result" in entry ? entry.result : undefined;
    const detail = KINDS.indexOf(entry.kind) + ("thread" in entry ? 8 * entry.thread : 0);
    const next = length + 1;
    this.#entries[length] = entry;
    this.#hashA[next] = mix(this.hashA(length), hashOf(result, SEED_A), detail, next, SEED_A);
    this.#hashB[next] = mix(this.hashB(length), hashOf(result, SEED_B), detail, next, SEED_B);
    return next;
  }

  /** Returns the first half of the hash of the first `length` entries. */
  hashA(length: number): number {
    return this.#hashA[length]!;
  }

  /** Returns the second half of the hash of the first `length` entries. */
  hashB(length: number): number {
    return this.#hashB[length]!;
  }

  /** Returns 53 bits of both halves, as a key for a map. */
  key(length: number): number {
    return (this.hashA(length) >>> 0) * 2 ** 21 + (this.hashB(length) & 2 ** 21 - 1);
  }
}
