/**
 * Slots with corrupted memory, and every operation on them. Each result must be a message that was
 * written, unchanged, or an error that says what is wrong.
 *
 * @module
 */

import { domain as domainOf } from "../../src/babus/definition.ts";
import { Listener } from "../../src/babus/listener.ts";
import type { SlotMessage } from "../../src/babus/history.ts";
import type { SlotObserver } from "../../src/babus/observer.ts";
import type { Slot } from "../../src/babus/slot.ts";
import { SLOT_CONTROL, SLOT_ENTRY } from "../../src/babus/slot_words.ts";
import { ORIGIN } from "../../src/origin.ts";
import { waitAnySync } from "../../src/wait/any.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { NUMBERS, type Toll, Watch, WORDS } from "../corruption.ts";
import { Random } from "../random.ts";
import { Inside } from "./scene.ts";

/** Words of the control block, and of an entry, by how they are stored. */
const CONTROL = {
  depth: 32,
  max_bytes: "double",
  published: 64,
  bell: 32,
  owner: 32,
  owner_bell: 32,
} as const;
const ENTRY = {
  stamp: 64,
  length: "double",
  time: "double",
  committed: "double",
  host: 64,
  incarnation: "double",
  sequence: "double",
  hops: 32,
} as const;

/** The origin of some messages. */
const MARKED = { origin: { host: "a", incarnation: 1, sequence: 2, hops: 3 } };

/** The offset of a word in an entry. */
function offsetIn(word: EntryWord): number {
  const { stamp, length, time, committed, origin } = SLOT_ENTRY.fields;
  const { host, incarnation, sequence, hops } = ORIGIN.fields;
  const inEntry = { stamp, length, time, committed, host, incarnation, sequence, hops }[word];
  return inEntry.offset + (word in ORIGIN.fields ? origin.offset : 0);
}

type ControlWord = keyof typeof CONTROL;
type EntryWord = keyof typeof ENTRY;

/** A corruption of a slot; the value is a text, because JSON lacks some numbers. */
export type Change =
  | { readonly word: ControlWord; readonly value: string }
  | { readonly entry: number; readonly word: EntryWord; readonly value: string };

const SHAPE = { depth: 3, size: 256 };
const ENTRIES = 4;

/** So many messages are there at first; their entries are 0 to 3 for the messages 8, 9, 10 and 7. */
const WRITTEN = 10;

const NOW = { timeout: 0, spin: 0 };

/** The length of a message that is written here. */
function sizeOf(sequence: number): number {
  return 100 + sequence % 50;
}

function apply(inside: Inside, change: Change): void {
  const { mapping, controlOffset, dataOffset } = inside.words.region;
  const view = new DataView(mapping.bytes.buffer, mapping.bytes.byteOffset);
  const [at, width] = "entry" in change
    ? [
      dataOffset + change.entry * SLOT_ENTRY.size + offsetIn(change.word),
      ENTRY[change.word],
    ]
    : [controlOffset + SLOT_CONTROL.fields[change.word].offset, CONTROL[change.word]];
  if (width === "double") return view.setFloat64(at, Number(change.value), true);
  const bits = BigInt(change.value);
  if (width === 64) view.setBigUint64(at, bits, true);
  else view.setUint32(at, Number(bits & 0xffff_ffffn), true);
}

/** Every word with every value that code is fooled by. */
export function everyChange(): Change[] {
  const valuesOf = (width: 32 | 64 | "double") => width === "double" ? NUMBERS.map(String) : WORDS;
  const changes: Change[] = [];
  for (const [word, width] of Object.entries(CONTROL)) {
    for (const value of valuesOf(width)) changes.push({ word: word as ControlWord, value });
  }
  for (const [word, width] of Object.entries(ENTRY)) {
    for (let entry = 0; entry < ENTRIES; entry++) {
      for (const value of valuesOf(width)) changes.push({ entry, word: word as EntryWord, value });
    }
  }
  return changes;
}

/** A few changes at once, at random places, to values that code is fooled by or that are near. */
export function randomChanges(seed: number): Change[] {
  const random = new Random(seed);
  const all = everyChange();
  return Array.from({ length: 2 + random.below(3) }, () => {
    const change = random.pick(all);
    return random.chance(0.5) ? change : { ...change, value: `${random.below(20)}` };
  });
}

/** Counts the outcomes of operations on slots. */
class SlotWatch extends Watch {
  /** Whether lengths and stamps are unchanged, so that the messages must be right too. */
  strict = true;

  constructor() {
    super("CorruptRegionError", "LayoutMismatchError", "TimeoutError");
  }

  message({ sequence, time, value }: SlotMessage, size: number): void {
    this.count("message");
    const possible = sequence >= 1 && time >= 0 && time < Infinity &&
      value.length <= size;
    if (!possible) throw new Error(`message ${sequence} of ${value.length} bytes, ${time}`);
    if (!this.strict) return;
    const right = value.length === sizeOf(sequence) && isPayload(value, sequence);
    if (!right) throw new Error(`message ${sequence} has changed since it was written`);
  }
}

/** Every way to read, each an attempt of its own. */
function readAll(watch: SlotWatch, slot: Slot, what: string): void {
  lookAll(watch, slot, what);
  for (let age = 0; age < slot.depth; age++) {
    watch.attempt(`${what} peek(${age})`, () => {
      const peek = slot.peek(slot.sequence - age);
      if (peek === undefined) return;
      const { sequence, time, origin } = peek;
      const value = peek.bytes.slice();
      if (peek.valid) watch.message({ sequence, time, origin, lost: 0, value }, slot.size);
    });
  }
}

function lookAll(watch: SlotWatch, slot: Slot | SlotObserver, what: string): void {
  const { depth, size } = slot;
  for (let age = 0; age < depth; age++) {
    watch.attempt(`${what} at(${age})`, () => {
      const message = slot.at(slot.sequence - age);
      if (message !== undefined) watch.message(message, size);
    });
  }
  watch.attempt(`${what} readInto`, () => {
    const target = new Uint8Array(size);
    const { sequence } = slot;
    const length = slot.readInto(target);
    if (length < 0) return;
    const value = target.subarray(0, length);
    watch.message({ sequence, time: 0, origin: undefined, lost: 0, value }, size);
  });
  for (const after of [0, WRITTEN - 1, Number.MAX_SAFE_INTEGER]) {
    watch.attempt(`${what} since(${after})`, () => {
      for (const message of slot.since(after)) {
        watch.message(message, size);
        if (!(message.lost >= 0)) throw new Error(`${message.lost} messages were lost`);
      }
    });
  }
}

/** Every way to observe. */
function observeAll(watch: SlotWatch, observer: SlotObserver, what: string): void {
  lookAll(watch, observer, what);
  watch.attempt(`${what} waitAnySync`, () => void waitAnySync([observer], NOW));
}

/** Every way to write; a number must be one more than there were. */
function writeAll(watch: SlotWatch, slot: Slot, what: string): void {
  const write = (how: string, act: (next: number) => number | undefined) =>
    watch.attempt(`${what} ${how}`, () => {
      const next = slot.sequence + 1;
      const written = act(next);
      if (written !== undefined && written !== next) throw new Error(`${written} for ${next}`);
      watch.count(written === undefined ? "busy" : "written");
    });
  const bytes = (sequence: number) => payload(sequence, Math.min(sizeOf(sequence), slot.size));
  write("tryWrite", (next) => slot.tryWrite(bytes(next)));
  write("writeSync", (next) => slot.writeSync(bytes(next), NOW));
  write("publish", (next) => {
    const claim = slot.claimSync(slot.size, NOW);
    claim.bytes.set(bytes(next));
    return claim.publish(bytes(next).length);
  });
  watch.attempt(`${what} discard`, () => slot.tryClaim(5)?.[Symbol.dispose]());
}

function listenAll(watch: SlotWatch, listener: Listener, what: string): void {
  watch.attempt(`${what} look`, () => void listener.look());
  watch.attempt(`${what} waitSync`, () => void listener.waitSync(NOW));
}

/** Puts the changes into a slot with messages, and uses it: old handles first, then new ones. */
function assault(name: string, changes: readonly Change[], watch: SlotWatch): void {
  using domain = domainOf(name).open();
  const [reader, writer] = [domain.slot("a", SHAPE), domain.slot("a", SHAPE)];
  for (let i = 1; i <= WRITTEN; i++) {
    writer.writeSync(payload(i, sizeOf(i)), i % 2 === 0 ? MARKED : {});
  }
  using watching = domainOf(name).observer();
  const observer = watching.slot("a", SHAPE);
  using inside = new Inside({ name }, "a", SHAPE);
  using listener = new Listener().add(reader);
  for (const change of changes) apply(inside, change);
  watch.strict = changes.length === 1 && changes[0]!.word !== "length";
  const what = JSON.stringify(changes);
  readAll(watch, reader, `${what}, an old reader:`);
  observeAll(watch, observer, `${what}, an old observer:`);
  listenAll(watch, listener, `${what}, an old listener:`);
  writeAll(watch, writer, `${what}, the old writer:`);
  readAll(watch, reader, `${what}, an old reader again:`);
  for (const change of changes) apply(inside, change);
  watch.attempt(`${what}, info()`, () => void domainOf(name).info());
  watch.attempt(`${what}, a new observer:`, () => {
    observeAll(watch, watching.slot("a", SHAPE), `${what}, a new observer:`);
  });
  watch.attempt(`${what}, a newcomer:`, () => {
    const slot = domain.slot("a", SHAPE);
    listenAll(watch, new Listener().add(slot), `${what}, a new listener:`);
    readAll(watch, slot, `${what}, a new reader:`);
    writeAll(watch, slot, `${what}, a new writer:`);
    readAll(watch, slot, `${what}, a new reader again:`);
  });
}

/** Assaults one slot after another. */
export function assaults(name: string, cases: readonly (readonly Change[])[]): Toll {
  const watch = new SlotWatch();
  cases.forEach((changes, i) => assault(`${name}.${i}`, changes, watch));
  return watch;
}

/** Puts random values into a slot that others use, a number of times, and makes it whole again. */
export function vandalise(name: string, seed: number, times: number): void {
  using inside = new Inside({ name }, "a", SHAPE);
  for (let i = 0; i < times; i++) {
    for (const change of randomChanges(seed + i)) apply(inside, change);
    if (i % 4 === 3) restore(inside);
  }
  restore(inside);
}

/** As if nothing had ever been written, and nobody had the right to write. */
function restore(inside: Inside): void {
  const { depth, size } = SHAPE;
  const values = { depth, max_bytes: size, published: 0, bell: 0, owner: 0, owner_bell: 0 };
  for (const [word, value] of Object.entries(values)) {
    apply(inside, { word: word as ControlWord, value: `${value}` });
  }
  for (let entry = 0; entry < ENTRIES; entry++) {
    for (const word of Object.keys(ENTRY)) {
      apply(inside, { entry, word: word as EntryWord, value: "0" });
    }
  }
}

/** Words that end the survivors, and in which they count their results. */
export const ENDURING = { over: 0, rounds: 1, corrupt: 2, messages: 3, written: 4 } as const;

/** Uses a slot that is being vandalised until asked to stop; returns complaints. */
export function endure(name: string, words: Uint32Array): string[] {
  const watch = new SlotWatch();
  watch.strict = false;
  using domain = domainOf(name).open();
  const old = domain.slot("a", SHAPE);
  using watching = domainOf(name).observer();
  const observer = watching.slot("a", SHAPE);
  using listener = new Listener().add(old);
  while (words[ENDURING.over] === 0) {
    const use = (slot: Slot) => {
      readAll(watch, slot, "the reader");
      writeWhatever(watch, slot);
    };
    listenAll(watch, listener, "the listener");
    observeAll(watch, observer, "the observer");
    use(old);
    watch.attempt("opening", () => {
      using fresh = domainOf(name).open().slot("a", SHAPE);
      use(fresh);
    });
    words[ENDURING.corrupt] = watch.seen.CorruptRegionError ?? 0;
    words[ENDURING.messages] = watch.seen.message ?? 0;
    words[ENDURING.written] = watch.seen.written ?? 0;
    words[ENDURING.rounds]!++;
  }
  return watch.complaints;
}

/** While a vandal changes them, numbers may go anywhere, and a newcomer may see other limits. */
function writeWhatever(watch: SlotWatch, slot: Slot): void {
  const length = Math.min(50, slot.size);
  watch.attempt("tryWrite", () => {
    if (slot.tryWrite(payload(1, length)) !== undefined) watch.count("written");
  });
  watch.attempt("claim", () => {
    using claim = slot.claimSync(slot.size, NOW);
    claim.bytes.set(payload(2, length));
    claim.publish(length);
  });
}
