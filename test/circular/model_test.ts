/**
 * A writer and its readers against a simple model of a queue that overwrites: a list of all
 * messages, of which the oldest must be gone once they do not fit any more, and may be gone within
 * the last 64th.
 */

import { circular } from "../../src/circular/definition.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { pageSize } from "../../src/os/page.ts";
import { UNIT } from "../../src/circular/circular_buffer.ts";
import type { CircularBufferReader } from "../../src/circular/reader.ts";
import type { CircularBufferWriter } from "../../src/circular/writer.ts";
import { Name } from "../shared/scene.ts";
import { HEAD_BYTES, Inside, isPayload, payload, unitsFor } from "./scene.ts";

const CAPACITY = pageSize();
const UNITS = CAPACITY / UNIT;
const HEAD_UNITS = HEAD_BYTES / UNIT;

interface ModelReader {
  readonly afterLoss: "oldest" | "newest";
  /** The lost messages that messages have reported. */
  told: number;
  /** The number of the message that comes next. */
  next: number;
  lost: number;
  lostBytes: number;
}

/** The expected state of the buffer. */
class Model {
  /** The length of each message and where its record begins, counted from the first. */
  readonly messages: { length: number; start: number }[] = [];
  end = 0;
  /** Up to where space was ever claimed, the next head included. */
  reserved = 0;
  closed = false;
  readonly readers: ModelReader[] = [];

  reserve(length: number): void {
    this.reserved = Math.max(this.reserved, this.end + unitsFor(length) + HEAD_UNITS);
  }

  add(length: number): void {
    this.messages.push({ length, start: this.end });
    this.end += unitsFor(length);
  }

  mustBeGone(message: number): boolean {
    return this.reserved - this.messages[message]!.start > UNITS;
  }

  mayBeGone(message: number): boolean {
    return this.reserved - this.messages[message]!.start > UNITS * 63 / 64;
  }

  bytes(from: number, to: number): number {
    return this.messages.slice(from, to).reduce((sum, { length }) => sum + length, 0);
  }
}

/** The buffer itself. */
interface Real {
  readonly name: string;
  writer: CircularBufferWriter;
  readonly readers: CircularBufferReader[];
}

type Command = fc.Command<Model, Real>;

/** A command by what it does; `can` says when. */
function command(
  text: string,
  run: (model: Model, real: Real) => void,
  can: (model: Model) => boolean = () => true,
): Command {
  return { check: (model) => can(model), run, toString: () => text };
}

/** A reader by a number that may be too large; undefined without readers. */
function chosen(number: number, model: Model, real: Real) {
  const index = number % model.readers.length;
  return { reader: real.readers[index]!, model: model.readers[index]!, index };
}

/**
 * Checks where a reader continues, before the message of this number: every message that it lost may
 * be gone, and every message that must be gone is lost. Returns how many it lost.
 */
function checkLoss(model: Model, reader: ModelReader, sequence: number): number {
  const { next } = reader;
  const written = model.messages.length;
  const lost = sequence - next;
  assert(lost >= 0 && sequence <= written, `from ${next} to ${sequence} of ${written}`);
  if (sequence < written) assert(!model.mustBeGone(sequence), `message ${sequence} is not there`);
  if (lost === 0) return 0;
  reader.lost += lost;
  reader.lostBytes += model.bytes(next, sequence);
  reader.next = sequence;
  assert(model.mayBeGone(next), `message ${next} was lost without need`);
  if (reader.afterLoss === "newest") assert(sequence >= written - 1);
  else assert(model.mayBeGone(sequence - 1), `${sequence} is not the oldest`);
  return lost;
}

/** Checks a call that found a message, after which the next has this number, or found none. */
function checkFound(
  found: boolean,
  model: Model,
  expected: ModelReader,
  reader: CircularBufferReader,
): void {
  if (found) return;
  const { sequence } = reader;
  checkLoss(model, expected, sequence);
  assertEquals(sequence, model.messages.length, "a message was not found");
  assertEquals(reader.ended, model.closed);
}

/** Checks the counters of a reader. */
function checkCounts(expected: ModelReader, reader: CircularBufferReader): void {
  assertEquals([reader.sequence, reader.lost, reader.lostBytes], [
    expected.next,
    expected.lost,
    expected.lostBytes,
  ]);
}

function checkMessage(message: Uint8Array, model: Model, reader: ModelReader): void {
  assertEquals(message.length, model.messages[reader.next]!.length);
  assert(isPayload(message, reader.next), `message ${reader.next} is not what was written`);
}

const isOpen = (model: Model) => !model.closed;
const hasReader = (model: Model) => model.readers.length > 0;

const lengths = fc.oneof(
  { weight: 6, arbitrary: fc.nat(300) },
  { weight: 2, arbitrary: fc.nat(CAPACITY - 64) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 8, CAPACITY - 65, CAPACITY - 64) },
);

const commands: fc.Arbitrary<Command>[] = [
  lengths.map((length) =>
    command(`trySend(${length})`, (model, { writer }) => {
      model.reserve(length);
      writer.trySend(payload(model.messages.length, length));
      model.add(length);
    }, isOpen)
  ),
  fc.tuple(fc.nat(30), fc.nat(60)).map(([count, length]) =>
    command(`trySend(${length}) ${count} times`, (model, { writer }) => {
      for (let i = 0; i < count; i++) {
        model.reserve(length);
        writer.trySend(payload(model.messages.length, length));
        model.add(length);
      }
    }, isOpen)
  ),
  lengths.map((length) =>
    command(`tryClaim(${length})`, (model, { writer }) => {
      model.reserve(length);
      writer.tryClaim(length).bytes.fill(0xaa);
    }, isOpen)
  ),
  fc.tuple(lengths, fc.double({ min: 0, max: 1, noNaN: true })).map(([length, share]) =>
    command(`tryClaim(${length}) and publish(${share} of it)`, (model, { writer }) => {
      const part = Math.floor(share * length);
      model.reserve(length);
      const claim = writer.tryClaim(length);
      claim.bytes.set(payload(model.messages.length, part));
      claim.publish(part);
      model.add(part);
    }, isOpen)
  ),
  fc.tuple(lengths, fc.double({ min: 0, max: 1, noNaN: true })).map(([length, share]) =>
    command(`tryFill(${length}) with ${share} of it`, (model, { writer }) => {
      const part = Math.floor(share * length);
      model.reserve(length);
      writer.tryFill(({ bytes }) => {
        bytes.set(payload(model.messages.length, part));
        return part;
      }, length);
      model.add(part);
    }, isOpen)
  ),
  lengths.map((length) =>
    command(`tryClaim(${length}) and discard it`, (model, { writer }) => {
      model.reserve(length);
      writer.tryClaim(length)[Symbol.dispose]();
    }, isOpen)
  ),
  fc.boolean().map((comesAgain) =>
    command(`close the writer${comesAgain ? ", and open the next" : ""}`, (model, real) => {
      real.writer.close();
      model.closed = true;
      if (!comesAgain) return;
      real.writer = circular(real.name, { capacity: CAPACITY }).writer();
      model.closed = false;
      assertEquals(real.writer.sequence, model.messages.length);
    })
  ),
  fc.constant(command("open the next writer", (model, real) => {
    real.writer = circular(real.name, { capacity: CAPACITY }).writer();
    model.closed = false;
  }, (model) => model.closed)),
  fc.tuple(
    fc.constantFrom("oldest", "newest", "now"),
    fc.constantFrom("oldest", "newest"),
    fc.boolean(),
  ).map(([start, afterLoss, tells]) =>
    command(`open a reader at ${start}, after a loss at ${afterLoss}`, (model, real) => {
      const reader = circular(real.name, { capacity: CAPACITY }).reader({
        ...(tells || start !== "oldest") && { start }, // the oldest is the default
        ...(tells || afterLoss !== "oldest") && { afterLoss },
      });
      real.readers.push(reader);
      const next = reader.sequence;
      model.readers.push({ afterLoss, told: 0, next, lost: 0, lostBytes: 0 });
      const written = model.messages.length;
      assert(next <= written);
      if (next < written) assert(!model.mustBeGone(next));
      if (start === "oldest" && next > 0) assert(model.mayBeGone(next - 1));
      if (start === "newest" && next !== written - 1) {
        assert(next === written && (written === 0 || model.mayBeGone(written - 1)));
      }
      if (start === "now") assertEquals(next, written);
    }, (model) => model.readers.length < 5)
  ),
  fc.nat().map((number) =>
    command(`close reader ${number}`, (model, real) => {
      const { reader, index } = chosen(number, model, real);
      reader.close();
      real.readers.splice(index, 1);
      model.readers.splice(index, 1);
    }, hasReader)
  ),
  fc.tuple(fc.nat(), fc.nat(12)).map(([number, times]) =>
    command(`receive ${number}, ${times} times`, (model, real) => {
      const { reader, model: expected } = chosen(number, model, real);
      for (let i = 0; i < times; i++) {
        const message = reader.tryReceive();
        checkFound(message !== undefined, model, expected, reader);
        if (message === undefined) break;
        const { value, sequence, lost } = message;
        checkLoss(model, expected, sequence - 1);
        assertEquals(lost, expected.lost - expected.told);
        expected.told = expected.lost;
        checkMessage(value, model, expected);
        expected.next++;
        checkCounts(expected, reader);
      }
    }, hasReader)
  ),
  fc.tuple(fc.nat(), fc.nat(400)).map(([number, size]) =>
    command(`receive ${number} into ${size} bytes`, (model, real) => {
      const { reader, model: expected } = chosen(number, model, real);
      const target = new Uint8Array(size);
      let length;
      try {
        length = reader.tryReceiveInto(target);
      } catch (error) {
        assert(error instanceof RangeError, `${error}`);
        checkLoss(model, expected, reader.sequence);
        assert(model.messages[expected.next]!.length > size);
        return checkCounts(expected, reader);
      }
      checkFound(length >= 0, model, expected, reader);
      if (length < 0) return;
      checkLoss(model, expected, reader.sequence - 1);
      expected.told = expected.lost;
      checkMessage(target.subarray(0, length), model, expected);
      expected.next++;
      checkCounts(expected, reader);
    }, hasReader)
  ),
  fc.tuple(fc.nat(), fc.nat(20)).map(([number, limit]) =>
    command(`poll ${number} up to ${limit}`, (model, real) => {
      const { reader, model: expected } = chosen(number, model, real);
      const shown: { bytes: Uint8Array; before: number; lost: number }[] = [];
      const handled = reader.poll((message) => {
        const { bytes, sequence, lost } = message;
        shown.push({ bytes: bytes.slice(), before: sequence - 1, lost });
        assertEquals(message.value, bytes); // which ends the handler if they may be torn
      }, limit);
      assert(handled <= limit && shown.length <= handled + 1);
      for (const { bytes, before, lost } of shown.slice(0, handled)) {
        checkLoss(model, expected, before);
        assertEquals(lost, expected.lost - expected.told);
        expected.told = expected.lost;
        checkMessage(bytes, model, expected);
        expected.next++;
      }
      if (shown.length > handled) assert(checkLoss(model, expected, reader.sequence) > 0);
      else checkFound(handled === limit, model, expected, reader);
      checkCounts(expected, reader);
    }, hasReader)
  ),
];

/** Where everything begins: at the beginning, and before wraps. */
const starts = fc.tuple(
  fc.constantFrom(0, 2 ** 31, 2 ** 32, 2 ** 49, 2 ** 52),
  fc.nat(2 * UNITS),
).map(([wrap, before]) => Math.max(0, wrap - before));

Deno.test("writers and readers do what a queue that overwrites does", () => {
  let lost = 0;
  let read = 0;
  fc.assert(
    fc.property(starts, fc.commands(commands, { maxCommands: 80, size: "max" }), (start, story) => {
      using place = new Name();
      using inside = new Inside(place.name, CAPACITY);
      inside.startAt(start);
      using writer = circular(place.name, { capacity: CAPACITY }).writer();
      const model = new Model();
      const real: Real = { name: place.name, writer, readers: [] };
      try {
        fc.modelRun(() => ({ model, real }), story);
        for (const expected of model.readers) {
          lost += expected.lost;
          read += expected.next - expected.lost;
        }
      } finally {
        real.writer.close();
        for (const reader of real.readers) reader.close();
      }
    }),
    { numRuns: 300 },
  );
  assert(lost > 1000 && read > 1000, `${lost} lost, ${read} read: nothing was tried`);
});
