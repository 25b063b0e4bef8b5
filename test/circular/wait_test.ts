/**
 * Readers of a circular buffer that wait.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { CircularBufferReader } from "../../src/circular/reader.ts";
import { CircularBufferWriter } from "../../src/circular/writer.ts";
import { waitAnySync } from "../../src/wait/any.ts";
import { Party } from "../shared/party.ts";
import { Name } from "../shared/scene.ts";
import { promptly } from "../wait/promptly.ts";
import type { Tools } from "./circular_child.ts";
import { isPayload, payload } from "./scene.ts";

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

/** A thread that acts once somebody sleeps on the buffer's bell, or is about to. */
async function startActor(name: string): Promise<Party<Tools>> {
  const party = Party.start<Tools>(new URL("./circular_child.ts", import.meta.url), "thread");
  await party.run(({ CircularBufferWriter, Inside, writers, insides }, name) => {
    writers.push(CircularBufferWriter.open(name, { capacity: 4096 }));
    insides.push(new Inside(name));
  }, name);
  return party;
}

// ---- in promises ----

Deno.test("read() has one timeout, however often it wakes up for a message that another call takes", async () => {
  using pair = new Pair();
  const others = Array.from({ length: 200 }, () => pair.reader.read());
  let ended = false;
  const reading = pair.reader.read({ timeout: 20 }).finally(() => ended = true);
  const timedOut = assertRejects(() => reading, DOMException, "20 ms");
  while (!ended) {
    pair.writer.write(payload(0, 10)); // wakes all: the first of the others takes it
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await timedOut;
  pair.reader.close();
  await Promise.allSettled(others);
});

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

Deno.test("read() resolves to a loss", async () => {
  using pair = new Pair();
  for (let i = 0; i < 10; i++) pair.writer.write(payload(i, 1000));
  const outcome = await pair.reader.read();
  const { sequence } = pair.reader;
  assertEquals(outcome, { state: "lost", messages: sequence, bytes: 1000 * sequence });
});

Deno.test("read() gives two who wait at once a message each", async () => {
  using pair = new Pair();
  const reading = [pair.reader.read(), pair.reader.read()];
  pair.writer.write(payload(0, 10));
  pair.writer.write(payload(1, 20));
  const messages = await Promise.all(reading);
  const lengths = messages.map((outcome) => outcome.state === "ok" ? outcome.message.length : -1);
  assertEquals(lengths.sort(), [10, 20]);
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

Deno.test("for await waits for messages", async () => {
  using pair = new Pair();
  const seen: Uint8Array[] = [];
  const reading = (async () => {
    for await (const message of pair.reader) seen.push(message);
  })();
  for (let i = 0; i < 5; i++) {
    pair.writer.write(payload(i, 100));
    await new Promise((resolve) => setTimeout(resolve)); // it waits again
  }
  pair.writer.close();
  await reading;
  assertEquals(seen, [0, 1, 2, 3, 4].map((i) => payload(i, 100).slice()));
});

// ---- blocking the thread ----

for (const spin of [0, 1e9]) {
  Deno.test(`readSync() gets what another thread writes meanwhile, with a spin of ${spin} us`, async () => {
    using place = new Name();
    await using actor = await startActor(place.name);
    using reader = CircularBufferReader.open(place.name);
    const acting = actor.run(({ writers: [writer], insides: [inside], payload }, sleeps) => {
      for (let i = 0; i < 50; i++) {
        if (sleeps) { while ((inside!.ring.bell.word.load() & 1) === 0); // until it sleeps
         }
        writer!.write(payload(i, 10 + i));
      }
    }, spin === 0);
    for (let i = 0; i < 50; i++) {
      const outcome = reader.readSync({ timeout: 20_000, spin });
      assertEquals(outcome, { state: "ok", message: payload(i, 10 + i) });
    }
    await acting;
  });
}

Deno.test("readSync() is woken by what another thread writes, before the end of its slice", async () => {
  using place = new Name();
  await using actor = await startActor(place.name);
  using reader = CircularBufferReader.open(place.name);
  await promptly(async () => {
    const acting = actor.run(({ writers: [writer], insides: [inside], payload }) => {
      while ((inside!.ring.bell.word.load() & 1) === 0); // until it sleeps
      writer!.write(payload(0, 10));
    }, null);
    const outcome = reader.readSync({ timeout: 20_000, spin: 0 });
    assertEquals(outcome, { state: "ok", message: payload(0, 10) });
    await acting;
  });
});

Deno.test("readSync() that spins sees what another thread writes, before the end of a slice", async () => {
  using place = new Name();
  await using actor = await startActor(place.name);
  using reader = CircularBufferReader.open(place.name);
  await promptly(async () => {
    const acting = actor.run(({ writers: [writer], payload }) => {
      for (const end = performance.now() + 5; performance.now() < end;); // meanwhile it spins
      writer!.write(payload(0, 10));
    }, null);
    const outcome = reader.readSync({ timeout: 20_000, spin: 1e9 });
    assertEquals(outcome, { state: "ok", message: payload(0, 10) });
    await acting;
  });
});

Deno.test("readSync() fills an array of the caller's, or says that it is too small", async () => {
  using place = new Name();
  await using actor = await startActor(place.name);
  using reader = CircularBufferReader.open(place.name);
  const acting = actor.run(({ writers: [writer], payload }) => {
    writer!.write(payload(0, 60));
    writer!.write(payload(1, 101));
  }, null);
  const target = new Uint8Array(100);
  assertEquals(reader.readSync(target, { timeout: 20_000 }), { state: "ok", length: 60 });
  assert(isPayload(target.subarray(0, 60), 0));
  assertEquals(reader.readSync(target), { state: "tooSmall", length: 101 });
  assertEquals(reader.readSync(), { state: "ok", message: payload(1, 101) });
  await acting;
});

Deno.test("readSync() tells that the writer has closed meanwhile", async () => {
  using place = new Name();
  await using actor = await startActor(place.name);
  using reader = CircularBufferReader.open(place.name);
  const acting = actor.run(({ writers: [writer], insides: [inside] }) => {
    while ((inside!.ring.bell.word.load() & 1) === 0);
    writer!.close();
  }, null);
  assertEquals(reader.readSync({ timeout: 20_000, spin: 0 }), { state: "closed" });
  await acting;
});

// ---- for the next writer ----

Deno.test("readSync() with keepOpen waits through a close, for what the next writer writes", async () => {
  using place = new Name();
  await using actor = await startActor(place.name);
  using reader = CircularBufferReader.open(place.name, { keepOpen: true });
  await promptly(async () => {
    const acting = actor.run(
      ({ CircularBufferWriter, writers, insides: [inside], payload }, name) => {
        const { word } = inside!.ring.bell;
        const untilAsleep = () => {
          while ((word.load() & 1) === 0);
        };
        untilAsleep();
        writers.pop()!.close();
        untilAsleep();
        writers.push(CircularBufferWriter.open(name));
        untilAsleep();
        writers[0]!.write(payload(0, 30));
      },
      place.name,
    );
    const outcome = reader.readSync({ timeout: 20_000, spin: 0 });
    assertEquals(outcome, { state: "ok", message: payload(0, 30) });
    await acting;
  });
});

Deno.test("for await with keepOpen goes on with the messages of the next writer", async () => {
  using pair = new Pair();
  using reader = CircularBufferReader.open(pair.name, { keepOpen: true });
  const seen: Uint8Array[] = [];
  const reading = (async () => {
    for await (const message of reader) if (seen.push(message) === 4) return;
  })();
  for (let i = 0; i < 2; i++) pair.writer.write(payload(i, 100));
  pair.writer.close();
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve));
  using next = CircularBufferWriter.open(pair.name);
  for (let i = 2; i < 4; i++) next.write(payload(i, 100));
  await reading;
  assertEquals(seen, [0, 1, 2, 3].map((i) => payload(i, 100).slice()));
});

Deno.test("waitAnySync() and hasWriter tell of writers and their messages", () => {
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
