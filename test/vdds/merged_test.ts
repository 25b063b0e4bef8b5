import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, LayoutMismatchError, RoleTakenError } from "../../src/errors.ts";
import { codec } from "../../src/codec.ts";
import { MergedSubscriber } from "../../src/vdds/merged_subscriber.ts";
import { Publisher } from "../../src/vdds/publisher.ts";
import { Subscriber } from "../../src/vdds/subscriber.ts";
import { waitAny } from "../../src/wait/any.ts";
import { LockFile } from "../../src/region/liveness.ts";
import { Region } from "../../src/region/region.ts";
import { MEMBER } from "../../src/region/opened.ts";
import { topicPath } from "../../src/region/names.ts";
import { TOPIC } from "../../src/vdds/vring.ts";
import { until } from "../os/until.ts";
import { payload } from "../circular/scene.ts";
import { Name } from "../shared/scene.ts";

/** A source of a topic. */
function source(topic: string, name: string): Publisher {
  return Publisher.open(topic, { source: name, size: 256, depth: 4 });
}

Deno.test("MergedSubscriber gets the samples of every source, and says whose they are", () => {
  using name = new Name();
  using left = source(name.name, "left");
  using subscriber = MergedSubscriber.open(name.name);
  using right = source(name.name, "right"); // comes later
  assertEquals(subscriber.tryReceive(), { state: "empty" });
  assertEquals(subscriber.sources.sort(), ["left", "right"]);
  for (let i = 0; i < 3; i++) left.trySend(payload(i, 20));
  right.trySend(payload(9, 30));
  const outcomes = Array.from({ length: 4 }, () => subscriber.receiveSync());
  const ofLeft = outcomes.filter(({ source }) => source === "left");
  assertEquals(ofLeft.map(({ sequence, value }) => [sequence, value]), [
    [1, payload(0, 20)],
    [2, payload(1, 20)],
    [3, payload(2, 20)],
  ]);
  assertEquals(outcomes.filter(({ source }) => source === "right").map(({ value }) => value), [
    payload(9, 30),
  ]);
  assertEquals(subscriber.tryReceive(), { state: "empty" });
});

Deno.test("MergedSubscriber takes turns, so that no source waits for more than one sample of each", () => {
  using name = new Name();
  using subscriber = MergedSubscriber.open(name.name);
  using a = source(name.name, "a");
  using b = source(name.name, "b");
  using c = source(name.name, "c");
  subscriber.tryReceive();
  for (let i = 0; i < 4; i++) a.trySend(payload(i, 8));
  for (const quiet of [b, c]) quiet.trySend(payload(7, 8));
  const order = Array.from({ length: 6 }, () => subscriber.receiveSync().source);
  assertEquals(order.slice(0, 3).sort(), ["a", "b", "c"]);
  assertEquals(order.slice(3), ["a", "a", "a"]);
});

Deno.test("MergedSubscriber shows samples in place until they are disposed", () => {
  using name = new Name();
  using left = source(name.name, "left");
  using subscriber = MergedSubscriber.open(name.name);
  left.tryFill((bytes) => void bytes.set(payload(5, 40)), 40);
  const { sample, source: whose } = subscriber.takeSync();
  assertEquals([whose, sample.sequence, sample.lost], ["left", 1, 0]);
  assertEquals(new Uint8Array(sample.bytes), payload(5, 40));
  for (let i = 0; i < 3; i++) assert(left.trySend(payload(i, 8)));
  assert(!left.trySend(payload(9, 8))); // all are read or held
  sample[Symbol.dispose]();
  assert(left.trySend(payload(9, 8)));
});

Deno.test("MergedSubscriber waits for sources that come while it waits", async () => {
  using name = new Name();
  using subscriber = MergedSubscriber.open(name.name, { codec: codec.text });
  const waiting = subscriber.receive({ spin: 0 });
  using publisher = Publisher.open(name.name, { source: "late", codec: codec.text, history: 2 });
  for (let i = 0; publisher.matched === 0; i++) { // until the wait has seen it
    await new Promise((resolve) => setTimeout(resolve, 1));
    assert(i < 30_000);
  }
  publisher.trySend("here");
  assertEquals((await waiting).value, "here");
});

Deno.test("MergedSubscriber asks every source for its history", () => {
  using name = new Name();
  using left = Publisher.open(name.name, { source: "left", history: 2, depth: 4, size: 64 });
  for (let i = 1; i <= 3; i++) left.trySend(payload(i, 8));
  using subscriber = MergedSubscriber.open(name.name, { history: 2 });
  const found = [subscriber.receiveSync(), subscriber.receiveSync()];
  assertEquals(found.map(({ sequence }) => sequence), [2, 3]);
});

Deno.test("MergedSubscriber continues with a source that returns", () => {
  using name = new Name();
  using subscriber = MergedSubscriber.open(name.name);
  const first = source(name.name, "a");
  subscriber.tryReceive();
  first.trySend(payload(1, 8));
  first.close();
  assertEquals(subscriber.sources, []);
  using second = source(name.name, "a");
  second.trySend(payload(2, 8));
  const sequences = [subscriber.receiveSync().sequence, subscriber.receiveSync().sequence];
  assertEquals(sequences, [1, 2]);
  assertEquals(subscriber.sources, ["a"]);
});

Deno.test("MergedSubscriber follows a source whose topic was unlinked, and drains the old one", () => {
  using name = new Name();
  using subscriber = MergedSubscriber.open(name.name);
  const topic = `${name.name}/left`;
  using old = source(name.name, "left");
  subscriber.tryReceive();
  for (const i of [1, 2]) old.trySend(payload(i, 8));
  const held = subscriber.takeSync().sample;
  Publisher.unlink(topic);
  using fresh = source(name.name, "left");
  subscriber.tryReceive(); // the second of the old topic, and now it knows the new one
  assertEquals(subscriber.sources, ["left"]);
  old.trySend(payload(3, 8));
  fresh.trySend(payload(4, 8));
  const sequences = [subscriber.receiveSync().sequence, subscriber.receiveSync().sequence];
  assertEquals(sequences.sort(), [1, 3]);
  old.close();
  subscriber.tryReceive(); // leaves the old one only when nothing of it is held
  assertEquals([held.bytes.length, mapped(topic, "(deleted)")], [8, true]);
  held[Symbol.dispose]();
  using _another = source(name.name, "right"); // which makes it look around
  subscriber.tryReceive();
  assertEquals([mapped(topic, "(deleted)"), mapped(topic, "")], [false, true]);
});

/** Whether this process has the region of a topic mapped; unlinked ones are "(deleted)". */
function mapped(topic: string, state: "(deleted)" | ""): boolean {
  const path = topicPath("topic", topic);
  const lines = Deno.readTextFileSync("/proc/self/maps").split("\n");
  return lines.some((line) => line.endsWith(`${path} ${state}`.trim()));
}

Deno.test("MergedSubscriber tries a refused source again once its topic was unlinked", () => {
  using name = new Name();
  using _text = Publisher.open(name.name, { source: "left", codec: codec.text });
  using subscriber = MergedSubscriber.open(name.name);
  assertThrows(() => subscriber.tryReceive(), LayoutMismatchError, "left");
  Publisher.unlink(`${name.name}/left`);
  using _bytes = source(name.name, "left");
  assertEquals(subscriber.sources, ["left"]);
});

Deno.test("MergedSubscriber joins a source once no process is in the way any more", async () => {
  using name = new Name();
  const path = topicPath("topic", `${name.name}/left`);
  Publisher.open(`${name.name}/left`, { persist: true }).close();
  const remover = new LockFile(path, { write: true, what: "the test" });
  remover.tryLock(MEMBER, "write");
  using subscriber = MergedSubscriber.open(name.name);
  const controller = new AbortController();
  const waiting = subscriber.receive({ signal: controller.signal });
  remover.close();
  using topic = Region.tryConnect(TOPIC, path)!;
  await until("the subscriber has joined", () => topic.countMembers() === 2);
  controller.abort("enough");
  assertEquals(await waiting.catch((reason) => reason), "enough");
});

Deno.test("a source is a topic of its own, and has one publisher", () => {
  using name = new Name();
  using left = source(name.name, "left");
  assertEquals(left.topic, `${name.name}/left`);
  assertThrows(() => source(name.name, "left"), RoleTakenError, "left");
  assertThrows(() => source(name.name, "a/b"), TypeError, "without a slash");
  assertThrows(() => source(name.name, ""), TypeError);
  using single = Subscriber.open(`${name.name}/left`);
  left.trySend(payload(3, 8));
  assertEquals(single.receiveSync().state, "ok");
  assertEquals(Subscriber.tryConnect(`${name.name}/right`), undefined);
});

Deno.test("MergedSubscriber reports a source that it cannot join once, and continues with the others", async () => {
  using name = new Name();
  using first = Publisher.open(name.name, { source: "first", codec: codec.text });
  using subscriber = MergedSubscriber.open(name.name);
  assertThrows(() => subscriber.tryReceive(), LayoutMismatchError, "first");
  assertEquals(subscriber.tryReceive(), { state: "empty" });
  using right = source(name.name, "right");
  assertEquals(subscriber.sources, ["right"]);
  right.trySend(payload(1, 20));
  assertEquals(subscriber.receiveSync({ timeout: 5000 }).value, payload(1, 20));
  const waiting = subscriber.receive();
  using second = Publisher.open(name.name, { source: "second", codec: codec.text });
  await assertRejects(() => waiting, LayoutMismatchError, "second");
  first.close();
  assertEquals(subscriber.sources, ["right"]); // the one that it left out has gone
  using again = source(name.name, "first"); // now it is one that can be joined
  assertEquals(subscriber.sources, ["right", "first"]);
  again.trySend(payload(2, 20));
  assertEquals(subscriber.receiveSync({ timeout: 5000 }).value, payload(2, 20));
  second.close();
});

Deno.test("MergedSubscriber iterates and streams the values of all sources", async () => {
  using name = new Name();
  using left = source(name.name, "left");
  using right = source(name.name, "right");
  using subscriber = MergedSubscriber.open(name.name);
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
  using first = Subscriber.open(names.a.name);
  using second = Subscriber.open(names.b.name);
  using publisher = Publisher.open(names.b.name);
  const waiting = waitAny([first, second], { spin: 0 });
  publisher.trySend(payload(1, 8));
  assertEquals(await waiting === second, true);
});
