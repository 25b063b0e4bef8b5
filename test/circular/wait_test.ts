/**
 * Readers of a circular buffer that wait.
 */

import { circular } from "../../src/circular/definition.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { CircularBufferWriter } from "../../src/circular/writer.ts";
import { waitAnySync } from "../../src/wait/any.ts";
import { Name } from "../shared/scene.ts";
import { promptly } from "../wait/promptly.ts";
import { Inside, payload } from "./scene.ts";

const CAPACITY = 4096;

/** A reader that waits soon, and a writer. */
class Pair implements Disposable {
  readonly #place = new Name();
  readonly name = this.#place.name;
  readonly writer = circular(this.name, { capacity: CAPACITY }).writer();
  readonly reader = circular(this.name, { capacity: CAPACITY }).reader();

  [Symbol.dispose](): void {
    this.reader.close();
    this.writer.close();
    this.#place[Symbol.dispose]();
  }
}

Deno.test("a wait that times out says whether a writer is there", async () => {
  using pair = new Pair();
  using keeper = circular(pair.name, { capacity: CAPACITY }).reader({ onPeerGone: "wait" });
  const late = (told: string) => {
    assertThrows(() => keeper.receiveSync({ timeout: 0 }), DOMException, told);
    return assertRejects(() => keeper.receive({ timeout: 1 }), DOMException, told);
  };
  await late("passed, and its writer has sent nothing new");
  pair.writer.close();
  await late("passed, and it has no writer");
  assertEquals(keeper.ended, false);
});

Deno.test("nextWriter() waits until the writer closes, and waitForPeers() until it is there", async () => {
  using pair = new Pair();
  const buffer = circular(pair.name, { capacity: CAPACITY });
  await assertRejects(
    () => buffer.nextWriter({ timeout: 1 }),
    DOMException,
    "passed, and it has a writer",
  );
  const next = buffer.nextWriter();
  pair.writer.close();
  assertEquals(pair.reader.peers, 0);
  using writer = await next;
  await pair.reader.waitForPeers(1);
  assertEquals([pair.reader.peers, writer.sequence], [1, 0]);
  await assertRejects(() => pair.reader.waitForPeers(2, { timeout: 1 }), DOMException, "has 1");
});

const ACTS: [what: string, act: (writer: CircularBufferWriter) => void][] = [
  ["trySend()", (writer) => writer.trySend(payload(1, 10))],
  ["publish()", (writer) => {
    writer.tryClaim(10).publish();
  }],
  ["close()", (writer) => writer.close()],
];

for (const [what, act] of ACTS) {
  Deno.test(`${what} wakes a reader that sleeps, before the end of its slice`, async () => {
    using place = new Name();
    using reader = circular(place.name, { capacity: CAPACITY }).reader();
    await promptly(async () => {
      using writer = circular(place.name, { capacity: CAPACITY }).writer();
      const reading = reader.receive({ timeout: 20_000, spin: 0 });
      await new Promise((resolve) => setTimeout(resolve)); // its thread goes to sleep
      act(writer);
      assertEquals((await reading)?.sequence, what === "close()" ? undefined : 1);
    });
  });
}

Deno.test("one message wakes every reader that waits", async () => {
  using pair = new Pair();
  using stack = new DisposableStack();
  const readers = Array.from(
    { length: 20 },
    () => stack.use(circular(pair.name, { capacity: CAPACITY }).reader()),
  );
  const reading = readers.map((reader) => reader.receive({ timeout: 20_000 }));
  await Promise.resolve();
  pair.writer.trySend(payload(0, 10));
  for (const message of await Promise.all(reading)) {
    assertEquals(message, { value: payload(0, 10), sequence: 1, lost: 0 });
  }
});

Deno.test("waitAnySync() and peers notice writers and their messages", () => {
  using pair = new Pair();
  using idle = circular(pair.name, { capacity: CAPACITY }).reader({
    start: "now",
    onPeerGone: "wait",
  });
  assertEquals([pair.reader.peers, idle.peers], [1, 1]);
  pair.writer.trySend(payload(0, 10));
  assertEquals(idle.tryReceive()?.sequence, 1);
  assert(waitAnySync([idle, pair.reader]) === pair.reader);
  pair.reader.tryReceive();
  pair.writer.close();
  assertEquals([pair.reader.peers, idle.peers], [0, 0]);
  assert(waitAnySync([idle, pair.reader]) === pair.reader); // which will find that it closed
});

Deno.test("writer() rings for those whom a dead writer left asleep", () => {
  using place = new Name();
  using inside = new Inside(place.name, CAPACITY);
  const raised = inside.ring.bell.raise();
  using _writer = circular(place.name, { capacity: CAPACITY }).writer();
  assertEquals(inside.ring.bell.word.load(), raised + 1);
});
