/** Stands in for src/memory/word.ts: every access is an operation of the scheduler. @module */

import { inHex, nameWord, on, resolve, world } from "../machine.ts";
import type { Inode } from "../world.ts";
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
    if (memory.bytes.length === 0) throw new TypeError("the memory is closed");
    this.#cell = resolve(this.address);
    nameWord(this.#cell, this.path);
  }

  #operate<T>(label: () => string, perform: () => T): T {
    if (this.#memory.bytes.length === 0) throw new TypeError("Atomics on a detached ArrayBuffer");
    return on(this.#cell.inode, () => `${this.path} ${label()}`, perform);
  }

  #replace(next: (before: number) => number): number {
    const { inode, offset } = this.#cell;
    const before = inode.words[offset >> 2]!;
    const after = next(before) >>> 0;
    if (after !== before) world.setWord(inode, offset >> 2, after);
    return before;
  }

  #change(label: () => string, next: (before: number) => number): number {
    return this.#operate(label, () => this.#replace(next));
  }

  load(): number {
    return this.#change(() => "load", (before) => before);
  }
  store(value: number): void {
    this.#operate(() => `store ${value}`, () => void this.#replace(() => value));
  }
  add(value: number): number {
    return this.#change(() => `add ${value}`, (before) => before + value);
  }
  sub(value: number): number {
    return this.#change(() => `sub ${value}`, (before) => before - value);
  }
  or(bits: number): number {
    return this.#change(() => `or ${bits}`, (before) => before | bits);
  }
  and(bits: number): number {
    return this.#change(() => `and ${bits}`, (before) => before & bits);
  }
  exchange(value: number): number {
    return this.#change(() => `exchange ${value}`, () => value);
  }
  compareExchange(expected: number, desired: number): number {
    return this.#change(
      () => `cas ${expected} to ${desired}`,
      (before) => before === expected >>> 0 ? desired : before,
    );
  }
  spinWhile(expected: number, _budget: number): boolean {
    return this.#change(() => `spin while ${expected}`, (before) => before) !== expected;
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
    if (memory.bytes.length === 0) throw new TypeError("the memory is closed");
    this.#cell = resolve(this.address);
    nameWord(this.#cell, this.path);
  }

  #operate<T>(label: () => string, perform: () => T): T {
    if (this.#memory.bytes.length === 0) throw new TypeError("the memory is closed");
    return on(this.#cell.inode, () => `${this.path} ${label()}`, perform);
  }

  #replace(next: (before: bigint) => bigint): number {
    const { inode, offset } = this.#cell;
    const index = offset >> 2;
    const before = BigInt(inode.words[index]!) | BigInt(inode.words[index + 1]!) << 32n;
    const after = BigInt.asUintN(64, next(before));
    if (after !== before) {
      world.setWord(inode, index, Number(after & 0xffffffffn));
      world.setWord(inode, index + 1, Number(after >> 32n));
    }
    return Number(before);
  }

  #change(label: () => string, next: (before: bigint) => bigint): number {
    return this.#operate(label, () => this.#replace(next));
  }

  load(): number {
    return this.#change(() => "load", (before) => before);
  }
  store(value: number): void {
    this.#operate(() => `store ${value}`, () => void this.#replace(() => BigInt(value)));
  }
  storeFirst(value: number): void {
    this.store(value);
  }
  storeThenLoad(value: number, other: Word32): number {
    this.store(value);
    return other.load();
  }
  loadLast(): number {
    return this.load();
  }
  add(value: number): number {
    return this.#change(() => `add ${value}`, (before) => before + BigInt(value));
  }
  sub(value: number): number {
    return this.#change(() => `sub ${value}`, (before) => before - BigInt(value));
  }
  or(bits: number): number {
    return this.#change(() => `or ${bits}`, (before) => before | BigInt(bits));
  }
  and(bits: number): number {
    return this.#change(() => `and ${bits}`, (before) => before & BigInt(bits));
  }
  exchange(value: number): number {
    return this.#change(() => `exchange ${value}`, () => BigInt(value));
  }
  compareExchange(expected: number, desired: number): number {
    return this.#change(
      () => `cas ${expected} to ${desired}`,
      (before) => before === BigInt(expected) ? BigInt(desired) : before,
    );
  }
}

/** A part of a copy that is contiguous in the file. */
interface Piece {
  readonly inode: Inode;
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

/** The parts of a range of memory: two if it runs past the seam of a mirror. */
function pieces(memory: Memory, offset: number, from: number, to: number): Piece[] {
  const found: Piece[] = [];
  while (from < to) {
    const { inode, offset: at, left } = resolve(memory.address + offset + from);
    const end = Math.min(to, from + left);
    found.push({ inode, at, from, to: end });
    from = end;
  }
  return found;
}

/** What a real copy throws. */
function checkInside(memory: Memory, offset: number, length: number): void {
  const { bytes } = memory;
  if (offset >= 0 && offset + length <= bytes.length) return;
  throw new RangeError(`Cannot copy ${length} bytes at ${offset}: there are ${bytes.length}`);
}

/** A copy is performed in two halves, so that others can act in the middle. */
function halves(memory: Memory, offset: number, length: number): Piece[][] {
  const middle = length >> 1;
  return [pieces(memory, offset, 0, middle), pieces(memory, offset, middle, length)]
    .filter((half) => half.length > 0);
}

export function copyIn(memory: Memory, offset: number, source: Uint8Array): void {
  checkInside(memory, offset, source.length);
  const bytes = source.slice();
  for (const half of halves(memory, offset, bytes.length)) {
    const label = () => {
      const [from, to] = [half[0]!.from, half[half.length - 1]!.to];
      return `copy in ${inHex(bytes.subarray(from, to))} at ${offset + from}`;
    };
    on(half[0]!.inode, label, () => {
      for (const { inode, at, from, to } of half) {
        world.setBytes(inode, at, bytes.subarray(from, to));
      }
    });
  }
}

export function copyOut(
  memory: Memory,
  offset: number,
  target: Uint8Array,
  length: number = target.length,
): void {
  checkInside(memory, offset, length);
  for (const half of halves(memory, offset, length)) {
    const label = () => `copy out at ${offset + half[0]!.from}`;
    const parts = on(half[0]!.inode, label, () => {
      const bytes = new Uint8Array(half[half.length - 1]!.to - half[0]!.from);
      for (const { inode, at, from, to } of half) {
        bytes.set(inode.bytes.subarray(at, at + to - from), from - half[0]!.from);
      }
      return bytes;
    });
    target.set(parts, half[0]!.from);
  }
}

export function copyOutThenLoad(
  memory: Memory,
  offset: number,
  target: Uint8Array,
  length: number,
  word: Word64,
): number {
  copyOut(memory, offset, target, length);
  return word.loadLast();
}

export function prefetch(_memory: Memory, _offset: number): void {}

function bytesOf(numbers: Float64Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

export function copyDoublesIn(memory: Memory, offset: number, source: Float64Array): void {
  copyIn(memory, offset, bytesOf(source));
}

export function copyDoublesOut(memory: Memory, offset: number, target: Float64Array): void {
  copyOut(memory, offset, bytesOf(target));
}

export function storeDouble(memory: Memory, offset: number, value: number): void {
  const { inode, offset: base } = resolve(memory.address + offset);
  const bytes = bytesOf(Float64Array.of(value));
  on(inode, () => `store ${value} at ${offset}`, () => world.setBytes(inode, base, bytes));
}

export function loadDouble(memory: Memory, offset: number): number {
  const { inode, offset: base } = resolve(memory.address + offset);
  const label = () => `load the number at ${offset}`;
  return on(inode, label, () => new Float64Array(inode.bytes.slice(base, base + 8).buffer)[0]!);
}

/** A claimed view is private until it is committed, in two halves. */
export function claimView(
  _memory: Memory,
  _offset: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length);
}

export function commitView(memory: Memory, offset: number, view: Uint8Array): void {
  copyIn(memory, offset, view);
}

/** What is seen in place is a copy of the moment, taken in two halves. */
export function peekView(memory: Memory, offset: number, length: number): Uint8Array<ArrayBuffer> {
  const view = new Uint8Array(length);
  copyOut(memory, offset, view);
  return view;
}
