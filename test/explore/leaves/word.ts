/** Stands in for src/memory/word.ts: every access is an operation of the scheduler. @module */

import { on, resolve, world } from "../machine.ts";
import type { Memory, WordPlace } from "../../../src/memory/word.ts?real";

export type { Memory, WordPlace };

export class Word32 {
  readonly path: string;
  readonly address: number;
  readonly #memory: Memory;
  readonly #cell: ReturnType<typeof resolve>;

  constructor(memory: Memory, place: WordPlace, base = 0) {
    this.path = place.path;
    this.address = memory.address + base + place.offset;
    this.#memory = memory;
    this.#cell = resolve(this.address);
  }

  #change(verb: string, argument: string, next: (before: number) => number): number {
    if (this.#memory.bytes.length === 0) throw new TypeError("Atomics on a detached ArrayBuffer");
    const { inode, offset } = this.#cell;
    return on(inode, () => `${this.path} ${verb} ${argument}`, () => {
      const before = inode.words[offset >> 2]!;
      const after = next(before) >>> 0;
      if (after !== before) world.setWord(inode, offset >> 2, after);
      return before;
    });
  }

  load(): number {
    return this.#change("load", "", (before) => before);
  }
  store(value: number): void {
    this.#change("store", `${value}`, () => value);
  }
  add(value: number): number {
    return this.#change("add", `${value}`, (before) => before + value);
  }
  sub(value: number): number {
    return this.#change("sub", `${value}`, (before) => before - value);
  }
  or(bits: number): number {
    return this.#change("or", `${bits}`, (before) => before | bits);
  }
  and(bits: number): number {
    return this.#change("and", `${bits}`, (before) => before & bits);
  }
  exchange(value: number): number {
    return this.#change("exchange", `${value}`, () => value);
  }
  compareExchange(expected: number, desired: number): number {
    const argument = `${expected} -> ${desired}`;
    return this.#change(
      "cas",
      argument,
      (before) => before === expected >>> 0 ? desired : before,
    );
  }
  spinWhile(expected: number, _budget: number): boolean {
    return this.#change("spin while", `${expected}`, (before) => before) !== expected;
  }
}

export class Word64 {
  readonly path: string;
  readonly address: number;
  readonly #memory: Memory;
  readonly #cell: ReturnType<typeof resolve>;

  constructor(memory: Memory, place: WordPlace, base = 0) {
    this.path = place.path;
    this.address = memory.address + base + place.offset;
    this.#memory = memory;
    this.#cell = resolve(this.address);
  }

  #change(verb: string, argument: string, next: (before: bigint) => bigint): number {
    if (this.#memory.bytes.length === 0) throw new TypeError("the memory is closed");
    const { inode, offset } = this.#cell;
    return on(inode, () => `${this.path} ${verb} ${argument}`, () => {
      const index = offset >> 2;
      const before = BigInt(inode.words[index]!) | BigInt(inode.words[index + 1]!) << 32n;
      const after = BigInt.asUintN(64, next(before));
      if (after !== before) {
        world.setWord(inode, index, Number(after & 0xffffffffn));
        world.setWord(inode, index + 1, Number(after >> 32n));
      }
      return Number(before);
    });
  }

  load(): number {
    return this.#change("load", "", (before) => before);
  }
  store(value: number): void {
    this.#change("store", `${value}`, () => BigInt(value));
  }
  storeFirst(value: number): void {
    this.store(value);
  }
  loadLast(): number {
    return this.load();
  }
  add(value: number): number {
    return this.#change("add", `${value}`, (before) => before + BigInt(value));
  }
  sub(value: number): number {
    return this.#change("sub", `${value}`, (before) => before - BigInt(value));
  }
  or(bits: number): number {
    return this.#change("or", `${bits}`, (before) => before | BigInt(bits));
  }
  and(bits: number): number {
    return this.#change("and", `${bits}`, (before) => before & BigInt(bits));
  }
  exchange(value: number): number {
    return this.#change("exchange", `${value}`, () => BigInt(value));
  }
  compareExchange(expected: number, desired: number): number {
    const argument = `${expected} -> ${desired}`;
    return this.#change(
      "cas",
      argument,
      (before) => before === BigInt(expected) ? BigInt(desired) : before,
    );
  }
}

/** A copy is performed in two halves, so that others can act in the middle. */
function halves(length: number): (readonly [from: number, to: number])[] {
  if (length < 2) return [[0, length]];
  const middle = length >> 1;
  return [[0, middle], [middle, length]];
}

export function copyIn(memory: Memory, offset: number, source: Uint8Array): void {
  const { inode, offset: base } = resolve(memory.address + offset);
  for (const [from, to] of halves(source.length)) {
    const part = source.slice(from, to);
    const label = () => `copy in ${part.length} bytes at ${offset + from}`;
    on(inode, label, () => world.setBytes(inode, base + from, part));
  }
}

export function copyOut(memory: Memory, offset: number, target: Uint8Array): void {
  const { inode, offset: base } = resolve(memory.address + offset);
  for (const [from, to] of halves(target.length)) {
    const label = () => `copy out ${to - from} bytes at ${offset + from}`;
    target.set(on(inode, label, () => inode.bytes.slice(base + from, base + to)), from);
  }
}
