/**
 * Large messages in parts: splitting them, and putting them together again in the memory that they
 * are for. A message of which a part is missing is never complete.
 *
 * @module
 */

import type { Chunk, Heading } from "./message.ts";

/** Calls the handler with each part of a message; one without a chunk if it is whole. */
export function inChunks(
  bytes: Uint8Array,
  chunkBytes: number,
  handler: (part: Uint8Array, chunk: Chunk | undefined) => void,
): void {
  const total = bytes.length;
  const count = Math.max(1, Math.ceil(total / chunkBytes));
  for (let index = 0; index < count; index++) {
    const part = bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes);
    handler(part, count === 1 ? undefined : { index, count, total });
  }
}

/** Puts the parts of one message at a time together. */
export class Assembly {
  #sender = "";
  #sequence = 0;
  #chunk: Chunk | undefined;
  #bytes: Uint8Array = new Uint8Array(0);
  #next = 0;
  #filled = 0;

  /** Begins a message, whose bytes go into this array. */
  begin(sender: string, { sequence, chunk }: Heading, bytes: Uint8Array): void {
    this.#sender = sender;
    this.#sequence = sequence;
    this.#chunk = chunk;
    this.#bytes = bytes;
    this.#next = this.#filled = 0;
  }

  /** Adds a part; returns the bytes once all are there, and ends with false if one is missing. */
  add(sender: string, heading: Heading, part: Uint8Array): Uint8Array | boolean {
    const begun = this.#chunk;
    const chunk = heading.chunk!;
    if (begun === undefined) return false;
    const isNext = sender === this.#sender && heading.sequence === this.#sequence &&
      chunk.index === this.#next && chunk.total === begun.total && chunk.count === begun.count &&
      this.#filled + part.length <= begun.total;
    if (!isNext) return this.end();
    this.#bytes.set(part, this.#filled);
    this.#filled += part.length;
    if (++this.#next < chunk.count) return true;
    const bytes = this.#bytes;
    const isWhole = this.#filled === begun.total;
    this.end();
    return isWhole && bytes;
  }

  /** Whether a message is begun that lacks parts. */
  get isBegun(): boolean {
    return this.#chunk !== undefined;
  }

  /** Forgets the message. */
  end(): false {
    this.#chunk = undefined;
    this.#bytes = new Uint8Array(0);
    return false;
  }
}
