/**
 * Readers of a circular buffer that wait.
 */

import { assert, assertEquals } from "@std/assert";
import { CircularBufferReader } from "../../src/circular/reader.ts";
import { CircularBufferWriter } from "../../src/circular/writer.ts";
import { waitAnySync } from "../../src/wait/any.ts";
import { Name } from "../shared/scene.ts";
import { promptly } from "../wait/promptly.ts";
import { Inside, isPayload, payload } from "./scene.ts";

const CAPACITY = 4096;

/** A reader that waits soon, and a writer. */
class Pair implements Disposable {
  readonly #place = new Name();
  readonly name = this.#place.name;
  readonly writer = CircularBufferWriter.open(this.name, { capacity: CAPACITY });
  readonly reader = CircularBufferReader.open(this.name);

  [Symbol.dispose](): void {
    this.reader.close();
    this.writer.close();
    this.#place[Symbol.dispose]();
  }
}

Deno.test("read() fills an array of the caller's, or says that it is too small", async () => {
  using pair = new Pair();
  const target = new Uint8Array(100);
  const reading = pair.reader.read(target, { timeout: 20_000 });
  pair.writer.write(payload(0, 60));
  assertEquals(await reading, { state: "ok", length: 60 });
  assert(isPayload(target.subarray(0, 60), 0));
  pair.writer.write(payload(1, 101));
  assertEquals(await pair.reader.read(target), { state: "tooSmall", length: 101 });
  assertEquals(await pair.reader.read(), { state: "ok", message: payload(1, 101) });
});

const ACTS: [what: string, act: (writer: CircularBufferWriter) => void][] = [
  ["write()", (writer) => writer.write(payload(1, 10))],
  ["publish()", (writer) => {
    writer.claim(10);
    writer.publish();
  }],
  ["close()", (writer) => writer.close()],
];

for (const [what, act] of ACTS) {
  Deno.test(`${what} wakes a reader that sleeps, before the end of its slice`, async () => {
    using place = new Name();
    using reader = CircularBufferReader.open(place.name, { capacity: CAPACITY });
    await promptly(async () => {
      using writer = CircularBufferWriter.open(place.name);
      const reading = reader.read({ timeout: 20_000, spin: 0 });
      await new Promise((resolve) => setTimeout(resolve)); // its thread goes to sleep
      act(writer);
      assertEquals((await reading).state, what === "close()" ? "closed" : "ok");
    });
  });
}

Deno.test("one message wakes every reader that waits", async () => {
  using pair = new Pair();
  using stack = new DisposableStack();
  const readers = Array.from({ length: 20 }, () => stack.use(CircularBufferReader.open(pair.name)));
  const reading = readers.map((reader) => reader.read({ timeout: 20_000 }));
  await Promise.resolve();
  pair.writer.write(payload(0, 10));
  for (const outcome of await Promise.all(reading)) {
    assertEquals(outcome, { state: "ok", message: payload(0, 10) });
  }
});

Deno.test("readSync() fills an array of the caller's, or says that it is too small", () => {
  using pair = new Pair();
  const { writer, reader } = pair;
  writer.write(payload(0, 60));
  writer.write(payload(1, 101));
  const target = new Uint8Array(100);
  assertEquals(reader.readSync(target, { timeout: 20_000 }), { state: "ok", length: 60 });
  assert(isPayload(target.subarray(0, 60), 0));
  assertEquals(reader.readSync(target), { state: "tooSmall", length: 101 });
  assertEquals(reader.readSync(), { state: "ok", message: payload(1, 101) });
});

Deno.test("waitAnySync() and hasWriter notice writers and their messages", () => {
  using pair = new Pair();
  using idle = CircularBufferReader.open(pair.name, { start: "now", keepOpen: true });
  assertEquals([pair.reader.hasWriter, idle.hasWriter], [true, true]);
  pair.writer.write(payload(0, 10));
  assertEquals(idle.tryRead().state, "ok");
  assert(waitAnySync([idle, pair.reader]) === pair.reader);
  pair.reader.tryRead();
  pair.writer.close();
  assertEquals([pair.reader.hasWriter, idle.hasWriter], [false, false]);
  assert(waitAnySync([idle, pair.reader]) === pair.reader); // which will find that it closed
});

Deno.test("CircularBufferWriter.open() rings for those whom a dead writer left asleep", () => {
  using place = new Name();
  using inside = new Inside(place.name, CAPACITY);
  const raised = inside.ring.bell.raise();
  using _writer = CircularBufferWriter.open(place.name);
  assertEquals(inside.ring.bell.word.load(), raised + 1);
});
