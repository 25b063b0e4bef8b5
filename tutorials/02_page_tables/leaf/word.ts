/**
 * The words and the copies of the library, on the machine: in place of src/memory/word.ts, by
 * import_map.json. Every byte that the ring's code stores or loads goes through the page tables.
 *
 * @module
 */

import { inSteps } from "../../../test/memory/fused.ts";
import * as real from "../../../src/memory/word.ts?real";
import type { Machine } from "../machine.ts";

export * from "../../../src/memory/word.ts?real";

/** Memory whose offsets are virtual addresses of a machine. */
export interface VirtualMemory extends real.Memory {
  readonly machine: Machine;
}

/** Fills the array that stands for the memory in types only: nothing reads it. */
const UNUSED = 0xee;

/** Makes the memory that begins at a virtual address. */
export function virtualMemory(machine: Machine, address: number, length: number): VirtualMemory {
  const bytes = new Uint8Array(length).fill(UNUSED);
  const { buffer } = bytes;
  const [doubles, values] = [new Float64Array(buffer), new DataView(buffer)];
  return { machine, address, bytes, buffer, doubles, values, checkWhole() {} };
}

/** A word of the machine. One instruction is atomic here, as the machine has one processor. */
export class Word32 extends real.Word32 {
  readonly #machine: Machine;

  constructor(memory: real.Memory, place: real.WordPlace, base = 0) {
    super(memory, place, base);
    this.#machine = (memory as VirtualMemory).machine;
  }

  override load(): number {
    return this.#machine.load32(this.address);
  }

  override store(value: number): void {
    this.#machine.store32(this.address, value);
  }

  override storeInOrder(value: number): void {
    this.store(value);
  }

  override add(value: number): number {
    return this.#change((before) => before + value);
  }

  override sub(value: number): number {
    return this.#change((before) => before - value);
  }

  override or(bits: number): number {
    return this.#change((before) => before | bits);
  }

  override and(bits: number): number {
    return this.#change((before) => before & bits);
  }

  override exchange(value: number): number {
    return this.#change(() => value);
  }

  override compareExchange(expected: number, desired: number): number {
    return this.#change((before) => before === expected ? desired : before);
  }

  override storeThenLoad(value: number, other: Word32): number {
    this.store(value);
    return other.load();
  }

  override storeThenGlance(value: number, bell: Word32): number {
    return this.storeThenLoad(value, bell);
  }

  override spinWhile(expected: number): boolean {
    return this.load() !== expected; // nobody else runs on this machine
  }

  #change(change: (before: number) => number): number {
    const before = this.load();
    this.store(change(before) >>> 0);
    return before;
  }
}

/** Copies bytes into the machine, one store each. */
export function copyIn(
  memory: real.Memory,
  offset: number,
  source: Uint8Array,
  length: number = source.length,
): void {
  const { machine, address } = memory as VirtualMemory;
  for (let i = 0; i < length; i++) machine.store8(address + offset + i, source[i]!);
}

/** Copies bytes out of the machine, one load each. */
export function copyOut(
  memory: real.Memory,
  offset: number,
  target: Uint8Array<ArrayBuffer>,
  length: number = target.length,
): void {
  const { machine, address } = memory as VirtualMemory;
  for (let i = 0; i < length; i++) target[i] = machine.load8(address + offset + i);
}

/** Stores a number, byte by byte. */
export function storeDouble(memory: real.Memory, offset: number, value: number): void {
  copyIn(memory, offset, new Uint8Array(Float64Array.of(value).buffer));
}

/** Loads a number, byte by byte. */
export function loadDouble(memory: real.Memory, offset: number): number {
  const bytes = new Uint8Array(8);
  copyOut(memory, offset, bytes);
  return new Float64Array(bytes.buffer)[0]!;
}

/** Does nothing: the machine has no caches. */
export function prefetch(_memory: real.Memory, _offset: number): void {}

/** The calls that are one in the native library, made of single steps. */
export const { sendIn, receiveOut } = inSteps<real.Memory, Word32>({
  copyIn,
  copyOut,
  storeDouble,
});
