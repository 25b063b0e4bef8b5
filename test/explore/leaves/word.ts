/** Replaces src/memory/word.ts: every access is an operation of the scheduler. @module */

import {
  type Access,
  HIGH_HALF,
  inHex,
  type Inode,
  nameWord,
  on,
  resolve,
  type World,
} from "../engine/mod.ts";
import type { Memory, WordPlace } from "../../../src/memory/word.ts?real";
import { inSteps } from "../../memory/fused.ts";
import { LINE_BYTES } from "../../../src/layout/sizes.ts";

export type { Memory, WordPlace };

/** The arithmetic of words of one size; it drops higher bits. */
interface Size<N extends number | bigint> {
  readonly bytes: number;
  of(value: number): N;
  add(a: N, b: N): N;
  or(a: N, b: N): N;
  and(a: N, b: N): N;
  read(words: ArrayLike<number>, index: number): N;
  write(world: World, inode: Inode, index: number, value: N): void;
}

const SIZE_32: Size<number> = {
  bytes: 4,
  of: (value) => value >>> 0,
  add: (a, b) => a + b >>> 0,
  or: (a, b) => (a | b) >>> 0,
  and: (a, b) => (a & b) >>> 0,
  read: (words, index) => words[index]!,
  write: (world, inode, index, value) => world.setWord(inode, index, value),
};

const SIZE_64: Size<bigint> = {
  bytes: 8,
  of: (value) => BigInt.asUintN(64, BigInt(value)),
  add: (a, b) => BigInt.asUintN(64, a + b),
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  read: (words, index) => BigInt(words[index]!) | BigInt(words[index + 1]!) << 32n,
  write(world, inode, index, value) {
    world.setWord(inode, index, Number(value & 0xffffffffn));
    world.setWord(inode, index + 1, Number(value >> 32n));
  },
};

/** A store to memory that is mapped for reading only would end the process. */
function checkWritable({ readOnly }: Memory): void {
  if (readOnly) throw new Error("stored to memory that can only be read");
}

/** A word of the simulated machine. */
class Word<N extends number | bigint> {
  readonly path: string;
  readonly address: number;
  readonly #size: Size<N>;
  readonly #memory: Memory;
  readonly #cell: ReturnType<typeof resolve>;
  readonly #accesses = new Map<Access["how"], Access>();

  constructor(size: Size<N>, memory: Memory, place: WordPlace) {
    this.path = place.path;
    this.address = memory.address + place.offset;
    this.#size = size;
    this.#memory = memory;
    this.#checkOpen();
    this.#cell = resolve(this.address);
    nameWord(this.#cell, this.path);
    if (size.bytes === 8) {
      const { inode, offset } = this.#cell;
      nameWord({ inode, offset: offset + 4 }, `${this.path}${HIGH_HALF}`);
    }
  }

  #checkOpen(): void {
    if (this.#memory.bytes.length === 0) throw new TypeError("the memory is closed");
  }

  #operate<T>(label: () => string, perform: (world: World) => T, how?: Access["how"]): T {
    this.#checkOpen();
    const access = how && this.#access(how);
    return on(this.#cell.inode, () => `${this.path} ${label()}`, perform, access);
  }

  #access(how: Access["how"]): Access {
    let access = this.#accesses.get(how);
    if (access === undefined) {
      const { inode, offset } = this.#cell;
      access = { how, cells: [{ inode, from: offset, to: offset + this.#size.bytes }] };
      this.#accesses.set(how, access);
    }
    return access;
  }

  #replace(world: World, next: (before: N) => N): number {
    const { inode, offset } = this.#cell;
    const before = this.#size.read(inode.words, offset >> 2);
    const after = next(before);
    if (after !== before) this.#size.write(world, inode, offset >> 2, after);
    return Number(before);
  }

  /** Replaces the value by `next` of it, in one operation. Returns the value before. */
  protected change(label: () => string, next: (before: N) => N): number {
    checkWritable(this.#memory);
    return this.#operate(label, (world) => this.#replace(world, next));
  }

  /** Loads in one of the orders that weak memory knows. */
  protected read(how: Access["how"], label: () => string): number {
    const { inode, offset } = this.#cell;
    const perform = () => Number(this.#size.read(inode.words, offset >> 2));
    return this.#operate(label, perform, how);
  }

  /**
   * Stores, with a barrier unless in one of the orders that weak memory knows. Returns nothing:
   * states that differ only in the value before are then one state.
   */
  protected write(value: number, how?: Access["how"]): void {
    checkWritable(this.#memory);
    const next = () => this.#size.of(value);
    const name = how === "release" ? "store" : how ?? "store first";
    this.#operate(() => `${name} ${value}`, (world) => void this.#replace(world, next), how);
  }

  load(): number {
    return this.read("acquire", () => "load");
  }
  store(value: number): void {
    this.write(value, "release");
  }
  add(value: number): number {
    const { add, of } = this.#size;
    return this.change(() => `add ${value}`, (before) => add(before, of(value)));
  }
  sub(value: number): number {
    const { add, of } = this.#size;
    return this.change(() => `sub ${value}`, (before) => add(before, of(-value)));
  }
  or(bits: number): number {
    const { or, of } = this.#size;
    return this.change(() => `or ${bits}`, (before) => or(before, of(bits)));
  }
  and(bits: number): number {
    const { and, of } = this.#size;
    return this.change(() => `and ${bits}`, (before) => and(before, of(bits)));
  }
  exchange(value: number): number {
    return this.change(() => `exchange ${value}`, () => this.#size.of(value));
  }
  compareExchange(expected: number, desired: number): number {
    const { of } = this.#size;
    return this.change(
      () => `cas ${expected} to ${desired}`,
      (before) => before === of(expected) ? of(desired) : before,
    );
  }

  storeThenLoad(value: number, other: Word32): number {
    this.store(value);
    return other.load();
  }
  /** The load may be served before the store is visible. */
  storeThenGlance(value: number, bell: Word32): number {
    this.store(value);
    return bell.glance();
  }
  /** For barriers.ts and orders.ts: the store orders nothing, in these three. */
  storePlainly(value: number): void {
    this.write(value, "plain store");
  }
  storePlainlyThenLoad(value: number, other: Word32): number {
    this.write(value, "plain store");
    return other.load();
  }
  storePlainlyThenGlance(value: number, bell: Word32): number {
    this.write(value, "plain store");
    return bell.glance();
  }
  glance(): number {
    return this.read("plain load", () => "load");
  }
}

export class Word32 extends Word<number> {
  constructor(memory: Memory, { path, offset }: WordPlace, base = 0) {
    super(SIZE_32, memory, { path, offset: base + offset });
  }

  storeInOrder(value: number): void {
    this.write(value);
  }

  spinWhile(expected: number, _budget: number): boolean {
    return this.read("acquire", () => `spin while ${expected}`) !== expected;
  }
  /** For orders.ts: the load orders nothing. */
  spinPlainlyWhile(expected: number, _budget: number): boolean {
    return this.read("plain load", () => `spin while ${expected}`) !== expected;
  }
}

export class Word64 extends Word<bigint> {
  constructor(memory: Memory, { path, offset }: WordPlace, base = 0) {
    super(SIZE_64, memory, { path, offset: base + offset });
  }

  storeFirst(value: number): void {
    this.write(value);
  }
  loadLast(): number {
    return this.read("last load", () => "load last");
  }
}

/** A part of a copy that is contiguous in the file. */
interface Piece {
  readonly inode: Inode;
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

/** Returns the parts of a range of memory: two if it crosses the seam of a mirror. */
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

/** The effect of a copy of these parts on weak memory. */
function accessTo(parts: readonly Piece[], how: Access["how"]): Access {
  const cells = parts.map(({ inode, at, from, to }) => ({ inode, from: at, to: at + to - from }));
  return { how, cells };
}

/** Throws what a real copy throws. */
function checkInside(memory: Memory, offset: number, length: number): void {
  const { bytes } = memory;
  if (offset >= 0 && offset + length <= bytes.length) return;
  throw new RangeError(`Cannot copy ${length} bytes at ${offset}: there are ${bytes.length}`);
}

/** Splits a copy into two halves, so that others can act in its middle. */
function halves(memory: Memory, offset: number, length: number): Piece[][] {
  const middle = length >> 1;
  return [pieces(memory, offset, 0, middle), pieces(memory, offset, middle, length)]
    .filter((half) => half.length > 0);
}

export function copyIn(
  memory: Memory,
  offset: number,
  source: Uint8Array,
  length: number = source.length,
): void {
  checkInside(memory, offset, length);
  checkWritable(memory);
  const bytes = source.slice(0, length);
  for (const half of halves(memory, offset, bytes.length)) {
    const label = () => {
      const [from, to] = [half[0]!.from, half[half.length - 1]!.to];
      return `copy in ${inHex(bytes.subarray(from, to))} at ${offset + from}`;
    };
    on(half[0]!.inode, label, (world) => {
      for (const { inode, at, from, to } of half) {
        world.setBytes(inode, at, bytes.subarray(from, to));
      }
    }, accessTo(half, "plain store"));
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
    }, accessTo(half, "plain load"));
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

export const { sendIn, receiveOut } = inSteps<Memory, Word32>({ copyIn, copyOut, storeDouble });

/** For barriers.ts: the load may be served before the copy. */
export function copyOutThenAcquire(
  memory: Memory,
  offset: number,
  target: Uint8Array,
  length: number,
  word: Word64,
): number {
  copyOut(memory, offset, target, length);
  return word.load();
}

export function prefetch(_memory: Memory, _offset: number): void {}

/** Loads the first byte of every line and the last of all, and stores them again. */
export function prefetchToWrite(memory: Memory, offset: number, length: number): void {
  checkWritable(memory);
  checkInside(memory, offset, length);
  const touched: Piece[] = [];
  for (let from = 0; from < length; from += LINE_BYTES) {
    touched.push(...pieces(memory, offset, from, from + 1));
  }
  touched.push(...pieces(memory, offset, length - 1, length));
  const [{ inode }] = touched as [Piece];
  const label = (verb: string) => () => `prefetch at ${offset}: ${verb} ${length} bytes`;
  const bytes = on(inode, label("load"), () => {
    return Uint8Array.from(touched, ({ inode, at }) => inode.bytes[at]!);
  }, accessTo(touched, "plain load"));
  on(inode, label("store"), (world) => {
    touched.forEach(({ inode, at }, i) => world.setBytes(inode, at, bytes.subarray(i, i + 1)));
  }, accessTo(touched, "plain store"));
}

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
  checkWritable(memory);
  if (offset % 8 !== 0) return; // as an array of numbers ignores it
  const { inode, offset: base } = resolve(memory.address + offset);
  const bytes = bytesOf(Float64Array.of(value));
  const access: Access = { how: "plain store", cells: [{ inode, from: base, to: base + 8 }] };
  const perform = (world: World) => world.setBytes(inode, base, bytes);
  on(inode, () => `store ${value} at ${offset}`, perform, access);
}

export function loadDouble(memory: Memory, offset: number): number {
  if (offset % 8 !== 0) return undefined as never; // as an array of numbers has nothing there
  const { inode, offset: base } = resolve(memory.address + offset);
  const label = () => `load the number at ${offset}`;
  const perform = () => new Float64Array(inode.bytes.slice(base, base + 8).buffer)[0]!;
  return on(inode, label, perform, {
    how: "plain load",
    cells: [{ inode, from: base, to: base + 8 }],
  });
}

/** A claimed view is private until it is committed, in two halves; it is a new one each time. */
export function claimView(
  _memory: Memory,
  _offset: number,
  length: number,
  _last?: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length);
}

export function commitView(
  memory: Memory,
  offset: number,
  view: Uint8Array,
  length: number,
): void {
  copyIn(memory, offset, view.subarray(0, length));
}

/** Private memory as large as the real one; `commitData` copies what was written, in two halves. */
export function claimData(memory: Memory): DataView<ArrayBuffer> {
  return new DataView(new ArrayBuffer(memory.bytes.length));
}

export function commitData(
  memory: Memory,
  offset: number,
  data: DataView<ArrayBuffer>,
  length: number,
): void {
  copyIn(memory, offset, new Uint8Array(data.buffer, offset, length));
}

/** Private memory as large as the real one, into which what is read is copied in two halves. */
export function peekData(memory: Memory, offset: number, length: number): DataView<ArrayBuffer> {
  const bytes = new Uint8Array(memory.bytes.length);
  copyOut(memory, offset, bytes.subarray(offset, offset + length));
  return new DataView(bytes.buffer);
}

/** A view in place is a copy of the moment, taken in two halves. */
export function peekView(
  memory: Memory,
  offset: number,
  length: number,
  _last?: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const view = new Uint8Array(length);
  copyOut(memory, offset, view);
  return view;
}
