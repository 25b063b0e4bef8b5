/**
 * A writer and its readers against a simple model of a queue that overwrites: a list of all
 * messages, of which the oldest must be gone once they do not fit any more, and may be gone within
 * the last 64th.
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { pageSize } from "../../src/os/page.ts";
import { UNIT } from "../../src/circular/circular_buffer.ts";
import { CircularBufferReader } from "../../src/circular/reader.ts";
import { CircularBufferWriter } from "../../src/circular/writer.ts";
import { Name } from "../shared/scene.ts";
import { HEAD_BYTES, Inside, isPayload, payload, unitsFor } from "./scene.ts";

const CAPACITY = pageSize();
const UNITS = CAPACITY / UNIT;
const HEAD_UNITS = HEAD_BYTES / UNIT;

interface ModelReader {
  readonly afterLoss: "oldest" | "newest";
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
  claimed: number | undefined;
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

/** Checks a reported loss: every lost message may be gone, and the next one is there. */
function checkLoss(model: Model, reader: ModelReader, now: CircularBufferReader): void {
  const { next } = reader;
  const { sequence } = now;
  const written = model.messages.length;
  assert(sequence > next && sequence <= written, `from ${next} to ${sequence} of ${written}`);
  reader.lost += sequence - next;
  reader.lostBytes += model.bytes(next, sequence);
  reader.next = sequence;
  assertEquals([now.lostMessages, now.lostBytes], [reader.lost, reader.lostBytes]);
  assert(model.mayBeGone(next), `message ${next} was lost without need`);
  if (sequence < written) assert(!model.mustBeGone(sequence), `message ${sequence} is not there`);
  if (reader.afterLoss === "newest") assert(sequence >= written - 1);
  else if (sequence > 0) assert(model.mayBeGone(sequence - 1), `${sequence} is not the oldest`);
}

/** Checks whether the reader must report a loss, must not, or may do either. */
function checkState(state: string, model: Model, { next }: ModelReader): void {
  if (next === model.messages.length) {
    assertEquals(state, model.closed ? "closed" : "empty");
    return;
  }
  if (model.mustBeGone(next)) assertEquals(state, "lost");
  else if (!model.mayBeGone(next)) assert(state === "ok" || state === "tooSmall", state);
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
    command(`write(${length})`, (model, { writer }) => {
      model.reserve(length);
      writer.write(payload(model.messages.length, length));
      model.add(length);
      model.claimed = undefined;
    }, isOpen)
  ),
  fc.tuple(fc.nat(30), fc.nat(60)).map(([count, length]) =>
    command(`write(${length}) ${count} times`, (model, { writer }) => {
      for (let i = 0; i < count; i++) {
        model.reserve(length);
        writer.write(payload(model.messages.length, length));
        model.add(length);
        model.claimed = undefined;
      }
    }, isOpen)
  ),
  lengths.map((length) =>
    command(`claim(${length})`, (model, { writer }) => {
      model.reserve(length);
      writer.claim(length).fill(0xaa);
      model.claimed = length;
    }, isOpen)
  ),
  fc.tuple(lengths, fc.double({ min: 0, max: 1, noNaN: true })).map(([length, share]) =>
    command(`claim(${length}) and publish(${share} of it)`, (model, { writer }) => {
      const part = Math.floor(share * length);
      model.reserve(length);
      writer.claim(length).set(payload(model.messages.length, part));
      writer.publish(part);
      model.add(part);
      model.claimed = undefined;
    }, isOpen)
  ),
  fc.constant(command("discard()", (model, { writer }) => {
    writer.discard();
    model.claimed = undefined;
  }, (model) => isOpen(model) && model.claimed !== undefined)),
  fc.boolean().map((comesAgain) =>
    command(`close the writer${comesAgain ? ", and open the next" : ""}`, (model, real) => {
      real.writer.close();
      model.closed = true;
      model.claimed = undefined;
      if (!comesAgain) return;
      real.writer = CircularBufferWriter.open(real.name);
      model.closed = false;
      assertEquals(real.writer.sequence, model.messages.length);
    })
  ),
  fc.constant(command("open the next writer", (model, real) => {
    real.writer = CircularBufferWriter.open(real.name);
    model.closed = false;
  }, (model) => model.closed)),
  fc.tuple(
    fc.constantFrom("oldest", "newest", "now"),
    fc.constantFrom("oldest", "newest"),
    fc.boolean(),
  ).map(([start, afterLoss, tells]) =>
    command(`open a reader at ${start}, after a loss at ${afterLoss}`, (model, real) => {
      const reader = CircularBufferReader.open(real.name, {
        ...(tells || start !== "oldest") && { start }, // the oldest is the default
        ...(tells || afterLoss !== "oldest") && { afterLoss },
      });
      real.readers.push(reader);
      const next = reader.sequence;
      model.readers.push({ afterLoss, next, lost: 0, lostBytes: 0 });
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
    command(`read ${number}, ${times} times`, (model, real) => {
      const { reader, model: expected } = chosen(number, model, real);
      for (let i = 0; i < times; i++) {
        const outcome = reader.tryRead();
        checkState(outcome.state, model, expected);
        if (outcome.state === "lost") {
          const { lost, lostBytes } = expected;
          checkLoss(model, expected, reader);
          assertEquals(outcome.messages, expected.lost - lost);
          assertEquals(outcome.bytes, expected.lostBytes - lostBytes);
        }
        if (outcome.state !== "ok") continue;
        checkMessage(outcome.message, model, expected);
        expected.next++;
      }
    }, hasReader)
  ),
  fc.tuple(fc.nat(), fc.nat(400)).map(([number, size]) =>
    command(`read ${number} into ${size} bytes`, (model, real) => {
      const { reader, model: expected } = chosen(number, model, real);
      const target = new Uint8Array(size);
      const outcome = reader.tryRead(target);
      checkState(outcome.state, model, expected);
      if (outcome.state === "lost") checkLoss(model, expected, reader);
      if (outcome.state === "tooSmall") {
        assertEquals(outcome.length, model.messages[expected.next]!.length);
        assert(outcome.length > size);
      }
      if (outcome.state !== "ok") return;
      checkMessage(target.subarray(0, outcome.length), model, expected);
      expected.next++;
    }, hasReader)
  ),
  fc.tuple(fc.nat(), fc.nat(20)).map(([number, limit]) =>
    command(`poll ${number} up to ${limit}`, (model, real) => {
      const { reader, model: expected } = chosen(number, model, real);
      const shown: Uint8Array[] = [];
      const { handled, state } = reader.poll((message, sequence) => {
        assertEquals(sequence, expected.next + shown.length);
        shown.push(message.slice());
      }, limit);
      assert(handled <= limit && shown.length <= handled + (state === "lost" ? 1 : 0));
      for (const message of shown.slice(0, handled)) {
        checkMessage(message, model, expected);
        expected.next++;
      }
      if (state === "lost") checkLoss(model, expected, reader);
      else if (state === "ok") assertEquals(handled, limit);
      else assertEquals([expected.next, state === "closed"], [model.messages.length, model.closed]);
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
      using writer = CircularBufferWriter.open(place.name);
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
