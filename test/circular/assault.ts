/**
 * Corrupted buffers, and every operation on them. Each must return an outcome, or throw a
 * CorruptRegionError or a LayoutMismatchError.
 *
 * @module
 */

import { circular } from "../../src/circular/definition.ts";
import { UNIT } from "../../src/circular/circular_buffer.ts";
import type { CircularBufferObserver } from "../../src/circular/observer.ts";
import type { CircularBufferReader } from "../../src/circular/reader.ts";
import type { CircularBufferWriter } from "../../src/circular/writer.ts";
import type { Message } from "../../src/message.ts";
import { NUMBERS, type Toll, Watch, WORDS } from "../corruption.ts";
import { Random } from "../random.ts";
import { Inside, payload } from "./scene.ts";

const CAPACITY = 4096;
const ALLOWED = ["CorruptRegionError", "LayoutMismatchError"];

/** A corruption of a buffer. */
export type Change =
  /** All bits of a word of the control block. */
  | { readonly word: "oldest" | "published" | "bell" | "state"; readonly value: string }
  /** A number of the head at so many units into the data: sequence, payload, previous or length. */
  | { readonly unit: number; readonly number: number; readonly value: number | string };

function apply(inside: Inside, change: Change): void {
  if ("word" in change) return inside.word(change.word).set(BigInt(change.value));
  inside.head(change.unit)[change.number] = Number(change.value);
}

/** More than the messages that fit: a reader that gets more must have a living writer. */
const READS = 300;

type Receiver = CircularBufferReader | CircularBufferObserver;

function readAll(watch: Watch, receiver: Receiver): void {
  const small = new Uint8Array(20);
  for (let i = 0; i < READS; i++) {
    const { lost, lostBytes } = receiver;
    const length = i % 4 === 3 ? intoOf(receiver, small) : lengthOf(receiver.tryReceive());
    if (length > CAPACITY - 64) throw new Error("too long");
    if (!(receiver.lost >= lost && receiver.lostBytes >= lostBytes)) {
      throw new Error(`${receiver.lost} messages with ${receiver.lostBytes} bytes were lost`);
    }
    if (receiver.lost > lost) watch.count("lost");
    watch.count(length >= 0 ? "ok" : receiver.ended ? "closed" : "empty");
    if (length < 0) return;
  }
}

function lengthOf(message: Message | undefined): number {
  if (message !== undefined && !(message.lost >= 0)) throw new Error(`${message.lost} were lost`);
  return message?.value.length ?? -1;
}

function intoOf(receiver: Receiver, target: Uint8Array<ArrayBuffer>): number {
  try {
    return receiver.tryReceiveInto(target);
  } catch (error) {
    if (error instanceof RangeError) return target.length; // too small for this message
    throw error;
  }
}

function pollAll(watch: Watch, receiver: Receiver): void {
  for (let i = 0; i < READS; i++) {
    const handled = receiver.poll(({ bytes }) => {
      if (bytes.length > CAPACITY - 64) throw new Error("too long");
    }, 20);
    watch.count(handled > 0 ? "polled" : "nothing polled");
    if (handled === 0) return;
  }
}

function waitOnce(receiver: Receiver): void {
  try {
    receiver.receiveSync({ timeout: 0, spin: 0 });
  } catch (error) {
    // The state may claim a writer that does not exist.
    if (!["TimeoutError", "PeerLostError"].includes((error as Error).name)) throw error;
  }
}

function writeAll(writer: CircularBufferWriter): void {
  writer.trySend(payload(1, 10));
  const claim = writer.tryClaim(100);
  claim.bytes.set(payload(2, 100));
  claim.publish(50);
  writer.tryFill(({ bytes }) => bytes.set(payload(2, 50)), 50);
  for (let i = 0; i < 20; i++) writer.trySend(payload(i, 500));
  writer.trySend(payload(3, writer.maxMessage));
  writer.tryClaim(writer.maxMessage)[Symbol.dispose]();
}

/** Puts the changes into a buffer with messages, and uses it: old handles first, then new ones. */
function assault(name: string, changes: readonly Change[], watch: Watch): void {
  using inside = new Inside(name, CAPACITY);
  using stack = new DisposableStack();
  const writer = stack.use(circular(name, { capacity: CAPACITY }).writer());
  for (let i = 0; i < 30; i++) writer.trySend(payload(i, 100 + i)); // of which some are overwritten
  const readers = (["oldest", "newest", "now"] as const).map((start) =>
    stack.use(circular(name, { capacity: CAPACITY }).reader({ start, afterLoss: "newest" }))
  );
  const observer = stack.use(circular(name, { capacity: CAPACITY }).observer());
  writer.trySend(payload(30, 77));
  for (const change of changes) apply(inside, change);
  const what = JSON.stringify(changes);
  for (const reader of readers) {
    watch.attempt(`${what}, an old reader`, () => readAll(watch, reader));
    watch.attempt(`${what}, an old reader that waits`, () => waitOnce(reader));
    watch.attempt(`${what}, an old reader that polls`, () => pollAll(watch, reader));
  }
  watch.attempt(`${what}, an old observer`, () => readAll(watch, observer));
  watch.attempt(`${what}, an old observer that waits`, () => waitOnce(observer));
  watch.attempt(`${what}, an old observer that polls`, () => pollAll(watch, observer));
  watch.attempt(`${what}, a new reader`, () => openAndRead(watch, name));
  watch.attempt(`${what}, a new observer`, () => openAndObserve(watch, name));
  watch.attempt(`${what}, the old writer`, () => writeAll(writer));
  writer.close();
  for (const change of changes) apply(inside, change);
  watch.attempt(`${what}, a new writer`, () => {
    using writer = circular(name, { capacity: CAPACITY }).writer();
    writeAll(writer);
  });
  watch.attempt(`${what}, a new reader at the end`, () => openAndRead(watch, name));
}

function openAndRead(watch: Watch, name: string): void {
  for (const start of ["oldest", "newest", "now"] as const) {
    using reader = circular(name, { capacity: CAPACITY }).reader({ start });
    readAll(watch, reader);
    waitOnce(reader);
    pollAll(watch, reader);
  }
}

function openAndObserve(watch: Watch, name: string): void {
  for (const start of ["oldest", "newest", "now"] as const) {
    using observer = circular(name, { capacity: CAPACITY }).observer({ start });
    readAll(watch, observer);
    waitOnce(observer);
    pollAll(watch, observer);
  }
}

/** Assaults one buffer after another. */
export function assaults(name: string, cases: readonly (readonly Change[])[]): Toll {
  const watch = new Watch(...ALLOWED);
  cases.forEach((changes, i) => assault(`${name}.${i}`, changes, watch));
  return watch;
}

/** A few changes at random places, to values that code is fooled by or that are near the right. */
export function randomChanges(random: Random): Change[] {
  const units = CAPACITY / UNIT;
  return Array.from({ length: 1 + random.below(4) }, (): Change => {
    if (random.chance(0.5)) {
      const word = random.pick(["oldest", "published", "published", "bell", "state"] as const);
      const near = String(random.below(700));
      return { word, value: random.chance(0.5) ? near : random.pick(WORDS) };
    }
    const near = random.below(700);
    const value = random.chance(0.5) ? near : random.pick(NUMBERS);
    return { unit: random.below(units), number: random.below(4), value };
  });
}

/**
 * Puts random values into a buffer that others use, a number of times: into words, into heads and
 * into the bytes between.
 */
export function vandalise(name: string, seed: number, times: number): void {
  using inside = new Inside(name);
  const random = new Random(seed);
  for (let i = 0; i < times; i++) {
    for (const change of randomChanges(random)) apply(inside, change);
    if (i % 3 === 0) restore(inside);
  }
  restore(inside);
}

/** Makes a buffer usable again, as if nothing had ever been written. */
function restore(inside: Inside): void {
  inside.word("state").set(0n);
  inside.startAt(0);
}

/** Words that end the survivors, and in which they count their results. */
export const ENDURING = {
  over: 0,
  reader: [1, 2],
  observer: [3, 4],
  writer: [5, 6],
} as const;

/** Reads or writes in a buffer that is being vandalised, until asked to stop; returns complaints. */
export function endure(
  name: string,
  role: "reader" | "observer" | "writer",
  words: Uint32Array,
): readonly string[] {
  const watch = new Watch(...ALLOWED);
  const [well, corrupt] = ENDURING[role];
  while (words[ENDURING.over] === 0) {
    watch.attempt(`the ${role}`, () => {
      if (role === "reader") openAndRead(watch, name);
      else if (role === "observer") openAndObserve(watch, name);
      else {
        using writer = circular(name, { capacity: CAPACITY }).writer();
        writeAll(writer);
      }
      watch.count("well");
    });
    words[well] = watch.seen.well ?? 0;
    words[corrupt] = watch.seen.CorruptRegionError ?? 0;
  }
  return watch.complaints;
}
