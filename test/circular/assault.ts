/**
 * Corrupted buffers, and every operation on them. Each must return an outcome, or throw a
 * CorruptRegionError or a LayoutMismatchError.
 *
 * @module
 */

import { UNIT } from "../../src/circular/circular_buffer.ts";
import { CircularBufferObserver } from "../../src/circular/observer.ts";
import { CircularBufferReader } from "../../src/circular/reader.ts";
import { CircularBufferWriter } from "../../src/circular/writer.ts";
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

type Reads = Pick<CircularBufferReader, "tryRead"> & Pick<CircularBufferObserver, "readSync">;

function readAll(watch: Watch, reader: Reads): void {
  const small = new Uint8Array(20);
  for (let i = 0; i < READS; i++) {
    const outcome = i % 4 === 3 ? reader.tryRead(small) : reader.tryRead();
    watch.count(outcome.state);
    if (outcome.state === "empty" || outcome.state === "closed") return;
    if ("length" in outcome && outcome.length > CAPACITY - 64) throw new Error("too long");
    if (outcome.state === "lost" && !(outcome.messages >= 0 && outcome.bytes >= 0)) {
      throw new Error(`${outcome.messages} messages with ${outcome.bytes} bytes were lost`);
    }
  }
}

function pollAll(watch: Watch, reader: CircularBufferReader): void {
  for (let i = 0; i < READS; i++) {
    const { state } = reader.poll((message) => {
      if (message.length > reader.maxMessage) throw new Error("too long");
    }, 20);
    watch.count(`poll ${state}`);
    if (state === "empty" || state === "closed") return;
  }
}

function waitOnce(reader: Reads): void {
  try {
    reader.readSync({ timeout: 0, spin: 0 });
  } catch (error) {
    // The state may claim a writer that does not exist.
    if (!["TimeoutError", "PeerLostError"].includes((error as Error).name)) throw error;
  }
}

function writeAll(writer: CircularBufferWriter): void {
  writer.write(payload(1, 10));
  writer.claim(100).set(payload(2, 100));
  writer.publish(50);
  for (let i = 0; i < 20; i++) writer.write(payload(i, 500));
  writer.write(payload(3, writer.maxMessage));
  writer.claim(writer.maxMessage);
  writer.discard();
}

/** Puts the changes into a buffer with messages, and uses it: old handles first, then new ones. */
function assault(name: string, changes: readonly Change[], watch: Watch): void {
  using inside = new Inside(name, CAPACITY);
  using stack = new DisposableStack();
  const writer = stack.use(CircularBufferWriter.open(name));
  for (let i = 0; i < 30; i++) writer.write(payload(i, 100 + i)); // of which some are overwritten
  const readers = (["oldest", "newest", "now"] as const).map((start) =>
    stack.use(CircularBufferReader.open(name, { start, afterLoss: "newest" }))
  );
  const observer = stack.use(CircularBufferObserver.open(name));
  writer.write(payload(30, 77));
  for (const change of changes) apply(inside, change);
  const what = JSON.stringify(changes);
  for (const reader of readers) {
    watch.attempt(`${what}, an old reader`, () => readAll(watch, reader));
    watch.attempt(`${what}, an old reader that waits`, () => waitOnce(reader));
    watch.attempt(`${what}, an old reader that polls`, () => pollAll(watch, reader));
  }
  watch.attempt(`${what}, an old observer`, () => readAll(watch, observer));
  watch.attempt(`${what}, an old observer that waits`, () => waitOnce(observer));
  watch.attempt(`${what}, a new reader`, () => openAndRead(watch, name));
  watch.attempt(`${what}, a new observer`, () => openAndObserve(watch, name));
  watch.attempt(`${what}, the old writer`, () => writeAll(writer));
  writer.close();
  for (const change of changes) apply(inside, change);
  watch.attempt(`${what}, a new writer`, () => {
    using writer = CircularBufferWriter.open(name);
    writeAll(writer);
  });
  watch.attempt(`${what}, a new reader at the end`, () => openAndRead(watch, name));
}

function openAndRead(watch: Watch, name: string): void {
  for (const start of ["oldest", "newest", "now"] as const) {
    using reader = CircularBufferReader.open(name, { start });
    readAll(watch, reader);
    waitOnce(reader);
    pollAll(watch, reader);
  }
}

function openAndObserve(watch: Watch, name: string): void {
  for (const start of ["oldest", "newest", "now"] as const) {
    using observer = CircularBufferObserver.open(name, { start });
    readAll(watch, observer);
    waitOnce(observer);
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
export const ENDURING = { over: 0, read: 1, readCorrupt: 2, written: 3, writeCorrupt: 4 } as const;

/** Reads or writes in a buffer that is being vandalised, until asked to stop; returns complaints. */
export function endure(
  name: string,
  role: "reader" | "observer" | "writer",
  words: Uint32Array,
): readonly string[] {
  const watch = new Watch(...ALLOWED);
  const [well, corrupt] = role !== "writer"
    ? [ENDURING.read, ENDURING.readCorrupt]
    : [ENDURING.written, ENDURING.writeCorrupt];
  while (words[ENDURING.over] === 0) {
    watch.attempt(`the ${role}`, () => {
      if (role === "reader") openAndRead(watch, name);
      else if (role === "observer") openAndObserve(watch, name);
      else {
        using writer = CircularBufferWriter.open(name);
        writeAll(writer);
      }
      watch.count("well");
    });
    words[well] = watch.seen.well ?? 0;
    words[corrupt] = watch.seen.CorruptRegionError ?? 0;
  }
  return watch.complaints;
}
