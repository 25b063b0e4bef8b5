/**
 * The memory of all four rings: a page for the words, and behind it the data, which is mapped
 * twice. The first three rings use only the first window.
 *
 * @module
 */

import { check } from "../../src/errors.ts";
import { mapMirrored } from "../../src/memory/mirror.ts";
import type { Memory } from "../../src/memory/word.ts";
import { allocate, bufferAt, close, memfd } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";

/** A ring between one writer and one reader. Each of the two uses only its own half. */
export interface Ring {
  /** How often this end looked at a word of the other side. */
  readonly looks: number;
  /** How many pieces were copied, in and out. */
  readonly copies: number;
  /** Writes a message; false if the ring is full. */
  write(message: Uint8Array): boolean;
  /** Reads the next message into `target` and returns its length; undefined if the ring is empty.
   */
  read(target: Uint8Array<ArrayBuffer>): number | undefined;
}

/** Memory for a ring. */
export interface RingMemory extends Memory {
  /** Where the data begins. */
  readonly data: number;
  /** How many bytes of data there are; behind them they come again. */
  readonly capacity: number;
}

/** The words, each on a cache line of its own. */
export const HEAD = { path: "head", offset: 0 };
/** See {@linkcode HEAD}. */
export const TAIL = { path: "tail", offset: 64 };
/** Becomes 1 when measure.ts wants its threads to stop. */
export const STOP = { path: "stop", offset: 128 };

/** Makes memory for a ring of one page; it stays until the program ends. */
export function makeMemory(): RingMemory {
  const page = pageSize();
  const fd = check(memfd("ring"), { syscall: "memfd_create", action: "make memory" });
  check(allocate(fd, 0, 2 * page), { syscall: "fallocate", action: "reserve two pages" });
  const mapping = mapMirrored(fd, { header: page, capacity: page, what: "a ring" });
  close(fd);
  return memoryAt(mapping.address, mapping.bytes);
}

/** The same memory in another thread of this process: addresses mean the same in all of them. */
export function memoryAt(address: number, bytes = bytesAt(address)): RingMemory {
  const [data, capacity] = [pageSize(), pageSize()];
  const { buffer } = bytes;
  const [doubles, values] = [new Float64Array(buffer), new DataView(buffer)];
  return { address, bytes, buffer, doubles, values, data, capacity };
}

function bytesAt(address: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bufferAt(address, 3 * pageSize()));
}
