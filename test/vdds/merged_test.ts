import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, LayoutMismatchError, RoleTakenError } from "../../src/errors.ts";
import { text } from "../../src/codec.ts";
import { topic, type TopicDefinition } from "../../src/vdds/definition.ts";
import type { Publisher } from "../../src/vdds/publisher.ts";
import type { TopicOptions } from "../../src/vdds/topic_options.ts";
import { waitAny } from "../../src/wait/any.ts";
import { LockFile } from "../../src/region/liveness.ts";
import { MEMBER } from "../../src/region/opened.ts";
import { topicPath } from "../../src/region/names.ts";
import { TOPIC } from "../../src/vdds/vring.ts";
import { until } from "../os/until.ts";
import { payload } from "../circular/scene.ts";
import { Name } from "../shared/scene.ts";
import { present } from "./scene.ts";
import { joinRegion } from "../region/opening.ts";

/** A topic of several sources. */
function many(name: string, options: TopicOptions = {}): TopicDefinition {
  return topic(name, { publishers: "many", size: 256, depth: 4, ...options });
}

/** A source with texts in place of bytes, as a program has it that defines only this topic. */
function textSource(name: string, source: string): Publisher<ReturnType<typeof text>> {
  return topic(`${name}/${source}`, { type: text() }).publisher();
}

/** A source of a topic. */
function source(name: string, source: string): Publisher {
  return many(name).publisher({ source });
}

Deno.test("a subscriber of many publishers gets the samples of every source, and says whose they are", () => {
  using name = new Name();
  using left = source(name.name, "left");
  using subscriber = many(name.name).subscriber();
  using right = source(name.name, "right"); // comes later
  assertEquals(subscriber.tryReceive(), undefined);
  assertEquals(subscriber.sources.sort(), ["left", "right"]);
  for (let i = 0; i < 3; i++) left.trySend(payload(i, 20));
  right.trySend(payload(9, 30));
  const outcomes = Array.from({ length: 4 }, () => present(subscriber.receiveSync()));
  const ofLeft = outcomes.filter(({ source }) => source === "left");
  assertEquals(ofLeft.map(({ sequence, value }) => [sequence, value]), [
    [1, payload(0, 20)],
    [2, payload(1, 20)],
    [3, payload(2, 20)],
  ]);
  assertEquals(outcomes.filter(({ source }) => source === "right").map(({ value }) => value), [
    payload(9, 30),
  ]);
  assertEquals(subscriber.tryReceive(), undefined);
});

Deno.test("a subscriber of many publishers takes turns, so that no source waits for more than one sample of each", () => {
  using name = new Name();
  using subscriber = many(name.name).subscriber();
  using a = source(name.name, "a");
  using b = source(name.name, "b");
  using c = source(name.name, "c");
  subscriber.tryReceive();
  for (let i = 0; i < 4; i++) a.trySend(payload(i, 8));
  for (const quiet of [b, c]) quiet.trySend(payload(7, 8));
  const order = Array.from({ length: 6 }, () => subscriber.receiveSync()?.source);
  assertEquals(order.slice(0, 3).sort(), ["a", "b", "c"]);
  assertEquals(order.slice(3), ["a", "a", "a"]);
});

Deno.test("a subscriber of many publishers shows samples in place until they are disposed", () => {
  using name = new Name();
  using left = source(name.name, "left");
  using subscriber = many(name.name).subscriber();
  left.tryFill(({ bytes }) => void bytes.set(payload(5, 40)), 40);
  const sample = present(subscriber.takeSync());
  assertEquals([sample.source, sample.sequence, sample.lost], ["left", 1, 0]);
  assertEquals(new Uint8Array(sample.bytes), payload(5, 40));
  for (let i = 0; i < 3; i++) assert(left.trySend(payload(i, 8)));
  assert(!left.trySend(payload(9, 8))); // all are read or held
  sample[Symbol.dispose]();
  assert(left.trySend(payload(9, 8)));
});

Deno.test("a subscriber of many publishers waits for sources that come while it waits", async () => {
  using name = new Name();
  const texts = topic(name.name, { publishers: "many", type: text(), history: 2 });
  using subscriber = texts.subscriber();
  const waiting = subscriber.receive({ spin: 0 });
  using publisher = texts.publisher({ source: "late" });
  await publisher.waitForPeers(1, { timeout: 30_000 }); // until the wait has seen it
  publisher.trySend("here");
  assertEquals((await waiting)?.value, "here");
});

Deno.test("a subscriber of many publishers asks every source for its history", () => {
  using name = new Name();
  const kept = many(name.name, { history: 2 });
  using left = kept.publisher({ source: "left" });
  for (let i = 1; i <= 3; i++) left.trySend(payload(i, 8));
  using subscriber = kept.subscriber({ history: 2 });
  const found = [subscriber.receiveSync(), subscriber.receiveSync()];
  assertEquals(found.map((message) => message?.sequence), [2, 3]);
});

Deno.test("a subscriber of many publishers continues with a source that returns", () => {
  using name = new Name();
  using subscriber = many(name.name).subscriber();
  const first = source(name.name, "a");
  subscriber.tryReceive();
  first.trySend(payload(1, 8));
  first.close();
  assertEquals(subscriber.sources, []);
  using second = source(name.name, "a");
  second.trySend(payload(2, 8));
  const sequences = [subscriber.receiveSync()?.sequence, subscriber.receiveSync()?.sequence];
  assertEquals(sequences, [1, 2]);
  assertEquals(subscriber.sources, ["a"]);
});

Deno.test("a subscriber of many publishers counts what it lost of all, also of those that have gone", () => {
  using name = new Name();
  const definition = many(name.name, { depth: 2, policy: "dropOldest" });
  using subscriber = definition.subscriber();
  using named = definition.publisher({ source: "named" });
  const passing = definition.publisher(); // its source has a unique name
  assertEquals(subscriber.peers, 2);
  for (const publisher of [named, passing]) {
    for (let i = 0; i < 5; i++) publisher.trySend(payload(i, 8));
  }
  passing.close();
  while (subscriber.tryReceiveInto(new Uint8Array(8)) >= 0);
  assertEquals(subscriber.lost, 3 + 3);
  using _next = definition.publisher(); // the subscriber looks around, and leaves the one that has gone
  assertEquals([subscriber.peers, subscriber.lost], [2, 3 + 3]);
});

Deno.test("a subscriber of many publishers follows a source whose topic was unlinked, and drains the old one", () => {
  using name = new Name();
  using subscriber = many(name.name).subscriber();
  const path = `${name.name}/left`;
  using old = source(name.name, "left");
  subscriber.tryReceive();
  for (const i of [1, 2]) old.trySend(payload(i, 8));
  const held = present(subscriber.takeSync());
  topic(path).unlink();
  using fresh = source(name.name, "left");
  subscriber.tryReceive(); // the second of the old topic, and now it knows the new one
  assertEquals(subscriber.sources, ["left"]);
  old.trySend(payload(3, 8));
  fresh.trySend(payload(4, 8));
  const sequences = [subscriber.receiveSync()?.sequence, subscriber.receiveSync()?.sequence];
  assertEquals(sequences.sort(), [1, 3]);
  old.close();
  subscriber.tryReceive(); // leaves the old one only when nothing of it is held
  assertEquals([held.bytes.length, mapped(path, "(deleted)")], [8, true]);
  held[Symbol.dispose]();
  using _another = source(name.name, "right"); // which makes it look around
  subscriber.tryReceive();
  assertEquals([mapped(path, "(deleted)"), mapped(path, "")], [false, true]);
});

/** Whether this process has the region of a topic mapped; unlinked ones are "(deleted)". */
function mapped(topic: string, state: "(deleted)" | ""): boolean {
  const path = topicPath("topic", topic);
  const lines = Deno.readTextFileSync("/proc/self/maps").split("\n");
  return lines.some((line) => line.endsWith(`${path} ${state}`.trim()));
}

Deno.test("a subscriber of many publishers tries a refused source again once its topic was unlinked", () => {
  using name = new Name();
  using _text = textSource(name.name, "left");
  using subscriber = many(name.name).subscriber();
  assertThrows(() => subscriber.tryReceive(), LayoutMismatchError, "left");
  topic(`${name.name}/left`).unlink();
  using _bytes = source(name.name, "left");
  assertEquals(subscriber.sources, ["left"]);
});

Deno.test("a subscriber of many publishers joins a source once no process is in the way any more", async () => {
  using name = new Name();
  const path = topicPath("topic", `${name.name}/left`);
  topic(`${name.name}/left`, { size: 256, depth: 4, persist: true }).publisher().close();
  const remover = new LockFile(path, { write: true, what: "the test" });
  remover.tryLock(MEMBER, "write");
  using subscriber = many(name.name).subscriber();
  const controller = new AbortController();
  const waiting = subscriber.receive({ signal: controller.signal });
  remover.close();
  using region = joinRegion(TOPIC, path)!;
  await until("the subscriber has joined", () => region.countMembers() === 2);
  controller.abort("enough");
  assertEquals(await waiting.catch((reason) => reason), "enough");
});

Deno.test("a source is a topic of its own, and has one publisher", () => {
  using name = new Name();
  using left = source(name.name, "left");
  assertEquals(left.name, `${name.name}/left`);
  assertThrows(() => source(name.name, "left"), RoleTakenError, "left");
  assertThrows(() => source(name.name, "a/b"), TypeError, "without a slash");
  assertThrows(() => source(name.name, ""), TypeError);
  using single = topic(`${name.name}/left`, { size: 256, depth: 4 }).subscriber();
  left.trySend(payload(3, 8));
  assertEquals(single.receiveSync()?.value, payload(3, 8));
  assertEquals(topic(`${name.name}/right`).info(), undefined);
});

Deno.test("a subscriber of many publishers reports a source that it cannot join once, and continues with the others", async () => {
  using name = new Name();
  using first = textSource(name.name, "first");
  using subscriber = many(name.name).subscriber();
  assertThrows(() => subscriber.tryReceive(), LayoutMismatchError, "first");
  assertEquals(subscriber.tryReceive(), undefined);
  using right = source(name.name, "right");
  assertEquals(subscriber.sources, ["right"]);
  right.trySend(payload(1, 20));
  assertEquals(subscriber.receiveSync({ timeout: 5000 })?.value, payload(1, 20));
  const waiting = subscriber.receive();
  using second = textSource(name.name, "second");
  using _third = source(name.name, "third"); // at which it looks around
  await assertRejects(() => waiting, LayoutMismatchError, "second");
  first.close();
  assertEquals(subscriber.sources, ["right", "third"]); // the one that it left out has gone
  using again = source(name.name, "first"); // now it is one that can be joined
  assertEquals(subscriber.sources, ["right", "third", "first"]);
  again.trySend(payload(2, 20));
  assertEquals(subscriber.receiveSync({ timeout: 5000 })?.value, payload(2, 20));
  second.close();
});

Deno.test("a subscriber of many publishers iterates and streams the values of all sources", async () => {
  using name = new Name();
  using left = source(name.name, "left");
  using right = source(name.name, "right");
  using subscriber = many(name.name).subscriber();
  left.trySend(payload(1, 8));
  right.trySend(payload(2, 9));
  const lengths: number[] = [];
  for await (const value of subscriber) if (lengths.push(value.length) === 2) break;
  assertEquals(lengths.sort(), [8, 9]);
  left.trySend(payload(1, 10));
  const reader = subscriber.toReadableStream().getReader();
  assertEquals((await reader.read()).value?.length, 10);
  await reader.cancel();
  assertThrows(() => subscriber.tryReceive(), ClosedError);
});

Deno.test("waitAny() waits for subscribers as well", async () => {
  using names = {
    a: new Name(),
    b: new Name(),
    [Symbol.dispose]() {
      this.a[Symbol.dispose]();
      this.b[Symbol.dispose]();
    },
  };
  using first = topic(names.a.name).subscriber();
  using second = topic(names.b.name).subscriber();
  using publisher = topic(names.b.name).publisher();
  const waiting = waitAny([first, second], { spin: 0 });
  publisher.trySend(payload(1, 8));
  assertEquals(await waiting === second, true);
});
